/* plant_clock: what it makes of clocks that jump. */

#include "agents/plant_clock.h"

#include "tests/unit/unit.h"

#include "lib/clock.h"

#define START_US (INT64_C(1790000000) * CLOCK_SECOND_US)

/* A machine that has been up for ten seconds; its clock is "ahead_us" wrong. */
static struct plant_clocks
after(int64_t seconds, int64_t ahead_us)
{
	return (struct plant_clocks){
		START_US + seconds * CLOCK_SECOND_US + ahead_us,
		(10 + seconds) * CLOCK_SECOND_US};
}

static int64_t
right(int64_t seconds)
{
	return after(seconds, 0).wall_us;
}

/* The hub's answer to a beat, which took 40 ms. */
static enum plant_clock_news
hear(struct plant_clock *clock, int64_t seconds, int64_t ahead_us,
	int64_t *by_us)
{
	struct plant_clocks now = after(seconds, ahead_us);

	return plant_clock_told_at(
		clock, now, right(seconds) - 20000, now.boot_us - 40000, by_us);
}

static void
test_plant_clock_follows_small_corrections(void **state)
{
	struct plant_clock clock = {.begun = false};
	int64_t by_us = 0;

	(void)state;
	for (int i = 0; i < 10; i++) {
		int64_t ahead_us = i * 300000;

		assert_int_equal(plant_clock_at(&clock, after(i, ahead_us)),
			right(i) + ahead_us);
		assert_int_equal(
			hear(&clock, i, ahead_us, &by_us), PLANT_CLOCK_GOES);
	}
}

static void
test_plant_clock_goes_on_when_the_clock_is_set(void **state)
{
	static const int64_t jumps[] = {CLOCK_HOUR_US, -CLOCK_HOUR_US};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct plant_clock clock = {.begun = false};
		int64_t by_us = 0;

		plant_clock_at(&clock, after(0, 0));
		hear(&clock, 1, 0, &by_us);
		assert_int_equal(
			plant_clock_at(&clock, after(2, jumps[i])), right(2));
		assert_int_equal(
			hear(&clock, 3, jumps[i], &by_us), PLANT_CLOCK_HELD);
		assert_int_equal(by_us, jumps[i]);
		assert_int_equal(
			hear(&clock, 4, jumps[i], &by_us), PLANT_CLOCK_GOES);
		assert_int_equal(
			plant_clock_at(&clock, after(5, jumps[i])), right(5));
		assert_int_equal(plant_clock_at(&clock, after(6, 0)), right(6));
	}
}

static void
test_plant_clock_takes_a_correction(void **state)
{
	struct plant_clock clock = {.begun = false};
	int64_t by_us = 0;

	(void)state;
	plant_clock_at(&clock, after(0, -CLOCK_HOUR_US));
	assert_int_equal(
		hear(&clock, 1, -CLOCK_HOUR_US, &by_us), PLANT_CLOCK_SET);
	assert_int_equal(by_us, CLOCK_HOUR_US);
	assert_int_equal(
		plant_clock_at(&clock, after(2, -CLOCK_HOUR_US)), right(2));
	assert_int_equal(
		hear(&clock, 3, -CLOCK_HOUR_US, &by_us), PLANT_CLOCK_HELD);
	assert_int_equal(plant_clock_at(&clock, after(4, 0)), right(4));
	assert_int_equal(hear(&clock, 5, 0, &by_us), PLANT_CLOCK_GOES);
}

/* The clock was set rightly while this one had gone wrong. */
static void
test_plant_clock_is_set_to_a_clock_that_the_hub_confirms(void **state)
{
	struct plant_clock clock = {
		.begun = true, .known = true, .offset_us = START_US};
	int64_t by_us = 0;

	(void)state;
	assert_int_equal(plant_clock_at(&clock, after(0, 0)),
		right(0) + 10 * CLOCK_SECOND_US);
	assert_int_equal(hear(&clock, 1, 0, &by_us), PLANT_CLOCK_SET);
	assert_int_equal(by_us, -10 * CLOCK_SECOND_US);
	assert_int_equal(plant_clock_at(&clock, after(2, 0)), right(2));
}

static void
test_plant_clock_does_not_mind_a_hub_that_is_set(void **state)
{
	struct plant_clock clock = {.begun = false};
	struct plant_clocks now = after(2, 0);
	int64_t by_us = 0;

	(void)state;
	hear(&clock, 1, 0, &by_us);
	assert_int_equal(plant_clock_told_at(&clock, now,
				 right(2) + CLOCK_HOUR_US, now.boot_us, &by_us),
		PLANT_CLOCK_GOES);
	assert_int_equal(plant_clock_at(&clock, after(3, 0)), right(3));
}

static void
test_plant_clock_follows_when_no_hub_was_heard(void **state)
{
	struct plant_clock clock = {.begun = false};

	(void)state;
	plant_clock_at(&clock, after(0, -CLOCK_DAY_US));
	assert_int_equal(plant_clock_at(&clock, after(1, 0)), right(1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plant_clock_follows_small_corrections),
		cmocka_unit_test(
			test_plant_clock_goes_on_when_the_clock_is_set),
		cmocka_unit_test(test_plant_clock_takes_a_correction),
		cmocka_unit_test(
			test_plant_clock_is_set_to_a_clock_that_the_hub_confirms),
		cmocka_unit_test(
			test_plant_clock_does_not_mind_a_hub_that_is_set),
		cmocka_unit_test(
			test_plant_clock_follows_when_no_hub_was_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
