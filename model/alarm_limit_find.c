/* alarm_limit_find: limits of a datasource as they are stored. */

#include "model/alarm_limit_find.h"

#include <string.h>

enum { STMT_SLICE, STMT_QUERY, STMT_FIND, STMT_NAMED };

/* Who evaluates: as engineered, or the agent that evaluates the variable. */
#define EVALUATOR                                                              \
	"CASE WHEN set.evaluated_by <> 0 THEN set.evaluated_by::integer"       \
	" WHEN set.origin = 1 OR EXISTS (SELECT FROM alarm_agent"              \
	"     WHERE variable_id = set.variable_id) THEN 1 ELSE 2 END"

#define COLUMNS                                                                \
	"set.uuid::text, set.variable_id, v.kind, v.access, v.name, set.name"  \
	", set.condition, set.value, set.match, set.low, set.high"             \
	", set.hysteresis, set.on_delay_ms, set.off_delay_ms, set.text"        \
	", set.class_number, set.group_number, set.areas, set.priority"        \
	", set.must_acknowledge, set.comment_required, set.cause_required"     \
	", set.each_change, set.reactivates, set.suppressed_by, set.enabled"   \
	", set.origin, set.evaluated_by, " EVALUATOR                           \
	", set.created_at, set.changed_at"
#define COLUMN_COUNT 31

#define FROM                                                                   \
	"  FROM alarm_limit AS set"                                            \
	"  JOIN variable AS v ON v.id = set.variable_id"

#define PLACE                                                                  \
	", CASE $1 WHEN 'variable' THEN v.name || ' ' || set.name"             \
	" WHEN 'changed' THEN" SLICE_TIME(                                     \
		"set.changed_at") " END COLLATE \"C\""

const struct stmt alarm_limit_find_stmts[] = {
	/* Named as they come, for the columns that a slice compares.
	 * $6 datasource $7 variable as LIKE has it $8 search $9 origin
	 * $10 evaluator, 0 = any $11 variables or NULL */
	[STMT_SLICE] = {"alarm_limit_slice", SLICE_TYPES "ittnnN",
		"SELECT item.* FROM ("
		"  SELECT " COLUMNS PLACE ", set.id" FROM
		"   WHERE set.datasource_id = $6"
		"     AND ($7::text IS NULL OR v.name LIKE $7)"
		"     AND ($8::text IS NULL OR strpos(lower(v.name || ' '"
		"         || set.name || ' ' || set.text), lower($8)) > 0)"
		"     AND ($9 = 0 OR set.origin = $9)"
		"     AND ($11::integer[] IS NULL OR set.variable_id = ANY "
		"($11))"
		"     AND ($10 = 0 OR " EVALUATOR " = $10)) AS item (uuid"
		"       , variable_id, kind, access, variable, name, condition"
		"       , value, match, low, high, hysteresis, on_delay"
		"       , off_delay, text, class, gang, areas, priority"
		"       , acknowledge, comment, cause, each, again, unless"
		"       , enabled, origin, evaluated_by, evaluator, created"
		"       , changed, place, id)"
		" WHERE " SLICE_AFTER SLICE_ORDER},
	/* $1 datasource $2 evaluator; 0 = any */
	[STMT_QUERY] = {"alarm_limit_query", "in",
		"SELECT " COLUMNS FROM
		" WHERE ($1 = 0 OR set.datasource_id = $1)"
		"   AND ($2 = 0 OR " EVALUATOR " = $2)"
		" ORDER BY v.datasource_id, v.name, set.name"},
	[STMT_FIND] = {"alarm_limit_find", "it", /* $1 datasource $2 uuid */
		"SELECT " COLUMNS FROM " WHERE set.datasource_id = $1"
		"   AND set.uuid::text = lower($2)"},
	/* $1 datasource $2 variable $3 name */
	[STMT_NAMED] = {"alarm_limit_named", "itt",
		"SELECT " COLUMNS FROM
		" WHERE set.datasource_id = $1 AND v.name = $2"
		"   AND set.name = $3"},
	STMT_END,
};

static struct texts
texts_at(struct arena *arena, const struct rows *rows, size_t row, int column)
{
	const char **items = rows_texts(rows, arena, row, column);
	size_t count = 0;

	while (items[count] != NULL)
		count++;
	return (struct texts){count, items};
}

static struct alarm_limit
limit_at(struct arena *arena, const struct rows *rows, size_t row)
{
	return (struct alarm_limit){
		.variable = rows_text(rows, row, 4),
		.name = rows_text(rows, row, 5),
		.condition = (enum alarm_condition)rows_int(rows, row, 6),
		.value = rows_num(rows, row, 7),
		.match = rows_text(rows, row, 8),
		.low = rows_num(rows, row, 9),
		.high = rows_num(rows, row, 10),
		.hysteresis = rows_num(rows, row, 11),
		.on_delay_ms = rows_int(rows, row, 12),
		.off_delay_ms = rows_int(rows, row, 13),
		.text = rows_text(rows, row, 14),
		.class_number = rows_int(rows, row, 15),
		.group_number = rows_int(rows, row, 16),
		.areas = texts_at(arena, rows, row, 17),
		.priority = rows_int(rows, row, 18),
		.must_acknowledge = rows_bool(rows, row, 19),
		.comment_required = rows_bool(rows, row, 20),
		.cause_required = rows_bool(rows, row, 21),
		.each_change = rows_bool(rows, row, 22),
		.reactivates = rows_bool(rows, row, 23),
		.suppressed_by = rows_text(rows, row, 24),
		.enabled = rows_bool(rows, row, 25),
		.origin = (enum alarm_origin)rows_int(rows, row, 26),
		.evaluated_by = (enum alarm_evaluator)rows_int(rows, row, 27),
	};
}

static void
from_row(struct arena *arena, const struct rows *rows, size_t row,
	struct alarm_limit_row *limit)
{
	*limit = (struct alarm_limit_row){
		.id = rows_text(rows, row, 0),
		.variable_id = (int32_t)rows_int(rows, row, 1),
		.kind = (enum value_kind)rows_int(rows, row, 2),
		.access = (enum variable_access)rows_int(rows, row, 3),
		.limit = limit_at(arena, rows, row),
		.evaluator = (enum alarm_evaluator)rows_int(rows, row, 28),
		.created_us = rows_time(rows, row, 29),
		.changed_us = rows_time(rows, row, 30),
	};
}

static void
take(struct arena *arena, const struct rows *rows, size_t count,
	struct alarm_limit_rows *limits)
{
	limits->count = count;
	limits->items = arena_array(arena, count + 1, sizeof(*limits->items));
	for (size_t i = 0; i < count; i++)
		from_row(arena, rows, i, &limits->items[i]);
}

/* --- finding -------------------------------------------------------------- */

/* "agent" is 1 and "hub" 2, of an origin and of an evaluator. */
static int
number_of(const char *word)
{
	return word == NULL ? 0 : strcmp(word, "agent") == 0 ? 1 : 2;
}

enum rc
alarm_limit_slice(struct db *db, struct arena *arena, int64_t datasource_id,
	const struct alarm_limit_filter *filter, struct slice *slice,
	struct alarm_limit_rows *limits, struct fault *fault)
{
	const char *pattern = filter->variable;
	struct rows *rows = NULL;
	enum rc rc;

	if (pattern != NULL)
		pattern = variable_like_patterns(arena, &pattern, 1)[0];
	rc = db_query(db, arena, &alarm_limit_find_stmts[STMT_SLICE],
		PARAMS(P_SLICE(slice), P_INT(datasource_id), P_TEXT(pattern),
			P_TEXT(filter->search),
			P_SHORT(number_of(filter->origin)),
			P_SHORT(number_of(filter->evaluator)),
			filter->variables.items != NULL
				? P_SHORTS(filter->variables.items,
					  filter->variables.count)
				: P_NULL('N')),
		&rows, fault);
	if (rc == RC_OK)
		take(arena, rows, slice_take(slice, rows, COLUMN_COUNT),
			limits);
	return rc;
}

enum rc
alarm_limit_query(struct db *db, struct arena *arena, int64_t datasource_id,
	enum alarm_evaluator evaluator, struct alarm_limit_rows *limits,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &alarm_limit_find_stmts[STMT_QUERY],
		PARAMS(P_INT(datasource_id), P_SHORT(evaluator)), &rows, fault);

	if (rc == RC_OK)
		take(arena, rows, rows_count(rows), limits);
	return rc;
}

enum rc
alarm_limit_find(struct db *db, struct arena *arena, int64_t datasource_id,
	const char *id, struct alarm_limit_row *row, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &alarm_limit_find_stmts[STMT_FIND],
		PARAMS(P_INT(datasource_id), P_TEXT(id)), &rows, fault);

	if (rc == RC_OK)
		from_row(arena, rows, 0, row);
	else if (rc == RC_NOT_FOUND)
		rc = fault_tell(
			fault, rc, "NotFound", NULL, "There is no such limit.");
	return rc;
}

enum rc
alarm_limit_named(struct db *db, struct arena *arena, int64_t datasource_id,
	const char *variable, const char *name, struct alarm_limit_rows *limits,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &alarm_limit_find_stmts[STMT_NAMED],
		PARAMS(P_INT(datasource_id), P_TEXT(variable), P_TEXT(name)),
		&rows, fault);

	if (rc == RC_OK)
		take(arena, rows, rows_count(rows), limits);
	return rc;
}
