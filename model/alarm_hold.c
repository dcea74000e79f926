/* alarm_hold: what holds limits back, whatever occurrence. */

#include "model/alarm_hold.h"

#include "lib/clock.h"
#include "model/event.h"

enum { STMT_BEGIN, STMT_END_OF, STMT_TURN, STMT_DUE_PLANT, STMT_DUE };

/* Limits that are named twice count once. */
#define WANTED                                                                 \
	"WITH wanted AS ("                                                     \
	"  SELECT DISTINCT variable_id, limit_name"                            \
	"    FROM unnest($2, $3) AS put (variable_id, limit_name))"

const struct stmt alarm_hold_stmts[] = {
	/* $1 kind $2 variables $3 limits $4 since $5 until $6 reason
	 * $7 username */
	[STMT_BEGIN] = {"alarm_hold_begin", "tNTiitt",
		WANTED
		", held AS ("
		"  INSERT INTO alarm_hold AS old (variable_id, limit_name"
		"       , kind, since_us, until_us, reason, username)"
		"  SELECT variable_id, limit_name, $1, $4, $5, $6, $7"
		"    FROM wanted"
		"  ON CONFLICT (variable_id, limit_name, kind) DO UPDATE"
		"     SET until_us = excluded.until_us"
		"       , reason = excluded.reason"
		"       , username = excluded.username"
		"   WHERE (old.until_us, old.reason) IS DISTINCT FROM"
		"         (excluded.until_us, excluded.reason)"
		"  RETURNING variable_id, limit_name)"
		" UPDATE alarm AS a"
		"   SET shelved_until_us = CASE WHEN $1 = 'shelved' THEN $5"
		"                               ELSE a.shelved_until_us END"
		"     , suppressed = a.suppressed OR $1 = 'suppressed'"
		"     , out_of_service = a.out_of_service"
		"                     OR $1 = 'out_of_service'"
		"  FROM held"
		" WHERE a.variable_id = held.variable_id"
		"   AND a.limit_name = held.limit_name AND a.open"},
	/* $1 kind $2 variables $3 limits */
	[STMT_END_OF] = {"alarm_hold_end", "tNT",
		WANTED
		", let AS ("
		"  DELETE FROM alarm_hold AS hold USING wanted"
		"   WHERE hold.variable_id = wanted.variable_id"
		"     AND hold.limit_name = wanted.limit_name"
		"     AND hold.kind = $1"
		"  RETURNING hold.variable_id, hold.limit_name)"
		" UPDATE alarm AS a"
		"   SET shelved_until_us = CASE WHEN $1 <> 'shelved'"
		"                               THEN a.shelved_until_us END"
		"     , suppressed = a.suppressed AND $1 <> 'suppressed'"
		"     , out_of_service = a.out_of_service"
		"                    AND $1 <> 'out_of_service'"
		"  FROM let"
		" WHERE a.variable_id = let.variable_id"
		"   AND a.limit_name = let.limit_name AND a.open"},
	[STMT_TURN] = {"alarm_hold_turn", "n", ALARM_TURN_ALONE},
	/* $1 now */
	[STMT_DUE_PLANT] = {"alarm_hold_due_plant", "i",
		"SELECT v.datasource_id"
		"  FROM alarm_hold AS hold"
		"  JOIN variable AS v ON v.id = hold.variable_id"
		" WHERE hold.kind = 'shelved' AND hold.until_us <= $1"
		" ORDER BY hold.until_us LIMIT 1"},
	/* $1 datasource $2 now */
	[STMT_DUE] = {"alarm_hold_due", "ni",
		"SELECT hold.variable_id, hold.limit_name, hold.reason"
		"  FROM alarm_hold AS hold"
		"  JOIN variable AS v ON v.id = hold.variable_id"
		" WHERE hold.kind = 'shelved' AND hold.until_us <= $2"
		"   AND v.datasource_id = $1 LIMIT 1000"},
	STMT_END,
};

/* As they are stored. */
static const char *const names[] = {
	[ALARM_SHELVED] = "shelved",
	[ALARM_SUPPRESSED_BY_HAND] = "suppressed",
	[ALARM_OUT_OF_SERVICE] = "out_of_service",
};

enum rc
alarm_hold_begin(struct db *db, enum alarm_hold_kind kind,
	const struct alarm_hold_limits *limits, const struct alarm_hold *hold,
	struct fault *fault)
{
	return db_exec(db, &alarm_hold_stmts[STMT_BEGIN],
		PARAMS(P_TEXT(names[kind]),
			P_SHORTS(limits->variables, limits->count),
			P_TEXTS(limits->names, limits->count),
			P_INT(hold->since_us),
			hold->until_us != CLOCK_NEVER ? P_INT(hold->until_us)
						      : P_NULL('i'),
			P_TEXT(hold->reason), P_TEXT(hold->username)),
		NULL, fault);
}

enum rc
alarm_hold_end(struct db *db, enum alarm_hold_kind kind,
	const struct alarm_hold_limits *limits, struct fault *fault)
{
	return db_exec(db, &alarm_hold_stmts[STMT_END_OF],
		PARAMS(P_TEXT(names[kind]),
			P_SHORTS(limits->variables, limits->count),
			P_TEXTS(limits->names, limits->count)),
		NULL, fault);
}

/* --- the end of shelving ---------------------------------------------------
 */

/* What is due in one plant. */
struct due {
	int32_t datasource_id;
	struct alarm_hold_limits limits;
	struct event_new *events; /* one for each */
};

static void
take_due(struct arena *arena, int64_t now_us, const struct rows *rows,
	struct due *due)
{
	struct alarm_hold_limits *limits = &due->limits;
	size_t count = limits->count = rows_count(rows);

	limits->variables =
		arena_array(arena, count, sizeof(*limits->variables));
	limits->names = arena_array(arena, count, sizeof(*limits->names));
	due->events = arena_array(arena, count, sizeof(*due->events));
	for (size_t i = 0; i < count; i++) {
		limits->variables[i] = (int32_t)rows_int(rows, i, 0);
		limits->names[i] = rows_text(rows, i, 1);
		due->events[i] = (struct event_new){
			.datasource_id = due->datasource_id,
			.variable_id = limits->variables[i],
			.time_us = now_us,
			.kind = "alarm.unshelved",
			.text = limits->names[i],
			.old_value = rows_text(rows, i, 2),
		};
	}
}

static enum rc
end_due(struct db *db, struct arena *arena, int64_t now_us, struct due *due,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_exec(db, &alarm_hold_stmts[STMT_TURN],
		PARAMS(P_SHORT(due->datasource_id)), NULL, fault);

	if (rc == RC_OK)
		rc = db_query(db, arena, &alarm_hold_stmts[STMT_DUE],
			PARAMS(P_SHORT(due->datasource_id), P_INT(now_us)),
			&rows, fault);
	if (rc != RC_OK)
		return rc;
	take_due(arena, now_us, rows, due);
	if (due->limits.count == 0)
		return RC_OK;
	rc = alarm_hold_end(db, ALARM_SHELVED, &due->limits, fault);
	return rc == RC_OK ? event_write(db, arena, due->events,
				     due->limits.count, fault)
			   : rc;
}

/* Of one plant, in a transaction of its own. */
static enum rc
end_due_of(struct db *db, struct arena *arena, int64_t now_us, struct due *due,
	struct fault *fault)
{
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc == RC_OK)
		rc = end_due(db, arena, now_us, due, fault);
	if (rc == RC_OK)
		rc = db_commit(db, fault);
	if (rc != RC_OK)
		db_rollback(db);
	return rc;
}

enum rc
alarm_unshelve_due(struct db *db, struct arena *arena, int64_t now_us,
	size_t *ended, struct fault *fault)
{
	*ended = 0;
	for (;;) {
		struct due due = {.limits = {.count = 0}};
		struct rows *plant = NULL;
		enum rc rc =
			db_query(db, arena, &alarm_hold_stmts[STMT_DUE_PLANT],
				PARAMS(P_INT(now_us)), &plant, fault);

		if (rc != RC_OK || rows_count(plant) == 0)
			return rc;
		due.datasource_id = (int32_t)rows_int(plant, 0, 0);
		rc = end_due_of(db, arena, now_us, &due, fault);
		if (rc != RC_OK)
			return rc;
		*ended += due.limits.count;
	}
}
