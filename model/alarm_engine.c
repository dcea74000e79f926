/* alarm_engine: raises and clears alarms from samples. */

#include "model/alarm_engine_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A sample, and what is worked out once for all its limits. */
struct moment {
	const struct sample *sample;
	double number;
	bool bad; /* the value is not to be trusted */
	int64_t steady_us;
};

static int64_t
later(int64_t left, int64_t right)
{
	return left > right ? left : right;
}

/* --- coming and going ----------------------------------------------------- */

static void
set_phase(struct alarm_engine *engine, size_t index, enum alarm_phase phase)
{
	engine->rules[index].phase = (uint8_t)phase;
	engine->version++;
}

static void
note_chatter(struct alarm_course *course, int64_t time_us)
{
	memmove(course->comes, course->comes + 1,
		sizeof(course->comes) - sizeof(course->comes[0]));
	course->comes[ALARM_CHATTER_COUNT - 1] = time_us;
	course->chattering = course->comes[0] != CLOCK_NEVER &&
			     time_us >= course->comes[0] &&
			     time_us - course->comes[0] <= ALARM_CHATTER_US;
}

static void
come(struct alarm_engine *engine, size_t index, int64_t time_us,
	const struct value *value, uint64_t status)
{
	struct alarm_course *course = &engine->courses[index];
	bool again = alarm_may_return(course);

	if (again) {
		course->reactivated_us = later(time_us, course->came_us);
		course->reactivations++;
	} else {
		uuid_random(course->id);
		course->came_us = time_us;
		course->reactivated_us = CLOCK_NEVER;
		course->reactivations = 0;
	}
	course->went_us = CLOCK_NEVER;
	course->status = status;
	alarm_held_take(&course->value, value);
	note_chatter(course, time_us);
	engine->latest_us = later(engine->latest_us, time_us);
	set_phase(engine, index, PHASE_ACTIVE);
	alarm_emit(
		engine, index, again ? ALARM_REACTIVATED : ALARM_CAME, time_us);
}

/* A clock that was set back does not let an alarm go before it came. */
void
alarm_go(struct alarm_engine *engine, size_t index, int64_t time_us)
{
	struct alarm_course *course = &engine->courses[index];
	int64_t since_us = course->reactivated_us != CLOCK_NEVER
				   ? course->reactivated_us
				   : course->came_us;

	course->went_us = later(time_us, since_us);
	engine->rules[index].uncertain = false;
	set_phase(engine, index, PHASE_NORMAL);
	alarm_emit(engine, index, ALARM_WENT, time_us);
}

static void
start_delay(struct alarm_engine *engine, size_t index, enum alarm_phase phase,
	int64_t delay_ms, const struct moment *moment)
{
	struct alarm_rule *rule = &engine->rules[index];

	rule->begin_us = moment->sample->time_us;
	rule->due_us = moment->steady_us + delay_ms * 1000;
	if (rule->due_us < engine->next_due_us)
		engine->next_due_us = rule->due_us;
	set_phase(engine, index, phase);
}

static void
rise(struct alarm_engine *engine, size_t index, const struct moment *moment)
{
	struct alarm_course *course = &engine->courses[index];
	const struct sample *sample = moment->sample;

	if (course->limit.on_delay_ms == 0) {
		come(engine, index, sample->time_us, &sample->value,
			sample->status);
		return;
	}
	alarm_held_take(&course->last, &sample->value);
	course->last_status = sample->status;
	start_delay(
		engine, index, PHASE_RISING, course->limit.on_delay_ms, moment);
}

/* "told": the flags have changed, which must be said if the alarm stays. */
static void
fall(struct alarm_engine *engine, size_t index, const struct moment *moment,
	bool told)
{
	int64_t delay_ms = engine->courses[index].limit.off_delay_ms;

	if (delay_ms == 0) {
		alarm_go(engine, index, moment->sample->time_us);
		return;
	}
	start_delay(engine, index, PHASE_FALLING, delay_ms, moment);
	if (told)
		alarm_emit(
			engine, index, ALARM_CHANGED, moment->sample->time_us);
}

/* The delay under way is over. */
static void
end_delay(struct alarm_engine *engine, size_t index)
{
	struct alarm_rule *rule = &engine->rules[index];
	struct alarm_course *course = &engine->courses[index];

	if (rule->phase == PHASE_RISING)
		come(engine, index,
			rule->begin_us + course->limit.on_delay_ms * 1000,
			&course->last.value, course->last_status);
	else
		alarm_go(engine, index,
			rule->begin_us + course->limit.off_delay_ms * 1000);
}

/* --- one sample against one limit ----------------------------------------- */

static bool
violates(const struct alarm_engine *engine, const struct alarm_rule *rule,
	const struct moment *moment)
{
	const struct value *value = &moment->sample->value;
	const struct alarm_course *course;
	unsigned holds = rule->phase & 1u;

	switch ((enum alarm_test)rule->test) {
	case TEST_NUMBER:
		return (moment->number < rule->low[holds] ||
			       moment->number > rule->high[holds]) !=
		       rule->inverted;
	case TEST_BIT:
		return ((uint64_t)value->integer >> rule->bit & 1) != 0;
	case TEST_STATUS:
		return (moment->sample->status >> rule->bit & 1) != 0;
	case TEST_MATCH:
		course = &engine->courses[rule - engine->rules];
		return strlen(course->limit.match) == value->string.bytes &&
		       memcmp(course->limit.match, value->string.data,
			       value->string.bytes) == 0;
	case TEST_CHANGE:
		course = &engine->courses[rule - engine->rules];
		return course->last.value.kind != VALUE_NONE &&
		       !value_equal(&course->last.value, value);
	}
	return false;
}

/* Bad quality: nothing clears, nothing is raised, but a delay goes on. */
static void
doubt(struct alarm_engine *engine, size_t index, const struct moment *moment)
{
	struct alarm_rule *rule = &engine->rules[index];
	bool was_uncertain = rule->uncertain;

	if (rule->phase == PHASE_NORMAL)
		return;
	rule->uncertain = true;
	if (rule->phase == PHASE_RISING)
		return;
	if (rule->phase == PHASE_FALLING)
		set_phase(engine, index, PHASE_ACTIVE);
	if (was_uncertain)
		return;
	engine->courses[index].status = moment->sample->status;
	alarm_emit(engine, index, ALARM_CHANGED, moment->sample->time_us);
}

/* Another violating value, where each one counts. */
static void
recur(struct alarm_engine *engine, size_t index, const struct moment *moment)
{
	const struct sample *sample = moment->sample;

	alarm_go(engine, index, sample->time_us);
	come(engine, index, sample->time_us, &sample->value, sample->status);
}

static bool
is_other(const struct alarm_course *course, const struct moment *moment)
{
	return !value_equal(&course->value.value, &moment->sample->value);
}

/* A change is over as soon as it has happened; the off-delay shows it. */
static void
judge_change(struct alarm_engine *engine, size_t index,
	const struct moment *moment, bool changed, bool told)
{
	struct alarm_rule *rule = &engine->rules[index];
	struct alarm_course *course = &engine->courses[index];
	const struct sample *sample = moment->sample;

	if (course->last.value.kind == VALUE_NONE || changed) {
		alarm_held_take(&course->last, &sample->value);
		engine->version++;
	}
	if (changed && !alarm_is_on(rule)) {
		rise(engine, index, moment);
		fall(engine, index, moment, false);
	} else if (changed && rule->each) {
		recur(engine, index, moment);
		fall(engine, index, moment, false);
	} else if (changed) {
		alarm_held_take(&course->value, &sample->value);
		course->status = sample->status;
		fall(engine, index, moment, true);
	} else if (rule->phase == PHASE_ACTIVE) {
		fall(engine, index, moment, told);
	}
}

static void
judge(struct alarm_engine *engine, size_t index, const struct moment *moment,
	bool violating)
{
	struct alarm_rule *rule = &engine->rules[index];
	struct alarm_course *course = &engine->courses[index];
	bool told = rule->uncertain && alarm_is_on(rule);

	rule->uncertain = false;
	if (rule->test == TEST_CHANGE) {
		judge_change(engine, index, moment, violating, told);
		return;
	}
	if (rule->phase == PHASE_NORMAL && violating)
		rise(engine, index, moment);
	else if (rule->phase == PHASE_RISING && !violating)
		set_phase(engine, index, PHASE_NORMAL);
	else if (rule->phase == PHASE_RISING)
		alarm_held_take(&course->last, &moment->sample->value);
	else if (rule->phase == PHASE_ACTIVE && !violating)
		fall(engine, index, moment, told);
	else if (alarm_is_on(rule) && violating) {
		if (rule->phase == PHASE_FALLING)
			set_phase(engine, index, PHASE_ACTIVE);
		if (rule->each && is_other(course, moment))
			recur(engine, index, moment);
		else if (told)
			alarm_emit(engine, index, ALARM_CHANGED,
				moment->sample->time_us);
	}
}

/*
 * Is the delay over by the times of the samples? Between two samples the value
 * is what the first one said; but nobody knows what it was while the engine
 * was not there.
 */
static bool
is_over(const struct alarm_rule *rule, const struct alarm_course *course,
	int64_t time_us, bool bad, bool violating)
{
	bool rising = rule->phase == PHASE_RISING;
	int64_t delay_ms =
		rising ? course->limit.on_delay_ms : course->limit.off_delay_ms;

	if (rule->loaded && (bad || violating != rising))
		return false;
	return time_us - rule->begin_us >= delay_ms * 1000;
}

/* The first good sample behind a gap: a delay that was under way runs again. */
static void
go_on(struct alarm_engine *engine, size_t index, const struct moment *moment)
{
	struct alarm_rule *rule = &engine->rules[index];
	const struct alarm_limit *limit = &engine->courses[index].limit;
	int64_t delay_ms = rule->phase == PHASE_RISING ? limit->on_delay_ms
						       : limit->off_delay_ms;

	rule->loaded = false;
	if (rule->phase < PHASE_FALLING)
		return;
	rule->due_us = moment->steady_us + delay_ms * 1000 -
		       (moment->sample->time_us - rule->begin_us);
	if (rule->due_us < engine->next_due_us)
		engine->next_due_us = rule->due_us;
}

static void
step(struct alarm_engine *engine, size_t index, const struct moment *moment,
	bool bad, bool violating)
{
	struct alarm_rule *rule = &engine->rules[index];
	int64_t time_us = moment->sample->time_us;

	if (rule->phase >= PHASE_FALLING) {
		if (time_us < rule->begin_us) /* the clock was set back */
			rule->begin_us = time_us;
		if (is_over(rule, &engine->courses[index], time_us, bad,
			    violating))
			end_delay(engine, index);
	}
	if (bad) {
		doubt(engine, index, moment);
		return;
	}
	if (rule->loaded)
		go_on(engine, index, moment);
	judge(engine, index, moment, violating);
}

/* --- the engine ----------------------------------------------------------- */

static void
suppress(struct alarm_engine *engine, size_t index, bool suppressed,
	int64_t time_us)
{
	struct alarm_rule *rule = &engine->rules[index];

	if (rule->suppressed == suppressed)
		return;
	rule->suppressed = suppressed;
	engine->version++;
	if (alarm_is_on(rule))
		alarm_emit(engine, index, ALARM_CHANGED, time_us);
}

static void
take_gates(struct alarm_engine *engine, const struct alarm_slot *slot,
	const struct moment *moment)
{
	const uint32_t *gates = engine->gates + slot->first_gate;

	if (moment->bad || moment->sample->value.kind != VALUE_BOOL)
		return;
	for (size_t i = 0; i < slot->gate_count; i++)
		suppress(engine, gates[i], moment->sample->value.boolean,
			moment->sample->time_us);
}

void
alarm_engine_put(struct alarm_engine *engine, const struct sample *sample,
	int64_t steady_us)
{
	const struct alarm_slot *slot;
	struct moment moment = {.sample = sample, .steady_us = steady_us};

	if (sample->variable_id < 1 || sample->variable_id > engine->id_max ||
		sample->time_us < -ALARM_TIME_MAX_US ||
		sample->time_us > ALARM_TIME_MAX_US)
		return;
	slot = &engine->slots[sample->variable_id];
	moment.number = value_number(&sample->value);
	moment.bad = (sample->status & STATUS_BAD) != 0 ||
		     (sample->value.kind == VALUE_FLOAT &&
			     isnan(sample->value.number));
	engine->latest_us = later(engine->latest_us, sample->time_us);
	if (slot->gate_count > 0)
		take_gates(engine, slot, &moment);
	if (slot->count == 0 || slot->kind != sample->value.kind)
		return;
	for (size_t i = slot->first; i < slot->first + slot->count; i++) {
		const struct alarm_rule *rule = &engine->rules[i];
		bool bad = moment.bad && rule->test != TEST_STATUS;
		bool violating = !bad && violates(engine, rule, &moment);

		/* What most samples are: nothing new. */
		if (!bad && !rule->alert && rule->phase <= PHASE_ACTIVE &&
			violating == (rule->phase == PHASE_ACTIVE) &&
			!rule->uncertain)
			continue;
		step(engine, i, &moment, bad, violating);
	}
}

void
alarm_engine_tick(struct alarm_engine *engine, int64_t steady_us)
{
	if (steady_us < engine->next_due_us)
		return;
	engine->next_due_us = INT64_MAX;
	for (size_t i = 0; i < engine->count; i++) {
		const struct alarm_rule *rule = &engine->rules[i];

		if (rule->phase >= PHASE_FALLING && rule->due_us <= steady_us)
			end_delay(engine, i);
		else if (rule->phase >= PHASE_FALLING &&
			 rule->due_us < engine->next_due_us)
			engine->next_due_us = rule->due_us;
	}
}

void
alarm_engine_shift(struct alarm_engine *engine, int64_t jump_us)
{
	for (size_t i = 0; i < engine->count; i++)
		if (engine->rules[i].phase >= PHASE_FALLING)
			engine->rules[i].begin_us += jump_us;
	engine->version++;
}

void
alarm_engine_repeat(struct alarm_engine *engine, int64_t now_us)
{
	for (size_t i = 0; i < engine->count; i++) {
		const struct alarm_course *course = &engine->courses[i];

		if (course->came_us == CLOCK_NEVER)
			continue;
		alarm_emit(engine, i,
			course->went_us != CLOCK_NEVER ? ALARM_WENT
						       : ALARM_CHANGED,
			now_us);
	}
}
