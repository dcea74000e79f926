/* enrolment: the nodes that there shall be, and their state. */

#include "model/enrolment.h"

#include <string.h>

#define NAME_LETTERS_MAX 128
#define COLUMNS          "id, uuid, name, kind, state, needs_approval"

enum {
	STMT_CREATE,
	STMT_CHANGE,
	STMT_REMOVE,
	STMT_FIND,
	STMT_LIST,
	STMT_STATE,
	STMT_FORGET_TOKEN,
	STMT_FORGET_REQUEST,
	STMT_END_TOKENS,
	STMT_RETIRE,
	STMT_DISABLE,
	STMT_ALLOW,
	STMT_DISALLOW,
};

const struct stmt enrolment_stmts[] = {
	[STMT_CREATE] = {"enrolment_create", "uttto",
		"INSERT INTO node (uuid, name, kind, description"
		", needs_approval) VALUES ($1, $2, $3, $4, $5)"
		" RETURNING " COLUMNS},
	[STMT_CHANGE] = {"enrolment_change", "ntto",
		"UPDATE node SET name = $2, description = $3"
		", needs_approval = $4 WHERE id = $1"},
	[STMT_REMOVE] = {"enrolment_remove", "n",
		"DELETE FROM node"
		" WHERE id = $1 AND state = 'pending'"
		"   AND NOT EXISTS (SELECT FROM node_certificate"
		"                    WHERE node_id = $1)"
		"   AND NOT EXISTS (SELECT FROM client WHERE node_id = $1)"},
	[STMT_FIND] = {"enrolment_find", "t",
		"SELECT " COLUMNS "  FROM node"
		" WHERE name = $1 OR uuid::text = lower($1)"
		" ORDER BY name = $1 DESC LIMIT 1"},
	[STMT_LIST] = {"enrolment_list", "",
		"SELECT " COLUMNS " FROM node ORDER BY name LIMIT 10000"},
	/* $1 node $2 states to come from $3 to go to; '' = where it was when
	 * it was blocked: a node that had no certificate yet was pending */
	[STMT_STATE] = {"enrolment_state", "nTt",
		"UPDATE node SET changed_at = now()"
		"  , state = coalesce(nullif($3, ''), CASE WHEN EXISTS"
		"      (SELECT FROM node_certificate WHERE node_id = $1)"
		"      THEN 'authorised' ELSE 'pending' END)"
		" WHERE id = $1 AND state = ANY ($2)"},
	[STMT_FORGET_TOKEN] = {"enrolment_forget_token", "n",
		"DELETE FROM enrolment_token WHERE node_id = $1"},
	[STMT_FORGET_REQUEST] = {"enrolment_forget_request", "n",
		"DELETE FROM enrolment_request WHERE node_id = $1"},
	[STMT_END_TOKENS] = {"enrolment_end_tokens", "n",
		"UPDATE client SET epoch = epoch + 1 WHERE node_id = $1"},
	[STMT_RETIRE] = {"enrolment_retire", "n",
		"UPDATE node_certificate"
		"   SET revoked_at = now(), reason = 'retired'"
		" WHERE node_id = $1 AND revoked_at IS NULL"},
	[STMT_DISABLE] = {"enrolment_disable", "n",
		"UPDATE client SET state = 'disabled' WHERE node_id = $1"},
	[STMT_ALLOW] = {"enrolment_allow", "nnoo",
		"INSERT INTO node_datasource"
		" (node_id, datasource_id, publish, subscribe)"
		" VALUES ($1, $2, $3, $4)"
		" ON CONFLICT (node_id, datasource_id) DO UPDATE"
		" SET publish = excluded.publish"
		"   , subscribe = excluded.subscribe"},
	[STMT_DISALLOW] = {"enrolment_disallow", "nn",
		"DELETE FROM node_datasource"
		" WHERE node_id = $1 AND datasource_id = coalesce($2, "
		"datasource_id)"},
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
	node->needs_approval = rows_bool(rows, row, 5);
}

/* --- making and finding --- */

/* The name is a client_id, a folder and part of a command line, too. */
static enum rc
check_name(const char *name, struct fault *fault)
{
	size_t length = strlen(name);

	if (length >= 1 && length <= NAME_LETTERS_MAX &&
		strspn(name,
			"abcdefghijklmnopqrstuvwxyz"
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == length &&
		strchr(".-", name[0]) == NULL)
		return RC_OK;
	return fault_tell(fault, RC_BAD_INPUT, "BadName", "name",
		"A name has 1 to %d letters, digits and . - _ and begins with "
		"a letter or digit.",
		NAME_LETTERS_MAX);
}

static enum rc
check_kind(const char *kind, struct fault *fault)
{
	if (strcmp(kind, "ingress") == 0 || strcmp(kind, "egress") == 0 ||
		strcmp(kind, "service") == 0)
		return RC_OK;
	return fault_tell(fault, RC_BAD_INPUT, "BadKind", "kind",
		"The kind is ingress, egress or service.");
}

static enum rc
name_taken(const char *name, struct fault *fault)
{
	return fault_tell(fault, RC_CONFLICT, "NameTaken", "name",
		"There is a node \"%s\" already.", name);
}

static const char *
or_empty(const char *text)
{
	return text != NULL ? text : "";
}

enum rc
enrolment_create(struct db *db, struct arena *arena,
	const struct enrolment_new *wanted, struct enrolled *node,
	struct fault *fault)
{
	uint8_t uuid[UUID_BYTES];
	struct rows *rows = NULL;
	enum rc rc = check_name(wanted->name, fault);

	if (rc == RC_OK)
		rc = check_kind(wanted->kind, fault);
	if (rc != RC_OK)
		return rc;
	uuid_random(uuid);
	rc = db_find(db, arena, &enrolment_stmts[STMT_CREATE],
		PARAMS(P_UUID(uuid), P_TEXT(wanted->name), P_TEXT(wanted->kind),
			P_TEXT(or_empty(wanted->description)),
			P_BOOL(wanted->needs_approval)),
		&rows, fault);
	if (rc == RC_CONFLICT)
		return name_taken(wanted->name, fault);
	if (rc == RC_OK)
		read_node(rows, 0, node);
	return rc;
}

enum rc
enrolment_change(struct db *db, int64_t node_id,
	const struct enrolment_new *wanted, struct fault *fault)
{
	enum rc rc = check_name(wanted->name, fault);

	if (rc != RC_OK)
		return rc;
	rc = db_exec(db, &enrolment_stmts[STMT_CHANGE],
		PARAMS(P_SHORT(node_id), P_TEXT(wanted->name),
			P_TEXT(or_empty(wanted->description)),
			P_BOOL(wanted->needs_approval)),
		NULL, fault);
	return rc == RC_CONFLICT ? name_taken(wanted->name, fault) : rc;
}

enum rc
enrolment_remove(struct db *db, int64_t node_id, struct fault *fault)
{
	int64_t affected = 0;
	enum rc rc = db_exec(db, &enrolment_stmts[STMT_DISALLOW],
		PARAMS(P_SHORT(node_id), P_NULL('n')), NULL, fault);

	if (rc == RC_OK)
		rc = db_exec(db, &enrolment_stmts[STMT_REMOVE],
			PARAMS(P_SHORT(node_id)), &affected, fault);
	if (rc != RC_OK || affected > 0)
		return rc;
	return fault_tell(fault, RC_CONFLICT, "NodeHasHistory", NULL,
		"The node has been in the grid; retire it instead.");
}

enum rc
enrolment_find(struct db *db, struct arena *arena, const char *wanted,
	struct enrolled *node, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &enrolment_stmts[STMT_FIND],
		PARAMS(P_TEXT(wanted)), &rows, fault);

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

/* --- state --- */

static const struct turn {
	const char *from[4];
	size_t from_count;
	const char *to; /* "" = where it was before it was blocked */
	int steps[5];   /* statements of the node afterwards; 0 = no more */
	const char *refusal;
} turns[] = {
	[ENROLMENT_AUTHORISE] = {{"pending", "authorised", "blocked"}, 3,
		"authorised", {0}, "A retired node never comes back."},
	[ENROLMENT_BLOCK] = {{"pending", "authorised", "blocked"}, 3, "blocked",
		{STMT_FORGET_TOKEN, STMT_FORGET_REQUEST, STMT_END_TOKENS},
		"A retired node is shut out already."},
	[ENROLMENT_UNBLOCK] = {{"blocked"}, 1, "", {0},
		"The node is not blocked."},
	[ENROLMENT_RETIRE] = {{"pending", "authorised", "blocked", "retired"},
		4, "retired",
		{STMT_FORGET_TOKEN, STMT_FORGET_REQUEST, STMT_END_TOKENS,
			STMT_RETIRE, STMT_DISABLE},
		""},
};

static enum rc
turn(struct db *db, int64_t node_id, const struct turn *way,
	struct fault *fault)
{
	int64_t affected = 0;
	enum rc rc = db_exec(db, &enrolment_stmts[STMT_STATE],
		PARAMS(P_SHORT(node_id), P_TEXTS(way->from, way->from_count),
			P_TEXT(way->to)),
		&affected, fault);

	if (rc == RC_OK && affected == 0)
		return fault_tell(fault, RC_CONFLICT, "NodeState", NULL, "%s",
			way->refusal);
	for (size_t i = 0; rc == RC_OK && i < ARRAY_LENGTH(way->steps) &&
			   way->steps[i] != 0;
		i++)
		rc = db_exec(db, &enrolment_stmts[way->steps[i]],
			PARAMS(P_SHORT(node_id)), NULL, fault);
	return rc;
}

enum rc
enrolment_turn(struct db *db, int64_t node_id, enum enrolment_verb verb,
	struct fault *fault)
{
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc != RC_OK)
		return rc;
	rc = turn(db, node_id, &turns[verb], fault);
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

/* --- datasources --- */

enum rc
enrolment_allow(struct db *db, int64_t node_id, int64_t datasource_id,
	bool publish, bool subscribe, struct fault *fault)
{
	if (!publish && !subscribe)
		return db_exec(db, &enrolment_stmts[STMT_DISALLOW],
			PARAMS(P_SHORT(node_id), P_SHORT(datasource_id)), NULL,
			fault);
	return db_exec(db, &enrolment_stmts[STMT_ALLOW],
		PARAMS(P_SHORT(node_id), P_SHORT(datasource_id),
			P_BOOL(publish), P_BOOL(subscribe)),
		NULL, fault);
}
