/* alarm_act: what people do with alarms. */

#include "model/alarm_act.h"

#include <string.h>

#include "lib/clock.h"
#include "model/alarm_hold.h"
#include "model/event.h"

/* A wish has at most so many events for one alarm. */
#define EVENTS_EACH 6

enum { STMT_NOTE };

const struct stmt alarm_act_stmts[] = {
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
	STMT_END,
};

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
	struct alarm_hold_limits limits; /* that are held, or let go */
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

static bool
same_cause(const struct texts *wished, const char *const *is)
{
	for (size_t i = 0; i < wished->count; i++)
		if (is[i] == NULL || strcmp(wished->items[i], is[i]) != 0)
			return false;
	return is[wished->count] == NULL;
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
	size_t before = work->event_count;

	if (wish->comment != NULL && !same_text(wish->comment, alarm->comment))
		add_event(work, alarm, "alarm.commented", wish->comment,
			alarm->comment);
	if (wish->cause.items != NULL &&
		!same_cause(&wish->cause, alarm->cause))
		add_event(work, alarm, "alarm.caused",
			join(work->arena, wish->cause.items, wish->cause.count),
			join(work->arena, alarm->cause,
				count_texts(alarm->cause)));
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
	for (size_t i = 0; i < work->limits.count; i++)
		if (work->limits.variables[i] == alarm->variable_id &&
			strcmp(work->limits.names[i], alarm->limit) == 0)
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
	work->limits.variables[work->limits.count] = alarm->variable_id;
	work->limits.names[work->limits.count++] = alarm->limit;
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
write_hold(struct db *db, const struct work *work, enum alarm_hold_kind kind,
	const char *reason, int64_t until_us, struct fault *fault)
{
	const struct alarm_hold hold = {
		.since_us = work->now_us,
		.until_us = until_us,
		.reason = reason,
		.username = work->actor->username,
	};

	return reason != NULL
		       ? alarm_hold_begin(db, kind, &work->limits, &hold, fault)
		       : RC_OK;
}

static enum rc
write_let(struct db *db, const struct work *work, enum alarm_hold_kind kind,
	bool wished, struct fault *fault)
{
	return wished ? alarm_hold_end(db, kind, &work->limits, fault) : RC_OK;
}

static enum rc
write_limits(struct db *db, const struct work *work, struct fault *fault)
{
	const struct alarm_wish *wish = work->wish;
	enum rc rc;

	if (work->limits.count == 0)
		return RC_OK;
	rc = write_hold(db, work, ALARM_SHELVED, wish->shelve,
		wish->shelve_until_us, fault);
	if (rc == RC_OK)
		rc = write_hold(db, work, ALARM_SUPPRESSED_BY_HAND,
			wish->suppress, CLOCK_NEVER, fault);
	if (rc == RC_OK)
		rc = write_hold(db, work, ALARM_OUT_OF_SERVICE,
			wish->out_of_service, CLOCK_NEVER, fault);
	if (rc == RC_OK)
		rc = write_let(db, work, ALARM_SHELVED, wish->unshelve, fault);
	if (rc == RC_OK)
		rc = write_let(db, work, ALARM_SUPPRESSED_BY_HAND,
			wish->release, fault);
	if (rc == RC_OK)
		rc = write_let(db, work, ALARM_OUT_OF_SERVICE, wish->in_service,
			fault);
	return rc;
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
	work->limits.variables =
		arena_array(arena, count + 1, sizeof(*work->limits.variables));
	work->limits.names =
		arena_array(arena, count + 1, sizeof(*work->limits.names));
}

enum rc
alarm_act(struct db *db, struct arena *arena, const struct alarm_wish *wish,
	const struct alarm_actor *actor, int64_t now_us, struct alarm_act *acts,
	size_t count, struct fault *fault)
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
	return rc;
}
