/* alarm_rate: averages, labels and floods. */

#include "tests/unit/unit.h"

#include <string.h>

#include "model/alarm_rate.h"

static void
test_alarm_rate_labels_are_those_of_eemua(void **state)
{
	(void)state;
	assert_string_equal(alarm_rate_label(0), "VeryLikelyAcceptable");
	assert_string_equal(alarm_rate_label(1), "VeryLikelyAcceptable");
	assert_string_equal(alarm_rate_label(1.01), "Manageable");
	assert_string_equal(alarm_rate_label(2), "Manageable");
	assert_string_equal(alarm_rate_label(4.9), "LikelyOverDemanding");
	assert_string_equal(alarm_rate_label(5.1), "VeryLikelyUnacceptable");
}

static void
test_alarm_rate_without_alarms_is_nothing(void **state)
{
	struct arena *arena = arena_new();
	struct alarm_rate rate = alarm_rate(arena, NULL, 0, 0);

	(void)state;
	assert_int_equal(rate.count, 0);
	assert_true(rate.average == 0);
	assert_int_equal(rate.flood_count, 0);
	arena_free(arena);
}

static void
test_alarm_rate_flood_begins_above_ten_and_ends_below_five(void **state)
{
	static const struct alarm_slot slots[] = {
		{0, 10}, /* not yet */
		{1, 11},
		{2, 5},
		{3, 20},
		{4, 4},  /* 1 to 3 */
		{6, 12}, /* 7 had none */
		{8, 9},
		{9, 12},
		{10, 13},
	};
	struct arena *arena = arena_new();
	struct alarm_rate rate =
		alarm_rate(arena, slots, ARRAY_LENGTH(slots), 12);

	(void)state;
	assert_int_equal(rate.count, 96);
	assert_true(rate.average == 8);
	assert_int_equal(rate.peak, 20);
	assert_int_equal(rate.peak_slot, 3);
	assert_int_equal(rate.flood_count, 3);
	assert_int_equal(rate.floods[0].first, 1);
	assert_int_equal(rate.floods[0].slots, 3);
	assert_int_equal(rate.floods[0].count, 36);
	assert_int_equal(rate.floods[1].first, 6);
	assert_int_equal(rate.floods[1].slots, 1);
	assert_int_equal(rate.floods[2].first, 9);
	assert_int_equal(rate.floods[2].peak, 13);
	assert_int_equal(rate.flood_slots, 6);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alarm_rate_labels_are_those_of_eemua),
		cmocka_unit_test(test_alarm_rate_without_alarms_is_nothing),
		cmocka_unit_test(
			test_alarm_rate_flood_begins_above_ten_and_ends_below_five),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
