/* chunk: every bit comes back, the summary is true, lies are refused. */

#include "tests/unit/unit.h"

#include <math.h>
#include <string.h>

#include "lib/crc32c.h"
#include "lib/wire.h"
#include "model/chunk.h"
#include "tests/unit/series.h"

#define T0 INT64_C(1700000000000000)

struct fixture {
	struct arena *arena;
	struct buf out;
	struct fault fault;
	struct chunk_summary summary;
	struct chunk_columns columns;
};

static int
setup(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	fixture.arena = arena_new();
	buf_init(&fixture.out, 0);
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

static void
assert_round_trip(
	struct fixture *fixture, const struct sample *samples, size_t count)
{
	buf_clear(&fixture->out);
	assert_int_equal(chunk_encode(samples, count, &fixture->out,
				 &fixture->summary, &fixture->fault),
		RC_OK);
	assert_int_equal(
		chunk_decode(fixture->out.data, fixture->out.length,
			fixture->arena, &fixture->columns, &fixture->fault),
		RC_OK);
	assert_int_equal(fixture->columns.count, count);
	for (size_t i = 0; i < count; i++) {
		struct sample back = chunk_sample(
			&fixture->columns, samples[i].variable_id, i);

		series_assert_equal(&samples[i], &back);
	}
}

static void
test_chunk_random_series_come_back(void **state)
{
	struct fixture *fixture = *state;
	struct series series = {.seed = 11};

	for (int round = 0; round < 1500; round++) {
		size_t count = round % 50 == 0
				       ? CHUNK_SAMPLES_MAX
				       : 1 + series_random(&series) % 300;
		struct sample *samples = series_single(
			&series, fixture->arena, VALUE_NONE, count);

		assert_round_trip(fixture, samples, count);
		arena_reset(fixture->arena);
	}
}

static struct sample
number_at(int64_t time_us, double number)
{
	return (struct sample){1, time_us, 0, {VALUE_FLOAT, .number = number}};
}

static void
test_chunk_odd_numbers_between_decimals_come_back(void **state)
{
	struct fixture *fixture = *state;
	struct sample samples[640];

	for (int i = 0; i < 640; i++)
		samples[i] =
			number_at(T0 + i * 1000, (double)(i * 37 % 500) / 10);
	samples[0].value.number = -0.0;
	samples[7].value.number = NAN;
	samples[639].value.number = -INFINITY;
	samples[300].value.number = 1e300;
	assert_round_trip(fixture, samples, 640);
	assert_true(fixture->out.length < 640 * 2);
}

static void
test_chunk_float32_decimals_take_few_bytes(void **state)
{
	struct fixture *fixture = *state;
	struct sample samples[1000];

	for (int i = 0; i < 1000; i++)
		samples[i] = number_at(T0 + i * CHUNK_SAMPLES_MAX,
			(double)(float)(20 + sin(i / 50.0) * 3));
	for (int i = 0; i < 1000; i++)
		samples[i].value.number =
			(double)(float)(round(samples[i].value.number * 100) /
					100);
	assert_round_trip(fixture, samples, 1000);
	assert_true(fixture->out.length < 1500);
}

static void
test_chunk_regular_constant_takes_no_room(void **state)
{
	struct fixture *fixture = *state;
	struct sample samples[CHUNK_SAMPLES_MAX];

	for (int i = 0; i < CHUNK_SAMPLES_MAX; i++)
		samples[i] = number_at(T0 + i * INT64_C(1000000), 230.4);
	assert_round_trip(fixture, samples, CHUNK_SAMPLES_MAX);
	assert_true(fixture->out.length < 48);
}

static void
test_chunk_extreme_integers_come_back(void **state)
{
	struct fixture *fixture = *state;
	const int64_t integers[] = {INT64_MIN, INT64_MAX, 0, -1, 1,
		INT64_C(9007199254740993), INT64_MIN, INT64_MAX};
	struct sample samples[8];

	for (int i = 0; i < 8; i++)
		samples[i] = (struct sample){1, T0 + i, UINT64_MAX,
			{VALUE_INT, .integer = integers[i]}};
	assert_round_trip(fixture, samples, 8);
}

static void
test_chunk_long_strings_are_cut_to_fit(void **state)
{
	struct fixture *fixture = *state;
	static char text[VALUE_STRING_BYTES_MAX + 1];
	struct sample samples[400];

	memset(text, 'x', VALUE_STRING_BYTES_MAX);
	for (int i = 0; i < 400; i++)
		samples[i] = (struct sample){1, T0 + i, 0,
			{VALUE_STRING,
				.string = {text, VALUE_STRING_BYTES_MAX -
							 (uint32_t)(i % 2)}}};
	assert_true(chunk_fit(samples, 400) < 400);
	assert_round_trip(fixture, samples, chunk_fit(samples, 400));
	assert_int_equal(chunk_encode(samples, 400, &fixture->out,
				 &fixture->summary, &fixture->fault),
		RC_BUG);
}

/* By hand: 2 holds 1 s, 4 holds 2 s, the bad one holds nothing, -1 is last. */
static void
test_chunk_summary_is_that_of_the_samples(void **state)
{
	struct fixture *fixture = *state;
	struct chunk_summary *summary = &fixture->summary;
	struct sample samples[] = {number_at(T0, 2), number_at(T0 + 1000000, 4),
		number_at(T0 + 3000000, 99), number_at(T0 + 8000000, NAN),
		number_at(T0 + 9000000, -1)};

	samples[2].status = STATUS_INVALID;
	assert_round_trip(fixture, samples, 5);
	assert_int_equal(summary->samples, 5);
	assert_int_equal(summary->good, 3);
	assert_true(summary->first_us == T0);
	assert_true(summary->last_us == T0 + 9000000);
	assert_true(summary->minimum == -1);
	assert_true(summary->maximum == 4);
	assert_true(summary->first_value == 2);
	assert_true(summary->last_value == -1);
	assert_true(summary->total == 5);
	assert_true(summary->integral == 10);
	assert_true(summary->good_us == 3000000);
	assert_true(summary->worst == STATUS_INVALID);
}

static void
test_chunk_refuses_falling_times_and_mixed_kinds(void **state)
{
	struct fixture *fixture = *state;
	struct sample samples[] = {number_at(T0, 2), number_at(T0 - 1, 4)};

	assert_int_equal(chunk_encode(samples, 2, &fixture->out,
				 &fixture->summary, &fixture->fault),
		RC_BUG);
	samples[1] = (struct sample){1, T0, 0, {VALUE_INT, .integer = 1}};
	assert_int_equal(chunk_encode(samples, 2, &fixture->out,
				 &fixture->summary, &fixture->fault),
		RC_BUG);
	assert_int_equal(chunk_encode(samples, 0, &fixture->out,
				 &fixture->summary, &fixture->fault),
		RC_BUG);
}

static enum rc
decode(struct fixture *fixture, size_t length)
{
	return chunk_decode(fixture->out.data, length, fixture->arena,
		&fixture->columns, &fixture->fault);
}

static void
test_chunk_truncated_or_flipped_is_told(void **state)
{
	struct fixture *fixture = *state;
	struct series series = {.seed = 5};
	struct sample *samples =
		series_single(&series, fixture->arena, VALUE_FLOAT, 90);
	size_t length;

	assert_round_trip(fixture, samples, 90);
	length = fixture->out.length;
	for (size_t i = 0; i < length; i++)
		assert_int_equal(decode(fixture, i), RC_BAD_INPUT);
	for (size_t i = 0; i < length * 8; i++) {
		fixture->out.data[i / 8] ^= (char)(1 << i % 8);
		assert_int_equal(decode(fixture, length), RC_BAD_INPUT);
		fixture->out.data[i / 8] ^= (char)(1 << i % 8);
	}
}

static void
test_chunk_sealed_lies_never_crash(void **state)
{
	struct fixture *fixture = *state;
	struct series series = {.seed = 6};

	for (int round = 0; round < 20000; round++) {
		size_t length;
		uint8_t *at;

		if (round % 100 == 0)
			assert_round_trip(fixture,
				series_single(&series, fixture->arena,
					VALUE_NONE, 60),
				60);
		length = fixture->out.length - 4;
		at = (uint8_t *)fixture->out.data;
		at[series_random(&series) % length] ^=
			(uint8_t)series_random(&series);
		wire_put_u32(at + length, crc32c(0, at, length));
		(void)!decode(fixture, length + 4);
		arena_reset(fixture->arena);
	}
}

/* Whole photovoltaic series, chunk by chunk; not with the sources. */
static void
test_chunk_real_series_take_few_bytes(void **state)
{
	static const char *const names[] = {"pv_multisite/TAEFC1044741.csv",
		"pv_multisite/ZT162185000441C1203.csv",
		"pv_multisite/fixture_timeseries.csv"};
	struct fixture *fixture = *state;

	for (size_t n = 0; n < ARRAY_LENGTH(names); n++) {
		size_t count = 0;
		size_t bytes = 0;
		struct sample *samples =
			series_load(fixture->arena, names[n], &count);

		if (samples == NULL)
			skip();
		for (size_t i = 0; i < count;) {
			size_t fit = chunk_fit(samples + i, count - i);

			assert_round_trip(fixture, samples + i, fit);
			bytes += fixture->out.length;
			i += fit;
		}
		assert_true(count > 30000);
		assert_true(bytes < count * 5 / 2);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_chunk_random_series_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_chunk_odd_numbers_between_decimals_come_back,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_chunk_float32_decimals_take_few_bytes, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_chunk_regular_constant_takes_no_room, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_chunk_extreme_integers_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_chunk_long_strings_are_cut_to_fit, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_chunk_summary_is_that_of_the_samples, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_chunk_refuses_falling_times_and_mixed_kinds, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_chunk_truncated_or_flipped_is_told, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_chunk_sealed_lies_never_crash, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_chunk_real_series_take_few_bytes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
