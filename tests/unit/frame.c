/* frame: what goes in comes out, and nothing else is believed. */

#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void
assert_round_trip(struct fixture *fixture, const struct sample *samples,
	size_t count, enum frame_flags flags)
{
	const struct sample **expected =
		ordered(fixture->arena, samples, count);
	struct frame_head head;
	struct frame_event *events;
	struct sample *back;

	buf_clear(&fixture->out);
	assert_int_equal(frame_encode(&fixture->head, samples, count, NULL, 0,
				 flags, &fixture->out, &fixture->fault),
		RC_OK);
	assert_int_equal(
		frame_decode(fixture->out.data, fixture->out.length,
			fixture->arena, &head, &back, &events, &fixture->fault),
		RC_OK);
	assert_int_equal(head.samples, count);
	assert_int_equal(head.total_bytes, fixture->out.length);
	for (size_t i = 0; i < count; i++)
		series_assert_equal(expected[i], &back[i]);
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
		frame_encode(&fixture->head, samples, FRAME_SAMPLES_MAX + 1,
			NULL, 0, FRAME_PLAIN, &fixture->out, &fixture->fault),
		RC_TOO_LARGE);
}

static void
test_frame_events_come_back(void **state)
{
	struct fixture *fixture = *state;
	const struct frame_event events[] = {
		{T0 + 5, 7, "limit", "too hot", "81.5"},
		{T0, 0, "loss", "", NULL},
		{T0 + 9, 0, "start", "\xc3\xa4", ""},
	};
	struct frame_head head;
	struct sample *samples;
	struct frame_event *back;

	assert_int_equal(frame_encode(&fixture->head, NULL, 0, events, 3,
				 FRAME_PLAIN, &fixture->out, &fixture->fault),
		RC_OK);
	assert_int_equal(frame_decode(fixture->out.data, fixture->out.length,
				 fixture->arena, &head, &samples, &back,
				 &fixture->fault),
		RC_OK);
	assert_int_equal(head.events, 3);
	assert_int_equal(head.first_us, T0);
	assert_int_equal(head.last_us, T0 + 9);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(back[i].time_us, events[i].time_us);
		assert_int_equal(back[i].variable_id, events[i].variable_id);
		assert_string_equal(back[i].kind, events[i].kind);
		assert_string_equal(back[i].text, events[i].text);
		if (events[i].value == NULL)
			assert_null(back[i].value);
		else
			assert_string_equal(back[i].value, events[i].value);
	}
}

/* The bytes of the block "hex" in the page; words follow after three blanks. */
static void
read_example(struct buf *bytes)
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
			inside = strcmp(line, "```hex\n") == 0;
		for (char *at = line; inside && strncmp(at, "   ", 3) != 0 &&
				      sscanf(at, "%2x%n", &byte, &used) == 1;
			at += used)
			buf_char(bytes, (char)byte);
	}
	fclose(page);
}

static void
test_frame_worked_example_has_these_bytes(void **state)
{
	struct fixture *fixture = *state;
	const struct sample samples[] = {
		{1, T0, STATUS_SPONT, {VALUE_FLOAT, .number = 21.5}},
		{2, T0, STATUS_SPONT, {VALUE_BOOL, .boolean = true}},
		{1, T0 + 1000000, STATUS_SPONT, {VALUE_FLOAT, .number = 21.75}},
		{2, T0 + 1000000, STATUS_SPONT | STATUS_INVALID,
			{VALUE_BOOL, .boolean = false}},
		{5, T0 + 250000, 0, {VALUE_INT, .integer = -3}},
	};
	const struct frame_event event = {T0 + 400000, 1, "limit", "hot", "22"};
	struct buf expected;

	buf_init(&expected, 0);
	read_example(&expected);
	assert_int_equal(frame_encode(&fixture->head, samples, 5, &event, 1,
				 FRAME_PLAIN, &fixture->out, &fixture->fault),
		RC_OK);
	assert_int_equal(fixture->out.length, expected.length);
	assert_memory_equal(fixture->out.data, expected.data, expected.length);
	buf_free(&expected);
}

static size_t
encode_small(struct fixture *fixture, enum frame_flags flags)
{
	struct series series = {.seed = 7};
	struct sample *samples = series_mixed(&series, fixture->arena, 5, 60);
	const struct frame_event event = {
		samples[0].time_us, 1, "limit", "hot", "1"};

	buf_clear(&fixture->out);
	assert_int_equal(frame_encode(&fixture->head, samples, 60, &event, 1,
				 flags, &fixture->out, &fixture->fault),
		RC_OK);
	return fixture->out.length;
}

static enum rc
decode(struct fixture *fixture, const void *data, size_t length)
{
	struct frame_head head;
	struct sample *samples;
	struct frame_event *events;

	return frame_decode(data, length, fixture->arena, &head, &samples,
		&events, &fixture->fault);
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

	at[4] = 2;
	assert_int_equal(decode(fixture, at, length), RC_UNSUPPORTED);
	assert_string_equal(fixture->fault.code, "FrameVersion");
	at[4] = 1;
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
	struct fault *fault = &fixture->fault;
	struct buf *out = &fixture->out;

	assert_int_equal(frame_encode(&fixture->head, two, 2, NULL, 0,
				 FRAME_PLAIN, out, fault),
		RC_BAD_INPUT);
	assert_int_equal(frame_encode(&fixture->head, two, 0, NULL, 0,
				 FRAME_PLAIN, out, fault),
		RC_BAD_INPUT);
	assert_int_equal(frame_encode(&fixture->head, &text, 1, NULL, 0,
				 FRAME_PLAIN, out, fault),
		RC_BAD_INPUT);
	two[0].variable_id = 0;
	assert_int_equal(frame_encode(&fixture->head, two, 1, NULL, 0,
				 FRAME_PLAIN, out, fault),
		RC_BAD_INPUT);
	assert_int_equal(out->length, 0);
}

struct count {
	size_t samples;
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
		NULL, 0, count_samples, count_event, &all};

	assert_int_equal(frame_each(fixture->out.data, length, fixture->arena,
				 &every, &fixture->fault),
		RC_OK);
	assert_int_equal(all.samples, 60);
	assert_int_equal(all.events, 1);
	for (int32_t id = 1; id <= 6; id++) {
		struct count seen = {.only = id};
		struct frame_visitor one = {&id, 1, count_samples, NULL, &seen};

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
