/* membership: the groups that one user is directly in. */

#include "model/membership.h"

enum { STMT_QUERY, STMT_UNKNOWN, STMT_LEAVE, STMT_JOIN };

const struct stmt membership_stmts[] = {
	[STMT_QUERY] = {"membership_query", "n",
		"SELECT user_group.name, source FROM group_account"
		"  JOIN user_group ON user_group.id = group_account.group_id"
		" WHERE account_id = $1"
		" ORDER BY user_group.name COLLATE \"C\", source"},
	[STMT_UNKNOWN] = {"membership_unknown", "T",
		"SELECT want.name FROM unnest($1) AS want (name)"
		" WHERE NOT EXISTS (SELECT FROM user_group"
		"                    WHERE user_group.name = want.name)"
		" LIMIT 1"},
	/* $1 account $2 groups that stay */
	[STMT_LEAVE] = {"membership_leave", "nT",
		"DELETE FROM group_account USING user_group"
		" WHERE account_id = $1 AND source = ''"
		"   AND user_group.id = group_account.group_id"
		"   AND user_group.name <> ALL ($2)"},
	[STMT_JOIN] = {"membership_join", "nT",
		"INSERT INTO group_account (group_id, account_id, source)"
		" SELECT id, $1, '' FROM user_group WHERE name = ANY ($2)"
		" ORDER BY id"
		" ON CONFLICT DO NOTHING"},
	STMT_END,
};

enum rc
membership_query(struct db *db, struct arena *arena, int64_t user_id,
	struct membership_list *list, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &membership_stmts[STMT_QUERY],
		PARAMS(P_SHORT(user_id)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = rows_count(rows);
	list->items = arena_array(arena, list->count + 1, sizeof(*list->items));
	for (size_t row = 0; row < list->count; row++) {
		list->items[row].group = rows_text(rows, row, 0);
		list->items[row].source = rows_text(rows, row, 1);
	}
	return RC_OK;
}

static enum rc
check_known(struct db *db, struct arena *arena, const char *const *groups,
	size_t count, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &membership_stmts[STMT_UNKNOWN],
		PARAMS(P_TEXTS(groups, count)), &rows, fault);

	if (rc == RC_OK && rows_count(rows) > 0)
		return fault_tell(fault, RC_BAD_INPUT, "GroupNotFound",
			"groups", "There is no group \"%.128s\".",
			rows_text(rows, 0, 0));
	return rc;
}

enum rc
membership_set(struct db *db, struct arena *arena, int64_t user_id,
	const char *const *groups, size_t count, struct fault *fault)
{
	struct params params = PARAMS(P_SHORT(user_id), P_TEXTS(groups, count));
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc != RC_OK)
		return rc;
	rc = check_known(db, arena, groups, count, fault);
	if (rc == RC_OK)
		rc = db_exec(
			db, &membership_stmts[STMT_LEAVE], params, NULL, fault);
	if (rc == RC_OK)
		rc = db_exec(
			db, &membership_stmts[STMT_JOIN], params, NULL, fault);
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}
