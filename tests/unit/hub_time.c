/* hub_time: the bound on the hub's clock that decides whether a command is too
 * late. */

#include "tests/unit/unit.h"

#include <stdlib.h>

#include "agents/hub_time.h"
#include "lib/clock.h"

#define S CLOCK_SECOND_US

static const uint8_t boot[UUID_BYTES] = {1};
static const uint8_t other_boot[UUID_BYTES] = {2};

static void
test_hub_time_is_never_behind_the_hub(void **state)
{
	struct hub_time time = {.known = false};

	(void)state;
	srand(1);
	assert_int_equal(hub_time_latest(&time, boot, 0), INT64_MAX);
	/* Exchanges of any delay on the way there or back, between clocks that
	 * drift: the bound holds always, and is not worse than the delays. */
	for (int round = 0; round < 20000; round++) {
		int64_t asked_us = (int64_t)round * 2 * S;
		int64_t there_us = rand() % (3 * S);
		int64_t back_us = rand() % (3 * S);
		int64_t hub_us = asked_us + there_us +
				 (asked_us + there_us) / 1000000 * 100 + 77 * S;
		int64_t now_us = asked_us + there_us + back_us;
		int64_t real_us = now_us + now_us / 1000000 * 100 + 77 * S;

		hub_time_note(&time, boot, hub_us, asked_us, now_us);
		assert_true(hub_time_latest(&time, boot, now_us) >= real_us);
		assert_true(hub_time_latest(&time, boot, now_us) <=
			    real_us + 3 * S + S / 100);
	}
	assert_int_equal(
		hub_time_latest(&time, other_boot, 50000 * S), INT64_MAX);
}

static void
test_hub_time_forgets_what_is_contradicted(void **state)
{
	struct hub_time time = {.known = false};

	(void)state;
	hub_time_note(&time, boot, 1000 * S, 10 * S, 11 * S);
	assert_true(hub_time_latest(&time, boot, 12 * S) < 1003 * S);
	/* This machine was stopped for an hour and does not know. */
	hub_time_check(&time, boot, 4600 * S, 13 * S);
	assert_int_equal(hub_time_latest(&time, boot, 13 * S), INT64_MAX);
	hub_time_note(&time, boot, 1000 * S, 10 * S, 11 * S);
	hub_time_note(&time, boot, 4600 * S, 13 * S, 14 * S);
	assert_true(hub_time_latest(&time, boot, 14 * S) >= 4600 * S);
	/* Another start of the hub's machine. */
	hub_time_note(&time, other_boot, 5 * S, 15 * S, 16 * S);
	assert_int_equal(hub_time_latest(&time, boot, 16 * S), INT64_MAX);
	assert_true(hub_time_latest(&time, other_boot, 16 * S) >= 6 * S);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hub_time_is_never_behind_the_hub),
		cmocka_unit_test(test_hub_time_forgets_what_is_contradicted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
