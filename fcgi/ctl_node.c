/* ctl_node: machines join the grid, are listed and are shut out. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fcgi/ctl.h"
#include "lib/file.h"
#include "model/caller.h"
#include "model/client.h"
#include "model/datasource.h"
#include "model/enrolment.h"

#define CERTIFICATE_DAYS 365
#define PEM_BYTES        ((size_t)64 * 1024)

static const struct stmt *const stmts[] = {
	enrolment_stmts, datasource_stmts, client_stmts, NULL};

/* What a new node takes home. */
struct bundle {
	const char *folder;
	const char *client_id;
	const char *secret;
	const char *authority_pem;
	struct tls_identity identity;
};

static enum rc
find_node(struct ctl *ctl, struct enrolled *node)
{
	const char *name = ctl->arguments[0];
	enum rc rc =
		enrolment_find(ctl->db, ctl->arena, name, node, &ctl->fault);

	if (rc == RC_NOT_FOUND)
		return fault_set(
			&ctl->fault, rc, "there is no node \"%s\"", name);
	return rc;
}

/* --- rights
 * ------------------------------------------------------------------------ */

/* The datasource UUID; with a name it is created when missing. */
static enum rc
find_datasource(struct ctl *ctl, const char *text, const char *name,
	struct datasource *datasource)
{
	uint8_t uuid[UUID_BYTES];
	enum rc rc = ctl_uuid(ctl, text, uuid);

	if (rc != RC_OK)
		return rc;
	rc = datasource_find(
		ctl->db, ctl->arena, uuid, datasource, &ctl->fault);
	if (rc != RC_NOT_FOUND)
		return rc;
	if (name == NULL)
		return fault_set(&ctl->fault, rc,
			"there is no datasource %s; UUID:NAME creates one",
			text);
	rc = datasource_create(
		ctl->db, ctl->arena, uuid, name, "", datasource, &ctl->fault);
	if (rc == RC_CONFLICT)
		fault_set(&ctl->fault, rc,
			"another datasource is called \"%s\"", name);
	return rc;
}

/* Each value of the option is "UUID" or "UUID:NAME". */
static enum rc
allow(struct ctl *ctl, int64_t node_id, const char *option, bool publish)
{
	const char **values = ctl_options(ctl, option);
	enum rc rc = RC_OK;

	for (; rc == RC_OK && *values != NULL; values++) {
		char *uuid = arena_strdup(ctl->arena, *values);
		char *name = strchr(uuid, ':');
		struct datasource datasource;

		if (name != NULL)
			*name++ = '\0';
		rc = find_datasource(ctl, uuid, name, &datasource);
		if (rc == RC_OK)
			rc = enrolment_allow(ctl->db, node_id, datasource.id,
				publish, !publish, &ctl->fault);
	}
	return rc;
}

static enum rc
allow_all(struct ctl *ctl, int64_t node_id)
{
	enum rc rc = allow(ctl, node_id, "publish", true);

	return rc == RC_OK ? allow(ctl, node_id, "subscribe", false) : rc;
}

/* --- the bundle
 * --------------------------------------------------------------------- */

static enum rc
read_authority(struct ctl *ctl, struct tls_identity *authority)
{
	char *certificate;
	char *key;
	enum rc rc = file_read(ctl->arena,
		arena_printf(ctl->arena, "%s/ca.pem", ctl->conf.pki), PEM_BYTES,
		&certificate, NULL, &ctl->fault);

	if (rc == RC_OK)
		rc = file_read(ctl->arena,
			arena_printf(ctl->arena, "%s/ca.key", ctl->conf.pki),
			PEM_BYTES, &key, NULL, &ctl->fault);
	if (rc == RC_OK)
		*authority = (struct tls_identity){key, certificate};
	return rc;
}

static enum rc
issue(struct ctl *ctl, const struct enrolled *node, struct bundle *bundle)
{
	struct tls_identity authority;
	int64_t days = CERTIFICATE_DAYS;
	enum rc rc = ctl_option_int(ctl, "days", 1, 3650, &days);

	if (rc == RC_OK)
		rc = read_authority(ctl, &authority);
	if (rc == RC_OK)
		rc = enrolment_issue(ctl->db, ctl->arena, node, &authority,
			(int)days, &bundle->identity, &ctl->fault);
	if (rc == RC_OK)
		bundle->authority_pem = authority.certificate_pem;
	return rc;
}

/* A client of the node's name, for tokens of the hub. */
static enum rc
give_access(struct ctl *ctl, const struct enrolled *node, struct bundle *bundle)
{
	static const char *const grants[] = {CLIENT_GRANT_CLIENT, NULL};
	static const char *const scopes[] = {CALLER_SCOPE_HUB, NULL};
	struct client_new wanted = {.client_id = node->name,
		.name = node->name,
		.node_id = node->id,
		.grants = grants,
		.scopes = scopes};
	struct client client;

	bundle->client_id = node->name;
	return client_create(ctl->db, ctl->arena, &wanted, &client,
		&bundle->secret, &ctl->fault);
}

static enum rc
write_bundle(struct ctl *ctl, const struct bundle *bundle)
{
	const struct {
		const char *name;
		const char *text;
	} files[] = {
		{"ca.pem", bundle->authority_pem},
		{"node.pem", bundle->identity.certificate_pem},
		{"node.key", bundle->identity.private_pem},
		{"client_id", bundle->client_id},
		{"client_secret", bundle->secret},
	};
	enum rc rc = RC_OK;

	if (mkdir(bundle->folder, 0700) != 0 && errno != EEXIST)
		return fault_set(&ctl->fault, RC_IO, "%s: %s", bundle->folder,
			strerror(errno));
	for (size_t i = 0; rc == RC_OK && i < ARRAY_LENGTH(files); i++)
		rc = file_write(arena_printf(ctl->arena, "%s/%s",
					bundle->folder, files[i].name),
			arena_printf(ctl->arena, "%s\n", files[i].text), 0600,
			&ctl->fault);
	return rc;
}

/* --- the commands
 * -------------------------------------------------------------------- */

/* Pending, with its rights and its certificate. */
static enum rc
create(struct ctl *ctl, struct enrolled *node, struct bundle *bundle)
{
	const char *name = ctl->arguments[0];
	enum rc rc = enrolment_create(ctl->db, ctl->arena, name,
		ctl_option_or(ctl, "kind", "ingress"), node, &ctl->fault);

	if (rc == RC_CONFLICT)
		return fault_set(&ctl->fault, rc,
			"there is a node \"%s\" already", name);
	if (rc == RC_OK)
		rc = allow_all(ctl, node->id);
	return rc == RC_OK ? issue(ctl, node, bundle) : rc;
}

static void
print_added(const struct enrolled *node, const struct bundle *bundle)
{
	char uuid[UUID_TEXT_BYTES];

	uuid_format(uuid, node->uuid);
	printf("Node %s (%s) is authorised.\n"
	       "Its key, certificate and access data are in %s:\n"
	       "  ca.pem node.pem node.key client_id client_secret\n"
	       "Bring them to the machine on a safe way and delete them "
	       "here.\n",
		node->name, uuid, bundle->folder);
}

static enum rc
node_add(struct ctl *ctl)
{
	struct bundle bundle = {.folder = ctl_option(ctl, "out")};
	struct enrolled node;
	enum rc rc;

	if (bundle.folder == NULL)
		return fault_set(&ctl->fault, RC_BAD_INPUT,
			"--out FOLDER is needed: the node's files go there");
	rc = ctl_begin(ctl);
	if (rc == RC_OK)
		rc = ctl_end(ctl, create(ctl, &node, &bundle));
	if (rc == RC_OK)
		rc = give_access(ctl, &node, &bundle);
	if (rc == RC_OK)
		rc = write_bundle(ctl, &bundle);
	/* Last: a node without its files is never let in. */
	if (rc == RC_OK)
		rc = enrolment_set_state(
			ctl->db, node.id, "authorised", &ctl->fault);
	if (rc == RC_OK)
		print_added(&node, &bundle);
	return rc;
}

static enum rc
node_list(struct ctl *ctl)
{
	struct enrolled_list list;
	enum rc rc = enrolment_list(ctl->db, ctl->arena, &list, &ctl->fault);

	for (size_t i = 0; rc == RC_OK && i < list.count; i++) {
		char uuid[UUID_TEXT_BYTES];

		uuid_format(uuid, list.items[i].uuid);
		printf("%s\t%s\t%s\t%s\n", uuid, list.items[i].name,
			list.items[i].kind, list.items[i].state);
	}
	return rc;
}

static enum rc
node_allow(struct ctl *ctl)
{
	struct enrolled node;
	enum rc rc = ctl_begin(ctl);

	if (rc != RC_OK)
		return rc;
	rc = find_node(ctl, &node);
	if (rc == RC_OK)
		rc = allow_all(ctl, node.id);
	return ctl_end(ctl, rc);
}

static enum rc
set_state(struct ctl *ctl, const char *state)
{
	struct enrolled node;
	enum rc rc = find_node(ctl, &node);

	if (rc == RC_OK)
		rc = enrolment_set_state(ctl->db, node.id, state, &ctl->fault);
	if (rc == RC_OK)
		printf("Node %s is %s.\n", node.name, state);
	return rc;
}

static enum rc
node_authorise(struct ctl *ctl)
{
	return set_state(ctl, "authorised");
}

static enum rc
node_block(struct ctl *ctl)
{
	return set_state(ctl, "blocked");
}

static const struct ctl_option add_options[] = {
	{"out", "FOLDER",
		"where its key, certificate and access data are written"},
	{"publish", "UUID[:NAME]",
		"a datasource it may send; created when NAME is given and it "
		"is "
		"missing; may be repeated"},
	{"subscribe", "UUID[:NAME]",
		"a datasource it may receive; may be repeated"},
	{"kind", "KIND", "ingress (default), egress or service"},
	{"days", "N", "how long the certificate is valid; default 365"},
	CTL_OPTIONS_END,
};

static const struct ctl_option allow_options[] = {
	{"publish", "UUID[:NAME]", "a datasource it may send"},
	{"subscribe", "UUID[:NAME]", "a datasource it may receive"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_node_commands[] = {
	{"node", "add", "NAME", 1, 1,
		"enrol a machine: identity, certificate and access data",
		add_options, stmts, node_add},
	{"node", "list", "", 0, 0, "every node with its state", NULL, stmts,
		node_list},
	{"node", "allow", "NAME", 1, 1, "let it send or receive a datasource",
		allow_options, stmts, node_allow},
	{"node", "authorise", "NAME", 1, 1, "let it in again", NULL, stmts,
		node_authorise},
	{"node", "block", "NAME", 1, 1,
		"shut it out at once: frames, tokens and streams", NULL, stmts,
		node_block},
	CTL_COMMANDS_END,
};
