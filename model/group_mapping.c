/* group_mapping: what the groups of an outside source are here. */

#include "model/group_mapping.h"

#include <string.h>

#include "lib/ldap.h"
#include "model/directory.h"

enum {
	STMT_LIST,
	STMT_ADD,
	STMT_REMOVE,
	STMT_LEAVE,
	STMT_ASK_AGAIN,
	STMT_FORGET,
	STMT_LEAVE_ALL
};

const struct stmt group_mapping_stmts[] = {
	[STMT_LIST] = {"group_mapping_list", "t",
		"SELECT group_mapping.external, user_group.name"
		"  FROM group_mapping"
		"  JOIN user_group ON user_group.id = group_mapping.group_id"
		" WHERE group_mapping.source = $1"
		" ORDER BY 1, 2 LIMIT 10000"},
	[STMT_ADD] = {"group_mapping_add", "ttn",
		"INSERT INTO group_mapping (source, external, group_id)"
		" VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"},
	[STMT_REMOVE] = {"group_mapping_remove", "ttn",
		"DELETE FROM group_mapping"
		" WHERE source = $1 AND external = $2 AND group_id = $3"},
	[STMT_LEAVE] = {"group_mapping_leave", "tn",
		"DELETE FROM group_account"
		" WHERE source = $1 AND group_id = $2 AND NOT EXISTS"
		" (SELECT FROM group_mapping"
		"   WHERE source = $1 AND group_id = $2)"},
	[STMT_ASK_AGAIN] = {"group_mapping_ask_again", "t",
		"UPDATE account_link SET due_at = now()"
		" WHERE issuer = $1 AND due_at > now()"},
	[STMT_FORGET] = {"group_mapping_forget", "t",
		"DELETE FROM group_mapping WHERE source = $1"},
	[STMT_LEAVE_ALL] = {"group_mapping_leave_all", "t",
		"DELETE FROM group_account WHERE source = $1"},
	STMT_END,
};

enum rc
group_mapping_list(struct db *db, struct arena *arena, const char *source,
	struct group_mapping_list *list, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &group_mapping_stmts[STMT_LIST],
		PARAMS(P_TEXT(source)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = rows_count(rows);
	list->items = arena_array(arena, list->count + 1, sizeof(*list->items));
	for (size_t row = 0; row < list->count; row++)
		list->items[row] = (struct group_mapping){
			rows_text(rows, row, 0), rows_text(rows, row, 1)};
	return RC_OK;
}

static enum rc
of_source(struct db *db, int statement, const char *source, struct fault *fault)
{
	return db_exec(db, &group_mapping_stmts[statement],
		PARAMS(P_TEXT(source)), NULL, fault);
}

static enum rc
end(struct db *db, enum rc rc, struct fault *fault)
{
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

/* What the group is called in the table. */
static enum rc
name_there(struct arena *arena, const char *source, const char **external,
	struct fault *fault)
{
	size_t length = strnlen(*external, GROUP_MAPPING_EXTERNAL_BYTES + 1);
	bool directory = strncmp(source, DIRECTORY_SOURCE_PREFIX,
				 strlen(DIRECTORY_SOURCE_PREFIX)) == 0;

	if (length == 0 || length > GROUP_MAPPING_EXTERNAL_BYTES)
		return fault_tell(fault, RC_BAD_INPUT, "GroupName", "external",
			"The name of a group there has 1 to %d bytes.",
			GROUP_MAPPING_EXTERNAL_BYTES);
	if (directory)
		*external = ldap_dn_normal(arena, *external);
	if (*external == NULL || (*external)[0] == '\0')
		return fault_tell(fault, RC_BAD_INPUT, "DirectoryGroup",
			"external",
			"Name the group there by its DN, such as "
			"cn=Operators,ou=groups,dc=example,dc=com.");
	return RC_OK;
}

static enum rc
remove_one(struct db *db, const char *source, const char *external,
	int64_t group_id, struct fault *fault)
{
	int64_t removed = 0;
	enum rc rc = db_exec(db, &group_mapping_stmts[STMT_REMOVE],
		PARAMS(P_TEXT(source), P_TEXT(external), P_SHORT(group_id)),
		&removed, fault);

	if (rc == RC_OK && removed == 0)
		return fault_tell(fault, RC_NOT_FOUND, "NotFound", "external",
			"It is not mapped so.");
	if (rc == RC_OK)
		rc = db_exec(db, &group_mapping_stmts[STMT_LEAVE],
			PARAMS(P_TEXT(source), P_SHORT(group_id)), NULL, fault);
	return rc;
}

enum rc
group_mapping_set(struct db *db, struct arena *arena, const char *source,
	const char *external, int64_t group_id,
	enum group_mapping_change change, struct fault *fault)
{
	enum rc rc = name_there(arena, source, &external, fault);

	if (rc == RC_OK)
		rc = db_begin(db, DB_READ_COMMITTED, fault);
	if (rc != RC_OK)
		return rc;
	rc = change == GROUP_UNMAP
		     ? remove_one(db, source, external, group_id, fault)
		     : db_exec(db, &group_mapping_stmts[STMT_ADD],
			       PARAMS(P_TEXT(source), P_TEXT(external),
				       P_SHORT(group_id)),
			       NULL, fault);
	if (rc == RC_OK)
		rc = of_source(db, STMT_ASK_AGAIN, source, fault);
	return end(db, rc, fault);
}

enum rc
group_mapping_forget(struct db *db, const char *source, struct fault *fault)
{
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc != RC_OK)
		return rc;
	rc = of_source(db, STMT_FORGET, source, fault);
	if (rc == RC_OK)
		rc = of_source(db, STMT_LEAVE_ALL, source, fault);
	return end(db, rc, fault);
}
