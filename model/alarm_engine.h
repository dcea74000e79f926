/*
 * alarm_engine: raises and clears alarms from samples.
 *
 * Pure: no clock, no file, no database; agents and the hub use the same code.
 * Samples of a variable are taken in the order they come; delays count by
 * their source times, and alarm_engine_tick lets them end when no sample comes.
 * What happens is a list of changes, each with the whole state of its alarm.
 * Nothing is allocated for a sample that changes nothing. doc/ALARMS.md says
 * what every condition means.
 */
#ifndef FG_MODEL_ALARM_ENGINE_H
#define FG_MODEL_ALARM_ENGINE_H

#include "lib/buf.h"
#include "lib/fault.h"
#include "model/alarm_change.h"
#include "model/alarm_limit.h"
#include "model/sample.h"

/* An alarm that came as often within this time is chattering. */
#define ALARM_CHATTER_COUNT 3
#define ALARM_CHATTER_US    INT64_C(60000000)

struct alarm_engine;

/* A limit and what must be known of its variable. */
struct alarm_target {
	const struct alarm_limit *limit; /* settled */
	int32_t variable_id;             /* from 1, as the samples have it */
	enum value_kind kind;
	const char *unit;
	int decimals;
	int32_t suppressor_id; /* of limit->suppressed_by; 0 = none */
};

struct alarm_engine *alarm_engine_new(void);
void alarm_engine_free(struct alarm_engine *engine);

/*
 * Evaluate these limits from now on; all is copied. A limit that was there
 * before, by the names of variable and limit, keeps its state; the alarm of one
 * that is not there any more goes at "now_us". Targets that are not enabled
 * count as not there.
 */
void alarm_engine_set(struct alarm_engine *engine,
	const struct alarm_target *targets, size_t count, int64_t now_us);

/* Evaluate a sample; "steady_us" is when it came, by a clock that never
 * jumps. Strings are copied where they are needed. */
void alarm_engine_put(struct alarm_engine *engine, const struct sample *sample,
	int64_t steady_us);

/* Let delays end that are over. */
void alarm_engine_tick(struct alarm_engine *engine, int64_t steady_us);

/* The clock of the samples was set by "jump_us": delays under way move along.
 */
void alarm_engine_shift(struct alarm_engine *engine, int64_t jump_us);

/* Tell the last state of every alarm once more, of those that went too: some
 * changes may not have arrived. */
void alarm_engine_repeat(struct alarm_engine *engine, int64_t now_us);

/* What has changed since it was taken, in order; good until the next call of
 * put, tick, set, repeat, load or taken. */
size_t alarm_engine_changes(
	const struct alarm_engine *engine, const struct alarm_change **changes);
/* The first "count" changes have found their way. */
void alarm_engine_taken(struct alarm_engine *engine, size_t count);

/* Counts up whenever the state that is worth keeping changes. */
uint64_t alarm_engine_version(const struct alarm_engine *engine);

/* Append the state as bytes, with the changes from number "skip" on. */
void alarm_engine_save(
	const struct alarm_engine *engine, size_t skip, struct buf *out);

/* The id of a variable; 0 when there is none of that name. */
typedef int32_t alarm_engine_find_fn(const void *context, const char *name);

/*
 * Take over a saved state into limits that are set and new. The alarm of a
 * limit that is not set goes at "now_us".
 * Fails: RC_BAD_INPUT: not what alarm_engine_save wrote; nothing is taken.
 */
MUST_CHECK enum rc alarm_engine_load(struct alarm_engine *engine,
	const void *data, size_t length, alarm_engine_find_fn *find,
	const void *context, int64_t now_us, struct fault *fault);

#endif
