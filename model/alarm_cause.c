/* alarm_cause: the tree of causes that alarms are given. */

#include "model/alarm_cause.h"

#include <string.h>

#include "lib/jsonw.h"

enum { STMT_QUERY, STMT_FIND, STMT_CREATE, STMT_CHANGE, STMT_COUNT };

#define COLUMNS                                                                \
	"cause.uuid::text, above.uuid::text, cause.level, cause.name"          \
	", cause.description, cause.removed"
#define FROM                                                                   \
	"  FROM alarm_cause AS cause"                                          \
	"  LEFT JOIN alarm_cause AS above ON above.id = cause.parent_id"       \
	" WHERE cause.datasource_id = $1"

const struct stmt alarm_cause_stmts[] = {
	[STMT_QUERY] = {"alarm_cause_query", "i", /* $1 datasource */
		"SELECT " COLUMNS FROM
		" ORDER BY cause.level, cause.name COLLATE \"C\", cause.id"},
	[STMT_FIND] = {"alarm_cause_find", "it", /* $1 datasource $2 uuid */
		"SELECT " COLUMNS FROM " AND cause.uuid::text = lower($2)"},
	/* $1 datasource $2 parent or NULL $3 name $4 description */
	[STMT_CREATE] = {"alarm_cause_create", "ittt",
		"INSERT INTO alarm_cause"
		" (datasource_id, parent_id, level, name, description)"
		" SELECT $1, above.id, coalesce(above.level, 0) + 1, $3, $4"
		"  FROM (SELECT) AS one"
		"  LEFT JOIN alarm_cause AS above ON above.datasource_id = $1"
		"   AND above.uuid::text = lower($2)"
		" RETURNING uuid::text, lower($2), level, name, description"
		"     , removed"},
	/* $1 datasource $2 uuid $3 name $4 description $5 removed */
	[STMT_CHANGE] = {"alarm_cause_change", "ittto",
		"UPDATE alarm_cause"
		"   SET name = $3, description = $4, removed = $5"
		" WHERE datasource_id = $1 AND uuid::text = lower($2)"},
	[STMT_COUNT] = {"alarm_cause_count", "i",
		"SELECT count(*) FROM alarm_cause WHERE datasource_id = $1"},
	STMT_END,
};

static void
from_row(const struct rows *rows, size_t row, struct alarm_cause *cause)
{
	*cause = (struct alarm_cause){
		.id = rows_text(rows, row, 0),
		.parent = rows_text(rows, row, 1),
		.level = rows_int(rows, row, 2),
		.name = rows_text(rows, row, 3),
		.description = rows_text(rows, row, 4),
		.removed = rows_bool(rows, row, 5),
	};
}

enum rc
alarm_cause_query(struct db *db, struct arena *arena, int64_t datasource_id,
	struct alarm_cause_list *list, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &alarm_cause_stmts[STMT_QUERY],
		PARAMS(P_INT(datasource_id)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = rows_count(rows);
	list->items = arena_array(arena, list->count + 1, sizeof(*list->items));
	for (size_t i = 0; i < list->count; i++)
		from_row(rows, i, &list->items[i]);
	return RC_OK;
}

enum rc
alarm_cause_find(struct db *db, struct arena *arena, int64_t datasource_id,
	const char *id, struct alarm_cause *cause, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &alarm_cause_stmts[STMT_FIND],
		PARAMS(P_INT(datasource_id), P_TEXT(id)), &rows, fault);

	if (rc == RC_OK)
		from_row(rows, 0, cause);
	else if (rc == RC_NOT_FOUND)
		rc = fault_tell(
			fault, rc, "NotFound", NULL, "There is no such cause.");
	return rc;
}

enum rc
alarm_cause_too_deep(const char *field, struct fault *fault)
{
	return fault_tell(fault, RC_BAD_INPUT, "TooDeep", field,
		"The tree has at most %d levels.", ALARM_CAUSE_LEVELS);
}

enum rc
alarm_cause_too_many(struct fault *fault)
{
	return fault_tell(fault, RC_TOO_LARGE, "TooManyCauses", NULL,
		"A datasource has at most %d causes.", ALARM_CAUSE_MAX);
}

static enum rc
check_parent(struct db *db, struct arena *arena, int64_t datasource_id,
	const char *parent, struct fault *fault)
{
	struct alarm_cause above;
	enum rc rc;

	if (parent == NULL)
		return RC_OK;
	rc = alarm_cause_find(db, arena, datasource_id, parent, &above, fault);
	if (rc == RC_NOT_FOUND)
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest", "parent",
			"\"parent\" names no cause.");
	if (rc == RC_OK && above.level >= ALARM_CAUSE_LEVELS)
		return alarm_cause_too_deep("parent", fault);
	return rc;
}

enum rc
alarm_cause_check_room(struct db *db, struct arena *arena,
	int64_t datasource_id, int64_t more, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &alarm_cause_stmts[STMT_COUNT],
		PARAMS(P_INT(datasource_id)), &rows, fault);

	if (rc == RC_OK && rows_int(rows, 0, 0) + more > ALARM_CAUSE_MAX)
		rc = alarm_cause_too_many(fault);
	return rc;
}

static enum rc
name_taken(enum rc rc, const char *name, struct fault *fault)
{
	if (rc != RC_CONFLICT)
		return rc;
	return fault_tell(fault, rc, "NameTaken", "name",
		"There is a cause \"%s\" in this place already.", name);
}

enum rc
alarm_cause_create(struct db *db, struct arena *arena, int64_t datasource_id,
	const struct alarm_cause *wanted, struct alarm_cause *made,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = naming_check_name(wanted->name, "", fault);

	if (rc == RC_OK)
		rc = check_parent(
			db, arena, datasource_id, wanted->parent, fault);
	if (rc == RC_OK)
		rc = alarm_cause_check_room(db, arena, datasource_id, 1, fault);
	if (rc == RC_OK)
		rc = db_find(db, arena, &alarm_cause_stmts[STMT_CREATE],
			PARAMS(P_INT(datasource_id), P_TEXT(wanted->parent),
				P_TEXT(wanted->name),
				P_TEXT(wanted->description)),
			&rows, fault);
	if (rc == RC_OK)
		from_row(rows, 0, made);
	return name_taken(rc, wanted->name, fault);
}

enum rc
alarm_cause_change(struct db *db, int64_t datasource_id,
	const struct alarm_cause *cause, struct fault *fault)
{
	enum rc rc = naming_check_name(cause->name, "", fault);

	if (rc == RC_OK)
		rc = db_exec(db, &alarm_cause_stmts[STMT_CHANGE],
			PARAMS(P_INT(datasource_id), P_TEXT(cause->id),
				P_TEXT(cause->name), P_TEXT(cause->description),
				P_BOOL(cause->removed)),
			NULL, fault);
	return name_taken(rc, cause->name, fault);
}

/* --- JSON ----------------------------------------------------------------- */

static void
write_members(struct jsonw *json, const struct alarm_cause *cause,
	enum alarm_cause_form form)
{
	if (form == ALARM_CAUSE_BY_ID) {
		jsonw_str(json, "id", cause->id);
		jsonw_str(json, "parent", cause->parent);
	}
	jsonw_str(json, "name", cause->name);
	jsonw_str(json, "description", cause->description);
	jsonw_bool(json, "removed", cause->removed);
}

void
alarm_cause_write(struct jsonw *json, const struct alarm_cause *cause)
{
	jsonw_open_obj(json, NULL);
	write_members(json, cause, ALARM_CAUSE_BY_ID);
	jsonw_close_obj(json);
}

const char *
alarm_cause_text(struct arena *arena, const struct alarm_cause *cause)
{
	struct jsonw *json = jsonw_in(arena);

	alarm_cause_write(json, cause);
	return json->out->data;
}

/* Those below "parent", NULL = on top. */
static void
write_below(struct jsonw *json, const char *key,
	const struct alarm_cause_list *list, const struct alarm_cause *parent,
	enum alarm_cause_form form)
{
	int64_t level = parent != NULL ? parent->level + 1 : 1;

	jsonw_open_arr(json, key);
	for (size_t i = 0; i < list->count; i++) {
		const struct alarm_cause *cause = &list->items[i];

		if (cause->level != level ||
			(parent != NULL &&
				strcmp(cause->parent, parent->id) != 0))
			continue;
		jsonw_open_obj(json, NULL);
		write_members(json, cause, form);
		write_below(json, "children", list, cause, form);
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
}

void
alarm_cause_write_tree(struct jsonw *json, const char *key,
	const struct alarm_cause_list *list, enum alarm_cause_form form)
{
	write_below(json, key, list, NULL, form);
}
