/* ctl_client: programs that ask for tokens. */

#include <stdio.h>

#include "fcgi/ctl.h"
#include "model/client.h"

static const struct stmt *const stmts[] = {client_stmts, NULL};

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

static enum rc
client_add(struct ctl *ctl)
{
	struct client_new wanted = {.client_id = ctl->arguments[0],
		.name = ctl_option_or(ctl, "name", ctl->arguments[0]),
		.grants = ctl_options(ctl, "grant"),
		.scopes = ctl_options(ctl, "scope"),
		.redirect_uris = ctl_options(ctl, "redirect-uri"),
		.logout_uris = ctl_options(ctl, "logout-uri"),
		.origins = ctl_options(ctl, "origin"),
		.is_public = ctl_option(ctl, "public") != NULL,
		.allow_no_pkce = ctl_option(ctl, "no-pkce") != NULL};
	struct client client;
	const char *secret = NULL;
	enum rc rc = client_create(
		ctl->db, ctl->arena, &wanted, &client, &secret, &ctl->fault);

	if (rc == RC_CONFLICT)
		return fault_set(&ctl->fault, rc,
			"there is a client \"%s\" already", wanted.client_id);
	if (rc != RC_OK)
		return rc;
	printf("Client %s was created.\n", client.client_id);
	print_secret(secret);
	return RC_OK;
}

static enum rc
client_secret(struct ctl *ctl)
{
	struct client client;
	const char *secret;
	enum rc rc = find_client(ctl, &client);

	if (rc == RC_OK)
		rc = client_renew_secret(
			ctl->db, ctl->arena, client.id, &secret, &ctl->fault);
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
		rc = client_set_active(ctl->db, client.id, active, &ctl->fault);
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

static const struct ctl_option add_options[] = {
	{"name", "TEXT", "what people see; default: the id"},
	{"grant", "GRANT",
		"authorization_code, refresh_token or client_credentials; may "
		"be "
		"repeated"},
	{"scope", "SCOPE", "a scope it may ask for; may be repeated"},
	{"redirect-uri", "URI",
		"where the login may lead back to; may be repeated"},
	{"logout-uri", "URI",
		"where the logout may lead back to; may be repeated"},
	{"origin", "ORIGIN", "a browser origin that may call; may be repeated"},
	{"public", NULL, "no secret (browser, phone); PKCE is required"},
	{"no-pkce", NULL, "for confidential clients that cannot do PKCE"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_client_commands[] = {
	{"client", "add", "ID", 1, 1,
		"register a program; its secret is shown once", add_options,
		stmts, client_add},
	{"client", "secret", "ID", 1, 1,
		"make a new secret, shown once; the old one is refused", NULL,
		stmts, client_secret},
	{"client", "list", "", 0, 0, "every client", NULL, stmts,
		client_show_all},
	{"client", "enable", "ID", 1, 1, "let a disabled client in again", NULL,
		stmts, client_enable},
	{"client", "disable", "ID", 1, 1,
		"end all tokens of a client and refuse new ones", NULL, stmts,
		client_disable},
	CTL_COMMANDS_END,
};
