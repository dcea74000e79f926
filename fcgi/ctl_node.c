/* ctl_node: machines join the grid, are listed and are shut out. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fcgi/ctl.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/secret.h"
#include "lib/tls.h"
#include "model/enrolment.h"

#define CERTIFICATE_DAYS 365
#define PEM_BYTES        ((size_t)64 * 1024)
#define DATASOURCES_MAX  16

static const struct stmt *const stmts[] = {enrolment_stmts, NULL};

/* What a new node takes home. */
struct bundle {
	const char *folder;
	char uuid[UUID_TEXT_BYTES];
	const char *secret;
	const char *authority_pem;
	struct tls_identity identity;
};

/* --- add ------------------------------------------------------------------------ */

/* "UUID" or "UUID:NAME" */
static enum rc
parse_datasource(struct ctl *ctl, const char *text, bool publish,
	struct enrolment_datasource *datasource)
{
	const char *colon = strchr(text, ':');
	size_t length = colon != NULL ? (size_t)(colon - text) : strlen(text);

	if (!uuid_parse(arena_strndup(ctl->arena, text, length),
		    datasource->uuid) ||
		(colon != NULL && colon[1] == '\0'))
		return fault_set(&ctl->fault, RC_BAD_INPUT,
			"%s: expected UUID or UUID:NAME", text);
	datasource->name = colon != NULL ? colon + 1 : NULL;
	datasource->publish = publish;
	datasource->subscribe = !publish;
	return RC_OK;
}

static enum rc
parse_datasources(struct ctl *ctl, const char *option, bool publish,
	struct enrolment_datasource *list, size_t *count)
{
	const char **values = ctl_options(ctl, option);

	for (; *values != NULL; values++) {
		enum rc rc;

		if (*count == DATASOURCES_MAX)
			return fault_set(&ctl->fault, RC_BAD_INPUT,
				"more than %d datasources", DATASOURCES_MAX);
		rc = parse_datasource(ctl, *values, publish, &list[*count]);
		if (rc != RC_OK)
			return rc;
		++*count;
	}
	return RC_OK;
}

static enum rc
read_authority(struct ctl *ctl, struct tls_identity *authority)
{
	char *certificate;
	char *key;
	enum rc rc = file_read(ctl->arena,
		arena_printf(ctl->arena, "%s/ca.pem", ctl->conf.pki),
		PEM_BYTES, &certificate, NULL, &ctl->fault);

	if (rc == RC_OK)
		rc = file_read(ctl->arena,
			arena_printf(ctl->arena, "%s/ca.key", ctl->conf.pki),
			PEM_BYTES, &key, NULL, &ctl->fault);
	if (rc == RC_OK)
		*authority = (struct tls_identity){key, certificate};
	return rc;
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
		{"client_id",
			arena_printf(ctl->arena, "%s\n", bundle->uuid)},
		{"client_secret",
			arena_printf(ctl->arena, "%s\n", bundle->secret)},
	};
	enum rc rc = RC_OK;

	if (mkdir(bundle->folder, 0700) != 0 && errno != EEXIST)
		return fault_set(&ctl->fault, RC_IO, "%s: %s", bundle->folder,
			strerror(errno));
	for (size_t i = 0; rc == RC_OK && i < ARRAY_LENGTH(files); i++)
		rc = file_write(arena_printf(ctl->arena, "%s/%s",
					bundle->folder, files[i].name),
			files[i].text, 0600, &ctl->fault);
	return rc;
}

/* Certificate and files; the caller's transaction is still open. */
static enum rc
certify(struct ctl *ctl, const uint8_t uuid[UUID_BYTES], int64_t node_id,
	struct bundle *bundle)
{
	struct tls_identity authority;
	struct tls_facts facts;
	int64_t days = CERTIFICATE_DAYS;
	enum rc rc = ctl_option_int(ctl, "days", 1, 3650, &days);

	if (rc == RC_OK)
		rc = read_authority(ctl, &authority);
	if (rc == RC_OK)
		rc = tls_issue_node(ctl->arena, &authority, uuid, (int)days,
			&bundle->identity, &ctl->fault);
	if (rc == RC_OK)
		rc = tls_read(ctl->arena, bundle->identity.certificate_pem,
			&facts, &ctl->fault);
	if (rc != RC_OK)
		return rc;
	bundle->authority_pem = authority.certificate_pem;
	rc = enrolment_certify(ctl->db, node_id,
		&(struct enrolment_certificate){.fingerprint =
							facts.fingerprint,
			.serial = facts.serial,
			.not_after_us = facts.not_after_us},
		&ctl->fault);
	return rc == RC_OK ? write_bundle(ctl, bundle) : rc;
}

static enum rc
create(struct ctl *ctl, const struct enrolment_new *node,
	struct bundle *bundle)
{
	int64_t node_id;
	enum rc rc = db_begin(ctl->db, DB_READ_COMMITTED, &ctl->fault);

	if (rc == RC_OK)
		rc = enrolment_create(
			ctl->db, ctl->arena, node, &node_id, &ctl->fault);
	if (rc == RC_CONFLICT)
		fault_set(&ctl->fault, rc,
			"the node's name or a datasource's name is taken");
	if (rc == RC_NOT_FOUND)
		fault_set(&ctl->fault, rc,
			"there is no such datasource; UUID:NAME creates one");
	if (rc == RC_OK)
		rc = certify(ctl, node->uuid, node_id, bundle);
	if (rc == RC_OK)
		rc = db_commit(ctl->db, &ctl->fault);
	if (rc != RC_OK)
		db_rollback(ctl->db);
	return rc;
}

static enum rc
node_add(struct ctl *ctl)
{
	struct enrolment_datasource datasources[DATASOURCES_MAX];
	struct enrolment_new node = {.name = ctl->arguments[0],
		.kind = ctl_option(ctl, "kind"),
		.datasources = datasources};
	struct bundle bundle = {.folder = ctl_option(ctl, "out"),
		.secret = secret_token(ctl->arena)};
	uint8_t hash[SECRET_HASH_BYTES];
	enum rc rc;

	if (bundle.folder == NULL)
		return fault_set(&ctl->fault, RC_BAD_INPUT,
			"--out FOLDER is needed: the files go there");
	if (node.kind == NULL)
		node.kind = "ingress";
	rc = parse_datasources(ctl, "publish", true, datasources,
		&node.datasource_count);
	if (rc == RC_OK)
		rc = parse_datasources(ctl, "subscribe", false, datasources,
			&node.datasource_count);
	if (rc != RC_OK)
		return rc;
	uuid_random(node.uuid);
	uuid_format(bundle.uuid, node.uuid);
	secret_hash(hash, bundle.secret, strlen(bundle.secret));
	node.secret_hash = hash;
	rc = create(ctl, &node, &bundle);
	if (rc != RC_OK)
		return rc;
	printf("node %s\nfiles %s: ca.pem node.pem node.key client_id "
	       "client_secret\nBring the folder to the machine on a safe way, "
	       "then delete it here.\n",
		bundle.uuid, bundle.folder);
	return RC_OK;
}

/* --- list, authorise, block --------------------------------------------------------- */

static enum rc
node_list(struct ctl *ctl)
{
	struct enrolment_row *rows;
	size_t count;
	enum rc rc = enrolment_list(
		ctl->db, ctl->arena, &rows, &count, &ctl->fault);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < count; i++) {
		char uuid[UUID_TEXT_BYTES];
		char seen[CLOCK_TEXT_BYTES] = "never";

		uuid_format(uuid, rows[i].uuid);
		if (rows[i].seen_us != CLOCK_NEVER)
			clock_format(seen, rows[i].seen_us);
		printf("%s\t%s\t%s\t%s\tseen %s\t%s\n", uuid, rows[i].name,
			rows[i].kind, rows[i].state, seen,
			rows[i].datasources);
	}
	return RC_OK;
}

static enum rc
set_state(struct ctl *ctl, const char *state)
{
	const char *name = ctl->arguments[0];
	enum rc rc = db_begin(ctl->db, DB_READ_COMMITTED, &ctl->fault);

	if (rc == RC_OK)
		rc = enrolment_set_state(
			ctl->db, ctl->arena, name, state, &ctl->fault);
	if (rc == RC_OK)
		rc = db_commit(ctl->db, &ctl->fault);
	if (rc != RC_OK)
		db_rollback(ctl->db);
	if (rc == RC_NOT_FOUND)
		fault_set(&ctl->fault, rc, "there is no node \"%s\"", name);
	if (rc == RC_OK)
		printf("node %s is %s\n", name, state);
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
	{"out", "FOLDER", "where the node's key, certificate and access data go"},
	{"publish", "UUID[:NAME]",
		"a datasource that it may send; created with NAME when missing; "
		"may be repeated"},
	{"subscribe", "UUID[:NAME]", "a datasource that it may receive"},
	{"kind", "KIND", "ingress (default), egress or service"},
	{"days", "N", "how long the certificate is valid (default 365)"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_node_commands[] = {
	{"node", "add", "NAME", 1, 1,
		"enrol a machine: identity, certificate and access data",
		add_options, stmts, node_add},
	{"node", "list", "", 0, 0, "every node with its state", NULL, stmts,
		node_list},
	{"node", "authorise", "NAME|UUID", 1, 1, "let it send again", NULL,
		stmts, node_authorise},
	{"node", "block", "NAME|UUID", 1, 1,
		"shut it out at once: frames, tokens and streams", NULL, stmts,
		node_block},
	CTL_COMMANDS_END,
};
