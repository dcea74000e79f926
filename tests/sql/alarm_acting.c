/* alarm_acting: what people do with alarms, and what comes of it. */

#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "lib/clock.h"
#include "model/alarm_act.h"
#include "tests/sql/alarm_fixture.h"
#include "tests/sql/cluster.h"

/* What "who" does with the alarm of the change. */
static struct alarm_act
act(struct fixture *fixture, const struct alarm_change *known, const char *who,
	const struct alarm_wish *wish)
{
	const struct bytes id = {known->id, UUID_BYTES};
	const struct alarm_actor actor = {who, "desk", 0};
	struct alarm_act act = {.changed = false};
	struct alarm_list list;

	assert_int_equal(
		alarm_lock(fixture->db, fixture->arena, fixture->plant.id, &id,
			1, &list, &fixture->fault),
		RC_OK);
	assert_int_equal(list.count, 1);
	act.alarm = &list.items[0];
	assert_int_equal(alarm_act(fixture->db, fixture->arena, wish, &actor,
				 clock_now_us(), &act, 1, &fixture->fault),
		RC_OK);
	return act;
}

static void
shelve(struct fixture *fixture, const struct alarm_change *known)
{
	act(fixture, known, "anna",
		&(struct alarm_wish){.shelve = "works",
			.shelve_until_us = clock_now_us() + CLOCK_HOUR_US});
}

/* --- one after the other -------------------------------------------------- */

/* Nobody need acknowledge it, so it is over in between, and what held its limit
 * back changes meanwhile. */
static void
test_alarm_that_comes_again_is_held_as_its_limit_is(void **state)
{
	struct fixture *fixture = *state;
	const struct alarm_change life[] = {
		make_change(fixture, 1, ALARM_CAME, 10, 0, 0),
		make_change(fixture, 1, ALARM_WENT, 10, 20, 0),
		make_change(fixture, 1, ALARM_REACTIVATED, 10, 0, 1),
	};
	struct alarm alarm;

	assert_int_equal(apply_changes(fixture, &life[0], 1), RC_OK);
	assert_int_equal(
		db_exec(fixture->db, &alarm_test_stmts[ALARM_TEST_EASE],
			PARAMS(P_INT(fixture->plant.id)), NULL,
			&fixture->fault),
		RC_OK);
	act(fixture, &life[0], "anna",
		&(struct alarm_wish){.suppress = "no such machine"});
	assert_true(only_alarm(fixture).facts.suppressed);
	assert_int_equal(apply_changes(fixture, &life[1], 1), RC_OK);
	act(fixture, &life[0], "anna", &(struct alarm_wish){.release = true});
	shelve(fixture, &life[0]);
	assert_int_equal(apply_changes(fixture, &life[2], 1), RC_OK);
	alarm = only_alarm(fixture);
	assert_false(alarm.facts.suppressed);
	assert_int_equal(
		alarm_state(&alarm.facts, clock_now_us()), ALARM_STATE_SHELVED);
}

static void
test_alarm_that_is_shelved_already_stays_whose_it_was(void **state)
{
	static const char *const kinds[] = {
		"alarm.came", "alarm.shelved", "alarm.suppressed"};
	struct fixture *fixture = *state;
	const struct alarm_change came =
		make_change(fixture, 1, ALARM_CAME, 10, 0, 0);
	struct alarm_wish wish = {.shelve = "works",
		.shelve_until_us = clock_now_us() + CLOCK_HOUR_US};
	struct alarm alarm;

	assert_int_equal(apply_changes(fixture, &came, 1), RC_OK);
	assert_true(act(fixture, &came, "anna", &wish).changed);
	assert_false(act(fixture, &came, "bert", &wish).changed);
	wish.suppress = "no such machine";
	assert_true(act(fixture, &came, "bert", &wish).changed);
	alarm = only_alarm(fixture);
	assert_string_equal(alarm.shelved.username, "anna");
	assert_string_equal(alarm.suppressed.username, "bert");
	expect_events(fixture, kinds, ARRAY_LENGTH(kinds));
}

static void
test_alarm_cause_is_known_by_its_names_one_by_one(void **state)
{
	static const char *const one[] = {"Belt / worn"};
	static const char *const two[] = {"Belt", "worn"};
	struct fixture *fixture = *state;
	const struct alarm_change came =
		make_change(fixture, 1, ALARM_CAME, 10, 0, 0);
	const struct alarm_wish first = {.cause = {1, one}};
	const struct alarm_wish second = {.cause = {2, two}};

	assert_int_equal(apply_changes(fixture, &came, 1), RC_OK);
	assert_true(act(fixture, &came, "anna", &first).changed);
	assert_false(act(fixture, &came, "anna", &first).changed);
	assert_true(act(fixture, &came, "anna", &second).changed);
	assert_string_equal(only_alarm(fixture).cause[1], "worn");
	assert_null(only_alarm(fixture).cause[2]);
}

/* --- two at once ---------------------------------------------------------- */

/* A plant's report by a connection of its own. */
struct report {
	struct fixture *fixture;
	struct alarm_change change;
	atomic_bool over;
	enum rc rc;
};

static void *
send_report(void *context)
{
	struct report *report = context;
	struct db *db = cluster_open("fieldgrid_owner", alarm_sets);
	struct arena *arena = arena_new();
	struct fault fault;

	report->rc = alarm_apply(db, arena, report->fixture->plant.id,
		&report->change, 1, &fault);
	atomic_store(&report->over, true);
	arena_free(arena);
	db_close(db);
	return NULL;
}

/* Until it has been stored, or waits for us. */
static void
await_report(struct fixture *fixture, struct report *report)
{
	struct db *db = cluster_open("fieldgrid_owner", alarm_sets);
	struct rows *rows = NULL;

	do {
		assert_int_equal(db_query(db, fixture->arena,
					 &alarm_test_stmts[ALARM_TEST_WAITERS],
					 NO_PARAMS, &rows, &fixture->fault),
			RC_OK);
	} while (!atomic_load(&report->over) && rows_int(rows, 0, 0) == 0);
	db_close(db);
}

static void
test_alarm_that_comes_while_its_limit_is_shelved_is_shelved(void **state)
{
	struct fixture *fixture = *state;
	const struct alarm_change known =
		make_change(fixture, 1, ALARM_CAME, 1, 0, 0);
	struct report report = {fixture,
		make_change(fixture, 2, ALARM_CAME, 2, 0, 0), false, RC_BUG};
	struct alarm_filter filter = all_alarms(fixture);
	struct alarm_list list;
	pthread_t thread;

	assert_int_equal(apply_changes(fixture, &known, 1), RC_OK);
	assert_int_equal(
		db_begin(fixture->db, DB_READ_COMMITTED, &fixture->fault),
		RC_OK);
	shelve(fixture, &known);
	assert_int_equal(
		pthread_create(&thread, NULL, send_report, &report), 0);
	await_report(fixture, &report);
	assert_int_equal(db_commit(fixture->db, &fixture->fault), RC_OK);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(report.rc, RC_OK);
	list = find_alarms(fixture, &filter);
	assert_int_equal(list.count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_true(
			list.items[i].facts.shelved_until_us > clock_now_us());
}

int
alarm_acting(void)
{
	const struct CMUnitTest tests[] = {
		ALARM_TEST(test_alarm_that_comes_again_is_held_as_its_limit_is),
		ALARM_TEST(
			test_alarm_that_is_shelved_already_stays_whose_it_was),
		ALARM_TEST(test_alarm_cause_is_known_by_its_names_one_by_one),
		ALARM_TEST(
			test_alarm_that_comes_while_its_limit_is_shelved_is_shelved),
	};

	return cmocka_run_group_tests_name("alarm_acting", tests, NULL, NULL);
}
