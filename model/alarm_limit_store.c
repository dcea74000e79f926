/* alarm_limit_store: the limits of a datasource. */

#include "model/alarm_limit_store.h"

#include <math.h>
#include <string.h>

#include "model/alarm_limit_find.h"

/* In one statement, which takes far less than it may, also on a busy machine.
 */
#define PUT_BATCH 3000

enum {
	STMT_TURN,
	STMT_PUT,
	STMT_TAKEN,
	STMT_COUNT,
	STMT_OTHERS,
	STMT_DELETE,
	STMT_UNDECLARED,
	STMT_AGENT,
};

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
#define DIFFERS                                                                \
	"(" VALUES_OF("old") ") IS DISTINCT FROM (" VALUES_OF("excluded") ")"

const struct stmt alarm_limit_store_stmts[] = {
	/* $1 datasource; the number is any of advisory locks */
	[STMT_TURN] = {"alarm_limit_turn", "n",
		"SELECT pg_advisory_xact_lock(1634492782, $1)"},
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
		"     AND " DIFFERS "  RETURNING xmax = 0 AS made)"
		" SELECT count(*) FILTER (WHERE made)"
		"     , count(*) FILTER (WHERE NOT made)"
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
put_some(struct db *db, struct arena *arena, int64_t datasource_id,
	const char *text, enum alarm_origin origin,
	struct alarm_limit_count *counts, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &alarm_limit_store_stmts[STMT_PUT],
		PARAMS(P_INT(datasource_id), P_TEXT(text), P_SHORT(origin)),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	counts->added += rows_int(rows, 0, 0);
	counts->changed += rows_int(rows, 0, 1);
	return RC_OK;
}

static enum rc
put(struct db *db, struct arena *arena, int64_t datasource_id,
	const struct alarm_limit *limits, size_t count,
	enum alarm_origin origin, struct alarm_limit_count *counts,
	struct fault *fault)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < count; i += PUT_BATCH) {
		size_t left = count - i;
		const char *text = limits_text(
			arena, limits + i, left < PUT_BATCH ? left : PUT_BATCH);

		rc = put_some(
			db, arena, datasource_id, text, origin, counts, fault);
	}
	return rc == RC_OK ? check_count(db, arena, datasource_id, fault) : rc;
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
		rc = put(db, arena, datasource_id, limits, count,
			ALARM_ORIGIN_HUB, counts, fault);
	return rc;
}

enum rc
alarm_limit_turn(struct db *db, int64_t datasource_id, struct fault *fault)
{
	return db_exec(db, &alarm_limit_store_stmts[STMT_TURN],
		PARAMS(P_SHORT(datasource_id)), NULL, fault);
}

static enum rc
begin(struct db *db, int64_t datasource_id, struct fault *fault)
{
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	return rc == RC_OK ? alarm_limit_turn(db, datasource_id, fault) : rc;
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
		rc = put(db, arena, datasource_id, limits, count,
			ALARM_ORIGIN_AGENT, counts, fault);
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
