/* ctl_provider: OpenID providers upstream whose users may log in. */

#include <stdio.h>
#include <string.h>

#include "fcgi/ctl.h"
#include "lib/file.h"
#include "lib/secret.h"
#include "model/audit.h"
#include "model/group.h"
#include "model/group_mapping.h"
#include "model/provider.h"
#include "model/provider_metadata.h"

#define PAGE_ROWS 500

static const struct stmt *const stmts[] = {audit_stmts, group_stmts,
	group_mapping_stmts, provider_stmts, provider_metadata_stmts, NULL};

static const char *
object_of(struct ctl *ctl, const struct provider *provider)
{
	return arena_printf(ctl->arena, "provider:%s", provider->name);
}

static enum rc
find(struct ctl *ctl, struct provider *provider)
{
	const char *name = ctl->arguments[0];
	enum rc rc =
		provider_find(ctl->db, ctl->arena, name, provider, &ctl->fault);

	if (rc == RC_NOT_FOUND)
		return fault_set(
			&ctl->fault, rc, "there is no provider \"%s\"", name);
	return rc;
}

/* --- add and change ---------------------------------------------------- */

static void
take_list(struct ctl *ctl, const char *option, const char ***list)
{
	const char **given = ctl_options(ctl, option);

	if (given[0] != NULL)
		*list = given;
}

static enum rc
take_files(struct ctl *ctl, struct provider *provider, const char **secret)
{
	const char *path = ctl_option(ctl, "secret-file");
	char *text = NULL;
	enum rc rc = RC_OK;

	if (path != NULL) {
		rc = secret_read(ctl->arena, path, &text, &ctl->fault);
		*secret = text;
	}
	path = ctl_option(ctl, "ca");
	if (rc == RC_OK && path != NULL && path[0] == '\0') {
		provider->authority_pem = "";
	} else if (rc == RC_OK && path != NULL) {
		rc = file_read(ctl->arena, path, PROVIDER_PEM_BYTES, &text,
			NULL, &ctl->fault);
		provider->authority_pem = text;
	}
	return rc;
}

/* What the options say; the rest stays. */
static enum rc
take_options(struct ctl *ctl, struct provider *provider, const char **secret)
{
	const struct {
		const char *option;
		const char **text;
	} texts[] = {
		{"title", &provider->title},
		{"client-id", &provider->client_id},
		{"authentication", &provider->authentication},
		{"subject", &provider->subject},
		{"name-claim", &provider->name_claim},
		{"groups-claim", &provider->groups_claim},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		*texts[i].text =
			ctl_option_or(ctl, texts[i].option, *texts[i].text);
	take_list(ctl, "scope", &provider->scopes);
	take_list(ctl, "host", &provider->hosts);
	take_list(ctl, "factor-value", &provider->factor_values);
	if (ctl_option(ctl, "accounts") != NULL)
		provider->create_accounts = true;
	if (ctl_option(ctl, "no-accounts") != NULL)
		provider->create_accounts = false;
	if (ctl_option(ctl, "enable") != NULL)
		provider->active = true;
	if (ctl_option(ctl, "disable") != NULL)
		provider->active = false;
	return take_files(ctl, provider, secret);
}

static enum rc
add(struct ctl *ctl, const struct provider *wanted, const char *secret,
	const struct seal *seal)
{
	enum rc rc = provider_create(
		ctl->db, ctl->arena, wanted, secret, seal, &ctl->fault);

	if (rc == RC_OK)
		rc = ctl_audit(ctl, "provider.create", object_of(ctl, wanted),
			NULL, provider_json(ctl->arena, wanted));
	return rc;
}

static enum rc
provider_add(struct ctl *ctl)
{
	struct provider wanted = provider_defaults();
	const char *secret = NULL;
	struct seal seal;
	enum rc rc =
		seal_load(ctl->arena, ctl->conf.seal_key, &seal, &ctl->fault);

	wanted.name = ctl->arguments[0];
	wanted.title = wanted.name;
	wanted.issuer = ctl_option(ctl, "issuer");
	if (rc == RC_OK)
		rc = take_options(ctl, &wanted, &secret);
	wanted.has_secret = secret != NULL;
	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc == RC_OK)
		rc = ctl_end(ctl, add(ctl, &wanted, secret, &seal));
	if (rc == RC_OK)
		printf("Provider %s was added. Register its redirect address "
		       "there, which\nis the address of this grid and "
		       "/signin-%s, then run\n\n    fieldgridctl provider test "
		       "%s\n",
			wanted.name, wanted.name, wanted.name);
	return rc;
}

static enum rc
change(struct ctl *ctl, const struct provider *old,
	const struct provider *wanted, const char *secret,
	const struct seal *seal)
{
	enum rc rc = provider_change(
		ctl->db, ctl->arena, wanted, secret, seal, &ctl->fault);

	if (rc == RC_OK)
		rc = ctl_audit(ctl, "provider.change", object_of(ctl, old),
			provider_json(ctl->arena, old),
			provider_json(ctl->arena, wanted));
	return rc;
}

static enum rc
provider_edit(struct ctl *ctl)
{
	struct provider old;
	struct provider wanted;
	const char *secret = NULL;
	struct seal seal;
	enum rc rc =
		seal_load(ctl->arena, ctl->conf.seal_key, &seal, &ctl->fault);

	if (rc == RC_OK)
		rc = find(ctl, &old);
	if (rc != RC_OK)
		return rc;
	wanted = old;
	rc = take_options(ctl, &wanted, &secret);
	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc == RC_OK)
		rc = ctl_end(ctl, change(ctl, &old, &wanted, secret, &seal));
	if (rc == RC_OK)
		printf("Provider %s was changed.\n", old.name);
	return rc;
}

/* --- list and remove --------------------------------------------------- */

static enum rc
provider_show_all(struct ctl *ctl)
{
	const struct provider_filter filter = {.search = NULL};
	struct slice slice = {.sort = "name", .limit = PAGE_ROWS, .more = true};
	struct provider_list list;
	enum rc rc = RC_OK;

	while (rc == RC_OK && slice.more) {
		rc = provider_slice(ctl->db, ctl->arena, &filter, &slice, &list,
			&ctl->fault);
		for (size_t i = 0; rc == RC_OK && i < list.count; i++)
			printf("%s\t%s\t%s\t%s\t%s\n", list.items[i].name,
				list.items[i].title, list.items[i].issuer,
				list.items[i].client_id,
				list.items[i].active ? "active" : "disabled");
		slice.after = slice.next;
		slice.after_id = slice.next_id;
	}
	return rc;
}

static enum rc
take_away(struct ctl *ctl, const struct provider *provider)
{
	enum rc rc =
		provider_remove(ctl->db, ctl->arena, provider, &ctl->fault);

	if (rc == RC_OK)
		rc = ctl_audit(ctl, "provider.remove", object_of(ctl, provider),
			provider_json(ctl->arena, provider), NULL);
	return rc;
}

static enum rc
provider_delete(struct ctl *ctl)
{
	struct provider provider;
	enum rc rc = find(ctl, &provider);

	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc == RC_OK)
		rc = ctl_end(ctl, take_away(ctl, &provider));
	if (rc == RC_OK)
		printf("Provider %s was removed. Accounts that came from it "
		       "are still there.\n",
			provider.name);
	return rc;
}

/* --- groups ------------------------------------------------------------ */

static enum rc
pair(struct ctl *ctl, const struct provider *provider,
	const struct group *group, bool remove)
{
	const char *source = provider_source(ctl->arena, provider);
	const char *external = ctl->arguments[1];
	const char *values = audit_values(
		ctl->arena, "external", external, "group", group->name, NULL);
	enum rc rc = group_mapping_set(ctl->db, ctl->arena, source, external,
		group->id, remove ? GROUP_UNMAP : GROUP_MAP, &ctl->fault);

	if (rc == RC_OK)
		rc = ctl_audit(ctl, remove ? "provider.unmap" : "provider.map",
			object_of(ctl, provider), remove ? values : NULL,
			remove ? NULL : values);
	return rc;
}

static enum rc
show_groups(struct ctl *ctl, const struct provider *provider)
{
	struct group_mapping_list list = {.count = 0};
	enum rc rc = group_mapping_list(ctl->db, ctl->arena,
		provider_source(ctl->arena, provider), &list, &ctl->fault);

	for (size_t i = 0; rc == RC_OK && i < list.count; i++)
		printf("%s\t%s\n", list.items[i].external, list.items[i].group);
	return rc;
}

static enum rc
provider_map(struct ctl *ctl)
{
	bool remove = ctl_option(ctl, "remove") != NULL;
	struct provider provider;
	struct group group;
	enum rc rc = find(ctl, &provider);

	if (rc != RC_OK)
		return rc;
	if (ctl->argument_count == 1)
		return show_groups(ctl, &provider);
	if (ctl->argument_count == 2)
		return fault_set(&ctl->fault, RC_BAD_INPUT,
			"name a group here for \"%s\"", ctl->arguments[1]);
	rc = group_find(
		ctl->db, ctl->arena, ctl->arguments[2], &group, &ctl->fault);
	if (rc == RC_NOT_FOUND)
		return fault_set(&ctl->fault, rc, "there is no group \"%s\"",
			ctl->arguments[2]);
	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc == RC_OK)
		rc = ctl_end(ctl, pair(ctl, &provider, &group, remove));
	if (rc == RC_OK)
		printf("Members of %s at %s %s members of %s.\n",
			ctl->arguments[1], provider.name,
			remove ? "are no longer" : "become", group.name);
	return rc;
}

/* --- test -------------------------------------------------------------- */

static enum rc
provider_try(struct ctl *ctl)
{
	struct provider_gate gate = {.seal = NULL};
	struct provider_metadata metadata;
	struct provider provider;
	enum rc rc = slots_open(&gate.slots, "", 1, &ctl->fault);

	if (rc == RC_OK)
		rc = find(ctl, &provider);
	if (rc == RC_OK)
		rc = provider_metadata_get(ctl->db, ctl->arena, &gate,
			&provider, PROVIDER_TRIED, &metadata, &ctl->fault);
	if (rc != RC_OK)
		return rc;
	printf("Provider %s answers.\nauthorization endpoint: %s\n"
	       "token endpoint: %s\n",
		provider.name, metadata.authorization_endpoint,
		metadata.token_endpoint);
	for (size_t i = 0; i < metadata.keys.count; i++)
		printf("key: %s %s\n", metadata.keys.items[i].algorithm,
			metadata.keys.items[i].kid);
	if (metadata.keys.ignored > 0)
		printf("keys that are not used here: %zu\n",
			metadata.keys.ignored);
	return RC_OK;
}

/* --- the table --------------------------------------------------------- */

#define SETTINGS                                                               \
	{"title", "TEXT", "what stands on its button; default: the name"},     \
		{"client-id", "ID", "who we are there"},                       \
		{"secret-file", "FILE",                                        \
			"file with the client secret, readable by you alone"}, \
		{"authentication", "METHOD",                                   \
			"client_secret_post (default), client_secret_basic "   \
			"or none"},                                            \
		{"scope", "SCOPE",                                             \
			"asked for; may be repeated; default: openid profile " \
			"email"},                                              \
		{"host", "HOST",                                               \
			"host[:port] beside the issuer's that may serve its "  \
			"endpoints; may be repeated"},                         \
		{"ca", "FILE",                                                 \
			"PEM file of who signed its server; default: the "     \
			"system's list"},                                      \
		{"subject", "CLAIMS",                                          \
			"what never changes: sub (default) or tid+oid"},       \
		{"name-claim", "CLAIM",                                        \
			"user name here; default: preferred_username"},        \
		{"groups-claim", "CLAIM",                                      \
			"groups there, for provider map; default: none"},      \
		{"factor-value", "VALUE",                                      \
			"of amr or acr: a second factor was shown; may be "    \
			"repeated"},                                           \
		{"accounts", NULL, "make accounts at the first login"},        \
		{"no-accounts", NULL, "let only linked accounts in"},          \
		{"enable", NULL, "show its button"},                           \
	{                                                                      \
		"disable", NULL, "hide its button and refuse its users"        \
	}

static const struct ctl_option add_options[] = {
	{"issuer", "URL", "its issuer, letter by letter"},
	SETTINGS,
	CTL_OPTIONS_END,
};

static const struct ctl_option change_options[] = {
	SETTINGS,
	CTL_OPTIONS_END,
};

static const struct ctl_option map_options[] = {
	{"remove", NULL, "end the mapping"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_provider_commands[] = {
	{"provider", "add", "NAME", 1, 1,
		"let users of an OpenID provider log in", add_options, stmts,
		provider_add},
	{"provider", "change", "NAME", 1, 1,
		"change what the options say; name and issuer stay",
		change_options, stmts, provider_edit},
	{"provider", "list", "", 0, 0,
		"every provider: name, title, issuer, client id, state", NULL,
		stmts, provider_show_all},
	{"provider", "remove", "NAME", 1, 1,
		"forget a provider, its links and its mappings", NULL, stmts,
		provider_delete},
	{"provider", "map", "NAME [EXTERNAL GROUP]", 1, 3,
		"make members of a group there members of a group here; alone: "
		"show what is mapped",
		map_options, stmts, provider_map},
	{"provider", "test", "NAME", 1, 1,
		"ask it for its discovery document and keys, and say what is "
		"wrong",
		NULL, stmts, provider_try},
	CTL_COMMANDS_END,
};
