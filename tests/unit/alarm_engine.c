/*
 * alarm_engine: what each part of a limit means, and the whole against an
 * oracle that looks back over all samples at every step.
 */

#include "model/alarm_engine.h"
#include "lib/clock.h"
#include "tests/unit/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MS     INT64_C(1000)
#define NOON   INT64_C(1700000000000000)
#define STEADY INT64_C(5000000)

static struct arena *arena;
static struct alarm_engine *engine;

static int
set_up(void **state)
{
	(void)state;
	arena = arena_new();
	engine = alarm_engine_new();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	alarm_engine_free(engine);
	arena_free(arena);
	return 0;
}

/* --- small words ---------------------------------------------------------- */

static struct alarm_limit
a_limit(enum alarm_condition condition)
{
	struct alarm_limit limit = alarm_limit_default();

	limit.variable = "v1";
	limit.name = "limit";
	limit.condition = condition;
	return limit;
}

static struct alarm_limit
above(double value)
{
	struct alarm_limit limit = a_limit(ALARM_GREATER);

	limit.value = value;
	return limit;
}

static void
set_kind(const struct alarm_limit *limit, enum value_kind kind)
{
	struct alarm_target target = {.limit = limit,
		.variable_id = 1,
		.kind = kind,
		.unit = "bar",
		.decimals = 1,
		.suppressor_id = limit->suppressed_by[0] != '\0' ? 2 : 0};

	alarm_engine_set(engine, &target, 1, NOON);
}

static void
set(const struct alarm_limit *limit)
{
	set_kind(limit, VALUE_FLOAT);
}

static void
put_value(int32_t id, int64_t at_ms, struct value value, uint64_t status)
{
	const struct sample sample = {.variable_id = id,
		.time_us = NOON + at_ms * MS,
		.status = status,
		.value = value};

	alarm_engine_put(engine, &sample, STEADY + at_ms * MS);
}

static void
put(int64_t at_ms, double number)
{
	put_value(1, at_ms,
		(struct value){.kind = VALUE_FLOAT, .number = number}, 0);
}

static void
put_bad(int64_t at_ms, double number)
{
	put_value(1, at_ms,
		(struct value){.kind = VALUE_FLOAT, .number = number},
		STATUS_INVALID);
}

static void
put_bool(int32_t id, int64_t at_ms, bool truth)
{
	put_value(id, at_ms,
		(struct value){.kind = VALUE_BOOL, .boolean = truth}, 0);
}

static void
put_text(int64_t at_ms, const char *text)
{
	struct value value = {.kind = VALUE_STRING};

	value.string.data = text;
	value.string.bytes = (uint32_t)strlen(text);
	put_value(1, at_ms, value, 0);
}

static void
tick(int64_t at_ms)
{
	alarm_engine_tick(engine, STEADY + at_ms * MS);
}

/* "came@0 went@500": what was told since the last look. */
static const char *
told(void)
{
	static const char *const names[] = {
		"?", "came", "went", "reactivated", "changed"};
	const struct alarm_change *changes;
	size_t count = alarm_engine_changes(engine, &changes);
	const char *text = "";

	for (size_t i = 0; i < count; i++)
		text = arena_printf(arena, "%s%s%s@%lld%s%s%s", text,
			i > 0 ? " " : "", names[changes[i].kind],
			(long long)((changes[i].time_us - NOON) / MS),
			changes[i].flags & ALARM_UNCERTAIN ? "?" : "",
			changes[i].flags & ALARM_CHATTERING ? "~" : "",
			changes[i].flags & ALARM_SUPPRESSED ? "-" : "");
	alarm_engine_taken(engine, count);
	return text;
}

/* The only change there is; good until the next call. */
static const struct alarm_change *
only_change(void)
{
	const struct alarm_change *changes;

	assert_int_equal(alarm_engine_changes(engine, &changes), 1);
	return changes;
}

/* --- conditions ----------------------------------------------------------- */

static void
test_engine_compares_numbers(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	set(&limit);
	put(0, 10);
	put(1, 10.5);
	put(2, 11);
	put(3, 10);
	assert_string_equal(told(), "came@1 went@3");
	limit.condition = ALARM_LESS;
	set(&limit);
	put(10, 10);
	put(11, 9.9);
	put(12, 10);
	assert_string_equal(told(), "came@11 went@12");
	limit.condition = ALARM_EQUAL;
	set(&limit);
	put(20, 10);
	put(21, 10.001);
	assert_string_equal(told(), "came@20~ went@21~");
}

static void
test_engine_compares_with_ranges(void **state)
{
	struct alarm_limit limit = a_limit(ALARM_OUTSIDE);

	(void)state;
	limit.low = 2;
	limit.high = 4;
	set(&limit);
	put(0, 2);
	put(1, 1.9);
	put(2, 4);
	put(3, 4.1);
	put(4, 3);
	assert_string_equal(told(), "came@1 went@2 came@3 went@4");
	limit.condition = ALARM_RANGE;
	set(&limit);
	put(10, 5);
	put(11, 4);
	put(12, 2);
	put(13, 1);
	assert_string_equal(told(), "came@11~ went@13~");
}

static void
test_engine_has_hysteresis(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	limit.hysteresis = 2;
	set(&limit);
	put(0, 10.1);
	put(1, 8.1);
	put(2, 10.5);
	put(3, 8);
	put(4, 9.9);
	assert_string_equal(told(), "came@0 went@3");
	limit = a_limit(ALARM_RANGE);
	limit.low = 2;
	limit.high = 4;
	limit.hysteresis = 1;
	set(&limit);
	put(10, 3);
	put(11, 5);
	put(12, 1);
	put(13, 0.9);
	put(14, 1.5);
	assert_string_equal(told(), "came@10 went@13");
}

static void
test_engine_looks_at_bits(void **state)
{
	struct alarm_limit limit = a_limit(ALARM_BIT);
	const struct value set_bit = {
		.kind = VALUE_INT, .integer = INT64_MIN | 4};
	const struct value clear = {.kind = VALUE_INT, .integer = 4};

	(void)state;
	limit.value = 63;
	set_kind(&limit, VALUE_INT);
	put_value(1, 0, set_bit, 0);
	put_value(1, 1, clear, 0);
	assert_string_equal(told(), "came@0 went@1");
	limit.condition = ALARM_STATUS;
	limit.value = 18; /* INVALID, which is bad quality itself */
	set_kind(&limit, VALUE_INT);
	put_value(1, 10, clear, STATUS_INVALID);
	put_value(1, 11, clear, STATUS_OFF);
	assert_string_equal(told(), "came@10 went@11");
}

static void
test_engine_compares_texts_and_bools(void **state)
{
	struct alarm_limit limit = a_limit(ALARM_EQUAL);

	(void)state;
	limit.match = "fault";
	limit.text = "{value} is {limit}";
	set_kind(&limit, VALUE_STRING);
	put_text(0, "faulty");
	put_text(1, "fault");
	assert_string_equal(only_change()->text, "fault is fault");
	put_text(2, "faul");
	assert_string_equal(told(), "came@1 went@2");
	limit = a_limit(ALARM_EQUAL);
	limit.value = 0;
	set_kind(&limit, VALUE_BOOL);
	put_bool(1, 10, true);
	put_bool(1, 11, false);
	put_bool(1, 12, true);
	assert_string_equal(told(), "came@11 went@12");
}

static void
test_engine_sees_changes(void **state)
{
	struct alarm_limit limit = a_limit(ALARM_CHANGE);

	(void)state;
	set_kind(&limit, VALUE_STRING);
	put_text(0, "a"); /* the first value is no change */
	put_text(1, "a");
	put_text(2, "b");
	put_text(3, "b");
	put_text(4, "a");
	assert_string_equal(told(), "came@2 went@2 came@4 went@4");
	limit.off_delay_ms = 100;
	set_kind(&limit, VALUE_STRING);
	put_text(1000, "b");
	put_text(1050, "c");
	tick(1149);
	assert_string_equal(told(), "came@1000~ changed@1050~");
	tick(1150);
	assert_string_equal(told(), "went@1150~");
	limit.each_change = true;
	set_kind(&limit, VALUE_STRING);
	put_text(2000, "d");
	put_text(2050, "e");
	assert_string_equal(told(), "came@2000~ went@2050~ came@2050~");
}

/* --- delays --------------------------------------------------------------- */

static void
test_engine_delays_by_source_time(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	limit.on_delay_ms = 1000;
	limit.off_delay_ms = 500;
	set(&limit);
	put(0, 11);
	put(999, 12);
	put(999, 9); /* not long enough */
	put(2000, 11);
	put(2500, 13);
	put(3200, 14);
	assert_string_equal(told(), "came@3000");
	put(4000, 9);
	put(4400, 11); /* back in time */
	put(5000, 9);
	assert_string_equal(told(), "");
	put(5600, 8);
	assert_string_equal(told(), "went@5500");
}

static void
test_engine_holds_a_value_between_samples(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	limit.on_delay_ms = 1000;
	set(&limit);
	put(0, 11);
	put(5000, 9); /* above 10 for five seconds */
	assert_string_equal(told(), "came@1000 went@5000");
}

static void
test_engine_ends_delays_by_tick(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	limit.on_delay_ms = limit.off_delay_ms = 1000;
	limit.text = "{value} {unit}, above {limit} {unit} {x}";
	set(&limit);
	put(0, 11.25);
	tick(999);
	assert_string_equal(told(), "");
	tick(1000);
	assert_string_equal(only_change()->text, "11.2 bar, above 10 bar {x}");
	assert_true(only_change()->came_us == NOON + 1000 * MS);
	tick(5000);
	assert_string_equal(told(), "came@1000");
	put(6000, 9);
	tick(6999);
	assert_string_equal(told(), "");
	tick(8000);
	assert_string_equal(told(), "went@7000");
}

static void
test_engine_survives_clock_jumps(void **state)
{
	const int64_t hour_ms = 3600000;
	struct alarm_limit limit = above(10);

	(void)state;
	limit.on_delay_ms = 1000;
	set(&limit);
	put(0, 11);
	/* Set back by an hour: the delay begins anew, not in an hour. */
	put(-hour_ms, 11);
	put(-hour_ms + 999, 11);
	assert_string_equal(told(), "");
	put(-hour_ms + 1000, 11);
	assert_string_equal(told(), "came@-3599000");
	put(-2 * hour_ms, 9);
	assert_true(only_change()->went_us == only_change()->came_us);
	assert_string_equal(told(), "went@-7200000");
	/* Set forward while the delay runs, and the engine was told. */
	put(0, 11);
	alarm_engine_shift(engine, hour_ms * MS);
	put(hour_ms + 500, 11);
	assert_string_equal(told(), "");
	put(hour_ms + 1000, 11);
	assert_string_equal(told(), "came@3601000");
}

/* --- quality -------------------------------------------------------------- */

static void
test_engine_never_clears_by_bad_quality(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	set(&limit);
	put_bad(0, 99); /* raises nothing either */
	put(1, 11);
	put_bad(2, 0);
	put_bad(3, 0);
	put(4, NAN);
	put(5, 12);
	put_bad(6, 0);
	put(7, 9);
	assert_string_equal(
		told(), "came@1 changed@2? changed@5 changed@6? went@7");
}

static void
test_engine_stops_the_off_delay_by_bad_quality(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	limit.off_delay_ms = 1000;
	set(&limit);
	put(0, 11);
	put(100, 9);
	put_bad(500, 0);
	tick(5000);
	assert_string_equal(told(), "came@0 changed@500?");
	put(6000, 9);
	tick(6999);
	assert_string_equal(told(), "changed@6000");
	tick(7000);
	assert_string_equal(told(), "went@7000");
}

static void
test_engine_raises_a_delayed_alarm_as_uncertain(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	limit.on_delay_ms = 1000;
	set(&limit);
	put(0, 11);
	put_bad(500, 0);
	tick(1000);
	assert_string_equal(told(), "came@1000?");
}

/* --- occurrences ---------------------------------------------------------- */

static void
test_engine_counts_each_change(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	limit.each_change = true;
	set(&limit);
	put(0, 11);
	put(1, 11);
	put(2, 12);
	put(3, 9);
	assert_string_equal(told(), "came@0 went@2 came@2 went@3");
}

static void
test_engine_draws_an_id_for_each_occurrence(void **state)
{
	struct alarm_limit limit = above(10);
	const struct alarm_change *changes;

	(void)state;
	set(&limit);
	for (int i = 0; i < 4; i++)
		put(i, i % 2 == 0 ? 11 : 9);
	assert_int_equal(alarm_engine_changes(engine, &changes), 4);
	assert_memory_equal(changes[0].id, changes[1].id, UUID_BYTES);
	assert_memory_equal(changes[2].id, changes[3].id, UUID_BYTES);
	assert_memory_not_equal(changes[0].id, changes[2].id, UUID_BYTES);
}

static void
test_engine_reactivates(void **state)
{
	struct alarm_limit limit = above(10);
	const struct alarm_change *changes;

	(void)state;
	limit.reactivates = true;
	set(&limit);
	put(0, 11);
	put(1, 9);
	put(2, 12);
	assert_int_equal(alarm_engine_changes(engine, &changes), 3);
	assert_memory_equal(changes[0].id, changes[2].id, UUID_BYTES);
	assert_int_equal(changes[2].reactivations, 1);
	assert_true(changes[2].came_us == NOON);
	assert_true(changes[2].reactivated_us == NOON + 2 * MS);
	assert_true(changes[2].went_us == CLOCK_NEVER);
	assert_true(changes[2].value.number == 12);
	assert_string_equal(told(), "came@0 went@1 reactivated@2");
	/* Without the duty to acknowledge it is out of the list. */
	limit.must_acknowledge = false;
	set(&limit);
	put(3, 9);
	put(4, 11);
	assert_string_equal(told(), "went@3 came@4~");
}

static void
test_engine_sees_chattering(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	set(&limit);
	for (int i = 0; i < 4; i++) {
		put(i * 20000, 11);
		put(i * 20000 + 1, 9);
	}
	put(180000, 11);
	assert_string_equal(told(),
		"came@0 went@1 came@20000 went@20001 came@40000~ went@40001~ "
		"came@60000~ went@60001~ came@180000");
}

static void
test_engine_marks_what_is_suppressed(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	limit.suppressed_by = "v2";
	set(&limit);
	put_bool(2, 0, true);
	put(1, 11);
	put_bool(2, 2, false);
	put_bool(2, 3, true);
	put(4, 9);
	put_bool(2, 5, false);
	assert_string_equal(told(), "came@1- changed@2 changed@3- went@4-");
}

static void
test_engine_lets_go_what_is_taken_away(void **state)
{
	struct alarm_limit limit = above(10);
	struct alarm_limit other = above(20);

	(void)state;
	other.name = "other";
	set(&limit);
	put(0, 11);
	set(&limit); /* the same again keeps its state */
	put(1, 12);
	assert_string_equal(told(), "came@0");
	set(&other);
	assert_string_equal(told(), "went@0");
	put(2, 21);
	assert_string_equal(told(), "came@2");
	other.enabled = false;
	set(&other);
	put(3, 30);
	assert_string_equal(told(), "went@0");
}

static void
test_engine_repeats_what_may_be_lost(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	set(&limit);
	alarm_engine_repeat(engine, NOON);
	assert_string_equal(told(), "");
	put(0, 11);
	alarm_engine_repeat(engine, NOON + 5 * MS);
	put(6, 9);
	alarm_engine_repeat(engine, NOON + 7 * MS);
	assert_string_equal(told(), "came@0 changed@5 went@6 went@7");
}

/* --- state ---------------------------------------------------------------- */

static int32_t
find_variable(const void *context, const char *name)
{
	(void)context;
	return name[0] == 'v' ? atoi(name + 1) : 0;
}

/* Another engine with the state of this one. */
static void
restart(const struct alarm_limit *limit, enum value_kind kind, size_t skip)
{
	struct fault fault = {0};
	struct buf state;

	buf_init(&state, 0);
	alarm_engine_save(engine, skip, &state);
	alarm_engine_free(engine);
	engine = alarm_engine_new();
	set_kind(limit, kind);
	assert_int_equal(alarm_engine_load(engine, state.data, state.length,
				 find_variable, NULL, NOON + 77 * MS, &fault),
		RC_OK);
	buf_free(&state);
}

static void
test_engine_state_survives(void **state)
{
	struct alarm_limit limit = above(10);
	uint8_t id[UUID_BYTES];

	(void)state;
	set(&limit);
	put(0, 11);
	memcpy(id, only_change()->id, sizeof(id));
	restart(&limit, VALUE_FLOAT, 0); /* nothing taken: told again */
	assert_string_equal(told(), "came@0");
	restart(&limit, VALUE_FLOAT, 0);
	put(100, 12);
	assert_string_equal(told(), "");
	put(101, 9);
	assert_memory_equal(only_change()->id, id, sizeof(id));
	assert_true(only_change()->came_us == NOON);
	assert_string_equal(told(), "went@101");
}

static void
test_engine_does_not_guess_about_a_gap(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	limit.on_delay_ms = 1000;
	limit.off_delay_ms = 1000;
	set(&limit);
	put(0, 11);
	restart(&limit, VALUE_FLOAT, 0);
	tick(100000);
	put(100000, 9); /* it may have been long below */
	assert_string_equal(told(), "");
	put(200000, 11);
	restart(&limit, VALUE_FLOAT, 0);
	put(200500, 11);
	tick(200999);
	assert_string_equal(told(), "");
	tick(201000);
	assert_string_equal(told(), "came@201000");
	put(300000, 9);
	restart(&limit, VALUE_FLOAT, 0);
	put(400000, 11); /* it may have been long above */
	assert_string_equal(told(), "");
}

static void
test_engine_sees_changes_over_a_restart(void **state)
{
	struct alarm_limit limit = a_limit(ALARM_CHANGE);

	(void)state;
	set_kind(&limit, VALUE_STRING);
	put_text(0, "firmware 1");
	restart(&limit, VALUE_STRING, 0);
	put_text(1, "firmware 1");
	put_text(2, "firmware 2");
	assert_string_equal(told(), "came@2 went@2");
}

static void
test_engine_ends_alarms_of_limits_that_are_gone(void **state)
{
	struct alarm_limit limit = above(10);
	struct alarm_limit other = above(10);

	(void)state;
	other.name = "other";
	set(&limit);
	put(0, 11);
	assert_string_equal(told(), "came@0");
	restart(&other, VALUE_FLOAT, 0);
	assert_string_equal(told(), "went@77");
}

static void
test_engine_refuses_a_damaged_state(void **state)
{
	struct alarm_limit limit = above(10);
	struct fault fault;
	struct buf saved;

	(void)state;
	set(&limit);
	put(0, 11);
	buf_init(&saved, 0);
	alarm_engine_save(engine, 0, &saved);
	for (size_t i = 0; i < saved.length; i++) {
		saved.data[i] ^= 16;
		assert_int_equal(
			alarm_engine_load(engine, saved.data, saved.length,
				find_variable, NULL, 0, &fault),
			RC_BAD_INPUT);
		saved.data[i] ^= 16;
		assert_int_equal(alarm_engine_load(engine, saved.data, i,
					 find_variable, NULL, 0, &fault),
			RC_BAD_INPUT);
	}
	buf_free(&saved);
	assert_string_equal(told(), "came@0");
}

/* --- the oracle ----------------------------------------------------------- */

#define STEPS    300
#define ROUNDS   4000
#define TOLD_MAX (4 * STEPS)

enum step_kind { STEP_VALUE, STEP_BAD, STEP_TICK, STEP_RESTART };

/* What happened, and what the condition was held to be behind it. */
struct step {
	enum step_kind kind;
	int64_t time_us;
	double number;
	bool holds;
};

struct spoken {
	enum alarm_change_kind kind;
	int64_t time_us;
	int64_t came_us;
	int64_t went_us;
	int64_t reactivated_us;
	unsigned reactivations;
	unsigned flags;
	double number;
	unsigned occurrence;
};

/* It keeps all steps and all that was said, and looks back over them. */
struct oracle {
	struct alarm_limit limit;
	struct step steps[STEPS];
	size_t count;
	struct spoken said[TOLD_MAX];
	size_t said_count;
	bool on;
	bool uncertain;
	bool gap;
	struct spoken alarm;
};

static void
say(struct oracle *oracle, enum alarm_change_kind kind, int64_t time_us)
{
	struct spoken *spoken = &oracle->said[oracle->said_count++];

	assert_true(oracle->said_count < TOLD_MAX);
	*spoken = oracle->alarm;
	spoken->kind = kind;
	spoken->time_us = time_us;
	spoken->flags = oracle->alarm.flags |
			(oracle->uncertain ? ALARM_UNCERTAIN : 0u);
}

static bool
oracle_chatters(const struct oracle *oracle, int64_t time_us)
{
	int times = 1;

	for (size_t i = 0; i < oracle->said_count; i++)
		times += (oracle->said[i].kind == ALARM_CAME ||
				 oracle->said[i].kind == ALARM_REACTIVATED) &&
			 time_us - oracle->said[i].time_us <= ALARM_CHATTER_US;
	return times >= ALARM_CHATTER_COUNT;
}

static void
oracle_come(struct oracle *oracle, int64_t time_us, double number)
{
	struct spoken *alarm = &oracle->alarm;
	bool again = oracle->limit.reactivates &&
		     oracle->limit.must_acknowledge && alarm->occurrence > 0;

	if (again) {
		alarm->reactivated_us = time_us;
		alarm->reactivations++;
	} else {
		*alarm = (struct spoken){.came_us = time_us,
			.reactivated_us = CLOCK_NEVER,
			.occurrence = alarm->occurrence + 1};
	}
	alarm->went_us = CLOCK_NEVER;
	alarm->number = number;
	alarm->flags = oracle_chatters(oracle, time_us) ? ALARM_CHATTERING : 0;
	oracle->on = true;
	say(oracle, again ? ALARM_REACTIVATED : ALARM_CAME, time_us);
}

static void
oracle_go(struct oracle *oracle, int64_t time_us)
{
	oracle->on = false;
	oracle->uncertain = false;
	oracle->alarm.went_us = time_us;
	say(oracle, ALARM_WENT, time_us);
}

static bool
is_sample(const struct step *step)
{
	return step->kind == STEP_VALUE || step->kind == STEP_BAD;
}

/* Looking back from before step "index": the first of the samples that all say
 * "holds" in a row; false when the last one does not. */
static bool
run_start(const struct oracle *oracle, size_t index, bool holds, size_t *start)
{
	bool found = false;

	while (index-- > 0) {
		const struct step *step = &oracle->steps[index];

		if (!is_sample(step))
			continue;
		if (step->holds != holds)
			break;
		*start = index;
		found = true;
	}
	return found;
}

/* The value that was seen last among good ones before the index. */
static double
last_good(const struct oracle *oracle, size_t index)
{
	while (oracle->steps[--index].kind != STEP_VALUE)
		;
	return oracle->steps[index].number;
}

static void
oracle_end_delay(struct oracle *oracle, size_t index, bool holds_now)
{
	const struct step *now = &oracle->steps[index];
	int64_t delay_us = (oracle->on ? oracle->limit.off_delay_ms
				       : oracle->limit.on_delay_ms) *
			   MS;
	bool wanted = !oracle->on;
	size_t start;

	if (!run_start(oracle, index, wanted, &start))
		return;
	if (oracle->gap && (now->kind != STEP_VALUE || holds_now != wanted))
		return;
	if (now->time_us - oracle->steps[start].time_us < delay_us)
		return;
	if (wanted)
		oracle_come(oracle, oracle->steps[start].time_us + delay_us,
			last_good(oracle, index));
	else
		oracle_go(oracle, oracle->steps[start].time_us + delay_us);
}

static bool
oracle_holds(const struct oracle *oracle, size_t index)
{
	const struct step *step = &oracle->steps[index];
	double play = oracle->limit.hysteresis;
	bool held = false;

	for (size_t i = 0; i < index; i++)
		if (is_sample(&oracle->steps[i]))
			held = oracle->steps[i].holds;
	if (step->kind == STEP_BAD)
		return held;
	return step->number > oracle->limit.value - (held ? play : 0);
}

static void
oracle_judge(struct oracle *oracle, struct step *step)
{
	bool doubted = oracle->uncertain && oracle->on;

	oracle->uncertain = false;
	if (!oracle->on && step->holds && oracle->limit.on_delay_ms == 0)
		oracle_come(oracle, step->time_us, step->number);
	else if (oracle->on && !step->holds && oracle->limit.off_delay_ms == 0)
		oracle_go(oracle, step->time_us);
	else if (oracle->on && step->holds && oracle->limit.each_change &&
		 step->number != oracle->alarm.number) {
		oracle_go(oracle, step->time_us);
		oracle_come(oracle, step->time_us, step->number);
	} else if (doubted)
		say(oracle, ALARM_CHANGED, step->time_us);
}

static void
oracle_step(struct oracle *oracle, enum step_kind kind, int64_t time_us,
	double number)
{
	size_t index = oracle->count++;
	struct step *step = &oracle->steps[index];

	*step = (struct step){kind, time_us, number, false};
	if (kind == STEP_RESTART) {
		oracle->gap = true;
		return;
	}
	step->holds = oracle_holds(oracle, index);
	oracle_end_delay(oracle, index, step->holds);
	if (kind == STEP_VALUE) {
		oracle->gap = false;
		oracle_judge(oracle, step);
	} else if (kind == STEP_BAD) {
		bool in_delay;
		size_t start;

		step->holds |= oracle->on;
		in_delay =
			!oracle->on && run_start(oracle, index, true, &start);
		if (oracle->on && !oracle->uncertain) {
			oracle->uncertain = true;
			say(oracle, ALARM_CHANGED, time_us);
		}
		oracle->uncertain |= in_delay;
	}
}

static unsigned
pick(unsigned count)
{
	static uint64_t random = 20261121;

	random ^= random << 13;
	random ^= random >> 7;
	random ^= random << 17;
	return (unsigned)(random % count);
}

static struct alarm_limit
any_limit(void)
{
	struct alarm_limit limit = above(5);

	limit.hysteresis = pick(2) ? pick(4) : 0;
	limit.on_delay_ms = pick(2) ? pick(5000) : 0;
	limit.off_delay_ms = pick(2) ? pick(5000) : 0;
	limit.each_change = pick(4) == 0;
	limit.reactivates = pick(3) == 0;
	limit.must_acknowledge = pick(4) != 0;
	return limit;
}

/* As long as the engine's ids are the same, the oracle's number is. */
static void
compare_with_oracle(
	const struct oracle *oracle, const struct alarm_change *changes)
{
	for (size_t i = 0; i < oracle->said_count; i++) {
		const struct spoken *want = &oracle->said[i];
		const struct alarm_change *is = &changes[i];

		assert_int_equal(is->kind, want->kind);
		assert_true(is->time_us == want->time_us);
		assert_true(is->came_us == want->came_us);
		assert_true(is->went_us == want->went_us);
		assert_true(is->reactivated_us == want->reactivated_us);
		assert_int_equal(is->reactivations, want->reactivations);
		assert_int_equal(is->flags, want->flags);
		assert_true(is->value.number == want->number);
		if (i > 0)
			assert_int_equal(memcmp(is->id, changes[i - 1].id,
						 UUID_BYTES) == 0,
				want->occurrence ==
					oracle->said[i - 1].occurrence);
	}
}

static void
run_round(struct oracle *oracle)
{
	const struct alarm_change *changes;
	int64_t at_ms = 0;

	memset(oracle, 0, sizeof(*oracle));
	oracle->limit = any_limit();
	set(&oracle->limit);
	for (size_t i = 0; i < STEPS; i++) {
		unsigned chance = pick(100);
		double number = pick(12);

		at_ms += pick(3) == 0 ? 0 : pick(2000);
		if (chance < 65) {
			put(at_ms, number);
			oracle_step(
				oracle, STEP_VALUE, NOON + at_ms * MS, number);
		} else if (chance < 80) {
			put_bad(at_ms, number);
			oracle_step(
				oracle, STEP_BAD, NOON + at_ms * MS, number);
		} else if (chance < 98) {
			tick(at_ms);
			oracle_step(oracle, STEP_TICK, NOON + at_ms * MS, 0);
		} else {
			restart(&oracle->limit, VALUE_FLOAT, 0);
			oracle_step(oracle, STEP_RESTART, NOON + at_ms * MS, 0);
		}
	}
	assert_int_equal(
		alarm_engine_changes(engine, &changes), oracle->said_count);
	compare_with_oracle(oracle, changes);
	alarm_engine_free(engine);
	engine = alarm_engine_new();
}

static void
test_engine_is_what_the_oracle_says(void **state)
{
	struct oracle *oracle = malloc(sizeof(*oracle));
	size_t said = 0;

	(void)state;
	assert_non_null(oracle);
	for (int i = 0; i < ROUNDS; i++) {
		run_round(oracle);
		said += oracle->said_count;
	}
	assert_true(said > ROUNDS * 10);
	free(oracle);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_engine_compares_numbers),
		TEST(test_engine_compares_with_ranges),
		TEST(test_engine_has_hysteresis),
		TEST(test_engine_looks_at_bits),
		TEST(test_engine_compares_texts_and_bools),
		TEST(test_engine_sees_changes),
		TEST(test_engine_delays_by_source_time),
		TEST(test_engine_holds_a_value_between_samples),
		TEST(test_engine_ends_delays_by_tick),
		TEST(test_engine_survives_clock_jumps),
		TEST(test_engine_never_clears_by_bad_quality),
		TEST(test_engine_stops_the_off_delay_by_bad_quality),
		TEST(test_engine_raises_a_delayed_alarm_as_uncertain),
		TEST(test_engine_counts_each_change),
		TEST(test_engine_draws_an_id_for_each_occurrence),
		TEST(test_engine_reactivates),
		TEST(test_engine_sees_chattering),
		TEST(test_engine_marks_what_is_suppressed),
		TEST(test_engine_lets_go_what_is_taken_away),
		TEST(test_engine_repeats_what_may_be_lost),
		TEST(test_engine_state_survives),
		TEST(test_engine_does_not_guess_about_a_gap),
		TEST(test_engine_sees_changes_over_a_restart),
		TEST(test_engine_ends_alarms_of_limits_that_are_gone),
		TEST(test_engine_refuses_a_damaged_state),
		TEST(test_engine_is_what_the_oracle_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
