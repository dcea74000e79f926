/* frame: what goes in comes out, and nothing else is believed. */

#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/crc32c.h"
#include "lib/wire.h"
#include "model/frame.h"
#include "tests/unit/series.h"

#define T0 INT64_C(1700000000000000)

struct fixture {
	struct arena *arena;
	struct buf out;
	struct fault fault;
	struct frame_head head;
};

static int
setup(void **state)
{
	static struct fixture fixture;

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

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	buf_free(&fixture->out);
	arena_free(fixture->arena);
	return 0;
}

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
	struct fixture *fixture, const struct sample *samples, size_t count)
{
	const struct frame_content content = {
		.samples = samples, .sample_count = count};

	return frame_encode(&fixture->head, &content, FRAME_PLAIN,
		&fixture->out, &fixture->fault);
}

static void
assert_round_trip(struct fixture *fixture, const struct sample *samples,
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
	struct fixture *fixture = *state;
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
	struct fixture *fixture = *state;
	struct sample *samples = arena_array(
		fixture->arena, FRAME_SAMPLES_MAX + 1, sizeof(*samples));

	for (int i = 0; i <= FRAME_SAMPLES_MAX; i++)
		samples[i] = (struct sample){.variable_id = INT32_MAX - i % 7,
			.time_us = T0 + i,
			.value = {.kind = VALUE_FLOAT, .number = i / 8.0}};
	assert_round_trip(fixture, samples, FRAME_SAMPLES_MAX, FRAME_PLAIN);
	assert_int_equal(
		encode_samples(fixture, samples, FRAME_SAMPLES_MAX + 1),
		RC_TOO_LARGE);
}

static void
assert_text(const char *expected, const char *actual)
{
	if (expected == NULL)
		assert_null(actual);
	else
		assert_string_equal(expected, actual);
}

static void
assert_event(const struct frame_event *expected, const struct frame_event *back)
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

static void
test_frame_events_come_back(void **state)
{
	struct fixture *fixture = *state;
	const struct frame_event events[] = {
		{T0 + 5, 7, "limit", "too hot", "81.5", "80", "ann", "HMI 3",
			"as planned"},
		{T0, 0, "loss", "", NULL, NULL, NULL, NULL, NULL},
		{T0 + 9, 0, "start", "\xc3\xa4", "", NULL, "bob", NULL, ""},
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
	assert_int_equal(head.first_us, T0);
	assert_int_equal(head.last_us, T0 + 9);
	for (int i = 0; i < 3; i++)
		assert_event(&events[i], &back.events[i]);
}

static const struct alarm_change alarms[] = {
	{.id = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
		.variable_id = 1,
		.limit = "high",
		.kind = ALARM_CAME,
		.time_us = T0 + 100000,
		.came_us = T0 + 100000,
		.went_us = CLOCK_NEVER,
		.reactivated_us = CLOCK_NEVER,
		.status = STATUS_SPONT,
		.value = {VALUE_FLOAT, .number = 21.5},
		.text = "too hot"},
	{.id = {9},
		.variable_id = INT32_MAX,
		.limit = "x",
		.kind = ALARM_WENT,
		.time_us = T0 + 300000,
		.came_us = T0 - 86400000000,
		.went_us = T0 + 300000,
		.reactivated_us = T0 - 1,
		.reactivations = UINT32_MAX,
		.flags = ALARM_FLAGS,
		.status = UINT64_MAX,
		.value = {VALUE_STRING, .string = {"\xc3\xa4", 2}},
		.text = ""},
	{.id = {8},
		.variable_id = 3,
		.limit = "lo",
		.kind = ALARM_CHANGED,
		.time_us = T0,
		.came_us = INT64_MAX,
		.went_us = INT64_MIN + 1,
		.reactivated_us = CLOCK_NEVER,
		.value = {VALUE_INT, .integer = INT64_MIN},
		.text = "t"},
	{.id = {7},
		.variable_id = 4,
		.limit = "b",
		.kind = ALARM_REACTIVATED,
		.time_us = T0,
		.came_us = CLOCK_NEVER,
		.went_us = CLOCK_NEVER,
		.reactivated_us = T0,
		.reactivations = 1,
		.value = {VALUE_BOOL, .boolean = true},
		.text = "t"},
	{.id = {6},
		.variable_id = 4,
		.limit = "n",
		.kind = ALARM_CAME,
		.time_us = T0,
		.came_us = T0,
		.went_us = CLOCK_NEVER,
		.reactivated_us = CLOCK_NEVER,
		.value = {VALUE_NONE, .integer = 0},
		.text = "t"},
};

static void
assert_alarm(
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

static void
test_frame_alarm_changes_come_back(void **state)
{
	struct fixture *fixture = *state;
	const struct frame_content content = {
		.alarms = alarms, .alarm_count = ARRAY_LENGTH(alarms)};
	struct frame_content back;
	struct frame_head head;

	assert_int_equal(frame_encode(&fixture->head, &content, FRAME_ZSTD,
				 &fixture->out, &fixture->fault),
		RC_OK);
	assert_int_equal(frame_decode(fixture->out.data, fixture->out.length,
				 fixture->arena, &head, &back, &fixture->fault),
		RC_OK);
	assert_int_equal(head.version, 2);
	assert_int_equal(head.alarms, ARRAY_LENGTH(alarms));
	assert_true(head.first_us == T0);
	assert_true(head.last_us == T0 + 300000);
	for (size_t i = 0; i < ARRAY_LENGTH(alarms); i++)
		assert_alarm(&alarms[i], &back.alarms[i]);
}

static void
test_frame_alarm_changes_are_checked(void **state)
{
	struct fixture *fixture = *state;
	static char longer[ALARM_TEXT_BYTES + 2];
	struct alarm_change bad[6];

	memset(longer, 'x', ALARM_TEXT_BYTES + 1);
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		bad[i] = alarms[0];
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
				samples[k] = (struct sample){1, T0, 0,
					{VALUE_FLOAT, .number = lists[i][k]}};
			assert_round_trip(*state, samples, count, FRAME_PLAIN);
		}
}

/* The bytes of a block in the page; words follow after three blanks. */
static void
read_example(const char *block, struct buf *bytes)
{
	const char *folder = getenv("srcdir") != NULL ? getenv("srcdir") : ".";
	char path[4096];
	char line[256];
	bool inside = false;
	FILE *page;

	snprintf(path, sizeof(path), "%s/doc/FRAME.md", folder);
	page = fopen(path, "r");
	assert_non_null(page);
	while (fgets(line, sizeof(line), page) != NULL) {
		unsigned byte;
		int used;

		if (strncmp(line, "```", 3) == 0)
			inside = strcmp(line, block) == 0;
		for (char *at = line; inside && strncmp(at, "   ", 3) != 0 &&
				      sscanf(at, "%2x%n", &byte, &used) == 1;
			at += used)
			buf_char(bytes, (char)byte);
	}
	fclose(page);
	assert_int_not_equal(bytes->length, 0);
}

static const struct sample example_samples[] = {
	{1, T0, STATUS_SPONT, {VALUE_FLOAT, .number = 21.5}},
	{2, T0, STATUS_SPONT, {VALUE_BOOL, .boolean = true}},
	{1, T0 + 1000000, STATUS_SPONT, {VALUE_FLOAT, .number = 21.75}},
	{2, T0 + 1000000, STATUS_SPONT | STATUS_INVALID,
		{VALUE_BOOL, .boolean = false}},
	{5, T0 + 250000, 0, {VALUE_INT, .integer = -3}},
};

static void
test_frame_worked_example_has_these_bytes(void **state)
{
	struct fixture *fixture = *state;
	const struct frame_event event = {T0 + 400000, 1, "value.set",
		"set point", "22", "21.5", "ann", NULL, NULL};
	const struct frame_content content = {
		example_samples, 5, alarms, 1, &event, 1};
	struct buf expected;

	buf_init(&expected, 0);
	read_example("```hex\n", &expected);
	assert_int_equal(frame_encode(&fixture->head, &content, FRAME_PLAIN,
				 &fixture->out, &fixture->fault),
		RC_OK);
	assert_int_equal(fixture->out.length, expected.length);
	assert_memory_equal(fixture->out.data, expected.data, expected.length);
	buf_free(&expected);
}

/* The same samples in the order of their variables. */
static void
assert_example(const struct sample *back)
{
	static const int places[] = {0, 2, 1, 3, 4};

	for (int i = 0; i < 5; i++)
		series_assert_equal(&example_samples[places[i]], &back[i]);
}

static void
test_frame_version_1_is_still_read(void **state)
{
	struct fixture *fixture = *state;
	const struct frame_event event = {.time_us = T0 + 400000,
		.variable_id = 1,
		.kind = "limit",
		.text = "hot",
		.value = "22"};
	struct frame_content back;
	struct frame_head head;
	struct buf old;

	buf_init(&old, 0);
	read_example("```hex version 1\n", &old);
	assert_int_equal(frame_decode(old.data, old.length, fixture->arena,
				 &head, &back, &fixture->fault),
		RC_OK);
	assert_int_equal(head.version, 1);
	assert_int_equal(head.sequence, 42);
	assert_int_equal(back.alarm_count, 0);
	assert_int_equal(back.sample_count, 5);
	assert_int_equal(back.event_count, 1);
	assert_example(back.samples);
	assert_event(&event, &back.events[0]);
	buf_free(&old);
}

static size_t
encode_small(struct fixture *fixture, enum frame_flags flags)
{
	struct series series = {.seed = 7};
	struct sample *samples = series_mixed(&series, fixture->arena, 5, 60);
	const struct frame_event event = {samples[0].time_us, 1, "limit", "hot",
		"1", "0", "ann", "HMI", "no"};
	const struct frame_content content = {
		samples, 60, alarms, ARRAY_LENGTH(alarms), &event, 1};

	buf_clear(&fixture->out);
	assert_int_equal(frame_encode(&fixture->head, &content, flags,
				 &fixture->out, &fixture->fault),
		RC_OK);
	return fixture->out.length;
}

static enum rc
decode(struct fixture *fixture, const void *data, size_t length)
{
	struct frame_head head;
	struct frame_content content;

	return frame_decode(
		data, length, fixture->arena, &head, &content, &fixture->fault);
}

static void
test_frame_truncated_is_told(void **state)
{
	struct fixture *fixture = *state;
	size_t length = encode_small(fixture, FRAME_PLAIN);

	for (size_t i = 0; i < length; i++) {
		assert_int_equal(
			decode(fixture, fixture->out.data, i), RC_BAD_INPUT);
		assert_string_equal(fixture->fault.code, "FrameTruncated");
	}
}

static void
test_frame_every_flipped_bit_is_told(void **state)
{
	struct fixture *fixture = *state;
	size_t length = encode_small(fixture, FRAME_ZSTD);

	for (size_t i = 0; i < length * 8; i++) {
		fixture->out.data[i / 8] ^= (char)(1 << i % 8);
		assert_int_not_equal(
			decode(fixture, fixture->out.data, length), RC_OK);
		fixture->out.data[i / 8] ^= (char)(1 << i % 8);
	}
	assert_int_equal(decode(fixture, fixture->out.data, length), RC_OK);
}

/* Make the checksum fit again, as a malicious sender would. */
static void
seal(struct buf *frame)
{
	uint8_t *at = (uint8_t *)frame->data;

	wire_put_u32(at + 12,
		crc32c(crc32c(0, at, 12), at + 16, frame->length - 16));
}

static void
test_frame_sealed_lies_never_crash(void **state)
{
	struct fixture *fixture = *state;
	struct series series = {.seed = 3};
	struct buf good;

	buf_init(&good, 0);
	encode_small(fixture, FRAME_PLAIN);
	buf_add(&good, fixture->out.data, fixture->out.length);
	for (int round = 0; round < 20000; round++) {
		memcpy(fixture->out.data, good.data, good.length);
		for (int k = 0; k < 1 + round % 3; k++)
			fixture->out
				.data[series_random(&series) % good.length] =
				(char)series_random(&series);
		seal(&fixture->out);
		(void)!decode(fixture, fixture->out.data, good.length);
		arena_reset(fixture->arena);
	}
	buf_free(&good);
}

static void
test_frame_version_crc_and_limits_have_codes(void **state)
{
	struct fixture *fixture = *state;
	size_t length = encode_small(fixture, FRAME_PLAIN);
	uint8_t *at = (uint8_t *)fixture->out.data;

	at[4] = 3;
	assert_int_equal(decode(fixture, at, length), RC_UNSUPPORTED);
	assert_string_equal(fixture->fault.code, "FrameVersion");
	at[4] = 2;
	at[length - 1] ^= 1;
	assert_int_equal(decode(fixture, at, length), RC_BAD_INPUT);
	assert_string_equal(fixture->fault.code, "FrameCrc");
	at[length - 1] ^= 1;
	wire_put_u32(at + 64, FRAME_SAMPLES_MAX + 1);
	seal(&fixture->out);
	assert_int_equal(decode(fixture, at, length), RC_TOO_LARGE);
	at[0] = 'x';
	assert_int_equal(decode(fixture, at, length), RC_BAD_INPUT);
	assert_string_equal(fixture->fault.code, "FrameMalformed");
}

static void
test_frame_encoder_refuses_what_cannot_be_sent(void **state)
{
	struct fixture *fixture = *state;
	struct sample two[] = {
		{1, T0, 0, {VALUE_FLOAT, .number = 1}},
		{1, T0, 0, {VALUE_INT, .integer = 1}},
	};
	struct sample text = {1, T0, 0, {VALUE_STRING, .string = {"\xff", 1}}};

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
	assert_alarm(&alarms[seen->alarms++], change);
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
	struct fixture *fixture = *state;
	size_t length = encode_small(fixture, FRAME_PLAIN);
	size_t sum = 0;
	struct count all = {0};
	struct frame_visitor every = {
		NULL, 0, count_samples, count_alarm, count_event, &all};

	assert_int_equal(frame_each(fixture->out.data, length, fixture->arena,
				 &every, &fixture->fault),
		RC_OK);
	assert_int_equal(all.samples, 60);
	assert_int_equal(all.alarms, ARRAY_LENGTH(alarms));
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
			test_frame_random_series_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_full_frame_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_events_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_alarm_changes_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_alarm_changes_are_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_floats_of_each_form_come_back, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_version_1_is_still_read, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_worked_example_has_these_bytes, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_truncated_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_every_flipped_bit_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_sealed_lies_never_crash, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_version_crc_and_limits_have_codes, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_encoder_refuses_what_cannot_be_sent, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_each_sees_only_what_is_asked, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
