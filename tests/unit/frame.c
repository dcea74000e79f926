/* frame: what goes in comes out. */

#include "tests/unit/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/frames.h"
#include "tests/unit/series.h"

static int
compare(const void *left, const void *right)
{
	const struct sample *const *a = left;
	const struct sample *const *b = right;

	if ((*a)->variable_id != (*b)->variable_id)
		return (*a)->variable_id < (*b)->variable_id ? -1 : 1;
	return *a < *b ? -1 : *a > *b;
}

/* The naive oracle: pointers sorted by variable, then by place. */
static const struct sample **
ordered(struct arena *arena, const struct sample *samples, size_t count)
{
	const struct sample **list =
		arena_array(arena, count, sizeof(const struct sample *));

	for (size_t i = 0; i < count; i++)
		list[i] = &samples[i];
	qsort(list, count, sizeof(const struct sample *), compare);
	return list;
}

static enum rc
encode_samples(
	struct frames *fixture, const struct sample *samples, size_t count)
{
	const struct frame_content content = {
		.samples = samples, .sample_count = count};

	return frame_encode(&fixture->head, &content, FRAME_PLAIN,
		&fixture->out, &fixture->fault);
}

static void
assert_round_trip(struct frames *fixture, const struct sample *samples,
	size_t count, enum frame_flags flags)
{
	const struct sample **expected =
		ordered(fixture->arena, samples, count);
	const struct frame_content content = {
		.samples = samples, .sample_count = count};
	struct frame_content back;
	struct frame_head head;

	buf_clear(&fixture->out);
	assert_int_equal(frame_encode(&fixture->head, &content, flags,
				 &fixture->out, &fixture->fault),
		RC_OK);
	assert_int_equal(frame_decode(fixture->out.data, fixture->out.length,
				 fixture->arena, &head, &back, &fixture->fault),
		RC_OK);
	assert_int_equal(head.samples, count);
	assert_int_equal(back.sample_count, count);
	assert_int_equal(head.total_bytes, fixture->out.length);
	for (size_t i = 0; i < count; i++)
		series_assert_equal(expected[i], &back.samples[i]);
}

static void
test_frame_random_series_come_back(void **state)
{
	struct frames *fixture = *state;
	struct series series = {.seed = 1};

	for (int round = 0; round < 300; round++) {
		size_t count = 1 + series_random(&series) % 700;
		struct sample *samples = series_mixed(
			&series, fixture->arena, 1 + round % 40, count);

		assert_round_trip(fixture, samples, count,
			round % 2 ? FRAME_ZSTD : FRAME_PLAIN);
		arena_reset(fixture->arena);
	}
}

static void
test_frame_full_frame_comes_back(void **state)
{
	struct frames *fixture = *state;
	struct sample *samples = arena_array(
		fixture->arena, FRAME_SAMPLES_MAX + 1, sizeof(*samples));

	for (int i = 0; i <= FRAME_SAMPLES_MAX; i++)
		samples[i] = (struct sample){.variable_id = INT32_MAX - i % 7,
			.time_us = FRAMES_T0 + i,
			.value = {.kind = VALUE_FLOAT, .number = i / 8.0}};
	assert_round_trip(fixture, samples, FRAME_SAMPLES_MAX, FRAME_PLAIN);
	assert_int_equal(
		encode_samples(fixture, samples, FRAME_SAMPLES_MAX + 1),
		RC_TOO_LARGE);
}

static void
test_frame_events_come_back(void **state)
{
	struct frames *fixture = *state;
	const struct frame_event events[] = {
		{FRAMES_T0 + 5, 7, "limit", "too hot", "81.5", "80", "ann",
			"HMI 3", "as planned"},
		{FRAMES_T0, 0, "loss", "", NULL, NULL, NULL, NULL, NULL},
		{FRAMES_T0 + 9, 0, "start", "\xc3\xa4", "", NULL, "bob", NULL,
			""},
	};
	const struct frame_content content = {
		.events = events, .event_count = 3};
	struct frame_content back;
	struct frame_head head;

	assert_int_equal(frame_encode(&fixture->head, &content, FRAME_PLAIN,
				 &fixture->out, &fixture->fault),
		RC_OK);
	assert_int_equal(frame_decode(fixture->out.data, fixture->out.length,
				 fixture->arena, &head, &back, &fixture->fault),
		RC_OK);
	assert_int_equal(head.events, 3);
	assert_int_equal(head.first_us, FRAMES_T0);
	assert_int_equal(head.last_us, FRAMES_T0 + 9);
	for (int i = 0; i < 3; i++)
		frames_assert_event(&events[i], &back.events[i]);
}

static void
test_frame_alarm_changes_come_back(void **state)
{
	struct frames *fixture = *state;
	const struct frame_content content = {
		.alarms = frames_alarms, .alarm_count = FRAMES_ALARMS};
	struct frame_content back;
	struct frame_head head;

	assert_int_equal(frame_encode(&fixture->head, &content, FRAME_ZSTD,
				 &fixture->out, &fixture->fault),
		RC_OK);
	assert_int_equal(frame_decode(fixture->out.data, fixture->out.length,
				 fixture->arena, &head, &back, &fixture->fault),
		RC_OK);
	assert_int_equal(head.version, 2);
	assert_int_equal(head.alarms, FRAMES_ALARMS);
	assert_true(head.first_us == FRAMES_T0);
	assert_true(head.last_us == FRAMES_T0 + 300000);
	for (size_t i = 0; i < FRAMES_ALARMS; i++)
		frames_assert_alarm(&frames_alarms[i], &back.alarms[i]);
}

static void
test_frame_alarm_changes_are_checked(void **state)
{
	struct frames *fixture = *state;
	static char longer[ALARM_TEXT_BYTES + 2];
	struct alarm_change bad[6];

	memset(longer, 'x', ALARM_TEXT_BYTES + 1);
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		bad[i] = frames_alarms[0];
	bad[0].variable_id = 0;
	bad[1].limit = "";
	bad[2].kind = 0;
	bad[3].flags = 8;
	bad[4].text = longer;
	bad[5].value = (struct value){VALUE_STRING, .string = {"\xff", 1}};
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
		const struct frame_content content = {
			.alarms = &bad[i], .alarm_count = 1};

		assert_int_equal(
			frame_encode(&fixture->head, &content, FRAME_PLAIN,
				&fixture->out, &fixture->fault),
			RC_BAD_INPUT);
		assert_int_equal(fixture->out.length, 0);
	}
}

/* Numbers as plants have them, and those that no short form can hold. */
static void
test_frame_floats_of_each_form_come_back(void **state)
{
	static const double lists[][6] = {
		{21.5, 21.25, 0, -3.125, 1e15, 21},
		{0.1, 0.2, 0.3, 123456.789, -0.0001, 5e-15},
		{0.1f, 1e-30f, 3.4e38f, -0.0, (double)NAN, INFINITY},
		{1e300, 5e-324, 0.1 + 0.2, 1.0 / 3, -0.0, 9007199254740993.0},
		{9007199254740992.0, -9007199254740992.0, 1, 2, 3, 4},
		{9007199254740992.0, 0.5, 1, 2, 3, 4},
	};
	struct sample samples[6];

	for (size_t i = 0; i < ARRAY_LENGTH(lists); i++)
		for (size_t count = 1; count <= 6; count++) {
			for (size_t k = 0; k < count; k++)
				samples[k] = (struct sample){1, FRAMES_T0, 0,
					{VALUE_FLOAT, .number = lists[i][k]}};
			assert_round_trip(*state, samples, count, FRAME_PLAIN);
		}
}

static void
test_frame_encoder_refuses_what_cannot_be_sent(void **state)
{
	struct frames *fixture = *state;
	struct sample two[] = {
		{1, FRAMES_T0, 0, {VALUE_FLOAT, .number = 1}},
		{1, FRAMES_T0, 0, {VALUE_INT, .integer = 1}},
	};
	struct sample text = {
		1, FRAMES_T0, 0, {VALUE_STRING, .string = {"\xff", 1}}};

	assert_int_equal(encode_samples(fixture, two, 2), RC_BAD_INPUT);
	assert_int_equal(encode_samples(fixture, two, 0), RC_BAD_INPUT);
	assert_int_equal(encode_samples(fixture, &text, 1), RC_BAD_INPUT);
	two[0].variable_id = 0;
	assert_int_equal(encode_samples(fixture, two, 1), RC_BAD_INPUT);
	assert_int_equal(fixture->out.length, 0);
}

struct count {
	size_t samples;
	size_t alarms;
	size_t events;
	int32_t only;
};

static enum rc
count_samples(void *context, const struct sample *samples, size_t count,
	struct fault *fault)
{
	struct count *seen = context;

	(void)fault;
	if (seen->only != 0)
		assert_int_equal(samples[0].variable_id, seen->only);
	seen->samples += count;
	return RC_OK;
}

static enum rc
count_alarm(
	void *context, const struct alarm_change *change, struct fault *fault)
{
	struct count *seen = context;

	(void)fault;
	frames_assert_alarm(&frames_alarms[seen->alarms++], change);
	return RC_OK;
}

static enum rc
count_event(void *context, const struct frame_event *event, struct fault *fault)
{
	struct count *seen = context;

	(void)fault;
	assert_string_equal(event->kind, "limit");
	seen->events++;
	return RC_OK;
}

static void
test_frame_each_sees_only_what_is_asked(void **state)
{
	struct frames *fixture = *state;
	size_t length = frames_encode_small(fixture, FRAME_PLAIN);
	size_t sum = 0;
	struct count all = {0};
	struct frame_visitor every = {
		NULL, 0, count_samples, count_alarm, count_event, &all};

	assert_int_equal(frame_each(fixture->out.data, length, fixture->arena,
				 &every, &fixture->fault),
		RC_OK);
	assert_int_equal(all.samples, 60);
	assert_int_equal(all.alarms, FRAMES_ALARMS);
	assert_int_equal(all.events, 1);
	for (int32_t id = 1; id <= 6; id++) {
		struct count seen = {.only = id};
		struct frame_visitor one = {
			&id, 1, count_samples, NULL, NULL, &seen};

		assert_int_equal(frame_each(fixture->out.data, length,
					 fixture->arena, &one, &fixture->fault),
			RC_OK);
		sum += seen.samples;
	}
	assert_int_equal(sum, 60);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_frame_random_series_come_back, frames_setup,
			frames_teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_full_frame_comes_back, frames_setup,
			frames_teardown),
		cmocka_unit_test_setup_teardown(test_frame_events_come_back,
			frames_setup, frames_teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_alarm_changes_come_back, frames_setup,
			frames_teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_alarm_changes_are_checked, frames_setup,
			frames_teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_floats_of_each_form_come_back, frames_setup,
			frames_teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_encoder_refuses_what_cannot_be_sent,
			frames_setup, frames_teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_each_sees_only_what_is_asked, frames_setup,
			frames_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
