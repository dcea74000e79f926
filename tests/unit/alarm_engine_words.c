/* alarm_engine_words: the small words of the tests of the alarm engine. */

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/alarm_engine_words.h"

struct arena *arena;
struct alarm_engine *engine;

int
engine_set_up(void **state)
{
	(void)state;
	arena = arena_new();
	engine = alarm_engine_new();
	return 0;
}

int
engine_tear_down(void **state)
{
	(void)state;
	alarm_engine_free(engine);
	arena_free(arena);
	return 0;
}

struct alarm_limit
a_limit(enum alarm_condition condition)
{
	struct alarm_limit limit = alarm_limit_default();

	limit.variable = "v1";
	limit.name = "limit";
	limit.condition = condition;
	return limit;
}

struct alarm_limit
above(double value)
{
	struct alarm_limit limit = a_limit(ALARM_GREATER);

	limit.value = value;
	return limit;
}

void
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

void
set(const struct alarm_limit *limit)
{
	set_kind(limit, VALUE_FLOAT);
}

void
put_value(int32_t id, int64_t at_ms, struct value value, uint64_t status)
{
	const struct sample sample = {.variable_id = id,
		.time_us = NOON + at_ms * MS,
		.status = status,
		.value = value};

	alarm_engine_put(engine, &sample, STEADY + at_ms * MS);
}

void
put(int64_t at_ms, double number)
{
	put_value(1, at_ms,
		(struct value){.kind = VALUE_FLOAT, .number = number}, 0);
}

void
put_bad(int64_t at_ms, double number)
{
	put_value(1, at_ms,
		(struct value){.kind = VALUE_FLOAT, .number = number},
		STATUS_INVALID);
}

void
put_bool(int32_t id, int64_t at_ms, bool truth)
{
	put_value(id, at_ms,
		(struct value){.kind = VALUE_BOOL, .boolean = truth}, 0);
}

void
put_text(int64_t at_ms, const char *text)
{
	struct value value = {.kind = VALUE_STRING};

	value.string.data = text;
	value.string.bytes = (uint32_t)strlen(text);
	put_value(1, at_ms, value, 0);
}

void
tick(int64_t at_ms)
{
	alarm_engine_tick(engine, STEADY + at_ms * MS);
}

const char *
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

const struct alarm_change *
only_change(void)
{
	const struct alarm_change *changes;

	assert_int_equal(alarm_engine_changes(engine, &changes), 1);
	return changes;
}

int32_t
engine_find_variable(const void *context, const char *name)
{
	(void)context;
	return name[0] == 'v' ? atoi(name + 1) : 0;
}

void
restart(const struct alarm_limit *limit, enum value_kind kind, size_t skip)
{
	struct fault fault = {0};
	struct buf state;

	buf_init(&state, 0);
	alarm_engine_save(engine, skip, &state);
	alarm_engine_free(engine);
	engine = alarm_engine_new();
	set_kind(limit, kind);
	assert_int_equal(
		alarm_engine_load(engine, state.data, state.length,
			engine_find_variable, NULL, NOON + 77 * MS, &fault),
		RC_OK);
	buf_free(&state);
}
