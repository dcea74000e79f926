/*
 * alarm_engine_oracle: the engine against an oracle that looks back over all
 * samples at every step.
 */

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "tests/unit/alarm_engine_words.h"

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
engine_oracle(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE_TEST(test_engine_is_what_the_oracle_says),
	};

	return cmocka_run_group_tests_name("engine_oracle", tests, NULL, NULL);
}
