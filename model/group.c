/* group: people with the same rights. */

#include "model/group.h"

#include "model/naming.h"

enum {
	STMT_CREATE,
	STMT_FIND,
	STMT_CHANGE,
	STMT_DELETE,
	STMT_SLICE,
	STMT_ADD_USER,
	STMT_REMOVE_USER,
	STMT_CONTAINS,
	STMT_ADD_GROUP,
	STMT_REMOVE_GROUP,
	STMT_FACTOR,
	STMT_MEMBERS,
};

#define COLUMNS                                                                \
	"user_group.id, user_group.uuid::text, user_group.name"                \
	", user_group.description, user_group.require_second_factor"           \
	", (SELECT count(DISTINCT account_id) FROM group_account"              \
	"    WHERE group_id = user_group.id)"                                  \
	" + (SELECT count(*) FROM group_nesting"                               \
	"     WHERE group_id = user_group.id)"                                 \
	", user_group.created_at "

const struct stmt group_stmts[] = {
	[STMT_CREATE] = {"group_create", "tto",
		"INSERT INTO user_group"
		" (name, description, require_second_factor)"
		" VALUES ($1, $2, $3) RETURNING " COLUMNS},
	[STMT_FIND] = {"group_find", "t", /* $1 name or uuid */
		"SELECT " COLUMNS "  FROM user_group"
		" WHERE name = $1 OR uuid::text = lower($1)"
		" ORDER BY name <> $1 LIMIT 1"},
	[STMT_CHANGE] = {"group_change", "ntto",
		"UPDATE user_group SET name = $2, description = $3"
		"     , require_second_factor = $4"
		" WHERE id = $1"},
	[STMT_DELETE] = {"group_delete", "n",
		"DELETE FROM user_group WHERE id = $1"},
	[STMT_SLICE] = {"group_slice", SLICE_TYPES "t", /* $6 search */
		"SELECT item.* FROM ("
		"  SELECT " COLUMNS "     , CASE $1"
		"           WHEN 'name' THEN lower(name)"
		"           WHEN 'created' THEN " SLICE_TIME(
			"created_at") "         END COLLATE \"C\" AS place"
				      "     , user_group.id AS number"
				      "  FROM user_group) AS item (group_id, "
				      "uuid, name, description"
				      "     , require_second_factor, members, "
				      "created_at, place, id)"
				      " WHERE " SLICE_AFTER
				      "   AND ($6::text IS NULL OR"
				      "        strpos(lower(name || ' ' || "
				      "description), lower($6))"
				      "        > 0)" SLICE_ORDER},
	[STMT_ADD_USER] = {"group_add_user", "nn",
		"INSERT INTO group_account (group_id, account_id)"
		" VALUES ($1, $2) ON CONFLICT DO NOTHING"},
	[STMT_REMOVE_USER] = {"group_remove_user", "nn",
		"DELETE FROM group_account"
		" WHERE group_id = $1 AND account_id = $2 AND source = ''"},
	[STMT_CONTAINS] = {"group_contains", "nn", /* $1 outer $2 inner */
		"WITH RECURSIVE inside(id) AS ("
		"     SELECT $1"
		"      UNION"
		"     SELECT member_id FROM group_nesting"
		"       JOIN inside ON group_id = inside.id)"
		"SELECT EXISTS (SELECT FROM inside WHERE id = $2)"},
	[STMT_ADD_GROUP] = {"group_add_group", "nn",
		"INSERT INTO group_nesting (group_id, member_id)"
		" VALUES ($1, $2) ON CONFLICT DO NOTHING"},
	[STMT_REMOVE_GROUP] = {"group_remove_group", "nn",
		"DELETE FROM group_nesting"
		" WHERE group_id = $1 AND member_id = $2"},
	[STMT_FACTOR] = {"group_factor", "n",
		"WITH RECURSIVE around(id) AS ("
		"     SELECT group_id FROM group_account WHERE account_id = $1"
		"      UNION"
		"     SELECT group_id FROM group_nesting"
		"       JOIN around ON member_id = around.id)"
		"SELECT EXISTS (SELECT FROM user_group JOIN around USING (id)"
		"                WHERE require_second_factor)"},
	/* $6 group $7 kind $8 search; a user may be there by several words */
	[STMT_MEMBERS] = {"group_members", SLICE_TYPES "ntt",
		"SELECT item.* FROM ("
		"  SELECT 'group' AS kind, uuid::text, name, '' AS source"
		"       , 'group ' || lower(name) COLLATE \"C\" AS place"
		"       , user_group.id::bigint * 2 AS id"
		"    FROM group_nesting"
		"    JOIN user_group ON user_group.id = member_id"
		"   WHERE group_id = $6"
		"   UNION ALL "
		"  SELECT 'user', uuid::text, name, group_account.source"
		"       , 'user ' || name || ' ' || group_account.source"
		"         COLLATE \"C\""
		"       , account.id::bigint * 2 + 1"
		"    FROM group_account"
		"    JOIN account ON account.id = account_id"
		"   WHERE group_id = $6"
		") AS item"
		" WHERE $1 = 'name' AND " SLICE_AFTER
		"   AND ($7::text IS NULL OR kind = $7)"
		"   AND ($8::text IS NULL"
		"        OR strpos(lower(name), lower($8)) > 0)" SLICE_ORDER},
	STMT_END,
};

static void
from_row(const struct rows *rows, size_t row, struct group *group)
{
	*group = (struct group){
		.id = rows_int(rows, row, 0),
		.uuid = rows_text(rows, row, 1),
		.name = rows_text(rows, row, 2),
		.description = rows_text(rows, row, 3),
		.require_second_factor = rows_bool(rows, row, 4),
		.members = rows_int(rows, row, 5),
		.created_us = rows_time(rows, row, 6),
	};
}

enum rc
group_create(struct db *db, struct arena *arena, const struct group *wanted,
	struct group *made, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = naming_check(wanted->name, wanted->description, fault);

	if (rc == RC_OK)
		rc = db_find(db, arena, &group_stmts[STMT_CREATE],
			PARAMS(P_TEXT(wanted->name),
				P_TEXT(wanted->description),
				P_BOOL(wanted->require_second_factor)),
			&rows, fault);
	if (rc == RC_OK)
		from_row(rows, 0, made);
	return naming_taken(rc, "group", wanted->name, fault);
}

enum rc
group_find(struct db *db, struct arena *arena, const char *name,
	struct group *group, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &group_stmts[STMT_FIND],
		PARAMS(P_TEXT(name)), &rows, fault);

	if (rc == RC_OK)
		from_row(rows, 0, group);
	else if (rc == RC_NOT_FOUND)
		rc = fault_tell(fault, rc, "NotFound", NULL,
			"There is no group \"%.128s\".", name);
	return rc;
}

enum rc
group_change(struct db *db, const struct group *group, struct fault *fault)
{
	enum rc rc = naming_check(group->name, group->description, fault);

	if (rc == RC_OK)
		rc = db_exec(db, &group_stmts[STMT_CHANGE],
			PARAMS(P_SHORT(group->id), P_TEXT(group->name),
				P_TEXT(group->description),
				P_BOOL(group->require_second_factor)),
			NULL, fault);
	return naming_taken(rc, "group", group->name, fault);
}

enum rc
group_delete(struct db *db, int64_t id, struct fault *fault)
{
	return db_exec(db, &group_stmts[STMT_DELETE], PARAMS(P_SHORT(id)), NULL,
		fault);
}

enum rc
group_slice(struct db *db, struct arena *arena,
	const struct group_filter *filter, struct slice *slice,
	struct group_list *list, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &group_stmts[STMT_SLICE],
		PARAMS(P_SLICE(slice), P_TEXT(filter->search)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = slice_take(slice, rows, 7);
	list->items = arena_array(arena, list->count, sizeof(*list->items));
	for (size_t i = 0; i < list->count; i++)
		from_row(rows, i, &list->items[i]);
	return RC_OK;
}

/* --- members -------------------------------------------------------------- */

static enum rc
pair(struct db *db, int statement, int64_t group_id, int64_t member_id,
	struct fault *fault)
{
	return db_exec(db, &group_stmts[statement],
		PARAMS(P_SHORT(group_id), P_SHORT(member_id)), NULL, fault);
}

enum rc
group_add_user(struct db *db, int64_t group_id, int64_t account_id,
	struct fault *fault)
{
	return pair(db, STMT_ADD_USER, group_id, account_id, fault);
}

enum rc
group_remove_user(struct db *db, int64_t group_id, int64_t account_id,
	struct fault *fault)
{
	return pair(db, STMT_REMOVE_USER, group_id, account_id, fault);
}

/* The trigger refuses as well; here it is said in words. */
enum rc
group_add_group(struct db *db, struct arena *arena, int64_t group_id,
	int64_t member_id, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &group_stmts[STMT_CONTAINS],
		PARAMS(P_SHORT(member_id), P_SHORT(group_id)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	if (rows_bool(rows, 0, 0))
		return fault_tell(fault, RC_CONFLICT, "GroupCircle", NULL,
			"A group cannot contain itself, not by way of others "
			"either.");
	return pair(db, STMT_ADD_GROUP, group_id, member_id, fault);
}

enum rc
group_remove_group(
	struct db *db, int64_t group_id, int64_t member_id, struct fault *fault)
{
	return pair(db, STMT_REMOVE_GROUP, group_id, member_id, fault);
}

enum rc
group_requires_factor(struct db *db, struct arena *arena, int64_t account_id,
	bool *required, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &group_stmts[STMT_FACTOR],
		PARAMS(P_SHORT(account_id)), &rows, fault);

	*required = rc == RC_OK && rows_bool(rows, 0, 0);
	return rc;
}

enum rc
group_member_slice(struct db *db, struct arena *arena, int64_t group_id,
	const struct group_member_filter *filter, struct slice *slice,
	struct group_members *members, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &group_stmts[STMT_MEMBERS],
		PARAMS(P_SLICE(slice), P_SHORT(group_id), P_TEXT(filter->kind),
			P_TEXT(filter->search)),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	members->count = slice_take(slice, rows, 4);
	members->items =
		arena_array(arena, members->count, sizeof(*members->items));
	for (size_t i = 0; i < members->count; i++)
		members->items[i] = (struct group_member){
			.kind = rows_text(rows, i, 0),
			.id = rows_text(rows, i, 1),
			.name = rows_text(rows, i, 2),
			.source = rows_text(rows, i, 3),
		};
	return RC_OK;
}
