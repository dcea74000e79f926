/* alarm_apply: what plants report of their alarms, into the list. */

#include "model/alarm.h"

#include "lib/clock.h"
#include "lib/jsonw.h"
#include "model/value_json.h"

enum { STMT_TURN, STMT_APPLY };

/* The batch as rows: $2 ids $3 variables $4 limits $5 kinds $6 times $7 came
 * $8 went $9 reactivated $10 reactivations $11 flags $12 status $13 values
 * $14 texts; INT64_MIN is a time that has not come. */
#define SENT                                                                   \
	" sent AS MATERIALIZED ("                                              \
	"  SELECT encode(raw, 'hex')::uuid AS plant_id, variable_id"           \
	" , limit_name, kind, time_us, came_us"                                \
	" , nullif(went, -9223372036854775808) AS went_us"                     \
	" , nullif(reactivated, -9223372036854775808) AS reactivated_us"       \
	" , reactivations, flags, status, value, text, place"                  \
	"    FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13"   \
	" , $14) WITH ORDINALITY"                                              \
	" AS put (raw, variable_id, limit_name, kind, time_us, came_us"        \
	" , went, reactivated, reactivations, flags, status, value"            \
	" , text, place))"

/* The batch by entries of the list, which alarm_place knows. What is older than
 * the last entry of an alarm has been told. */
#define PLACED                                                                 \
	" placed AS MATERIALIZED ("                                            \
	"  SELECT entry.id, entry.base, plant_id, variable_id, limit_name"     \
	" , time_us, flags, status, value, text, place"                        \
	" , CASE WHEN kind = 2 AND is_first THEN 0 ELSE kind END AS "          \
	"kind"                                                                 \
	" , coalesce(entry.came_us, sent.came_us) AS came_us"                  \
	" , coalesce(went_us, entry.ended_us) AS went_us"                      \
	" , CASE WHEN NOT is_first THEN reactivated_us END"                    \
	" AS reactivated_us"                                                   \
	" , reactivations - entry.base AS reactivations"                       \
	"    FROM sent"                                                        \
	"    JOIN alarm_place($1::integer, ARRAY("                             \
	" SELECT plant_id FROM sent ORDER BY place)"                           \
	" , $10, $9, $6) AS entry USING (place)"                               \
	"   CROSS JOIN LATERAL (SELECT reactivations = entry.base"             \
	" AND entry.base > 0) AS first (is_first)"                             \
	"   WHERE reactivations >= entry.base)"

/* Of each alarm the latest step. */
#define LATEST                                                                 \
	" latest AS ("                                                         \
	"  SELECT DISTINCT ON (id) * FROM placed"                              \
	"   ORDER BY id, reactivations DESC, went_us IS NULL, place DESC)"

/* What holds limits back that alarms come of. */
#define HELD                                                                   \
	" held AS ("                                                           \
	"  SELECT hold.variable_id, hold.limit_name"                           \
	" , max(until_us) AS until_us"                                         \
	" , bool_or(hold.kind = 'suppressed') AS suppressed"                   \
	" , bool_or(hold.kind = 'out_of_service') AS out"                      \
	"    FROM alarm_hold AS hold"                                          \
	"   WHERE hold.variable_id = ANY ($3)"                                 \
	"   GROUP BY 1, 2)"

/* A new alarm takes over what its limit says; a known one only what the plant
 * says, and only of a later step: more reactivations, or of equally many the
 * one that has gone. What holds the limit back counts for both: one that comes
 * again was not open when that changed. */
#define STORED                                                                 \
	" stored AS ("                                                         \
	" INSERT INTO alarm AS old (id, datasource_id, variable_id, came_us"   \
	", went_us, reactivated_us, changed_us, status, reactivations"         \
	", flags, limit_name, text, value, class_number, group_number"         \
	", priority, must_acknowledge, comment_required"                       \
	", cause_required, areas, shelved_until_us, suppressed"                \
	", out_of_service, part_of, base)"                                     \
	" SELECT latest.id, $1, latest.variable_id, came_us, went_us"          \
	", reactivated_us, time_us, status, reactivations, flags"              \
	", latest.limit_name, coalesce(latest.text, set.text, '')"             \
	", latest.value, coalesce(set.class_number, 0)"                        \
	", coalesce(set.group_number, 0), coalesce(set.priority, 3)"           \
	", coalesce(set.must_acknowledge, true)"                               \
	", coalesce(set.comment_required, false)"                              \
	", coalesce(set.cause_required, false)"                                \
	", coalesce(set.areas, '{}'), held.until_us"                           \
	", coalesce(held.suppressed, false), coalesce(held.out, false)"        \
	", CASE WHEN latest.base > 0 THEN latest.plant_id END"                 \
	", latest.base"                                                        \
	" FROM latest"                                                         \
	" LEFT JOIN alarm_limit AS set"                                        \
	"   ON set.variable_id = latest.variable_id"                           \
	"  AND set.name = latest.limit_name"                                   \
	" LEFT JOIN held ON held.variable_id = latest.variable_id"             \
	"  AND held.limit_name = latest.limit_name"                            \
	"  ORDER BY latest.id"                                                 \
	" ON CONFLICT (id) DO UPDATE SET"                                      \
	" came_us = CASE WHEN old.base > 0 THEN old.came_us"                   \
	" ELSE excluded.came_us END"                                           \
	", went_us = excluded.went_us"                                         \
	", reactivated_us = excluded.reactivated_us"                           \
	", changed_us = excluded.changed_us"                                   \
	", status = excluded.status"                                           \
	", reactivations = excluded.reactivations"                             \
	", flags = excluded.flags"                                             \
	", text = excluded.text"                                               \
	", value = excluded.value"                                             \
	", shelved_until_us = excluded.shelved_until_us"                       \
	", suppressed = excluded.suppressed"                                   \
	", out_of_service = excluded.out_of_service"                           \
	"  WHERE old.datasource_id = excluded.datasource_id"                   \
	"  AND old.variable_id = excluded.variable_id"                         \
	"  AND (excluded.reactivations, excluded.went_us IS NOT NULL)"         \
	" >= (old.reactivations, old.went_us IS NOT NULL))"

/* Each step that is later than what was stored before is an event. */
#define NOTED                                                                  \
	" INSERT INTO event (datasource_id, variable_id, time_us, kind, text"  \
	"     , value, class_number, group_number, about)"                     \
	" SELECT $1, placed.variable_id, placed.time_us"                       \
	"     , (ARRAY['alarm.came', 'alarm.went', 'alarm.reactivated'])"      \
	"       [placed.kind + 1]"                                             \
	"     , coalesce(placed.text, set.text, ''), placed.value::json #>> "  \
	"'{}'"                                                                 \
	"     , set.class_number, set.group_number, placed.id"                 \
	"  FROM placed"                                                        \
	"  LEFT JOIN alarm AS old ON old.id = placed.id"                       \
	"  LEFT JOIN alarm_limit AS set ON set.variable_id = "                 \
	"placed.variable_id"                                                   \
	"   AND set.name = placed.limit_name"                                  \
	" WHERE placed.kind < 3"                                               \
	"   AND (old.id IS NULL"                                               \
	"    OR old.datasource_id = $1"                                        \
	"   AND (placed.reactivations, placed.went_us IS NOT NULL)"            \
	" > (old.reactivations, old.went_us IS NOT NULL))"                     \
	" ORDER BY placed.place"

const struct stmt alarm_apply_stmts[] = {
	[STMT_TURN] = {"alarm_apply_turn", "n", ALARM_TURN_SHARED},
	[STMT_APPLY] = {"alarm_apply", "iBNTNIIIINNITT", /* $1 datasource */
		"WITH" SENT "," PLACED "," LATEST "," HELD "," STORED NOTED},
	STMT_END,
};

/* The columns of a batch, for unnest. */
struct columns {
	struct bytes *ids;
	int32_t *variables;
	const char **limits;
	int32_t *kinds;
	int64_t *times;
	int64_t *came;
	int64_t *went;
	int64_t *reactivated;
	int32_t *reactivations;
	int32_t *flags;
	int64_t *status;
	const char **values;
	const char **texts;
};

#define COLUMN(member)                                                         \
	columns->member = arena_array(arena, count, sizeof(*columns->member))

static void
make_columns(struct arena *arena, size_t count, struct columns *columns)
{
	COLUMN(ids);
	COLUMN(variables);
	COLUMN(limits);
	COLUMN(kinds);
	COLUMN(times);
	COLUMN(came);
	COLUMN(went);
	COLUMN(reactivated);
	COLUMN(reactivations);
	COLUMN(flags);
	COLUMN(status);
	COLUMN(values);
	COLUMN(texts);
}

static enum rc
check(const struct alarm_change *change, struct fault *fault)
{
	if (change->variable_id > 0 && change->limit != NULL &&
		change->time_us != CLOCK_NEVER &&
		change->reactivations <= INT32_MAX &&
		change->kind >= ALARM_CAME && change->kind <= ALARM_CHANGED)
		return RC_OK;
	return fault_tell(fault, RC_BAD_INPUT, "AlarmMalformed", "alarms",
		"An alarm change names no variable, limit or time, or is of "
		"no kind.");
}

static void
fill(struct arena *arena, const struct alarm_change *change, size_t at,
	struct columns *columns)
{
	columns->ids[at] = (struct bytes){change->id, sizeof(change->id)};
	columns->variables[at] = change->variable_id;
	columns->limits[at] = change->limit;
	columns->kinds[at] = (int32_t)change->kind - ALARM_CAME;
	columns->times[at] = change->time_us;
	columns->came[at] = change->came_us != CLOCK_NEVER ? change->came_us
							   : change->time_us;
	columns->went[at] = change->went_us;
	columns->reactivated[at] = change->reactivated_us;
	columns->reactivations[at] = (int32_t)change->reactivations;
	columns->flags[at] = (int32_t)change->flags;
	columns->status[at] = (int64_t)change->status;
	columns->values[at] = value_json(arena, &change->value);
	columns->texts[at] = change->text;
}

enum rc
alarm_apply(struct db *db, struct arena *arena, int64_t datasource_id,
	const struct alarm_change *changes, size_t count, struct fault *fault)
{
	struct columns c;
	enum rc rc;

	if (count == 0)
		return RC_OK;
	make_columns(arena, count, &c);
	for (size_t i = 0; i < count; i++) {
		rc = check(&changes[i], fault);
		if (rc != RC_OK)
			return rc;
		fill(arena, &changes[i], i, &c);
	}
	/* By itself, so that the next statement sees what was waited for. */
	rc = db_exec(db, &alarm_apply_stmts[STMT_TURN],
		PARAMS(P_SHORT(datasource_id)), NULL, fault);
	if (rc != RC_OK)
		return rc;
	return db_exec(db, &alarm_apply_stmts[STMT_APPLY],
		PARAMS(P_INT(datasource_id), P_BLOBS(c.ids, count),
			P_SHORTS(c.variables, count), P_TEXTS(c.limits, count),
			P_SHORTS(c.kinds, count), P_INTS(c.times, count),
			P_INTS(c.came, count), P_INTS(c.went, count),
			P_INTS(c.reactivated, count),
			P_SHORTS(c.reactivations, count),
			P_SHORTS(c.flags, count), P_INTS(c.status, count),
			P_TEXTS(c.values, count), P_TEXTS(c.texts, count)),
		NULL, fault);
}
