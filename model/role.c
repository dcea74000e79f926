/* role: rights under a name. */

#include "model/role.h"

#include <string.h>

#include "model/naming.h"
#include "model/policy.h"

enum {
	STMT_CREATE,
	STMT_FIND,
	STMT_CHANGE,
	STMT_DELETE,
	STMT_SLICE,
	STMT_ADMINISTERS,
	STMT_GIVE,
	STMT_GRANT,
	STMT_TAKE,
	STMT_HELD,
	STMT_GRANTS,
};

/* Places of rows, as places of a slice, and who holds a role. */
#define CREATED_AT_PLACE SLICE_TIME("created_at")
#define SUBJECT_NAME     POLICY_SUBJECT_NAME("subject_kind", "subject_id")

#define COLUMNS                                                                \
	"role.id, role.uuid::text, role.name, role.description"                \
	", role.built_in"                                                      \
	", (SELECT count(*) FROM role_grant WHERE role_id = role.id)"          \
	", role.created_at "

#define GRANT_COLUMNS                                                          \
	"role_grant.uuid::text, subject_kind, subject_id"                      \
	"," SUBJECT_NAME "AS subject"                                          \
	", coalesce(datasource_id, 0)"                                         \
	", (SELECT uuid::text FROM datasource WHERE id = datasource_id) "

const struct stmt role_stmts[] = {
	[STMT_CREATE] = {"role_create", "tt",
		"INSERT INTO role (name, description) VALUES ($1, $2)"
		" RETURNING id, uuid::text, name, description, built_in"
		"     , 0::bigint, created_at"},
	[STMT_FIND] = {"role_find", "t", /* $1 name or uuid */
		"SELECT " COLUMNS "  FROM role"
		" WHERE name = $1 OR uuid::text = lower($1)"
		" ORDER BY name <> $1 LIMIT 1"},
	[STMT_CHANGE] = {"role_change", "ntt",
		"UPDATE role SET name = $2, description = $3 WHERE id = $1"},
	[STMT_DELETE] = {"role_delete", "n", "DELETE FROM role WHERE id = $1"},
	[STMT_SLICE] = {"role_slice", SLICE_TYPES "t", /* $6 search */
		"SELECT item.* FROM ("
		"  SELECT " COLUMNS "     , CASE $1"
		"           WHEN 'name' THEN lower(name)"
		"           WHEN 'created' THEN " CREATED_AT_PLACE
		"         END COLLATE \"C\" AS place"
		"     , role.id AS number"
		"  FROM role) AS item (role_id, uuid, name, description"
		"     , built_in, grants, created_at, place, id)"
		" WHERE " SLICE_AFTER "   AND ($6::text IS NULL OR"
		"        strpos(lower(name || ' ' || description), lower($6))"
		"        > 0)" SLICE_ORDER},
	[STMT_ADMINISTERS] = {"role_administers", "nn",
		"SELECT EXISTS (SELECT FROM policy_rule"
		"                WHERE subject_kind = 'role'"
		"                  AND subject_id = $1 AND actions & $2 <> 0"
		"                  AND effect = 'allow')"},
	/* $1 role $2 kind $3 id $4 datasource or 0 */
	[STMT_GIVE] = {"role_give", "ntnn",
		"INSERT INTO role_grant"
		" (role_id, subject_kind, subject_id, datasource_id)"
		" VALUES ($1, $2, $3, nullif($4, 0))"
		" ON CONFLICT (role_id, subject_kind, subject_id"
		"     , datasource_id)"
		" DO UPDATE SET role_id = excluded.role_id"
		" RETURNING uuid::text"},
	[STMT_GRANT] = {"role_grant", "nt",
		"SELECT " GRANT_COLUMNS "  FROM role_grant"
		" WHERE role_id = $1 AND uuid::text = lower($2)"},
	[STMT_TAKE] = {"role_take", "nt",
		"DELETE FROM role_grant"
		" WHERE role_id = $1 AND uuid::text = lower($2)"},
	/* $1 role $2 kind $3 id $4 datasource or 0 */
	[STMT_HELD] = {"role_held", "ntnn",
		"SELECT " GRANT_COLUMNS "  FROM role_grant"
		" WHERE role_id = $1 AND subject_kind = $2 AND subject_id = $3"
		"   AND coalesce(datasource_id, 0) = $4"},
	/* $6 role $7 kind $8 search */
	[STMT_GRANTS] = {"role_grants", SLICE_TYPES "ntt",
		"SELECT item.* FROM ("
		"  SELECT " GRANT_COLUMNS "     , CASE $1"
		"           WHEN 'subject' THEN subject_kind"
		"                || ' ' ||" SUBJECT_NAME
		"           WHEN 'created' THEN " CREATED_AT_PLACE
		"         END COLLATE \"C\" AS place"
		"     , role_grant.id"
		"    FROM role_grant"
		"   WHERE role_id = $6) AS item (uuid, kind, subject_id"
		"     , subject, datasource_id, datasource, place, id)"
		" WHERE " SLICE_AFTER "   AND ($7::text IS NULL OR kind = $7)"
		"   AND ($8::text IS NULL"
		"        OR strpos(lower(subject), lower($8))"
		"           > 0)" SLICE_ORDER},
	STMT_END,
};

static void
from_row(const struct rows *rows, size_t row, struct role *role)
{
	*role = (struct role){
		.id = rows_int(rows, row, 0),
		.uuid = rows_text(rows, row, 1),
		.name = rows_text(rows, row, 2),
		.description = rows_text(rows, row, 3),
		.built_in = rows_bool(rows, row, 4),
		.grants = rows_int(rows, row, 5),
		.created_us = rows_time(rows, row, 6),
	};
}

static enum rc
check_own(const struct role *role, struct fault *fault)
{
	if (!role->built_in)
		return RC_OK;
	return fault_tell(fault, RC_DENIED, "BuiltIn", NULL,
		"The ready-made roles stay as they are; make a role of your "
		"own.");
}

enum rc
role_create(struct db *db, struct arena *arena, const struct role *wanted,
	struct role *made, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = naming_check(wanted->name, wanted->description, fault);

	if (rc == RC_OK)
		rc = db_find(db, arena, &role_stmts[STMT_CREATE],
			PARAMS(P_TEXT(wanted->name),
				P_TEXT(wanted->description)),
			&rows, fault);
	if (rc == RC_OK)
		from_row(rows, 0, made);
	return naming_taken(rc, "role", wanted->name, fault);
}

enum rc
role_find(struct db *db, struct arena *arena, const char *name,
	struct role *role, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &role_stmts[STMT_FIND],
		PARAMS(P_TEXT(name)), &rows, fault);

	if (rc == RC_OK)
		from_row(rows, 0, role);
	else if (rc == RC_NOT_FOUND)
		rc = fault_tell(fault, rc, "NotFound", NULL,
			"There is no role \"%.128s\".", name);
	return rc;
}

enum rc
role_change(struct db *db, const struct role *role, struct fault *fault)
{
	enum rc rc = check_own(role, fault);

	if (rc == RC_OK)
		rc = naming_check(role->name, role->description, fault);
	if (rc == RC_OK)
		rc = db_exec(db, &role_stmts[STMT_CHANGE],
			PARAMS(P_SHORT(role->id), P_TEXT(role->name),
				P_TEXT(role->description)),
			NULL, fault);
	return naming_taken(rc, "role", role->name, fault);
}

enum rc
role_delete(struct db *db, const struct role *role, struct fault *fault)
{
	enum rc rc = check_own(role, fault);

	if (rc == RC_OK)
		rc = db_exec(db, &role_stmts[STMT_DELETE],
			PARAMS(P_SHORT(role->id)), NULL, fault);
	return rc;
}

enum rc
role_slice(struct db *db, struct arena *arena, const struct role_filter *filter,
	struct slice *slice, struct role_list *list, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &role_stmts[STMT_SLICE],
		PARAMS(P_SLICE(slice), P_TEXT(filter->search)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = slice_take(slice, rows, 7);
	list->items = arena_array(arena, list->count, sizeof(*list->items));
	for (size_t i = 0; i < list->count; i++)
		from_row(rows, i, &list->items[i]);
	return RC_OK;
}

/* --- grants -----------------------------------------------------------------
 */

/* A grid is administered as a whole, and never by whoever happens to be in. */
static enum rc
check_grant(struct db *db, struct arena *arena, const struct role *role,
	const struct role_grant *grant, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc;

	if (strcmp(grant->subject.kind, "role") == 0)
		return fault_tell(fault, RC_BAD_INPUT, "BadGrant",
			"subjectKind",
			"A role is given to everyone, or to a user, group, "
			"client or node.");
	if (grant->datasource_id == 0 &&
		strcmp(grant->subject.kind, "everyone") != 0)
		return RC_OK;
	rc = db_find(db, arena, &role_stmts[STMT_ADMINISTERS],
		PARAMS(P_SHORT(role->id), P_SHORT(POLICY_ADMINISTER)), &rows,
		fault);
	if (rc == RC_OK && rows_bool(rows, 0, 0))
		rc = fault_tell(fault, RC_BAD_INPUT, "BadGrant", "role",
			"A role that administers is given for every "
			"datasource, and not to everyone.");
	return rc;
}

enum rc
role_give(struct db *db, struct arena *arena, const struct role *role,
	struct role_grant *grant, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = check_grant(db, arena, role, grant, fault);

	if (rc == RC_OK)
		rc = db_find(db, arena, &role_stmts[STMT_GIVE],
			PARAMS(P_SHORT(role->id), P_TEXT(grant->subject.kind),
				P_SHORT(grant->subject.id),
				P_SHORT(grant->datasource_id)),
			&rows, fault);
	if (rc == RC_OK)
		grant->id = rows_text(rows, 0, 0);
	return rc;
}

static void
grant_from_row(const struct rows *rows, size_t row, struct role_grant *grant)
{
	*grant = (struct role_grant){
		.id = rows_text(rows, row, 0),
		.subject.kind = rows_text(rows, row, 1),
		.subject.id = rows_int(rows, row, 2),
		.subject.name = rows_text(rows, row, 3),
		.datasource_id = rows_int(rows, row, 4),
		.datasource = rows_text(rows, row, 5),
	};
}

enum rc
role_find_grant(struct db *db, struct arena *arena, const struct role *role,
	const char *id, struct role_grant *grant, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &role_stmts[STMT_GRANT],
		PARAMS(P_SHORT(role->id), P_TEXT(id)), &rows, fault);

	if (rc == RC_OK)
		grant_from_row(rows, 0, grant);
	else if (rc == RC_NOT_FOUND)
		rc = fault_tell(fault, rc, "NotFound", NULL,
			"There is no such grant of the role.");
	return rc;
}

enum rc
role_take(struct db *db, const struct role *role,
	const struct role_grant *grant, struct fault *fault)
{
	return db_exec(db, &role_stmts[STMT_TAKE],
		PARAMS(P_SHORT(role->id), P_TEXT(grant->id)), NULL, fault);
}

enum rc
role_find_held(struct db *db, struct arena *arena, const struct role *role,
	struct role_grant *grant, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &role_stmts[STMT_HELD],
		PARAMS(P_SHORT(role->id), P_TEXT(grant->subject.kind),
			P_SHORT(grant->subject.id),
			P_SHORT(grant->datasource_id)),
		&rows, fault);

	if (rc == RC_OK)
		grant_from_row(rows, 0, grant);
	else if (rc == RC_NOT_FOUND)
		rc = fault_tell(fault, rc, "NotFound", NULL,
			"%s %s does not hold the role %s there.",
			grant->subject.kind, grant->subject.name, role->name);
	return rc;
}

enum rc
role_grant_slice(struct db *db, struct arena *arena, const struct role *role,
	const struct role_grant_filter *filter, struct slice *slice,
	struct role_grants *grants, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &role_stmts[STMT_GRANTS],
		PARAMS(P_SLICE(slice), P_SHORT(role->id),
			P_TEXT(filter->subject_kind), P_TEXT(filter->search)),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	grants->count = slice_take(slice, rows, 6);
	grants->items =
		arena_array(arena, grants->count, sizeof(*grants->items));
	for (size_t i = 0; i < grants->count; i++)
		grant_from_row(rows, i, &grants->items[i]);
	return RC_OK;
}
