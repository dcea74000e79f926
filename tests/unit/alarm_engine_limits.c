/* alarm_engine_limits: what each part of a limit means. */

#include "tests/unit/unit.h"

#include <math.h>

#include "lib/clock.h"
#include "tests/unit/alarm_engine_words.h"

/* --- conditions ----------------------------------------------------------- */

static void
test_engine_compares_numbers(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	set(&limit);
	put(0, 10);
	put(1, 10.5);
	put(2, 11);
	put(3, 10);
	assert_string_equal(told(), "came@1 went@3");
	limit.condition = ALARM_LESS;
	set(&limit);
	put(10, 10);
	put(11, 9.9);
	put(12, 10);
	assert_string_equal(told(), "came@11 went@12");
	limit.condition = ALARM_EQUAL;
	set(&limit);
	put(20, 10);
	put(21, 10.001);
	assert_string_equal(told(), "came@20~ went@21~");
}

static void
test_engine_compares_with_ranges(void **state)
{
	struct alarm_limit limit = a_limit(ALARM_OUTSIDE);

	(void)state;
	limit.low = 2;
	limit.high = 4;
	set(&limit);
	put(0, 2);
	put(1, 1.9);
	put(2, 4);
	put(3, 4.1);
	put(4, 3);
	assert_string_equal(told(), "came@1 went@2 came@3 went@4");
	limit.condition = ALARM_RANGE;
	set(&limit);
	put(10, 5);
	put(11, 4);
	put(12, 2);
	put(13, 1);
	assert_string_equal(told(), "came@11~ went@13~");
}

static void
test_engine_has_hysteresis(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	limit.hysteresis = 2;
	set(&limit);
	put(0, 10.1);
	put(1, 8.1);
	put(2, 10.5);
	put(3, 8);
	put(4, 9.9);
	assert_string_equal(told(), "came@0 went@3");
	limit = a_limit(ALARM_RANGE);
	limit.low = 2;
	limit.high = 4;
	limit.hysteresis = 1;
	set(&limit);
	put(10, 3);
	put(11, 5);
	put(12, 1);
	put(13, 0.9);
	put(14, 1.5);
	assert_string_equal(told(), "came@10 went@13");
}

static void
test_engine_looks_at_bits(void **state)
{
	struct alarm_limit limit = a_limit(ALARM_BIT);
	const struct value set_bit = {
		.kind = VALUE_INT, .integer = INT64_MIN | 4};
	const struct value clear = {.kind = VALUE_INT, .integer = 4};

	(void)state;
	limit.value = 63;
	set_kind(&limit, VALUE_INT);
	put_value(1, 0, set_bit, 0);
	put_value(1, 1, clear, 0);
	assert_string_equal(told(), "came@0 went@1");
	limit.condition = ALARM_STATUS;
	limit.value = 18; /* INVALID, which is bad quality itself */
	set_kind(&limit, VALUE_INT);
	put_value(1, 10, clear, STATUS_INVALID);
	put_value(1, 11, clear, STATUS_OFF);
	assert_string_equal(told(), "came@10 went@11");
}

static void
test_engine_compares_texts_and_bools(void **state)
{
	struct alarm_limit limit = a_limit(ALARM_EQUAL);

	(void)state;
	limit.match = "fault";
	limit.text = "{value} is {limit}";
	set_kind(&limit, VALUE_STRING);
	put_text(0, "faulty");
	put_text(1, "fault");
	assert_string_equal(only_change()->text, "fault is fault");
	put_text(2, "faul");
	assert_string_equal(told(), "came@1 went@2");
	limit = a_limit(ALARM_EQUAL);
	limit.value = 0;
	set_kind(&limit, VALUE_BOOL);
	put_bool(1, 10, true);
	put_bool(1, 11, false);
	put_bool(1, 12, true);
	assert_string_equal(told(), "came@11 went@12");
}

static void
test_engine_sees_changes(void **state)
{
	struct alarm_limit limit = a_limit(ALARM_CHANGE);

	(void)state;
	set_kind(&limit, VALUE_STRING);
	put_text(0, "a"); /* the first value is no change */
	put_text(1, "a");
	put_text(2, "b");
	put_text(3, "b");
	put_text(4, "a");
	assert_string_equal(told(), "came@2 went@2 came@4 went@4");
	limit.off_delay_ms = 100;
	set_kind(&limit, VALUE_STRING);
	put_text(1000, "b");
	put_text(1050, "c");
	tick(1149);
	assert_string_equal(told(), "came@1000~ changed@1050~");
	tick(1150);
	assert_string_equal(told(), "went@1150~");
	limit.each_change = true;
	set_kind(&limit, VALUE_STRING);
	put_text(2000, "d");
	put_text(2050, "e");
	assert_string_equal(told(), "came@2000~ went@2050~ came@2050~");
}

/* --- delays --------------------------------------------------------------- */

static void
test_engine_delays_by_source_time(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	limit.on_delay_ms = 1000;
	limit.off_delay_ms = 500;
	set(&limit);
	put(0, 11);
	put(999, 12);
	put(999, 9); /* not long enough */
	put(2000, 11);
	put(2500, 13);
	put(3200, 14);
	assert_string_equal(told(), "came@3000");
	put(4000, 9);
	put(4400, 11); /* back in time */
	put(5000, 9);
	assert_string_equal(told(), "");
	put(5600, 8);
	assert_string_equal(told(), "went@5500");
}

static void
test_engine_holds_a_value_between_samples(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	limit.on_delay_ms = 1000;
	set(&limit);
	put(0, 11);
	put(5000, 9); /* above 10 for five seconds */
	assert_string_equal(told(), "came@1000 went@5000");
}

static void
test_engine_ends_delays_by_tick(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	limit.on_delay_ms = limit.off_delay_ms = 1000;
	limit.text = "{value} {unit}, above {limit} {unit} {x}";
	set(&limit);
	put(0, 11.25);
	tick(999);
	assert_string_equal(told(), "");
	tick(1000);
	assert_string_equal(only_change()->text, "11.2 bar, above 10 bar {x}");
	assert_true(only_change()->came_us == NOON + 1000 * MS);
	tick(5000);
	assert_string_equal(told(), "came@1000");
	put(6000, 9);
	tick(6999);
	assert_string_equal(told(), "");
	tick(8000);
	assert_string_equal(told(), "went@7000");
}

static void
test_engine_survives_clock_jumps(void **state)
{
	const int64_t hour_ms = 3600000;
	struct alarm_limit limit = above(10);

	(void)state;
	limit.on_delay_ms = 1000;
	set(&limit);
	put(0, 11);
	/* Set back by an hour: the delay begins anew, not in an hour. */
	put(-hour_ms, 11);
	put(-hour_ms + 999, 11);
	assert_string_equal(told(), "");
	put(-hour_ms + 1000, 11);
	assert_string_equal(told(), "came@-3599000");
	put(-2 * hour_ms, 9);
	assert_true(only_change()->went_us == only_change()->came_us);
	assert_string_equal(told(), "went@-7200000");
	/* Set forward while the delay runs, and the engine was told. */
	put(0, 11);
	alarm_engine_shift(engine, hour_ms * MS);
	put(hour_ms + 500, 11);
	assert_string_equal(told(), "");
	put(hour_ms + 1000, 11);
	assert_string_equal(told(), "came@3601000");
}

/* --- quality -------------------------------------------------------------- */

static void
test_engine_never_clears_by_bad_quality(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	set(&limit);
	put_bad(0, 99); /* raises nothing either */
	put(1, 11);
	put_bad(2, 0);
	put_bad(3, 0);
	put(4, NAN);
	put(5, 12);
	put_bad(6, 0);
	put(7, 9);
	assert_string_equal(
		told(), "came@1 changed@2? changed@5 changed@6? went@7");
}

static void
test_engine_stops_the_off_delay_by_bad_quality(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	limit.off_delay_ms = 1000;
	set(&limit);
	put(0, 11);
	put(100, 9);
	put_bad(500, 0);
	tick(5000);
	assert_string_equal(told(), "came@0 changed@500?");
	put(6000, 9);
	tick(6999);
	assert_string_equal(told(), "changed@6000");
	tick(7000);
	assert_string_equal(told(), "went@7000");
}

static void
test_engine_raises_a_delayed_alarm_as_uncertain(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	limit.on_delay_ms = 1000;
	set(&limit);
	put(0, 11);
	put_bad(500, 0);
	tick(1000);
	assert_string_equal(told(), "came@1000?");
}

/* --- occurrences ---------------------------------------------------------- */

static void
test_engine_counts_each_change(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	limit.each_change = true;
	set(&limit);
	put(0, 11);
	put(1, 11);
	put(2, 12);
	put(3, 9);
	assert_string_equal(told(), "came@0 went@2 came@2 went@3");
}

static void
test_engine_draws_an_id_for_each_occurrence(void **state)
{
	struct alarm_limit limit = above(10);
	const struct alarm_change *changes;

	(void)state;
	set(&limit);
	for (int i = 0; i < 4; i++)
		put(i, i % 2 == 0 ? 11 : 9);
	assert_int_equal(alarm_engine_changes(engine, &changes), 4);
	assert_memory_equal(changes[0].id, changes[1].id, UUID_BYTES);
	assert_memory_equal(changes[2].id, changes[3].id, UUID_BYTES);
	assert_memory_not_equal(changes[0].id, changes[2].id, UUID_BYTES);
}

static void
test_engine_reactivates(void **state)
{
	struct alarm_limit limit = above(10);
	const struct alarm_change *changes;

	(void)state;
	limit.reactivates = true;
	set(&limit);
	put(0, 11);
	put(1, 9);
	put(2, 12);
	assert_int_equal(alarm_engine_changes(engine, &changes), 3);
	assert_memory_equal(changes[0].id, changes[2].id, UUID_BYTES);
	assert_int_equal(changes[2].reactivations, 1);
	assert_true(changes[2].came_us == NOON);
	assert_true(changes[2].reactivated_us == NOON + 2 * MS);
	assert_true(changes[2].went_us == CLOCK_NEVER);
	assert_true(changes[2].value.number == 12);
	assert_string_equal(told(), "came@0 went@1 reactivated@2");
	/* Without the duty to acknowledge it is out of the list. */
	limit.must_acknowledge = false;
	set(&limit);
	put(3, 9);
	put(4, 11);
	assert_string_equal(told(), "went@3 came@4~");
}

static void
test_engine_sees_chattering(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	set(&limit);
	for (int i = 0; i < 4; i++) {
		put(i * 20000, 11);
		put(i * 20000 + 1, 9);
	}
	put(180000, 11);
	assert_string_equal(told(),
		"came@0 went@1 came@20000 went@20001 came@40000~ went@40001~ "
		"came@60000~ went@60001~ came@180000");
}

static void
test_engine_marks_what_is_suppressed(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	limit.suppressed_by = "v2";
	set(&limit);
	put_bool(2, 0, true);
	put(1, 11);
	put_bool(2, 2, false);
	put_bool(2, 3, true);
	put(4, 9);
	put_bool(2, 5, false);
	assert_string_equal(told(), "came@1- changed@2 changed@3- went@4-");
}

static void
test_engine_lets_go_what_is_taken_away(void **state)
{
	struct alarm_limit limit = above(10);
	struct alarm_limit other = above(20);

	(void)state;
	other.name = "other";
	set(&limit);
	put(0, 11);
	set(&limit); /* the same again keeps its state */
	put(1, 12);
	assert_string_equal(told(), "came@0");
	set(&other);
	assert_string_equal(told(), "went@0");
	put(2, 21);
	assert_string_equal(told(), "came@2");
	other.enabled = false;
	set(&other);
	put(3, 30);
	assert_string_equal(told(), "went@0");
}

static void
test_engine_repeats_what_may_be_lost(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	set(&limit);
	alarm_engine_repeat(engine, NOON);
	assert_string_equal(told(), "");
	put(0, 11);
	alarm_engine_repeat(engine, NOON + 5 * MS);
	put(6, 9);
	alarm_engine_repeat(engine, NOON + 7 * MS);
	assert_string_equal(told(), "came@0 changed@5 went@6 went@7");
}

int
engine_limits(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE_TEST(test_engine_compares_numbers),
		ENGINE_TEST(test_engine_compares_with_ranges),
		ENGINE_TEST(test_engine_has_hysteresis),
		ENGINE_TEST(test_engine_looks_at_bits),
		ENGINE_TEST(test_engine_compares_texts_and_bools),
		ENGINE_TEST(test_engine_sees_changes),
		ENGINE_TEST(test_engine_delays_by_source_time),
		ENGINE_TEST(test_engine_holds_a_value_between_samples),
		ENGINE_TEST(test_engine_ends_delays_by_tick),
		ENGINE_TEST(test_engine_survives_clock_jumps),
		ENGINE_TEST(test_engine_never_clears_by_bad_quality),
		ENGINE_TEST(test_engine_stops_the_off_delay_by_bad_quality),
		ENGINE_TEST(test_engine_raises_a_delayed_alarm_as_uncertain),
		ENGINE_TEST(test_engine_counts_each_change),
		ENGINE_TEST(test_engine_draws_an_id_for_each_occurrence),
		ENGINE_TEST(test_engine_reactivates),
		ENGINE_TEST(test_engine_sees_chattering),
		ENGINE_TEST(test_engine_marks_what_is_suppressed),
		ENGINE_TEST(test_engine_lets_go_what_is_taken_away),
		ENGINE_TEST(test_engine_repeats_what_may_be_lost),
	};

	return cmocka_run_group_tests_name("engine_limits", tests, NULL, NULL);
}
