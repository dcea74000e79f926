/* alarm_limit_store: the limits of a datasource. */

#include "model/alarm_limit_store.h"

#include <math.h>
#include <string.h>

#include "lib/clock.h"

enum {
	STMT_TURN,
	STMT_SLICE,
	STMT_QUERY,
	STMT_FIND,
	STMT_NAMED,
	STMT_PUT,
	STMT_TAKEN,
	STMT_COUNT,
	STMT_OTHERS,
	STMT_DELETE,
	STMT_UNDECLARED,
	STMT_AGENT,
};

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

/* Named as they come, for the columns that a slice compares. */
#define SLICE                                                                  \
	"SELECT item.* FROM ("                                                 \
	"  SELECT " COLUMNS "       , CASE $1"                                 \
	"           WHEN 'variable' THEN v.name || ' ' || set.name"            \
	"           WHEN 'changed' THEN" SLICE_TIME(                           \
		"set.changed_at") "         END COLLATE \"C\", set.id" FROM    \
				  "   WHERE set.datasource_id = $6"            \
				  "     AND ($7::text IS NULL OR v.name LIKE " \
				  "$7)"                                        \
				  "     AND ($8::text IS NULL OR "             \
				  "strpos(lower(v.name || ' '"                 \
				  "         || set.name || ' ' || set.text), " \
				  "lower($8)) > 0)"                            \
				  "     AND ($9 = 0 OR set.origin = $9)"       \
				  "     AND ($11::integer[] IS NULL OR "       \
				  "set.variable_id = ANY ($11))"               \
				  "     AND ($10 = 0 OR " EVALUATOR            \
				  " = $10)) AS item (uuid"                     \
				  "       , variable_id, kind, access, "       \
				  "variable, name, condition, value"           \
				  "       , match, low, high, hysteresis, "    \
				  "on_delay, off_delay, text"                  \
				  "       , class, gang, areas, priority, "    \
				  "acknowledge, comment, cause"                \
				  "       , each, again, unless, enabled, "    \
				  "origin, evaluated_by"                       \
				  "       , evaluator, created, changed, "     \
				  "place, id)"                                 \
				  " WHERE " SLICE_AFTER SLICE_ORDER

/* The limits of a JSON text $2, each with its variable in datasource $1. */
#define SENT                                                                   \
	"WITH sent AS ("                                                       \
	"  SELECT s.*, v.id AS variable_id"                                    \
	"    FROM jsonb_to_recordset($2::jsonb) AS s (variable text"           \
	"       , name text, condition smallint, value double precision"       \
	"       , match text, low double precision, high double precision"     \
	"       , hysteresis double precision, on_delay bigint"                \
	"       , off_delay bigint, text text, class integer"                  \
	"       , \"group\" integer, areas text[], priority smallint"          \
	"       , acknowledge boolean, comment boolean, cause boolean"         \
	"       , each boolean, again boolean, unless text, enabled boolean"   \
	"       , evaluator smallint)"                                         \
	"    JOIN variable AS v ON v.datasource_id = $1"                       \
	"     AND v.name = s.variable)"

#define VALUES_OF(row)                                                         \
	row ".condition, " row ".value, " row ".match, " row ".low, " row      \
	    ".high, " row ".hysteresis, " row ".on_delay_ms, " row             \
	    ".off_delay_ms, " row ".text, " row ".class_number, " row          \
	    ".group_number, " row ".areas, " row ".priority, " row             \
	    ".must_acknowledge, " row ".comment_required, " row                \
	    ".cause_required, " row ".each_change, " row ".reactivates, " row  \
	    ".suppressed_by, " row ".enabled, " row ".evaluated_by"

const struct stmt alarm_limit_store_stmts[] = {
	/* $1 datasource; the number is any of advisory locks */
	[STMT_TURN] = {"alarm_limit_turn", "n",
		"SELECT pg_advisory_xact_lock(1634492782, $1)"},
	/* $6 datasource $7 variable as LIKE has it $8 search $9 origin
	 * $10 evaluator, 0 = any $11 variables or NULL */
	[STMT_SLICE] = {"alarm_limit_slice", SLICE_TYPES "ittnnN", SLICE},
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
	/* Rows that are so already are left alone. $1 datasource $2 limits
	 * $3 origin */
	[STMT_PUT] = {"alarm_limit_put", "itn",
		SENT
		", named AS ("
		"  INSERT INTO alarm_category (datasource_id, kind, name)"
		"  SELECT DISTINCT $1::integer, 'area', area"
		"    FROM sent, unnest(sent.areas) AS area"
		"  ON CONFLICT DO NOTHING)"
		", put AS ("
		"  INSERT INTO alarm_limit AS old (datasource_id, variable_id"
		"       , name, origin, condition, value, match, low, high"
		"       , hysteresis, on_delay_ms, off_delay_ms, text"
		"       , class_number, group_number, areas, priority"
		"       , must_acknowledge, comment_required, cause_required"
		"       , each_change, reactivates, suppressed_by, enabled"
		"       , evaluated_by)"
		"  SELECT $1, variable_id, name, $3, condition, value, match"
		"       , low, high, hysteresis, on_delay, off_delay, text"
		"       , class, \"group\", areas, priority, acknowledge"
		"       , comment, cause, each, again, unless, enabled"
		"       , evaluator"
		"    FROM sent"
		"  ON CONFLICT (variable_id, name) DO UPDATE SET"
		"         condition = excluded.condition"
		"       , value = excluded.value"
		"       , match = excluded.match"
		"       , low = excluded.low"
		"       , high = excluded.high"
		"       , hysteresis = excluded.hysteresis"
		"       , on_delay_ms = excluded.on_delay_ms"
		"       , off_delay_ms = excluded.off_delay_ms"
		"       , text = excluded.text"
		"       , class_number = excluded.class_number"
		"       , group_number = excluded.group_number"
		"       , areas = excluded.areas"
		"       , priority = excluded.priority"
		"       , must_acknowledge = excluded.must_acknowledge"
		"       , comment_required = excluded.comment_required"
		"       , cause_required = excluded.cause_required"
		"       , each_change = excluded.each_change"
		"       , reactivates = excluded.reactivates"
		"       , suppressed_by = excluded.suppressed_by"
		"       , enabled = excluded.enabled"
		"       , evaluated_by = excluded.evaluated_by"
		"       , changed_at = now()"
		"   WHERE old.origin = $3"
		"     AND (" VALUES_OF(
			"old") ") IS DISTINCT FROM"
			       "         (" VALUES_OF(
				       "excluded") ")"
						   "  RETURNING xmax = 0 AS "
						   "made)"
						   " SELECT count(*) FILTER "
						   "(WHERE made)"
						   "     , count(*) FILTER "
						   "(WHERE NOT made)"
						   "  FROM put"},
	/* Of another origin. $1 datasource $2 limits $3 origin */
	[STMT_TAKEN] = {"alarm_limit_taken", "itn",
		SENT
		" SELECT (SELECT count(*) FROM sent)"
		"     , (SELECT count(DISTINCT (variable_id, name)) FROM sent)"
		"     , count(*), min(sent.variable || ' ' || sent.name)"
		"  FROM sent"
		"  JOIN alarm_limit AS old USING (variable_id, name)"
		" WHERE old.origin <> $3"},
	[STMT_COUNT] = {"alarm_limit_count", "i",
		"SELECT count(*) FROM alarm_limit WHERE datasource_id = $1"},
	/* Engineered here, and not among those. $1 datasource $2 limits */
	[STMT_OTHERS] = {"alarm_limit_others", "it",
		SENT " DELETE FROM alarm_limit AS old"
		     " WHERE old.datasource_id = $1 AND old.origin = 2"
		     "   AND NOT EXISTS (SELECT FROM sent"
		     "         WHERE sent.variable_id = old.variable_id"
		     "           AND sent.name = old.name)"},
	[STMT_DELETE] = {"alarm_limit_delete", "it",
		"DELETE FROM alarm_limit"
		" WHERE datasource_id = $1 AND uuid::text = lower($2)"},
	/* $1 datasource $2 limits $3 names of the variables */
	[STMT_UNDECLARED] = {"alarm_limit_undeclared", "itT",
		SENT " DELETE FROM alarm_limit AS old USING variable AS v"
		     " WHERE old.datasource_id = $1 AND old.origin = 1"
		     "   AND v.id = old.variable_id AND v.name = ANY ($3)"
		     "   AND NOT EXISTS (SELECT FROM sent"
		     "         WHERE sent.variable_id = old.variable_id"
		     "           AND sent.name = old.name)"},
	/* $1 datasource $2 node $3 names of the variables */
	[STMT_AGENT] = {"alarm_limit_agent", "inT",
		"INSERT INTO alarm_agent AS old (variable_id, node_id)"
		" SELECT id, $2 FROM variable"
		"  WHERE datasource_id = $1 AND name = ANY ($3)"
		"  ORDER BY id"
		" ON CONFLICT (variable_id) DO UPDATE SET node_id = $2"
		"  WHERE old.node_id <> $2"},
	STMT_END,
};

/* --- rows ----------------------------------------------------------------- */

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
	rc = db_query(db, arena, &alarm_limit_store_stmts[STMT_SLICE],
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
	enum rc rc = db_query(db, arena, &alarm_limit_store_stmts[STMT_QUERY],
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
	enum rc rc = db_find(db, arena, &alarm_limit_store_stmts[STMT_FIND],
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
	enum rc rc = db_query(db, arena, &alarm_limit_store_stmts[STMT_NAMED],
		PARAMS(P_INT(datasource_id), P_TEXT(variable), P_TEXT(name)),
		&rows, fault);

	if (rc == RC_OK)
		take(arena, rows, rows_count(rows), limits);
	return rc;
}

/* --- changing ------------------------------------------------------------- */

static void
write_numbers(struct jsonw *json, const struct alarm_limit *limit)
{
	jsonw_int(json, "condition", limit->condition);
	jsonw_num(json, "value", limit->value);
	jsonw_num(json, "low", limit->low);
	jsonw_num(json, "high", limit->high);
	jsonw_num(json, "hysteresis", limit->hysteresis);
	jsonw_int(json, "on_delay", limit->on_delay_ms);
	jsonw_int(json, "off_delay", limit->off_delay_ms);
	jsonw_int(json, "class", limit->class_number);
	jsonw_int(json, "group", limit->group_number);
	jsonw_int(json, "priority", limit->priority);
	jsonw_int(json, "evaluator", limit->evaluated_by);
}

static void
write_flags(struct jsonw *json, const struct alarm_limit *limit)
{
	jsonw_bool(json, "acknowledge", limit->must_acknowledge);
	jsonw_bool(json, "comment", limit->comment_required);
	jsonw_bool(json, "cause", limit->cause_required);
	jsonw_bool(json, "each", limit->each_change);
	jsonw_bool(json, "again", limit->reactivates);
	jsonw_bool(json, "enabled", limit->enabled);
}

/* As SENT reads it. */
static const char *
limits_text(struct arena *arena, const struct alarm_limit *limits, size_t count)
{
	struct jsonw *json = jsonw_in(arena);

	jsonw_open_arr(json, NULL);
	for (size_t i = 0; i < count; i++) {
		const struct alarm_limit *limit = &limits[i];

		jsonw_open_obj(json, NULL);
		jsonw_str(json, "variable", limit->variable);
		jsonw_str(json, "name", limit->name);
		jsonw_str(json, "match", limit->match);
		jsonw_str(json, "text", limit->text);
		jsonw_str(json, "unless", limit->suppressed_by);
		write_numbers(json, limit);
		write_flags(json, limit);
		jsonw_open_arr(json, "areas");
		for (size_t j = 0; j < limit->areas.count; j++)
			jsonw_str(json, NULL, limit->areas.items[j]);
		jsonw_close_arr(json);
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
	return json->out->data;
}

/* What is in the way of putting: *taken limits are of another origin. */
static enum rc
check_sent(struct db *db, struct arena *arena, int64_t datasource_id,
	const char *text, size_t count, enum alarm_origin origin,
	struct rows **taken, struct fault *fault)
{
	enum rc rc = db_find(db, arena, &alarm_limit_store_stmts[STMT_TAKEN],
		PARAMS(P_INT(datasource_id), P_TEXT(text), P_SHORT(origin)),
		taken, fault);

	if (rc != RC_OK)
		return rc;
	if (rows_int(*taken, 0, 0) != (int64_t)count)
		return fault_tell(fault, RC_NOT_FOUND, "NotFound", "variable",
			"Not all of these variables are there.");
	if (rows_int(*taken, 0, 1) != (int64_t)count)
		return fault_tell(fault, RC_BAD_INPUT, "GivenTwice", "name",
			"A limit is given twice: names are unique within a "
			"variable.");
	return RC_OK;
}

static enum rc
check_count(struct db *db, struct arena *arena, int64_t datasource_id,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &alarm_limit_store_stmts[STMT_COUNT],
		PARAMS(P_INT(datasource_id)), &rows, fault);

	if (rc == RC_OK && rows_int(rows, 0, 0) > ALARM_LIMITS_MAX)
		rc = fault_tell(fault, RC_TOO_LARGE, "TooManyLimits", NULL,
			"A datasource has at most %d limits.",
			ALARM_LIMITS_MAX);
	return rc;
}

static enum rc
put(struct db *db, struct arena *arena, int64_t datasource_id, const char *text,
	enum alarm_origin origin, struct alarm_limit_count *counts,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &alarm_limit_store_stmts[STMT_PUT],
		PARAMS(P_INT(datasource_id), P_TEXT(text), P_SHORT(origin)),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	counts->added = rows_int(rows, 0, 0);
	counts->changed = rows_int(rows, 0, 1);
	return check_count(db, arena, datasource_id, fault);
}

static enum rc
put_hub(struct db *db, struct arena *arena, int64_t datasource_id,
	const struct alarm_limit *limits, size_t count,
	enum alarm_limit_mode mode, struct alarm_limit_count *counts,
	struct fault *fault)
{
	const char *text = limits_text(arena, limits, count);
	struct rows *taken = NULL;
	enum rc rc = check_sent(db, arena, datasource_id, text, count,
		ALARM_ORIGIN_HUB, &taken, fault);

	if (rc == RC_OK && rows_int(taken, 0, 2) > 0)
		rc = fault_tell(fault, RC_CONFLICT, "DeclaredByAgent", "name",
			"The limit \"%.150s\" is declared by an agent: change "
			"it there.",
			rows_text(taken, 0, 3));
	if (rc == RC_OK && mode == ALARM_LIMIT_REPLACE)
		rc = db_exec(db, &alarm_limit_store_stmts[STMT_OTHERS],
			PARAMS(P_INT(datasource_id), P_TEXT(text)),
			&counts->removed, fault);
	if (rc == RC_OK)
		rc = put(db, arena, datasource_id, text, ALARM_ORIGIN_HUB,
			counts, fault);
	return rc;
}

/* Two that put many limits of one plant would wait for each other in circles:
 * they take turns. */
static enum rc
begin(struct db *db, int64_t datasource_id, struct fault *fault)
{
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	return rc == RC_OK
		       ? db_exec(db, &alarm_limit_store_stmts[STMT_TURN],
				 PARAMS(P_SHORT(datasource_id)), NULL, fault)
		       : rc;
}

static enum rc
finish(struct db *db, enum rc rc, struct fault *fault)
{
	if (rc == RC_OK)
		rc = db_commit(db, fault);
	if (rc != RC_OK)
		db_rollback(db);
	return rc;
}

enum rc
alarm_limit_put(struct db *db, struct arena *arena, int64_t datasource_id,
	const struct alarm_limit *limits, size_t count,
	enum alarm_limit_mode mode, struct alarm_limit_count *counts,
	struct fault *fault)
{
	enum rc rc = begin(db, datasource_id, fault);

	*counts = (struct alarm_limit_count){0};
	if (rc == RC_OK)
		rc = put_hub(db, arena, datasource_id, limits, count, mode,
			counts, fault);
	return finish(db, rc, fault);
}

enum rc
alarm_limit_delete(struct db *db, struct arena *arena, int64_t datasource_id,
	const char *id, struct fault *fault)
{
	struct alarm_limit_row row;
	enum rc rc =
		alarm_limit_find(db, arena, datasource_id, id, &row, fault);

	if (rc == RC_OK && row.limit.origin == ALARM_ORIGIN_AGENT)
		return fault_tell(fault, RC_CONFLICT, "DeclaredByAgent", NULL,
			"The limit is declared by an agent: remove it there.");
	if (rc == RC_OK)
		rc = db_exec(db, &alarm_limit_store_stmts[STMT_DELETE],
			PARAMS(P_INT(datasource_id), P_TEXT(id)), NULL, fault);
	return rc;
}

/* --- what agents declare --------------------------------------------------
 */

static enum rc
declare(struct db *db, struct arena *arena, int64_t datasource_id,
	int64_t node_id, const struct texts *variables,
	const struct alarm_limit *limits, size_t count,
	struct alarm_limit_count *counts, struct fault *fault)
{
	const char *text = limits_text(arena, limits, count);
	struct rows *taken = NULL;
	enum rc rc = check_sent(db, arena, datasource_id, text, count,
		ALARM_ORIGIN_AGENT, &taken, fault);

	if (rc != RC_OK)
		return rc;
	counts->refused = rows_int(taken, 0, 2);
	rc = db_exec(db, &alarm_limit_store_stmts[STMT_UNDECLARED],
		PARAMS(P_INT(datasource_id), P_TEXT(text),
			P_TEXTS(variables->items, variables->count)),
		&counts->removed, fault);
	if (rc == RC_OK)
		rc = db_exec(db, &alarm_limit_store_stmts[STMT_AGENT],
			PARAMS(P_INT(datasource_id), P_SHORT(node_id),
				P_TEXTS(variables->items, variables->count)),
			NULL, fault);
	if (rc == RC_OK)
		rc = put(db, arena, datasource_id, text, ALARM_ORIGIN_AGENT,
			counts, fault);
	return rc;
}

enum rc
alarm_limit_declare(struct db *db, struct arena *arena, int64_t datasource_id,
	int64_t node_id, const struct texts *variables,
	const struct alarm_limit *limits, size_t count,
	struct alarm_limit_count *counts, struct fault *fault)
{
	enum rc rc = begin(db, datasource_id, fault);

	*counts = (struct alarm_limit_count){0};
	if (rc == RC_OK)
		rc = declare(db, arena, datasource_id, node_id, variables,
			limits, count, counts, fault);
	return finish(db, rc, fault);
}
