/* ctl_client: programs that ask for tokens. */

#include <stdio.h>
#include <string.h>

#include "fcgi/ctl.h"
#include "model/audit.h"
#include "model/client.h"

static const struct stmt *const stmts[] = {audit_stmts, client_stmts, NULL};

static enum rc
find_client(struct ctl *ctl, struct client *client)
{
	const char *id = ctl->arguments[0];
	enum rc rc = client_find(ctl->db, ctl->arena, id, client, &ctl->fault);

	if (rc == RC_NOT_FOUND)
		return fault_set(
			&ctl->fault, rc, "there is no client \"%s\"", id);
	return rc;
}

static void
print_secret(const char *secret)
{
	if (secret != NULL)
		printf("client_secret: %s\nIt is shown only now.\n", secret);
}

static const char *
object_of(struct ctl *ctl, const struct client *client)
{
	return arena_printf(ctl->arena, "client:%s", client->client_id);
}

/* Flags that come in pairs: on and off. */
static void
read_flags(struct ctl *ctl, struct client_new *wanted)
{
	const struct {
		const char *on;
		const char *off;
		bool *flag;
	} flags[] = {
		{"trusted", "untrusted", &wanted->trusted},
		{"no-pkce", "pkce", &wanted->allow_no_pkce},
		{"no-rotation", "rotation", &wanted->keep_refresh},
		{"introspection", "no-introspection", &wanted->introspects},
		{"backchannel-session", "no-backchannel-session",
			&wanted->backchannel_session_required},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(flags); i++) {
		if (ctl_option(ctl, flags[i].on) != NULL)
			*flags[i].flag = true;
		if (ctl_option(ctl, flags[i].off) != NULL)
			*flags[i].flag = false;
	}
}

/* "KIND:NAME" of a certificate, or nothing, or a secret. */
static void
read_proof(struct ctl *ctl, struct client_new *wanted)
{
	const char *certificate = ctl_option(ctl, "certificate");
	const char *colon =
		certificate != NULL ? strchr(certificate, ':') : NULL;

	if (ctl_option(ctl, "public") != NULL ||
		ctl_option(ctl, "by-secret") != NULL || certificate != NULL) {
		wanted->certificate_kind = NULL;
		wanted->certificate_name = NULL;
	}
	if (ctl_option(ctl, "public") != NULL)
		wanted->authentication = CLIENT_BY_NOTHING;
	if (ctl_option(ctl, "by-secret") != NULL)
		wanted->authentication = CLIENT_BY_SECRET;
	if (certificate == NULL)
		return;
	wanted->authentication = CLIENT_BY_CERTIFICATE;
	wanted->certificate_kind =
		colon != NULL ? arena_strndup(ctl->arena, certificate,
					(size_t)(colon - certificate))
			      : certificate;
	wanted->certificate_name = colon != NULL ? colon + 1 : "";
}

static enum rc
read_numbers(struct ctl *ctl, struct client_new *wanted)
{
	enum rc rc = ctl_option_int(
		ctl, "refresh-grace", 0, 10, &wanted->refresh_grace_s);

	if (rc == RC_OK)
		rc = ctl_option_int(ctl, "access-token", 60, 86400,
			&wanted->access_token_s);
	if (rc == RC_OK)
		rc = ctl_option_int(ctl, "refresh-idle", 60, 31536000,
			&wanted->refresh_idle_s);
	if (rc == RC_OK)
		rc = ctl_option_int(ctl, "refresh-absolute", 60, 31536000,
			&wanted->refresh_absolute_s);
	return rc;
}

/* The options over what "wanted" has already. */
static enum rc
read_settings(struct ctl *ctl, struct client_new *wanted)
{
	const struct {
		const char *option;
		const char *const **list;
	} lists[] = {
		{"grant", &wanted->grants},
		{"scope", &wanted->scopes},
		{"redirect-uri", &wanted->redirect_uris},
		{"logout-uri", &wanted->logout_uris},
		{"origin", &wanted->origins},
	};
	const struct {
		const char *option;
		const char **text;
	} texts[] = {
		{"name", &wanted->name},
		{"home-page", &wanted->home_page},
		{"algorithm", &wanted->algorithm},
		{"backchannel-logout-uri", &wanted->backchannel_logout_uri},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(lists); i++)
		if (ctl_option(ctl, lists[i].option) != NULL)
			*lists[i].list = ctl_options(ctl, lists[i].option);
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		*texts[i].text =
			ctl_option_or(ctl, texts[i].option, *texts[i].text);
	read_flags(ctl, wanted);
	read_proof(ctl, wanted);
	return read_numbers(ctl, wanted);
}

static enum rc
client_add(struct ctl *ctl)
{
	struct client_new wanted = {
		.client_id = ctl->arguments[0], .name = ctl->arguments[0]};
	struct client client;
	const char *secret = NULL;
	enum rc rc = read_settings(ctl, &wanted);

	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc != RC_OK)
		return rc;
	rc = client_create(
		ctl->db, ctl->arena, &wanted, &client, &secret, &ctl->fault);
	if (rc == RC_CONFLICT)
		rc = fault_set(&ctl->fault, rc,
			"there is a client \"%s\" already", wanted.client_id);
	if (rc == RC_OK)
		rc = ctl_audit(ctl, "client.create", object_of(ctl, &client),
			NULL, client_json(ctl->arena, &client));
	rc = ctl_end(ctl, rc);
	if (rc != RC_OK)
		return rc;
	printf("Client %s was created.\n", client.client_id);
	print_secret(secret);
	return RC_OK;
}

static enum rc
client_alter(struct ctl *ctl)
{
	struct client old;
	struct client client;
	struct client_new wanted;
	enum rc rc = find_client(ctl, &old);

	if (rc != RC_OK)
		return rc;
	wanted = client_settings(&old);
	rc = read_settings(ctl, &wanted);
	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc != RC_OK)
		return rc;
	rc = client_change(
		ctl->db, ctl->arena, old.id, &wanted, &client, &ctl->fault);
	if (rc == RC_OK)
		rc = ctl_audit(ctl, "client.change", object_of(ctl, &client),
			client_json(ctl->arena, &old),
			client_json(ctl->arena, &client));
	rc = ctl_end(ctl, rc);
	if (rc == RC_OK)
		printf("Client %s was changed; its tokens ended.\n",
			client.client_id);
	return rc;
}

static enum rc
client_drop(struct ctl *ctl)
{
	struct client client;
	enum rc rc = find_client(ctl, &client);

	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc != RC_OK)
		return rc;
	rc = client_remove(ctl->db, &client, &ctl->fault);
	if (rc == RC_OK)
		rc = ctl_audit(ctl, "client.remove", object_of(ctl, &client),
			client_json(ctl->arena, &client), NULL);
	rc = ctl_end(ctl, rc);
	if (rc == RC_OK)
		printf("Client %s was removed.\n", client.client_id);
	return rc;
}

static enum rc
client_secret(struct ctl *ctl)
{
	struct client client;
	const char *secret = NULL;
	enum rc rc = find_client(ctl, &client);

	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc != RC_OK)
		return rc;
	rc = client_renew_secret(
		ctl->db, ctl->arena, &client, &secret, &ctl->fault);
	if (rc == RC_OK)
		rc = ctl_audit(ctl, "client.secret", object_of(ctl, &client),
			NULL, NULL);
	rc = ctl_end(ctl, rc);
	if (rc == RC_OK)
		print_secret(secret);
	return rc;
}

static enum rc
set_active(struct ctl *ctl, bool active)
{
	struct client client;
	enum rc rc = find_client(ctl, &client);

	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc != RC_OK)
		return rc;
	rc = client_set_active(ctl->db, client.id, active, &ctl->fault);
	if (rc == RC_OK)
		rc = ctl_audit(ctl, active ? "client.enable" : "client.disable",
			object_of(ctl, &client), NULL, NULL);
	rc = ctl_end(ctl, rc);
	if (rc == RC_OK)
		printf("Client %s is %s.\n", client.client_id,
			active ? "active" : "disabled");
	return rc;
}

static enum rc
client_enable(struct ctl *ctl)
{
	return set_active(ctl, true);
}

static enum rc
client_disable(struct ctl *ctl)
{
	return set_active(ctl, false);
}

static void
print_words(const char **words)
{
	putchar('\t');
	for (; *words != NULL; words++)
		printf("%s%s", *words, words[1] != NULL ? " " : "");
}

static enum rc
client_show_all(struct ctl *ctl)
{
	struct client_list list;
	enum rc rc = client_list(ctl->db, ctl->arena, &list, &ctl->fault);

	for (size_t i = 0; rc == RC_OK && i < list.count; i++) {
		const struct client *client = &list.items[i];

		printf("%s\t%s\t%s\t%s", client->client_id, client->name,
			client->confidential ? "confidential" : "public",
			client->active ? "active" : "disabled");
		print_words(client->grants);
		print_words(client->scopes);
		putchar('\n');
	}
	return rc;
}

static enum rc
client_show(struct ctl *ctl)
{
	struct client client;
	enum rc rc = find_client(ctl, &client);

	if (rc == RC_OK)
		puts(client_json(ctl->arena, &client));
	return rc;
}

static const struct ctl_option settings[] = {
	{"name", "TEXT", "what people see; default: the id"},
	{"grant", "GRANT",
		"authorization_code, refresh_token, client_credentials or "
		"urn:ietf:params:oauth:grant-type:device_code; may be "
		"repeated"},
	{"scope", "SCOPE", "a scope it may ask for; may be repeated"},
	{"redirect-uri", "URI",
		"where the login may lead back to; may be repeated"},
	{"logout-uri", "URI",
		"where the logout may lead back to; may be repeated"},
	{"origin", "ORIGIN", "a browser origin that may call; may be repeated"},
	{"public", NULL, "no secret (browser, phone); PKCE is required"},
	{"by-secret", NULL, "it logs in by a secret, as it does by default"},
	{"certificate", "KIND:NAME",
		"it logs in by a certificate with this name; KIND is "
		"subject_dn, san_dns, san_uri, san_ip or san_email"},
	{"no-pkce", NULL, "for confidential clients that cannot do PKCE"},
	{"pkce", NULL, "PKCE is required, as it is by default"},
	{"trusted", NULL, "one of ours: users are not asked for consent"},
	{"untrusted", NULL, "users are asked, as they are by default"},
	{"introspection", NULL, "it may ask about tokens of other clients"},
	{"no-introspection", NULL, "only about its own, as by default"},
	{"algorithm", "NAME",
		"of its tokens: RS256 (the default) or ES256 (nodes)"},
	{"no-rotation", NULL,
		"its refresh tokens stay the same; only for confidential ones"},
	{"rotation", NULL, "each refresh token works once, as by default"},
	{"refresh-grace", "SECONDS",
		"so long a used refresh token still works, 0 to 10; 0 by "
		"default"},
	{"access-token", "SECONDS", "life of access tokens; 3600"},
	{"refresh-idle", "SECONDS", "a refresh token must be used by; 604800"},
	{"refresh-absolute", "SECONDS",
		"the user must log in again after; 2592000"},
	{"backchannel-logout-uri", "URI", "is told when a user logs out"},
	{"backchannel-session", NULL, "it must be told of each session"},
	{"no-backchannel-session", NULL, "the user is enough, as by default"},
	{"home-page", "URI", "shown to users when they are asked"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_client_commands[] = {
	{"client", "add", "ID", 1, 1,
		"register a program; its secret is shown once", settings, stmts,
		client_add},
	{"client", "change", "ID", 1, 1,
		"change what is given; all its access tokens end", settings,
		stmts, client_alter},
	{"client", "remove", "ID", 1, 1, "with all its tokens and rights", NULL,
		stmts, client_drop},
	{"client", "secret", "ID", 1, 1,
		"make a new secret, shown once; the old one is refused", NULL,
		stmts, client_secret},
	{"client", "show", "ID", 1, 1, "everything about a client, as JSON",
		NULL, stmts, client_show},
	{"client", "list", "", 0, 0, "every client", NULL, stmts,
		client_show_all},
	{"client", "enable", "ID", 1, 1, "let a disabled client in again", NULL,
		stmts, client_enable},
	{"client", "disable", "ID", 1, 1,
		"end all tokens of a client and refuse new ones", NULL, stmts,
		client_disable},
	CTL_COMMANDS_END,
};
