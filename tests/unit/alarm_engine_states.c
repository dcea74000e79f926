/* alarm_engine_states: the state of an engine survives it. */

#include "tests/unit/unit.h"

#include <string.h>

#include "tests/unit/alarm_engine_words.h"

static void
test_engine_state_survives(void **state)
{
	struct alarm_limit limit = above(10);
	uint8_t id[UUID_BYTES];

	(void)state;
	set(&limit);
	put(0, 11);
	memcpy(id, only_change()->id, sizeof(id));
	restart(&limit, VALUE_FLOAT, 0); /* nothing taken: told again */
	assert_string_equal(told(), "came@0");
	restart(&limit, VALUE_FLOAT, 0);
	put(100, 12);
	assert_string_equal(told(), "");
	put(101, 9);
	assert_memory_equal(only_change()->id, id, sizeof(id));
	assert_true(only_change()->came_us == NOON);
	assert_string_equal(told(), "went@101");
}

static void
test_engine_does_not_guess_about_a_gap(void **state)
{
	struct alarm_limit limit = above(10);

	(void)state;
	limit.on_delay_ms = 1000;
	limit.off_delay_ms = 1000;
	set(&limit);
	put(0, 11);
	restart(&limit, VALUE_FLOAT, 0);
	tick(100000);
	put(100000, 9); /* it may have been long below */
	assert_string_equal(told(), "");
	put(200000, 11);
	restart(&limit, VALUE_FLOAT, 0);
	put(200500, 11);
	tick(200999);
	assert_string_equal(told(), "");
	tick(201000);
	assert_string_equal(told(), "came@201000");
	put(300000, 9);
	restart(&limit, VALUE_FLOAT, 0);
	put(400000, 11); /* it may have been long above */
	assert_string_equal(told(), "");
}

static void
test_engine_sees_changes_over_a_restart(void **state)
{
	struct alarm_limit limit = a_limit(ALARM_CHANGE);

	(void)state;
	set_kind(&limit, VALUE_STRING);
	put_text(0, "firmware 1");
	restart(&limit, VALUE_STRING, 0);
	put_text(1, "firmware 1");
	put_text(2, "firmware 2");
	assert_string_equal(told(), "came@2 went@2");
}

static void
test_engine_ends_alarms_of_limits_that_are_gone(void **state)
{
	struct alarm_limit limit = above(10);
	struct alarm_limit other = above(10);

	(void)state;
	other.name = "other";
	set(&limit);
	put(0, 11);
	assert_string_equal(told(), "came@0");
	restart(&other, VALUE_FLOAT, 0);
	assert_string_equal(told(), "went@77");
}

static void
test_engine_refuses_a_damaged_state(void **state)
{
	struct alarm_limit limit = above(10);
	struct fault fault;
	struct buf saved;

	(void)state;
	set(&limit);
	put(0, 11);
	buf_init(&saved, 0);
	alarm_engine_save(engine, 0, &saved);
	for (size_t i = 0; i < saved.length; i++) {
		saved.data[i] ^= 16;
		assert_int_equal(
			alarm_engine_load(engine, saved.data, saved.length,
				engine_find_variable, NULL, 0, &fault),
			RC_BAD_INPUT);
		saved.data[i] ^= 16;
		assert_int_equal(alarm_engine_load(engine, saved.data, i,
					 engine_find_variable, NULL, 0, &fault),
			RC_BAD_INPUT);
	}
	buf_free(&saved);
	assert_string_equal(told(), "came@0");
}

int
engine_states(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE_TEST(test_engine_state_survives),
		ENGINE_TEST(test_engine_does_not_guess_about_a_gap),
		ENGINE_TEST(test_engine_sees_changes_over_a_restart),
		ENGINE_TEST(test_engine_ends_alarms_of_limits_that_are_gone),
		ENGINE_TEST(test_engine_refuses_a_damaged_state),
	};

	return cmocka_run_group_tests_name("engine_states", tests, NULL, NULL);
}
