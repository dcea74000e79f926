/* alarm_act: what people do with alarms. */

#include "model/alarm_act.h"

#include <string.h>

#include "lib/clock.h"
#include "model/event.h"

/* A wish has at most so many events for one alarm. */
#define EVENTS_EACH 6

enum {
	STMT_CAUSE,
	STMT_NOTE,
	STMT_HOLD,
	STMT_LET,
	STMT_DUE_PLANT,
	STMT_TURN,
	STMT_DUE,
	STMT_TELL
};

const struct stmt alarm_act_stmts[] = {
	/* How deep the path leads, and is anything on it removed?
	 * $1 datasource $2 names */
	[STMT_CAUSE] = {"alarm_act_cause", "iT",
		"WITH RECURSIVE walk AS ("
		"  SELECT id, 1 AS level, removed FROM alarm_cause"
		"   WHERE datasource_id = $1 AND parent_id IS NULL"
		"     AND name = ($2::text[])[1]"
		"   UNION ALL"
		"  SELECT below.id, walk.level + 1"
		"       , walk.removed OR below.removed"
		"    FROM walk"
		"    JOIN alarm_cause AS below ON below.parent_id = walk.id"
		"     AND below.name = ($2::text[])[walk.level + 1])"
		" SELECT coalesce(max(level), 0), coalesce(bool_or(removed)"
		"     , false)"
		"  FROM walk"},
	/* $1 ids $2 when acknowledged, 0 = not now $3 comment $4 cause
	 * $5 username $6 account $7 computer */
	[STMT_NOTE] = {"alarm_act_note", "BItTtit",
		"UPDATE alarm AS a"
		"   SET comment = coalesce($3, a.comment)"
		"     , cause = CASE WHEN $4::text[] IS NULL THEN a.cause"
		"                    ELSE nullif($4::text[], '{}') END"
		"     , acknowledged_us = CASE WHEN put.at <> 0 THEN put.at"
		"                              ELSE a.acknowledged_us END"
		"     , username = CASE WHEN put.at <> 0 THEN $5"
		"                       ELSE a.username END"
		"     , full_name = CASE WHEN put.at <> 0 THEN"
		"           (SELECT nullif(full_name, '') FROM account"
		"             WHERE id = $6) ELSE a.full_name END"
		"     , computer = CASE WHEN put.at <> 0 THEN $7"
		"                       ELSE a.computer END"
		"  FROM unnest($1, $2) AS put (raw, at)"
		" WHERE a.id = encode(put.raw, 'hex')::uuid"},
	/* $1 kind $2 variables $3 limits $4 since $5 until $6 reason
	 * $7 username */
	[STMT_HOLD] = {"alarm_act_hold", "tNTiitt",
		"WITH wanted AS ("
		"  SELECT DISTINCT variable_id, limit_name"
		"    FROM unnest($2, $3) AS put (variable_id, limit_name))"
		", held AS ("
		"  INSERT INTO alarm_hold (variable_id, limit_name, kind"
		"       , since_us, until_us, reason, username)"
		"  SELECT variable_id, limit_name, $1, $4, $5, $6, $7"
		"    FROM wanted"
		"  ON CONFLICT (variable_id, limit_name, kind) DO UPDATE"
		"     SET until_us = excluded.until_us"
		"       , reason = excluded.reason"
		"       , username = excluded.username)"
		" UPDATE alarm AS a"
		"   SET shelved_until_us = CASE WHEN $1 = 'shelved' THEN $5"
		"                               ELSE a.shelved_until_us END"
		"     , suppressed = a.suppressed OR $1 = 'suppressed'"
		"     , out_of_service = a.out_of_service"
		"                     OR $1 = 'out_of_service'"
		"  FROM wanted"
		" WHERE a.variable_id = wanted.variable_id"
		"   AND a.limit_name = wanted.limit_name AND a.open"},
	/* $1 kind $2 variables $3 limits */
	[STMT_LET] = {"alarm_act_let", "tNT",
		"WITH wanted AS ("
		"  SELECT DISTINCT variable_id, limit_name"
		"    FROM unnest($2, $3) AS put (variable_id, limit_name))"
		", let AS ("
		"  DELETE FROM alarm_hold AS hold USING wanted"
		"   WHERE hold.variable_id = wanted.variable_id"
		"     AND hold.limit_name = wanted.limit_name"
		"     AND hold.kind = $1)"
		" UPDATE alarm AS a"
		"   SET shelved_until_us = CASE WHEN $1 <> 'shelved'"
		"                               THEN a.shelved_until_us END"
		"     , suppressed = a.suppressed AND $1 <> 'suppressed'"
		"     , out_of_service = a.out_of_service"
		"                    AND $1 <> 'out_of_service'"
		"  FROM wanted"
		" WHERE a.variable_id = wanted.variable_id"
		"   AND a.limit_name = wanted.limit_name AND a.open"},
	/* $1 now */
	[STMT_DUE_PLANT] = {"alarm_act_due_plant", "i",
		"SELECT v.datasource_id"
		"  FROM alarm_hold AS hold"
		"  JOIN variable AS v ON v.id = hold.variable_id"
		" WHERE hold.kind = 'shelved' AND hold.until_us <= $1"
		" ORDER BY hold.until_us LIMIT 1"},
	[STMT_TURN] = {"alarm_act_turn", "n", ALARM_TURN_ALONE},
	/* $1 datasource $2 now */
	[STMT_DUE] = {"alarm_act_due", "ni",
		"SELECT hold.variable_id, hold.limit_name, hold.reason"
		"  FROM alarm_hold AS hold"
		"  JOIN variable AS v ON v.id = hold.variable_id"
		" WHERE hold.kind = 'shelved' AND hold.until_us <= $2"
		"   AND v.datasource_id = $1 LIMIT 1000"},
	[STMT_TELL] = {"alarm_act_tell", "t", /* $1 datasource */
		"SELECT pg_notify('" ALARM_CHANNEL "', $1)"},
	STMT_END,
};

/* --- is the wish sensible? -------------------------------------------------
 */

static enum rc
check_text(
	const char *text, size_t bytes, const char *field, struct fault *fault)
{
	if (text == NULL || (text[0] != '\0' && strlen(text) <= bytes))
		return RC_OK;
	return fault_tell(fault, RC_BAD_INPUT, "BadRequest", field,
		"\"%s\" must have 1 to %zu bytes.", field, bytes);
}

static bool
wants_nothing(const struct alarm_wish *wish)
{
	return !wish->acknowledge && wish->comment == NULL &&
	       wish->cause.items == NULL && wish->shelve == NULL &&
	       wish->suppress == NULL && wish->out_of_service == NULL &&
	       !wish->unshelve && !wish->release && !wish->in_service;
}

static enum rc
check_form(const struct alarm_wish *wish, int64_t now_us, struct fault *fault)
{
	if (wants_nothing(wish))
		return fault_tell(fault, RC_BAD_INPUT, "NothingToDo", NULL,
			"Say what is to be done: acknowledge, comment, "
			"alarmCause, shelve, unshelve, suppress, release, "
			"outOfService or inService.");
	if ((wish->shelve != NULL && wish->unshelve) ||
		(wish->suppress != NULL && wish->release) ||
		(wish->out_of_service != NULL && wish->in_service))
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest", NULL,
			"A thing and its opposite cannot be done at once.");
	if (wish->shelve != NULL &&
		(wish->shelve_until_us <= now_us ||
			wish->shelve_until_us > now_us + ALARM_SHELVE_MAX_US))
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest",
			"shelve.until",
			"\"shelve.until\" must lie ahead, at most a year.");
	return RC_OK;
}

static enum rc
check_cause(struct db *db, struct arena *arena, int64_t datasource_id,
	const struct texts *cause, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc;

	if (cause->count == 0)
		return RC_OK;
	rc = db_find(db, arena, &alarm_act_stmts[STMT_CAUSE],
		PARAMS(P_INT(datasource_id),
			P_TEXTS(cause->items, cause->count)),
		&rows, fault);
	if (rc != RC_OK)
		return rc;
	if (rows_int(rows, 0, 0) != (int64_t)cause->count)
		return fault_tell(fault, RC_UNPROCESSABLE, "CauseUnknown",
			"alarmCause", "There is no such cause in the tree.");
	if (rows_bool(rows, 0, 1))
		return fault_tell(fault, RC_UNPROCESSABLE, "CauseRemoved",
			"alarmCause",
			"This cause was removed and cannot be chosen.");
	return RC_OK;
}

enum rc
alarm_wish_check(struct db *db, struct arena *arena, int64_t datasource_id,
	const struct alarm_wish *wish, int64_t now_us, struct fault *fault)
{
	enum rc rc = check_form(wish, now_us, fault);

	if (rc == RC_OK)
		rc = check_text(
			wish->comment, ALARM_COMMENT_BYTES, "comment", fault);
	if (rc == RC_OK)
		rc = check_text(wish->shelve, ALARM_REASON_BYTES,
			"shelve.reason", fault);
	if (rc == RC_OK)
		rc = check_text(wish->suppress, ALARM_REASON_BYTES,
			"suppress.reason", fault);
	if (rc == RC_OK)
		rc = check_text(wish->out_of_service, ALARM_REASON_BYTES,
			"outOfService.reason", fault);
	if (rc == RC_OK)
		rc = check_cause(db, arena, datasource_id, &wish->cause, fault);
	return rc;
}

/* --- what it means for each alarm ------------------------------------------
 */

/* What is gathered over all alarms before anything is written. */
struct work {
	struct arena *arena;
	const struct alarm_wish *wish;
	const struct alarm_actor *actor;
	int64_t now_us;
	struct event_new *events;
	size_t event_count;
	struct bytes *ids; /* of those with a note */
	int64_t *acknowledged;
	size_t note_count;
	int32_t *variables; /* of all limits */
	const char **limits;
	size_t limit_count;
};

static void
add_event(struct work *work, const struct alarm *alarm, const char *kind,
	const char *value, const char *old_value)
{
	work->events[work->event_count++] = (struct event_new){
		.datasource_id = alarm->datasource_id,
		.variable_id = alarm->variable_id,
		.time_us = work->now_us,
		.kind = kind,
		.text = alarm->text,
		.value = value,
		.old_value = old_value,
		.username = work->actor->username,
		.computer = work->actor->computer,
		.comment = work->wish->comment,
		.class_number = (int32_t)alarm->class_number,
		.group_number = (int32_t)alarm->group_number,
		.about = alarm->id,
	};
}

/* "Drive / Belt / Slips"; NULL for none. */
static const char *
join(struct arena *arena, const char *const *names, size_t count)
{
	const char *text = NULL;

	for (size_t i = 0; i < count; i++)
		text = i == 0 ? names[i]
			      : arena_printf(arena, "%s / %s", text, names[i]);
	return text;
}

static size_t
count_texts(const char *const *texts)
{
	size_t count = 0;

	while (texts[count] != NULL)
		count++;
	return count;
}

static bool
same_text(const char *left, const char *right)
{
	return left == NULL || right == NULL ? left == right
					     : strcmp(left, right) == 0;
}

/* An alarm may demand a comment or a cause before it is acknowledged. */
static enum rc
check_demands(const struct alarm_wish *wish, const struct alarm *alarm,
	struct fault *fault)
{
	bool cause = wish->cause.items != NULL ? wish->cause.count > 0
					       : alarm->cause[0] != NULL;

	if (alarm->comment_required && wish->comment == NULL &&
		alarm->comment == NULL)
		return fault_tell(fault, RC_UNPROCESSABLE, "CommentRequired",
			"comment",
			"This alarm is acknowledged with a comment only.");
	if (alarm->cause_required && !cause)
		return fault_tell(fault, RC_UNPROCESSABLE, "CauseRequired",
			"alarmCause",
			"This alarm is acknowledged with a cause only.");
	return RC_OK;
}

/* Acknowledgement, comment and cause. Returns what is to be noted. */
static bool
note(struct work *work, const struct alarm *alarm, bool acknowledge)
{
	const struct alarm_wish *wish = work->wish;
	const char *old_cause =
		join(work->arena, alarm->cause, count_texts(alarm->cause));
	const char *cause =
		join(work->arena, wish->cause.items, wish->cause.count);
	size_t before = work->event_count;

	if (wish->comment != NULL && !same_text(wish->comment, alarm->comment))
		add_event(work, alarm, "alarm.commented", wish->comment,
			alarm->comment);
	if (wish->cause.items != NULL && !same_text(cause, old_cause))
		add_event(work, alarm, "alarm.caused", cause, old_cause);
	if (acknowledge)
		add_event(
			work, alarm, "alarm.acknowledged", alarm->limit, NULL);
	return work->event_count > before;
}

static bool
holds(const struct alarm_hold *hold)
{
	return hold->since_us != CLOCK_NEVER;
}

/* A wish of holding; false when it is so already. */
static bool
hold(struct work *work, const struct alarm *alarm, const char *reason,
	int64_t until_us, const struct alarm_hold *is, const char *kind)
{
	if (reason == NULL || (holds(is) && same_text(reason, is->reason) &&
				      until_us == is->until_us))
		return false;
	add_event(work, alarm, kind, reason, is->reason);
	return true;
}

static bool
let(struct work *work, const struct alarm *alarm, bool wished,
	const struct alarm_hold *is, const char *kind)
{
	if (!wished || !holds(is))
		return false;
	add_event(work, alarm, kind, NULL, is->reason);
	return true;
}

/* The first alarm of a limit speaks for all others of the same limit. */
static bool
is_first(const struct work *work, const struct alarm *alarm)
{
	for (size_t i = 0; i < work->limit_count; i++)
		if (work->variables[i] == alarm->variable_id &&
			strcmp(work->limits[i], alarm->limit) == 0)
			return false;
	return true;
}

static bool
move(struct work *work, const struct alarm *alarm)
{
	const struct alarm_wish *wish = work->wish;
	size_t before = work->event_count;

	(void)(hold(work, alarm, wish->shelve, wish->shelve_until_us,
		       &alarm->shelved, "alarm.shelved") ||
		let(work, alarm, wish->unshelve, &alarm->shelved,
			"alarm.unshelved"));
	(void)(hold(work, alarm, wish->suppress, CLOCK_NEVER,
		       &alarm->suppressed, "alarm.suppressed") ||
		let(work, alarm, wish->release, &alarm->suppressed,
			"alarm.released"));
	(void)(hold(work, alarm, wish->out_of_service, CLOCK_NEVER,
		       &alarm->out_of_service, "alarm.out_of_service") ||
		let(work, alarm, wish->in_service, &alarm->out_of_service,
			"alarm.in_service"));
	if (work->event_count == before)
		return false;
	work->variables[work->limit_count] = alarm->variable_id;
	work->limits[work->limit_count++] = alarm->limit;
	return true;
}

/* The alarm as it will be, in case it is named twice. */
static void
remember(const struct work *work, struct alarm *alarm, bool acknowledge)
{
	const struct texts *cause = &work->wish->cause;

	if (acknowledge)
		alarm->facts.acknowledged_us = work->now_us;
	if (work->wish->comment != NULL)
		alarm->comment = work->wish->comment;
	if (cause->items == NULL)
		return;
	alarm->cause = arena_array(
		work->arena, cause->count + 1, sizeof(*alarm->cause));
	for (size_t i = 0; i < cause->count; i++)
		alarm->cause[i] = cause->items[i];
}

static void
decide(struct work *work, struct alarm_act *act)
{
	struct alarm *alarm = act->alarm;
	bool acknowledge = work->wish->acknowledge &&
			   alarm->facts.acknowledged_us == CLOCK_NEVER;

	if (acknowledge &&
		check_demands(work->wish, alarm, &act->fault) != RC_OK)
		return;
	if (note(work, alarm, acknowledge)) {
		work->ids[work->note_count] =
			(struct bytes){alarm->id, UUID_BYTES};
		work->acknowledged[work->note_count++] =
			acknowledge ? work->now_us : 0;
		remember(work, alarm, acknowledge);
		act->changed = true;
	}
	if (!is_first(work, alarm) || move(work, alarm))
		act->changed = true;
}

/* --- writing ---------------------------------------------------------------
 */

static enum rc
write_notes(struct db *db, const struct work *work, struct fault *fault)
{
	const struct alarm_wish *wish = work->wish;

	if (work->note_count == 0)
		return RC_OK;
	return db_exec(db, &alarm_act_stmts[STMT_NOTE],
		PARAMS(P_BLOBS(work->ids, work->note_count),
			P_INTS(work->acknowledged, work->note_count),
			P_TEXT(wish->comment),
			wish->cause.items != NULL
				? P_TEXTS(wish->cause.items, wish->cause.count)
				: P_NULL('T'),
			P_TEXT(work->actor->username),
			P_INT(work->actor->account_id),
			P_TEXT(work->actor->computer)),
		NULL, fault);
}

static enum rc
write_hold(struct db *db, const struct work *work, const char *kind,
	const char *reason, int64_t until_us, struct fault *fault)
{
	if (reason == NULL)
		return RC_OK;
	return db_exec(db, &alarm_act_stmts[STMT_HOLD],
		PARAMS(P_TEXT(kind),
			P_SHORTS(work->variables, work->limit_count),
			P_TEXTS(work->limits, work->limit_count),
			P_INT(work->now_us),
			until_us != CLOCK_NEVER ? P_INT(until_us) : P_NULL('i'),
			P_TEXT(reason), P_TEXT(work->actor->username)),
		NULL, fault);
}

static enum rc
write_let(struct db *db, const struct work *work, const char *kind, bool wished,
	struct fault *fault)
{
	if (!wished)
		return RC_OK;
	return db_exec(db, &alarm_act_stmts[STMT_LET],
		PARAMS(P_TEXT(kind),
			P_SHORTS(work->variables, work->limit_count),
			P_TEXTS(work->limits, work->limit_count)),
		NULL, fault);
}

static enum rc
write_limits(struct db *db, const struct work *work, struct fault *fault)
{
	const struct alarm_wish *wish = work->wish;
	enum rc rc;

	if (work->limit_count == 0)
		return RC_OK;
	rc = write_hold(db, work, "shelved", wish->shelve,
		wish->shelve_until_us, fault);
	if (rc == RC_OK)
		rc = write_hold(db, work, "suppressed", wish->suppress,
			CLOCK_NEVER, fault);
	if (rc == RC_OK)
		rc = write_hold(db, work, "out_of_service",
			wish->out_of_service, CLOCK_NEVER, fault);
	if (rc == RC_OK)
		rc = write_let(db, work, "shelved", wish->unshelve, fault);
	if (rc == RC_OK)
		rc = write_let(db, work, "suppressed", wish->release, fault);
	if (rc == RC_OK)
		rc = write_let(
			db, work, "out_of_service", wish->in_service, fault);
	return rc;
}

static enum rc
tell(struct db *db, struct arena *arena, int64_t datasource_id,
	struct fault *fault)
{
	return db_exec(db, &alarm_act_stmts[STMT_TELL],
		PARAMS(P_TEXT(
			arena_printf(arena, "%lld", (long long)datasource_id))),
		NULL, fault);
}

static void
begin(struct work *work, size_t count)
{
	struct arena *arena = work->arena;

	work->events = arena_array(
		arena, count * EVENTS_EACH + 1, sizeof(*work->events));
	work->ids = arena_array(arena, count + 1, sizeof(*work->ids));
	work->acknowledged =
		arena_array(arena, count + 1, sizeof(*work->acknowledged));
	work->variables =
		arena_array(arena, count + 1, sizeof(*work->variables));
	work->limits = arena_array(arena, count + 1, sizeof(*work->limits));
}

enum rc
alarm_act(struct db *db, struct arena *arena, int64_t datasource_id,
	const struct alarm_wish *wish, const struct alarm_actor *actor,
	int64_t now_us, struct alarm_act *acts, size_t count,
	struct fault *fault)
{
	struct work work = {
		.arena = arena, .wish = wish, .actor = actor, .now_us = now_us};
	enum rc rc;

	begin(&work, count);
	for (size_t i = 0; i < count; i++)
		if (acts[i].fault.rc == RC_OK)
			decide(&work, &acts[i]);
	if (work.event_count == 0)
		return RC_OK;
	rc = write_notes(db, &work, fault);
	if (rc == RC_OK)
		rc = write_limits(db, &work, fault);
	if (rc == RC_OK)
		rc = event_write(
			db, arena, work.events, work.event_count, fault);
	if (rc == RC_OK)
		rc = tell(db, arena, datasource_id, fault);
	return rc;
}

/* --- the end of shelving ---------------------------------------------------
 */

static void
take_due(struct work *work, int32_t datasource_id, const struct rows *rows)
{
	for (size_t i = 0; i < rows_count(rows); i++) {
		work->variables[i] = (int32_t)rows_int(rows, i, 0);
		work->limits[i] = rows_text(rows, i, 1);
		work->events[i] = (struct event_new){
			.datasource_id = datasource_id,
			.variable_id = work->variables[i],
			.time_us = work->now_us,
			.kind = "alarm.unshelved",
			.text = work->limits[i],
			.old_value = rows_text(rows, i, 2),
		};
	}
	work->limit_count = work->event_count = rows_count(rows);
}

static enum rc
end_due(struct db *db, struct work *work, int32_t datasource_id,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_exec(db, &alarm_act_stmts[STMT_TURN],
		PARAMS(P_SHORT(datasource_id)), NULL, fault);

	if (rc == RC_OK)
		rc = db_query(db, work->arena, &alarm_act_stmts[STMT_DUE],
			PARAMS(P_SHORT(datasource_id), P_INT(work->now_us)),
			&rows, fault);
	if (rc != RC_OK)
		return rc;
	begin(work, rows_count(rows));
	take_due(work, datasource_id, rows);
	if (work->limit_count == 0)
		return RC_OK;
	rc = write_let(db, work, "shelved", true, fault);
	if (rc == RC_OK)
		rc = event_write(db, work->arena, work->events,
			work->event_count, fault);
	return rc == RC_OK ? tell(db, work->arena, datasource_id, fault) : rc;
}

/* Of one plant, in a transaction of its own. */
static enum rc
end_due_of(struct db *db, struct work *work, int32_t datasource_id,
	struct fault *fault)
{
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc == RC_OK)
		rc = end_due(db, work, datasource_id, fault);
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
		struct work work = {.arena = arena, .now_us = now_us};
		struct rows *plant = NULL;
		enum rc rc =
			db_query(db, arena, &alarm_act_stmts[STMT_DUE_PLANT],
				PARAMS(P_INT(now_us)), &plant, fault);

		if (rc != RC_OK || rows_count(plant) == 0)
			return rc;
		rc = end_due_of(
			db, &work, (int32_t)rows_int(plant, 0, 0), fault);
		if (rc != RC_OK)
			return rc;
		*ended += work.limit_count;
	}
}
