/* frames: what the tests of frames share. */

#include "tests/unit/frames.h"

#include <string.h>

#include "lib/clock.h"
#include "tests/unit/series.h"
#include "tests/unit/unit.h"

const struct alarm_change frames_alarms[FRAMES_ALARMS] = {
	{.id = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
		.variable_id = 1,
		.limit = "high",
		.kind = ALARM_CAME,
		.time_us = FRAMES_T0 + 100000,
		.came_us = FRAMES_T0 + 100000,
		.went_us = CLOCK_NEVER,
		.reactivated_us = CLOCK_NEVER,
		.status = STATUS_SPONT,
		.value = {VALUE_FLOAT, .number = 21.5},
		.text = "too hot"},
	{.id = {9},
		.variable_id = INT32_MAX,
		.limit = "x",
		.kind = ALARM_WENT,
		.time_us = FRAMES_T0 + 300000,
		.came_us = FRAMES_T0 - 86400000000,
		.went_us = FRAMES_T0 + 300000,
		.reactivated_us = FRAMES_T0 - 1,
		.reactivations = UINT32_MAX,
		.flags = ALARM_FLAGS,
		.status = UINT64_MAX,
		.value = {VALUE_STRING, .string = {"\xc3\xa4", 2}},
		.text = ""},
	{.id = {8},
		.variable_id = 3,
		.limit = "lo",
		.kind = ALARM_CHANGED,
		.time_us = FRAMES_T0,
		.came_us = INT64_MAX,
		.went_us = INT64_MIN + 1,
		.reactivated_us = CLOCK_NEVER,
		.value = {VALUE_INT, .integer = INT64_MIN},
		.text = "t"},
	{.id = {7},
		.variable_id = 4,
		.limit = "b",
		.kind = ALARM_REACTIVATED,
		.time_us = FRAMES_T0,
		.came_us = CLOCK_NEVER,
		.went_us = CLOCK_NEVER,
		.reactivated_us = FRAMES_T0,
		.reactivations = 1,
		.value = {VALUE_BOOL, .boolean = true},
		.text = "t"},
	{.id = {6},
		.variable_id = 4,
		.limit = "n",
		.kind = ALARM_CAME,
		.time_us = FRAMES_T0,
		.came_us = FRAMES_T0,
		.went_us = CLOCK_NEVER,
		.reactivated_us = CLOCK_NEVER,
		.value = {VALUE_NONE, .integer = 0},
		.text = "t"},
};

int
frames_setup(void **state)
{
	static struct frames fixture;

	memset(&fixture, 0, sizeof(fixture));
	fixture.arena = arena_new();
	buf_init(&fixture.out, 0);
	memcpy(fixture.head.datasource,
		"\x6f\x1d\x0a\x52\x8c\x1e\x4a\x57"
		"\x9a\x51\x0b\x7c\x2f\x5d\x10\x02",
		16);
	fixture.head.spool_id = UINT64_C(0x0123456789abcdef);
	fixture.head.sequence = 42;
	*state = &fixture;
	return 0;
}

int
frames_teardown(void **state)
{
	struct frames *fixture = *state;

	buf_free(&fixture->out);
	arena_free(fixture->arena);
	return 0;
}

size_t
frames_encode_small(struct frames *fixture, enum frame_flags flags)
{
	struct series series = {.seed = 7};
	struct sample *samples = series_mixed(&series, fixture->arena, 5, 60);
	const struct frame_event event = {samples[0].time_us, 1, "limit", "hot",
		"1", "0", "ann", "HMI", "no"};
	const struct frame_content content = {
		samples, 60, frames_alarms, FRAMES_ALARMS, &event, 1};

	buf_clear(&fixture->out);
	assert_int_equal(frame_encode(&fixture->head, &content, flags,
				 &fixture->out, &fixture->fault),
		RC_OK);
	return fixture->out.length;
}

static void
assert_text(const char *expected, const char *actual)
{
	if (expected == NULL)
		assert_null(actual);
	else
		assert_string_equal(expected, actual);
}

void
frames_assert_event(
	const struct frame_event *expected, const struct frame_event *back)
{
	assert_int_equal(back->time_us, expected->time_us);
	assert_int_equal(back->variable_id, expected->variable_id);
	assert_text(expected->kind, back->kind);
	assert_text(expected->text, back->text);
	assert_text(expected->value, back->value);
	assert_text(expected->old_value, back->old_value);
	assert_text(expected->username, back->username);
	assert_text(expected->computer, back->computer);
	assert_text(expected->comment, back->comment);
}

void
frames_assert_alarm(
	const struct alarm_change *expected, const struct alarm_change *back)
{
	assert_memory_equal(back->id, expected->id, sizeof(back->id));
	assert_int_equal(back->variable_id, expected->variable_id);
	assert_string_equal(back->limit, expected->limit);
	assert_int_equal(back->kind, expected->kind);
	assert_true(back->time_us == expected->time_us);
	assert_true(back->came_us == expected->came_us);
	assert_true(back->went_us == expected->went_us);
	assert_true(back->reactivated_us == expected->reactivated_us);
	assert_int_equal(back->reactivations, expected->reactivations);
	assert_int_equal(back->flags, expected->flags);
	assert_true(back->status == expected->status);
	assert_true(value_equal(&back->value, &expected->value));
	assert_string_equal(back->text, expected->text);
}
