/* retention: what is old goes step by step, and nothing else. */

#include "tests/unit/unit.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "model/retention.h"
#include "tests/sql/cluster.h"

/* Records as they are: 365 days count; "old" is 400 days ago, here as well. */
#define OLD_US   " (extract(epoch FROM now()) * 1000000)::bigint - 34560000000000"
#define OLD_TIME " now() - interval '400 days'"

enum { FILL, LEFT, OWNER_DELETES };

static const struct stmt test_stmts[] = {
	/* Texts tell what shall stay. */
	[FILL] = {"test_fill", "",
		"WITH plant AS (INSERT INTO datasource (uuid, name)"
		" SELECT gen_random_uuid(), 'retention ' || n"
		"   FROM generate_series(1, 2) AS n RETURNING id)"
		", one AS (INSERT INTO variable (datasource_id, name, kind)"
		" SELECT id, 'v', 3 FROM plant RETURNING id"
		"     , datasource_id)"
		", alarms AS (INSERT INTO alarm (id, datasource_id, variable_id"
		"     , limit_name, came_us, went_us, acknowledged_us"
		"     , must_acknowledge, changed_us, changed_at, text)"
		" SELECT gen_random_uuid(), datasource_id, id, 'l', " OLD_US
		"     , went, seen, must, 0, at, label"
		"   FROM one, (VALUES"
		"     (2500, 'gone', " OLD_US ", 1::bigint, true," OLD_TIME ")"
		"   , (10, 'gone', " OLD_US ", NULL, false," OLD_TIME ")"
		"   , (10, 'active', NULL, 1, true," OLD_TIME ")"
		"   , (10, 'unseen', " OLD_US ", NULL, true," OLD_TIME ")"
		"   , (10, 'imported', " OLD_US ", 1, true, now())"
		"   , (10, 'went now', 9000000000000000, 1, true," OLD_TIME
		"))     AS kinds (often, label, went, seen, must, at)"
		"     , generate_series(1, often))"
		", events AS (INSERT INTO event (datasource_id, kind, text"
		"     , time_us, received_at)"
		" SELECT id, 'k', label, us, at FROM (SELECT id FROM plant"
		"         UNION ALL SELECT NULL) AS p, (VALUES"
		"     (1500, 'gone', " OLD_US "," OLD_TIME ")"
		"   , (10, 'imported', " OLD_US ", now())"
		"   , (10, 'new', 9000000000000000," OLD_TIME
		"))     AS kinds (often, label, us, at)"
		"     , generate_series(1, often))"
		" INSERT INTO command (id, datasource_id, variable_id, hub, run"
		"     , boot, expires_us, expires_ms, value, actor_kind, actor"
		"     , subject, client, address, request, state, message"
		"     , created_at, changed_at)"
		" SELECT gen_random_uuid(), datasource_id, id, 'h', "
		"gen_random_uuid()"
		"     , gen_random_uuid(), 0, 0, '1', 'user', '', '', '', ''"
		"     , '', state, label, at, at"
		"   FROM one, (VALUES (1200, 'gone', 'confirmed'," OLD_TIME ")"
		"   , (10, 'under way', 'sent'," OLD_TIME ")"
		"   , (10, 'new', 'failed', now())"
		"        ) AS kinds (often, label, state, at)"
		"     , generate_series(1, often)"},
	/* How many of each kind shall have gone, and how many not? */
	[LEFT] = {"test_left", "",
		"SELECT count(*) FILTER (WHERE label = 'gone')"
		"     , count(*) FILTER (WHERE label <> 'gone')"
		"  FROM (SELECT 1, text FROM alarm"
		"        UNION ALL SELECT 2, text FROM event"
		"        UNION ALL SELECT 3, message FROM command)"
		"    AS all_of_it (kind, label) GROUP BY kind ORDER BY kind"},
	[OWNER_DELETES] = {"test_owner_deletes", "", "DELETE FROM event"},
	STMT_END,
};

static const struct stmt keeper_test_stmts[] = {
	{"test_keeper_deletes", "", "DELETE FROM command"},
	STMT_END,
};

static const struct stmt *const sets[] = {test_stmts, NULL};
static const struct stmt *const keeper_sets[] = {
	retention_stmts, keeper_test_stmts, NULL};

struct fixture {
	struct db *owner;
	struct db *keeper;
	struct arena *arena;
	struct fault fault;
};

static int
set_up(void **state)
{
	static struct fixture fixture;

	fixture.arena = arena_new();
	fixture.owner = cluster_open("fieldgrid_owner", sets);
	fixture.keeper = cluster_open("fieldgrid_keeper", keeper_sets);
	if (db_exec(fixture.owner, &test_stmts[FILL], NO_PARAMS, NULL,
		    &fixture.fault) != RC_OK)
		fail_msg("%s", fixture.fault.text);
	*state = &fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	db_close(fixture->owner);
	db_close(fixture->keeper);
	arena_free(fixture->arena);
	return 0;
}

static void
expect_left(struct fixture *fixture, const int64_t gone[RETENTION_KINDS])
{
	static const int64_t stay[] = {2 * 40, 3 * 20, 2 * 20};
	struct rows *rows;

	assert_int_equal(
		db_query(fixture->owner, fixture->arena, &test_stmts[LEFT],
			NO_PARAMS, &rows, &fixture->fault),
		RC_OK);
	assert_int_equal(rows_count(rows), RETENTION_KINDS);
	for (size_t i = 0; i < RETENTION_KINDS; i++) {
		assert_int_equal(rows_int(rows, i, 0), gone[i]);
		assert_int_equal(rows_int(rows, i, 1), stay[i]);
	}
}

/* How many steps were there? */
static int
pass(struct fixture *fixture, struct retention *retention)
{
	bool over = false;
	int steps = 0;

	for (; !over; steps++) {
		assert_int_equal(retention_step(fixture->keeper, fixture->arena,
					 retention, clock_now_us(), &over,
					 &fixture->fault),
			RC_OK);
		assert_true(steps < 1000);
	}
	return steps;
}

static void
test_retention_deletes_what_is_old_and_nothing_else(void **state)
{
	static const int64_t all[] = {2 * 2510, 3 * 1500, 2 * 1200};
	static const int64_t events[] = {2 * 2510, 0, 2 * 1200};
	static const int64_t none[] = {0, 0, 0};
	struct fixture *fixture = *state;
	struct retention retention = {.days = {0, 0, 0}};

	pass(fixture, &retention); /* for ever */
	expect_left(fixture, all);
	retention.days[RETENTION_EVENTS] = 365;
	retention.hold_us = 500 * CLOCK_DAY_US; /* somebody may lack them */
	pass(fixture, &retention);
	expect_left(fixture, all);
	retention.hold_us = CLOCK_DAY_US;
	assert_true(pass(fixture, &retention) >= 3 * 2);
	expect_left(fixture, events);
	assert_int_equal(retention.deleted[RETENTION_EVENTS], 3 * 1500);
	retention.days[RETENTION_ALARMS] = 365;
	retention.days[RETENTION_COMMANDS] = 365;
	assert_true(pass(fixture, &retention) > 2 * 3 + 2 * 2);
	expect_left(fixture, none);
	pass(fixture, &retention); /* there is nothing more */
	expect_left(fixture, none);
}

static void
test_retention_is_the_only_way(void **state)
{
	struct fixture *fixture = *state;

	assert_int_not_equal(db_exec(fixture->owner, &test_stmts[OWNER_DELETES],
				     NO_PARAMS, NULL, &fixture->fault),
		RC_OK);
	assert_int_not_equal(db_exec(fixture->keeper, &keeper_test_stmts[0],
				     NO_PARAMS, NULL, &fixture->fault),
		RC_OK);
}

/* The words that let the keeper's functions delete let nobody change. */
static void
test_retention_rewrites_nothing(void **state)
{
	static const char *const changes[] = {
		"UPDATE event SET text = 'other'",
		"TRUNCATE event",
		"UPDATE command SET value = '2'",
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		assert_int_equal(db_begin(fixture->owner, DB_READ_COMMITTED,
					 &fixture->fault),
			RC_OK);
		assert_int_equal(db_script(fixture->owner,
					 "SET LOCAL fieldgrid.retention = 'on'",
					 &fixture->fault),
			RC_OK);
		assert_int_not_equal(
			db_script(fixture->owner, changes[i], &fixture->fault),
			RC_OK);
		db_rollback(fixture->owner);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_retention_deletes_what_is_old_and_nothing_else),
		cmocka_unit_test(test_retention_is_the_only_way),
		cmocka_unit_test(test_retention_rewrites_nothing),
	};

	cluster_start();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
