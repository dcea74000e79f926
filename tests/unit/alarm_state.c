/* alarm_state: the states of ISA-18.2, all of them by their table. */

#include "tests/unit/unit.h"

#include "lib/attr.h"
#include "lib/clock.h"
#include "model/alarm_state.h"

#define NOW INT64_C(1000)

static enum alarm_state
state_of(const struct alarm_facts *facts)
{
	return alarm_state(facts, NOW);
}

/* What the stamps alone say: went, acknowledged, and is that a duty? */
static void
test_alarm_state_follows_the_stamps(void **state)
{
	static const struct {
		int64_t went_us;
		int64_t acknowledged_us;
		bool must_acknowledge;
		enum alarm_state state;
	} cases[] = {
		{CLOCK_NEVER, CLOCK_NEVER, true,
			ALARM_STATE_UNACKNOWLEDGED_ACTIVE},
		{CLOCK_NEVER, CLOCK_NEVER, false,
			ALARM_STATE_ACKNOWLEDGED_ACTIVE},
		{CLOCK_NEVER, 5, true, ALARM_STATE_ACKNOWLEDGED_ACTIVE},
		{CLOCK_NEVER, 5, false, ALARM_STATE_ACKNOWLEDGED_ACTIVE},
		{4, CLOCK_NEVER, true, ALARM_STATE_RETURNED_UNACKNOWLEDGED},
		{4, CLOCK_NEVER, false, ALARM_STATE_NORMAL},
		{4, 5, true, ALARM_STATE_NORMAL},
		{0, 0, true, ALARM_STATE_NORMAL}, /* 1970 is a time, too */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
		assert_int_equal(
			state_of(&(struct alarm_facts){cases[i].went_us,
				cases[i].acknowledged_us, CLOCK_NEVER,
				cases[i].must_acknowledge, false, false}),
			cases[i].state);
}

static void
test_alarm_state_is_held_back_in_a_fixed_order(void **state)
{
	struct alarm_facts facts = {
		CLOCK_NEVER, CLOCK_NEVER, NOW + 1, true, false, false};

	(void)state;
	assert_int_equal(state_of(&facts), ALARM_STATE_SHELVED);
	facts.suppressed = true;
	assert_int_equal(state_of(&facts), ALARM_STATE_SUPPRESSED);
	facts.out_of_service = true;
	assert_int_equal(state_of(&facts), ALARM_STATE_OUT_OF_SERVICE);
	facts.went_us = 4; /* still unacknowledged */
	assert_int_equal(state_of(&facts), ALARM_STATE_OUT_OF_SERVICE);
	facts.acknowledged_us = 5; /* over: nothing is left to hold back */
	assert_int_equal(state_of(&facts), ALARM_STATE_NORMAL);
}

static void
test_alarm_state_shelving_ends_by_the_clock(void **state)
{
	struct alarm_facts facts = {
		CLOCK_NEVER, CLOCK_NEVER, NOW, true, false, false};

	(void)state;
	assert_int_equal(state_of(&facts), ALARM_STATE_UNACKNOWLEDGED_ACTIVE);
	assert_int_equal(alarm_state(&facts, NOW - 1), ALARM_STATE_SHELVED);
}

static void
test_alarm_state_names_read_back(void **state)
{
	enum alarm_state found;

	(void)state;
	for (int i = 0; i < ALARM_STATE_COUNT; i++) {
		assert_true(alarm_state_parse(
			alarm_state_name((enum alarm_state)i), &found));
		assert_int_equal(found, i);
	}
	assert_true(alarm_state_parse("shelved", &found));
	assert_false(alarm_state_parse("Gone", &found));
	assert_false(alarm_state_parse("", &found));
}

static void
test_alarm_status_is_that_of_the_original_product(void **state)
{
	struct alarm_facts facts = {
		CLOCK_NEVER, CLOCK_NEVER, CLOCK_NEVER, true, false, false};

	(void)state;
	assert_string_equal(alarm_status_name(&facts), "received");
	facts.went_us = 4;
	assert_string_equal(alarm_status_name(&facts), "cleared");
	facts.acknowledged_us = 5;
	assert_string_equal(alarm_status_name(&facts), "acknowledged");
	facts.went_us = CLOCK_NEVER;
	assert_string_equal(alarm_status_name(&facts), "acknowledged");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alarm_state_follows_the_stamps),
		cmocka_unit_test(
			test_alarm_state_is_held_back_in_a_fixed_order),
		cmocka_unit_test(test_alarm_state_shelving_ends_by_the_clock),
		cmocka_unit_test(test_alarm_state_names_read_back),
		cmocka_unit_test(
			test_alarm_status_is_that_of_the_original_product),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
