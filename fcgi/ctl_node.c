/* ctl_node: machines join the grid, are looked at and are shut out. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "fcgi/ctl_node.h"
#include "fcgi/ctl_pki.h"
#include "lib/file.h"
#include "lib/tls_bundle.h"
#include "model/audit.h"
#include "model/authority.h"
#include "model/client.h"
#include "model/datasource.h"
#include "model/enrolment_access.h"
#include "model/enrolment_code.h"
#include "model/enrolment_issue.h"
#include "model/node_event.h"

#define CERTIFICATE_DAYS 90
#define DAY_S            86400

static const struct stmt *const stmts[] = {audit_stmts, authority_stmts,
	client_stmts, datasource_stmts, enrolment_access_stmts,
	enrolment_issue_stmts, enrolment_stmts, event_write_stmts, NULL};

enum rc
ctl_node_find(struct ctl *ctl, struct enrolled *node)
{
	const char *name = ctl->arguments[0];
	enum rc rc =
		enrolment_find(ctl->db, ctl->arena, name, node, &ctl->fault);

	if (rc == RC_NOT_FOUND)
		return fault_set(
			&ctl->fault, rc, "there is no node \"%s\"", name);
	return rc;
}

enum rc
ctl_node_record(struct ctl *ctl, const char *action, const char *name,
	const char *after)
{
	const struct node_event_by by = {.username = ctl_operator_name()};
	enum rc rc = ctl_audit(ctl, action,
		arena_printf(ctl->arena, "node:%s", name), NULL, after);

	return rc == RC_OK ? node_event_write(ctl->db, ctl->arena, action, name,
				     &by, &ctl->fault)
			   : rc;
}

/* --- datasources --- */

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

/* Is the UUID of "value" among the values of an option? */
static bool
given(struct ctl *ctl, const char *option, const char *value)
{
	const char **values = ctl_options(ctl, option);

	for (; *values != NULL; values++)
		if (strncasecmp(*values, value, UUID_TEXT_BYTES - 1) == 0)
			return true;
	return false;
}

/* Each value of the option is "UUID" or "UUID:NAME". */
static enum rc
allow(struct ctl *ctl, int64_t node_id, const char *option)
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
				given(ctl, "publish", uuid),
				given(ctl, "subscribe", uuid), &ctl->fault);
	}
	return rc;
}

static enum rc
allow_all(struct ctl *ctl, int64_t node_id)
{
	enum rc rc = allow(ctl, node_id, "publish");

	return rc == RC_OK ? allow(ctl, node_id, "subscribe") : rc;
}

/* --- a token --- */

static enum rc
offer(struct ctl *ctl, const struct enrolled *node, const char **code)
{
	struct enrolment_token token;
	struct enrolment_code parts;
	const char *bundle = NULL;
	enum rc rc = enrolment_offer(
		ctl->db, ctl->arena, node->id, &token, &ctl->fault);

	if (rc == RC_OK)
		rc = ctl_pki_bundle(ctl, &bundle);
	if (rc == RC_OK)
		rc = tls_bundle_pin(ctl->arena, bundle, parts.pin, &ctl->fault);
	if (rc != RC_OK)
		return rc;
	memcpy(parts.uuid, node->uuid, UUID_BYTES);
	parts.secret = token.secret;
	*code = enrolment_code_write(ctl->arena, &parts);
	return ctl_node_record(ctl, "node.token", node->name, NULL);
}

static void
print_token(const struct enrolled *node, const char *code)
{
	printf("On the machine, within a day:\n"
	       "  fieldgrid-%s enrol https://HOST --token %s\n",
		strcmp(node->kind, "egress") == 0 ? "egress" : "ingress", code);
}

static enum rc
node_token(struct ctl *ctl)
{
	struct enrolled node;
	const char *code = NULL;
	enum rc rc = ctl_begin(ctl);

	if (rc != RC_OK)
		return rc;
	rc = ctl_node_find(ctl, &node);
	if (rc == RC_OK)
		rc = offer(ctl, &node, &code);
	rc = ctl_end(ctl, rc);
	if (rc == RC_OK)
		print_token(&node, code);
	return rc;
}

/* --- files for a machine that cannot enrol itself --- */

/* What such a node takes home. */
struct bundle {
	const char *folder;
	const char *trust_pem;
	const char *chain_pem;
	struct enrolment_access access;
	struct tls_identity identity;
};

static enum rc
issue(struct ctl *ctl, const struct enrolled *node, struct bundle *bundle)
{
	struct enrolment_signer signer = {.authority_id = 0};
	struct seal seal;
	int64_t days = CERTIFICATE_DAYS;
	enum rc rc = ctl_option_int(ctl, "days", 1, 3650, &days);

	signer.life_s = days * DAY_S;
	if (rc == RC_OK)
		rc = seal_load(
			ctl->arena, ctl->conf.ca_seal, &seal, &ctl->fault);
	if (rc == RC_OK)
		rc = authority_load(ctl->db, ctl->arena, &seal,
			&signer.authority_id, &signer.identity, &ctl->fault);
	if (rc == RC_OK)
		rc = enrolment_issue(ctl->db, ctl->arena, node, &signer,
			&bundle->identity, &ctl->fault);
	if (rc == RC_OK)
		rc = ctl_pki_bundle(ctl, &bundle->trust_pem);
	if (rc == RC_OK)
		rc = tls_bundle_chain(ctl->arena,
			bundle->identity.certificate_pem, bundle->trust_pem,
			&bundle->chain_pem, &ctl->fault);
	return rc;
}

static enum rc
write_bundle(struct ctl *ctl, const struct bundle *bundle)
{
	const struct {
		const char *name;
		const char *text;
	} files[] = {
		{"ca.pem", bundle->trust_pem},
		{"node.pem", bundle->chain_pem},
		{"node.key", bundle->identity.private_pem},
		{"client_id", bundle->access.client_id},
		{"client_secret", bundle->access.secret},
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

/* A node without its files is never let in. */
static enum rc
equip(struct ctl *ctl, const struct enrolled *node, struct bundle *bundle)
{
	enum rc rc = issue(ctl, node, bundle);

	if (rc == RC_OK)
		rc = enrolment_access_give(ctl->db, ctl->arena, node,
			&bundle->access, &ctl->fault);
	if (rc == RC_OK)
		rc = write_bundle(ctl, bundle);
	if (rc == RC_OK)
		rc = enrolment_turn(
			ctl->db, node->id, ENROLMENT_AUTHORISE, &ctl->fault);
	if (rc == RC_OK)
		rc = ctl_node_record(ctl, "node.enrol", node->name, NULL);
	return rc;
}

/* --- adding --- */

static enum rc
create(struct ctl *ctl, struct enrolled *node)
{
	const struct enrolment_new wanted = {.name = ctl->arguments[0],
		.kind = ctl_option_or(ctl, "kind", "ingress"),
		.description = ctl_option(ctl, "description"),
		.needs_approval = ctl_option(ctl, "approval") != NULL};
	enum rc rc = enrolment_create(
		ctl->db, ctl->arena, &wanted, node, &ctl->fault);

	if (rc == RC_OK)
		rc = allow_all(ctl, node->id);
	if (rc == RC_OK)
		rc = ctl_node_record(ctl, "node.create", node->name,
			audit_values(ctl->arena, "kind", node->kind, NULL));
	return rc;
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
	const char *code = NULL;
	enum rc rc = ctl_begin(ctl);

	if (rc != RC_OK)
		return rc;
	rc = create(ctl, &node);
	if (rc == RC_OK)
		rc = bundle.folder != NULL ? equip(ctl, &node, &bundle)
					   : offer(ctl, &node, &code);
	rc = ctl_end(ctl, rc);
	if (rc != RC_OK)
		return rc;
	if (code != NULL)
		print_token(&node, code);
	else
		print_added(&node, &bundle);
	return RC_OK;
}

static enum rc
node_allow(struct ctl *ctl)
{
	struct enrolled node;
	enum rc rc = ctl_begin(ctl);

	if (rc != RC_OK)
		return rc;
	rc = ctl_node_find(ctl, &node);
	if (rc == RC_OK)
		rc = allow_all(ctl, node.id);
	if (rc == RC_OK)
		rc = allow(ctl, node.id, "none");
	if (rc == RC_OK)
		rc = ctl_node_record(ctl, "node.change", node.name, NULL);
	return ctl_end(ctl, rc);
}

/* --- state --- */

static enum rc
turn(struct ctl *ctl, enum enrolment_verb verb, const char *action,
	const char *words)
{
	struct enrolled node;
	enum rc rc = ctl_begin(ctl);

	if (rc != RC_OK)
		return rc;
	rc = ctl_node_find(ctl, &node);
	if (rc == RC_OK)
		rc = enrolment_turn(ctl->db, node.id, verb, &ctl->fault);
	if (rc == RC_OK)
		rc = ctl_node_record(ctl, action, node.name, NULL);
	rc = ctl_end(ctl, rc);
	if (rc == RC_OK)
		printf("Node %s is %s.\n", node.name, words);
	return rc;
}

static enum rc
node_authorise(struct ctl *ctl)
{
	return turn(ctl, ENROLMENT_AUTHORISE, "node.authorise", "authorised");
}

static enum rc
node_block(struct ctl *ctl)
{
	return turn(ctl, ENROLMENT_BLOCK, "node.block", "blocked");
}

static enum rc
node_unblock(struct ctl *ctl)
{
	return turn(ctl, ENROLMENT_UNBLOCK, "node.unblock", "let in again");
}

static enum rc
node_retire(struct ctl *ctl)
{
	return turn(ctl, ENROLMENT_RETIRE, "node.retire", "retired for good");
}

static enum rc
node_approve(struct ctl *ctl)
{
	const char *key = ctl_option(ctl, "key");
	const uint8_t *hash = NULL;
	struct enrolled node;
	size_t bytes = TLS_KEY_HASH_BYTES;
	enum rc rc;

	if (key != NULL)
		hash = decode_hex(ctl->arena, key, strlen(key), &bytes);
	if (bytes != TLS_KEY_HASH_BYTES || (key != NULL && hash == NULL))
		return fault_set(&ctl->fault, RC_BAD_INPUT,
			"--key: the SHA-256 of a key has 64 hexadecimal "
			"letters");
	rc = ctl_begin(ctl);
	if (rc != RC_OK)
		return rc;
	rc = ctl_node_find(ctl, &node);
	if (rc == RC_OK)
		rc = enrolment_approve(
			ctl->db, ctl->arena, node.id, hash, &ctl->fault);
	if (rc == RC_OK)
		rc = ctl_node_record(ctl, "node.approve", node.name,
			audit_values(ctl->arena, "key", key, NULL));
	rc = ctl_end(ctl, rc);
	if (rc == RC_OK)
		printf("The key that waits for %s gets its certificate.\n",
			node.name);
	return rc;
}

/* --- the commands --- */

static const struct ctl_option add_options[] = {
	{"publish", "UUID[:NAME]",
		"a datasource it may send; created when NAME is given and it "
		"is missing; may be repeated"},
	{"subscribe", "UUID[:NAME]",
		"a datasource it may receive; may be repeated"},
	{"kind", "KIND", "ingress (default), egress or service"},
	{"description", "TEXT", "for people"},
	{"approval", NULL,
		"the key it comes with needs \"node approve\" before it is "
		"let in"},
	{"out", "FOLDER",
		"make key, certificate and access data here instead of a "
		"token, for a machine that cannot enrol itself"},
	{"days", "N",
		"with --out: how long the certificate is valid; default 90"},
	CTL_OPTIONS_END,
};

static const struct ctl_option change_options[] = {
	{"name", "NAME", "another name"},
	{"description", "TEXT", "for people"},
	{"approval", "yes|no", "whether its next key needs \"node approve\""},
	CTL_OPTIONS_END,
};

static const struct ctl_option allow_options[] = {
	{"publish", "UUID[:NAME]", "a datasource it may send"},
	{"subscribe", "UUID[:NAME]", "a datasource it may receive"},
	{"none", "UUID", "a datasource it may neither send nor receive"},
	CTL_OPTIONS_END,
};

static const struct ctl_option approve_options[] = {
	{"key", "SHA256", "only this key, as the machine shows it"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_node_commands[] = {
	{"node", "add", "NAME", 1, 1,
		"make a node, and a token with which a machine becomes it",
		add_options, stmts, node_add},
	{"node", "list", "", 0, 0, "every node with its state", NULL,
		ctl_node_view_stmts, ctl_node_list},
	{"node", "show", "NAME", 1, 1,
		"a node: state, certificates, and how the machine is", NULL,
		ctl_node_view_stmts, ctl_node_show},
	{"node", "certificates", "NAME", 1, 1,
		"the certificates of a node, the newest first", NULL,
		ctl_node_view_stmts, ctl_node_certificates},
	{"node", "change", "NAME", 1, 1, "other words for a node",
		change_options, ctl_node_change_stmts, ctl_node_change},
	{"node", "remove", "NAME", 1, 1, "remove a node that never came", NULL,
		ctl_node_change_stmts, ctl_node_remove},
	{"node", "revoke", "NAME FINGERPRINT", 2, 2,
		"one certificate, and its key, count no more", NULL,
		ctl_node_change_stmts, ctl_node_revoke},
	{"node", "token", "NAME", 1, 1,
		"another token, for a machine that becomes this node", NULL,
		stmts, node_token},
	{"node", "approve", "NAME", 1, 1, "let the key in that waits",
		approve_options, stmts, node_approve},
	{"node", "allow", "NAME", 1, 1, "let it send or receive a datasource",
		allow_options, stmts, node_allow},
	{"node", "authorise", "NAME", 1, 1, "let it in", NULL, stmts,
		node_authorise},
	{"node", "block", "NAME", 1, 1,
		"shut it out at once: frames, tokens and streams", NULL, stmts,
		node_block},
	{"node", "unblock", "NAME", 1, 1, "let a blocked one in again", NULL,
		stmts, node_unblock},
	{"node", "retire", "NAME", 1, 1, "shut it out for good", NULL, stmts,
		node_retire},
	CTL_COMMANDS_END,
};
