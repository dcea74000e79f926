/* enrolment_access: the OAuth client that a node is. */

#include "model/enrolment_access.h"

#include "model/caller.h"
#include "model/client.h"

enum { STMT_TAKE, STMT_CLIENT };

const struct stmt enrolment_access_stmts[] = {
	[STMT_TAKE] = {"enrolment_take", "nb",
		"UPDATE node SET access_due = false, access_fingerprint = $2"
		" WHERE id = $1"
		"   AND (access_due OR (access_fingerprint = $2 AND EXISTS"
		"       (SELECT FROM node_certificate"
		"         WHERE fingerprint = $2 AND seen_at IS NULL)))"},
	[STMT_CLIENT] = {"enrolment_client", "n",
		"SELECT client_id FROM client WHERE node_id = $1"
		" ORDER BY id LIMIT 1"},
	STMT_END,
};

static enum rc
make_client(struct db *db, struct arena *arena, const struct enrolled *node,
	const char *client_id, struct enrolment_access *access,
	struct fault *fault)
{
	static const char *const grants[] = {CLIENT_GRANT_CLIENT, NULL};
	static const char *const scopes[] = {CALLER_SCOPE_HUB, NULL};
	struct client_new wanted = {.client_id = client_id,
		.name = node->name,
		.node_id = node->id,
		.grants = grants,
		.scopes = scopes,
		.trusted = true};
	struct client client;

	access->client_id = client_id;
	return client_create(
		db, arena, &wanted, &client, &access->secret, fault);
}

/* The node's name, unless a program has it already. */
static enum rc
make_any_client(struct db *db, struct arena *arena, const struct enrolled *node,
	struct enrolment_access *access, struct fault *fault)
{
	enum rc rc = make_client(db, arena, node, node->name, access, fault);

	if (rc != RC_CONFLICT)
		return rc;
	return make_client(db, arena, node,
		arena_printf(arena, "node-%s",
			encode_hex(arena, node->uuid, UUID_BYTES)),
		access, fault);
}

enum rc
enrolment_access_give(struct db *db, struct arena *arena,
	const struct enrolled *node, struct enrolment_access *access,
	struct fault *fault)
{
	struct client client;
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &enrolment_access_stmts[STMT_CLIENT],
		PARAMS(P_SHORT(node->id)), &rows, fault);

	if (rc == RC_NOT_FOUND)
		return make_any_client(db, arena, node, access, fault);
	if (rc != RC_OK)
		return rc;
	access->client_id = rows_text(rows, 0, 0);
	rc = client_find(db, arena, access->client_id, &client, fault);
	if (rc == RC_OK)
		rc = client_renew_secret(
			db, arena, &client, &access->secret, fault);
	return rc;
}

enum rc
enrolment_access_fetch(struct db *db, struct arena *arena,
	const struct enrolled *node,
	const uint8_t fingerprint[TLS_FINGERPRINT_BYTES],
	struct enrolment_access *access, struct fault *fault)
{
	int64_t affected = 0;
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc != RC_OK)
		return rc;
	rc = db_exec(db, &enrolment_access_stmts[STMT_TAKE],
		PARAMS(P_SHORT(node->id),
			P_BYTES(fingerprint, TLS_FINGERPRINT_BYTES)),
		&affected, fault);
	if (rc == RC_OK && affected == 0)
		rc = fault_tell(fault, RC_CONFLICT, "AccessTaken", NULL,
			"The access data have been fetched already. Enrol "
			"with a new token to get others.");
	if (rc == RC_OK)
		rc = enrolment_access_give(db, arena, node, access, fault);
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}
