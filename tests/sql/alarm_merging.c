/* alarm_merging: what plants tell of alarms becomes the list. */

#include "tests/unit/unit.h"

#include "lib/clock.h"
#include "tests/sql/alarm_fixture.h"

static void
test_alarm_life_is_one_row(void **state)
{
	static const char *const kinds[] = {
		"alarm.came", "alarm.went", "alarm.reactivated", "alarm.went"};
	struct fixture *fixture = *state;
	const struct alarm_change life[] = {
		make_change(fixture, 1, ALARM_CAME, 10, 0, 0),
		make_change(fixture, 1, ALARM_CHANGED, 10, 0, 0),
		make_change(fixture, 1, ALARM_WENT, 10, 20, 0),
		make_change(fixture, 1, ALARM_REACTIVATED, 10, 0, 1),
		make_change(fixture, 1, ALARM_WENT, 10, 40, 1),
	};
	struct alarm alarm;

	for (size_t i = 0; i < 5; i++)
		assert_int_equal(apply_changes(fixture, &life[i], 1), RC_OK);
	alarm = only_alarm(fixture);
	assert_string_equal(alarm.variable, "level");
	assert_string_equal(alarm.limit, "high");
	assert_string_equal(alarm.text, "too high");
	assert_string_equal(alarm.value, "99.5");
	assert_int_equal(alarm.came_us, START + 10);
	assert_int_equal(alarm.facts.went_us, START + 40);
	assert_int_equal(alarm.reactivations, 1);
	assert_int_equal(alarm_state(&alarm.facts, START),
		ALARM_STATE_RETURNED_UNACKNOWLEDGED);
	expect_events(fixture, kinds, 4);
	/* All of it once more: nothing is new. */
	assert_int_equal(apply_changes(fixture, life, 5), RC_OK);
	assert_int_equal(only_alarm(fixture).facts.went_us, START + 40);
	expect_events(fixture, kinds, 4);
}

static void
test_alarm_life_in_one_batch_is_the_same(void **state)
{
	static const char *const kinds[] = {
		"alarm.came", "alarm.went", "alarm.reactivated"};
	struct fixture *fixture = *state;
	const struct alarm_change life[] = {
		make_change(fixture, 1, ALARM_CAME, 10, 0, 0),
		make_change(fixture, 1, ALARM_WENT, 10, 20, 0),
		make_change(fixture, 1, ALARM_REACTIVATED, 10, 0, 1),
	};
	struct alarm alarm;

	assert_int_equal(apply_changes(fixture, life, 3), RC_OK);
	alarm = only_alarm(fixture);
	assert_int_equal(alarm.facts.went_us, CLOCK_NEVER);
	assert_int_equal(alarm.reactivations, 1);
	expect_events(fixture, kinds, 3);
}

/* A clock that was put back an hour must not leave an alarm hanging. */
static void
test_alarm_goes_also_when_the_clock_went_back(void **state)
{
	struct fixture *fixture = *state;
	struct alarm_change came =
		make_change(fixture, 1, ALARM_CAME, CLOCK_HOUR_US, 0, 0);
	struct alarm_change went =
		make_change(fixture, 1, ALARM_WENT, CLOCK_HOUR_US, 0, 0);

	went.went_us = went.time_us = START + 1;
	assert_int_equal(apply_changes(fixture, &came, 1), RC_OK);
	assert_int_equal(apply_changes(fixture, &went, 1), RC_OK);
	assert_int_equal(only_alarm(fixture).facts.went_us, START + 1);
}

static void
test_alarm_late_news_change_nothing(void **state)
{
	struct fixture *fixture = *state;
	const struct alarm_change came =
		make_change(fixture, 1, ALARM_CAME, 10, 0, 0);
	const struct alarm_change went =
		make_change(fixture, 1, ALARM_WENT, 10, 20, 0);

	assert_int_equal(
		apply_changes(fixture, &went, 1), RC_OK); /* "came" is lost */
	assert_int_equal(only_alarm(fixture).came_us, START + 10);
	assert_int_equal(
		apply_changes(fixture, &came, 1), RC_OK); /* and found */
	assert_int_equal(only_alarm(fixture).facts.went_us, START + 20);
}

static void
test_alarm_of_another_plant_is_not_touched(void **state)
{
	struct fixture *fixture = *state;
	const struct alarm_change came =
		make_change(fixture, 1, ALARM_CAME, 10, 0, 0);
	const struct alarm_change went =
		make_change(fixture, 1, ALARM_WENT, 10, 20, 0);

	assert_int_equal(apply_changes(fixture, &came, 1), RC_OK);
	assert_int_equal(
		alarm_apply(fixture->db, fixture->arena, fixture->plant.id + 1,
			&went, 1, &fixture->fault),
		RC_OK);
	assert_int_equal(only_alarm(fixture).facts.went_us, CLOCK_NEVER);
}

/* Of the list by time received: the alarm at "index" has these times. */
static void
expect_alarm(struct fixture *fixture, size_t index, int64_t came, int64_t went,
	int64_t acknowledged, int64_t reactivations)
{
	struct alarm_filter filter = all_alarms(fixture);
	struct alarm_list list = find_alarms(fixture, &filter);

	assert_true(index < list.count);
	assert_int_equal(list.items[index].came_us, START + came);
	assert_int_equal(list.items[index].facts.went_us,
		went != 0 ? START + went : CLOCK_NEVER);
	assert_int_equal(list.items[index].facts.acknowledged_us,
		acknowledged != 0 ? START + acknowledged : CLOCK_NEVER);
	assert_int_equal(list.items[index].reactivations, reactivations);
}

static void
acknowledge(struct fixture *fixture, size_t index, int64_t at)
{
	struct alarm_filter filter = all_alarms(fixture);
	struct alarm_list list = find_alarms(fixture, &filter);

	assert_int_equal(
		db_exec(fixture->db, &alarm_test_stmts[ALARM_TEST_KEEP],
			PARAMS(P_UUID(list.items[index].id), P_INT(START + at)),
			NULL, &fixture->fault),
		RC_OK);
}

static size_t
entries(struct fixture *fixture)
{
	struct alarm_filter filter = all_alarms(fixture);

	return find_alarms(fixture, &filter).count;
}

/* A reactivation at "last", or that it went then. */
static struct alarm_change
again(const struct fixture *fixture, enum alarm_change_kind kind, int64_t last,
	uint32_t reactivations)
{
	struct alarm_change made =
		make_change(fixture, 1, kind, 10, 0, reactivations);

	made.time_us = START + last;
	made.reactivated_us = START + last;
	if (kind == ALARM_WENT)
		made.went_us = START + last;
	return made;
}

static void
test_alarm_reactivated_after_acknowledgement_is_another(void **state)
{
	static const char *const kinds[] = {
		"alarm.came", "alarm.came", "alarm.went", "alarm.reactivated"};
	struct fixture *fixture = *state;
	const struct alarm_change life[] = {
		make_change(fixture, 1, ALARM_CAME, 10, 0, 0),
		again(fixture, ALARM_REACTIVATED, 50, 1),
		again(fixture, ALARM_WENT, 60, 1),
		again(fixture, ALARM_REACTIVATED, 70, 2),
	};

	assert_int_equal(apply_changes(fixture, life, 1), RC_OK);
	acknowledge(fixture, 0, 40);
	/* That it went is lost; but it must have. */
	assert_int_equal(apply_changes(fixture, life + 1, 1), RC_OK);
	expect_alarm(fixture, 0, 10, 50, 40, 0);
	expect_alarm(fixture, 1, 50, 0, 0, 0);
	/* Nobody has acknowledged that one: it comes again. */
	assert_int_equal(apply_changes(fixture, life + 2, 2), RC_OK);
	expect_alarm(fixture, 1, 50, 0, 0, 1);
	expect_events(fixture, kinds, 4);
	/* All of it once more: nothing is new. */
	assert_int_equal(apply_changes(fixture, life, 4), RC_OK);
	assert_int_equal(entries(fixture), 2);
	expect_alarm(fixture, 0, 10, 50, 40, 0);
	expect_alarm(fixture, 1, 50, 0, 0, 1);
	expect_events(fixture, kinds, 4);
}

static void
test_alarm_reactivated_while_cut_off_is_one_more(void **state)
{
	struct fixture *fixture = *state;
	const struct alarm_change before[] = {
		make_change(fixture, 1, ALARM_CAME, 10, 0, 0),
		make_change(fixture, 1, ALARM_WENT, 10, 20, 0),
		again(fixture, ALARM_REACTIVATED, 30, 1),
	};
	const struct alarm_change once_more =
		again(fixture, ALARM_REACTIVATED, 100, 4);
	/* In the spool while somebody acknowledged at 60. */
	const struct alarm_change meanwhile[] = {
		again(fixture, ALARM_WENT, 40, 1),
		again(fixture, ALARM_REACTIVATED, 50, 2),
		again(fixture, ALARM_WENT, 55, 2),
		again(fixture, ALARM_REACTIVATED, 58, 3),
		again(fixture, ALARM_WENT, 80, 3),
	};

	assert_int_equal(apply_changes(fixture, before, 3), RC_OK);
	acknowledge(fixture, 0, 60);
	assert_int_equal(apply_changes(fixture, meanwhile, 5), RC_OK);
	assert_int_equal(entries(fixture), 2);
	expect_alarm(fixture, 0, 10, 40, 60, 1);
	expect_alarm(fixture, 1, 50, 80, 0, 1);
	acknowledge(fixture, 1, 90);
	assert_int_equal(apply_changes(fixture, &once_more, 1), RC_OK);
	expect_alarm(fixture, 1, 50, 80, 90, 1);
	expect_alarm(fixture, 2, 100, 0, 0, 0);
}

static void
test_alarm_malformed_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct alarm_change bad[] = {
		make_change(fixture, 1, ALARM_CAME, 10, 0, 0),
		make_change(fixture, 1, ALARM_CAME, 10, 0, 0),
		make_change(fixture, 1, (enum alarm_change_kind)9, 10, 0, 0),
		make_change(fixture, 1, ALARM_CAME, 10, 0, 0),
	};

	bad[0].variable_id = 0;
	bad[1].limit = NULL;
	bad[3].time_us = CLOCK_NEVER;
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		assert_int_equal(
			apply_changes(fixture, &bad[i], 1), RC_BAD_INPUT);
	assert_int_equal(apply_changes(fixture, NULL, 0), RC_OK);
}

int
alarm_merging(void)
{
	const struct CMUnitTest tests[] = {
		ALARM_TEST(test_alarm_life_is_one_row),
		ALARM_TEST(test_alarm_life_in_one_batch_is_the_same),
		ALARM_TEST(test_alarm_goes_also_when_the_clock_went_back),
		ALARM_TEST(test_alarm_late_news_change_nothing),
		ALARM_TEST(test_alarm_of_another_plant_is_not_touched),
		ALARM_TEST(
			test_alarm_reactivated_after_acknowledgement_is_another),
		ALARM_TEST(test_alarm_reactivated_while_cut_off_is_one_more),
		ALARM_TEST(test_alarm_malformed_is_refused),
	};

	return cmocka_run_group_tests_name("alarm_merging", tests, NULL, NULL);
}
