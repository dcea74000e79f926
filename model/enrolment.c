/* enrolment: a machine becomes a node. */

#include "model/enrolment.h"

#include <string.h>

enum {
	STMT_CREATE,
	STMT_FIND,
	STMT_LIST,
	STMT_STATE,
	STMT_ALLOW,
	STMT_CERTIFY,
	STMT_REVOKE
};

const struct stmt enrolment_stmts[] = {
	[STMT_CREATE] = {"enrolment_create", "utt",
		"INSERT INTO node (uuid, name, kind) VALUES ($1, $2, $3)"
		" RETURNING id, uuid, name, kind, state"},
	[STMT_FIND] = {"enrolment_find", "t",
		"SELECT id, uuid, name, kind, state FROM node WHERE name = $1"},
	[STMT_LIST] = {"enrolment_list", "",
		"SELECT id, uuid, name, kind, state FROM node"
		" ORDER BY name LIMIT 10000"},
	[STMT_STATE] = {"enrolment_state", "nt",
		"UPDATE node SET state = $2 WHERE id = $1"},
	[STMT_ALLOW] = {"enrolment_allow", "nnoo",
		"INSERT INTO node_datasource"
		" (node_id, datasource_id, publish, subscribe)"
		" VALUES ($1, $2, $3, $4)"
		" ON CONFLICT (node_id, datasource_id) DO UPDATE"
		" SET publish = excluded.publish"
		"   , subscribe = excluded.subscribe"},
	/* $1 fingerprint $2 node $3 serial $4 end */
	[STMT_CERTIFY] = {"enrolment_certify", "bntz",
		"INSERT INTO node_certificate"
		" (fingerprint, node_id, serial, not_after)"
		" VALUES ($1, $2, $3, $4)"},
	[STMT_REVOKE] = {"enrolment_revoke", "n",
		"UPDATE node_certificate SET revoked_at = now()"
		" WHERE node_id = $1 AND revoked_at IS NULL"},
	STMT_END,
};

static void
read_node(const struct rows *rows, size_t row, struct enrolled *node)
{
	node->id = rows_int(rows, row, 0);
	memcpy(node->uuid, rows_uuid(rows, row, 1), UUID_BYTES);
	node->name = rows_text(rows, row, 2);
	node->kind = rows_text(rows, row, 3);
	node->state = rows_text(rows, row, 4);
}

enum rc
enrolment_create(struct db *db, struct arena *arena, const char *name,
	const char *kind, struct enrolled *node, struct fault *fault)
{
	uint8_t uuid[UUID_BYTES];
	struct rows *rows = NULL;
	enum rc rc;

	uuid_random(uuid);
	rc = db_find(db, arena, &enrolment_stmts[STMT_CREATE],
		PARAMS(P_UUID(uuid), P_TEXT(name), P_TEXT(kind)), &rows, fault);
	if (rc == RC_CONFLICT)
		return fault_tell(fault, RC_CONFLICT, "NameTaken", "name",
			"There is a node \"%s\" already.", name);
	if (rc == RC_OK)
		read_node(rows, 0, node);
	return rc;
}

enum rc
enrolment_find(struct db *db, struct arena *arena, const char *name,
	struct enrolled *node, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &enrolment_stmts[STMT_FIND],
		PARAMS(P_TEXT(name)), &rows, fault);

	if (rc == RC_OK)
		read_node(rows, 0, node);
	return rc;
}

enum rc
enrolment_list(struct db *db, struct arena *arena, struct enrolled_list *list,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &enrolment_stmts[STMT_LIST], NO_PARAMS,
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = rows_count(rows);
	list->items = arena_array(arena, list->count + 1, sizeof(*list->items));
	for (size_t row = 0; row < list->count; row++)
		read_node(rows, row, &list->items[row]);
	return RC_OK;
}

enum rc
enrolment_set_state(
	struct db *db, int64_t node_id, const char *state, struct fault *fault)
{
	return db_exec(db, &enrolment_stmts[STMT_STATE],
		PARAMS(P_SHORT(node_id), P_TEXT(state)), NULL, fault);
}

enum rc
enrolment_allow(struct db *db, int64_t node_id, int64_t datasource_id,
	bool publish, bool subscribe, struct fault *fault)
{
	return db_exec(db, &enrolment_stmts[STMT_ALLOW],
		PARAMS(P_SHORT(node_id), P_SHORT(datasource_id),
			P_BOOL(publish), P_BOOL(subscribe)),
		NULL, fault);
}

enum rc
enrolment_issue(struct db *db, struct arena *arena, const struct enrolled *node,
	const struct tls_identity *authority, int days,
	struct tls_identity *identity, struct fault *fault)
{
	struct tls_facts facts;
	enum rc rc = tls_issue_node(arena, authority, node->uuid,
		(int64_t)days * 86400, identity, fault);

	if (rc == RC_OK)
		rc = tls_read(arena, identity->certificate_pem, &facts, fault);
	if (rc != RC_OK)
		return rc;
	return db_exec(db, &enrolment_stmts[STMT_CERTIFY],
		PARAMS(P_BYTES(facts.fingerprint, TLS_FINGERPRINT_BYTES),
			P_SHORT(node->id), P_TEXT(facts.serial),
			P_TIME(facts.not_after_us)),
		NULL, fault);
}

enum rc
enrolment_revoke(struct db *db, int64_t node_id, struct fault *fault)
{
	return db_exec(db, &enrolment_stmts[STMT_REVOKE],
		PARAMS(P_SHORT(node_id)), NULL, fault);
}
