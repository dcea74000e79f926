/* sample: equality by bits, order by time, repetitions once. */

#include "tests/unit/unit.h"

#include <math.h>
#include <string.h>

#include "model/sample.h"
#include "tests/unit/series.h"

static struct value
number(double number)
{
	return (struct value){VALUE_FLOAT, .number = number};
}

static void
test_sample_values_are_equal_by_bits(void **state)
{
	struct value nan = number(NAN);
	struct value zero = number(0.0);
	struct value minus = number(-0.0);
	struct value one = {VALUE_INT, .integer = 1};
	struct value yes = {VALUE_BOOL, .boolean = true};
	struct value run = {VALUE_STRING, .string = {"run", 3}};
	struct value running = {VALUE_STRING, .string = {"running", 7}};

	(void)state;
	assert_true(value_equal(&nan, &nan));
	assert_false(value_equal(&zero, &minus));
	assert_false(value_equal(&one, &yes));
	assert_true(value_equal(&run, &run));
	assert_false(value_equal(&run, &running));
	assert_true(value_number(&one) == 1);
	assert_true(value_number(&yes) == 1);
	assert_true(isnan(value_number(&run)));
}

static void
test_sample_sort_is_stable(void **state)
{
	struct arena *arena = arena_new();
	struct series series = {.seed = 4};

	(void)state;
	for (int round = 0; round < 200; round++) {
		size_t count = series_random(&series) % 300;
		struct sample *samples =
			arena_array(arena, count, sizeof(*samples));

		for (size_t i = 0; i < count; i++) {
			samples[i].time_us =
				(int64_t)(series_random(&series) % 20);
			samples[i].variable_id = (int32_t)i;
		}
		sample_sort(arena, samples, count);
		for (size_t i = 1; i < count; i++)
			assert_true(
				samples[i - 1].time_us < samples[i].time_us ||
				(samples[i - 1].time_us == samples[i].time_us &&
					samples[i - 1].variable_id <
						samples[i].variable_id));
		arena_reset(arena);
	}
	arena_free(arena);
}

static void
test_sample_unique_keeps_the_first_of_the_same(void **state)
{
	struct sample samples[] = {
		{1, 5, 0, number(1)},
		{1, 5, 0, number(2)},
		{1, 5, 0, number(1)},
		{1, 5, STATUS_INVALID, number(1)},
		{1, 6, 0, number(1)},
		{1, 6, 0, number(NAN)},
		{1, 6, 0, number(NAN)},
	};

	(void)state;
	assert_int_equal(sample_unique(samples, ARRAY_LENGTH(samples)), 5);
	assert_true(samples[1].value.number == 2);
	assert_true(samples[2].status == STATUS_INVALID);
	assert_int_equal(samples[3].time_us, 6);
	assert_int_equal(sample_unique(samples, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sample_values_are_equal_by_bits),
		cmocka_unit_test(test_sample_sort_is_stable),
		cmocka_unit_test(
			test_sample_unique_keeps_the_first_of_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
