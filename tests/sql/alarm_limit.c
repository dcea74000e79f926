/* alarm_limit: limits on a real server: engineered here, declared by agents. */

#include "tests/unit/unit.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/db.h"
#include "model/alarm_limit_find.h"
#include "model/alarm_limit_store.h"
#include "tests/sql/cluster.h"
#include "tests/sql/fixture.h"

enum { NODE, AREAS, WAITERS };

static const struct stmt test_stmts[] = {
	[NODE] = {"test_node", "u",
		"INSERT INTO node (uuid, name, kind)"
		" VALUES ($1, $1::text, 'ingress')"
		" ON CONFLICT (uuid) DO UPDATE SET kind = excluded.kind"
		" RETURNING id"},
	[AREAS] = {"test_areas", "i",
		"SELECT name FROM alarm_category"
		" WHERE datasource_id = $1 AND kind = 'area' ORDER BY name"},
	[WAITERS] = {"test_waiters", "",
		"SELECT count(*) FROM pg_locks WHERE NOT granted"},
	STMT_END,
};

static const struct stmt *const sets[] = {alarm_limit_find_stmts,
	alarm_limit_store_stmts, datasource_stmts, variable_stmts, test_stmts,
	NULL};

static int
set_up(void **state)
{
	static const struct variable drafts[] = {
		{.name = "level", .kind = VALUE_FLOAT, .access = ACCESS_READ},
		{.name = "pump", .kind = VALUE_BOOL, .access = ACCESS_READ},
	};

	*state = fixture_new(sets, drafts, ARRAY_LENGTH(drafts));
	return 0;
}

/* The plant's node, made when it is first asked for. */
static int64_t
node_of(struct fixture *fixture)
{
	struct rows *rows;

	assert_int_equal(db_find(fixture->db, fixture->arena, &test_stmts[NODE],
				 PARAMS(P_UUID(fixture->plant.uuid)), &rows,
				 &fixture->fault),
		RC_OK);
	return rows_int(rows, 0, 0);
}

static struct alarm_limit
above(const char *variable, const char *name, double value)
{
	struct alarm_limit limit = alarm_limit_default();

	limit.variable = variable;
	limit.name = name;
	limit.condition = ALARM_GREATER;
	limit.value = value;
	return limit;
}

static enum rc
put(struct fixture *fixture, const struct alarm_limit *limits, size_t count,
	enum alarm_limit_mode mode, struct alarm_limit_count *counts)
{
	return alarm_limit_put(fixture->db, fixture->arena, fixture->plant.id,
		limits, count, mode, counts, &fixture->fault);
}

static enum rc
declare(struct fixture *fixture, const struct alarm_limit *limits, size_t count,
	struct alarm_limit_count *counts)
{
	static const char *const names[] = {"level"};

	return alarm_limit_declare(fixture->db, fixture->arena,
		fixture->plant.id, node_of(fixture), &(struct texts){1, names},
		limits, count, counts, &fixture->fault);
}

static struct alarm_limit_rows
find(struct fixture *fixture, enum alarm_evaluator evaluator)
{
	struct alarm_limit_rows rows;

	assert_int_equal(
		alarm_limit_query(fixture->db, fixture->arena,
			fixture->plant.id, evaluator, &rows, &fixture->fault),
		RC_OK);
	return rows;
}

static void
test_alarm_limit_comes_back_as_it_was_put(void **state)
{
	static const char *const areas[] = {"Halle \"1\"", "Nord"};
	struct fixture *fixture = *state;
	struct alarm_limit limit = {
		.variable = "level",
		.name = "zu hoch",
		.condition = ALARM_OUTSIDE,
		.value = (double)NAN,
		.match = NULL,
		.low = 0.1,
		.high = 1e300,
		.hysteresis = 0.25,
		.on_delay_ms = 1,
		.off_delay_ms = 86400000,
		.text = "{value} \\ {unit}\n",
		.class_number = 65535,
		.group_number = 7,
		.areas = {2, areas},
		.priority = 1,
		.comment_required = true,
		.each_change = true,
		.suppressed_by = "pump",
		.evaluated_by = ALARM_BY_HUB,
	};
	struct alarm_limit_count counts;
	struct alarm_limit_rows rows;
	struct alarm_limit *is;
	struct rows *named;

	assert_int_equal(
		put(fixture, &limit, 1, ALARM_LIMIT_MERGE, &counts), RC_OK);
	assert_int_equal(counts.added, 1);
	rows = find(fixture, ALARM_BY_HUB);
	assert_int_equal(rows.count, 1);
	is = &rows.items[0].limit;
	assert_string_equal(is->name, limit.name);
	assert_int_equal(is->condition, ALARM_OUTSIDE);
	assert_true(isnan(is->value));
	assert_null(is->match);
	assert_true(is->low == 0.1);
	assert_true(is->high == 1e300);
	assert_int_equal(is->off_delay_ms, 86400000);
	assert_string_equal(is->text, limit.text);
	assert_int_equal(is->class_number, 65535);
	assert_int_equal(is->areas.count, 2);
	assert_string_equal(is->areas.items[0], areas[0]);
	assert_false(is->must_acknowledge);
	assert_false(is->enabled);
	assert_true(is->each_change);
	assert_string_equal(is->suppressed_by, "pump");
	assert_int_equal(is->origin, ALARM_ORIGIN_HUB);
	assert_int_equal(
		db_query(fixture->db, fixture->arena, &test_stmts[AREAS],
			PARAMS(P_INT(fixture->plant.id)), &named,
			&fixture->fault),
		RC_OK);
	assert_int_equal(rows_count(named), 2);
	/* Once more: nothing to do. */
	assert_int_equal(
		put(fixture, is, 1, ALARM_LIMIT_MERGE, &counts), RC_OK);
	assert_int_equal(counts.added + counts.changed, 0);
}

static void
test_alarm_limit_replaces_only_what_is_engineered(void **state)
{
	struct fixture *fixture = *state;
	const struct alarm_limit mine[] = {
		above("level", "a", 1), above("level", "b", 2)};
	const struct alarm_limit less[] = {above("level", "b", 3)};
	const struct alarm_limit theirs[] = {above("level", "t", 9)};
	struct alarm_limit_count counts;

	assert_int_equal(
		put(fixture, mine, 2, ALARM_LIMIT_MERGE, &counts), RC_OK);
	assert_int_equal(declare(fixture, theirs, 1, &counts), RC_OK);
	assert_int_equal(
		put(fixture, less, 1, ALARM_LIMIT_REPLACE, &counts), RC_OK);
	assert_int_equal(counts.removed, 1);
	assert_int_equal(counts.changed, 1);
	assert_int_equal(find(fixture, ALARM_BY_DEFAULT).count, 2);
	assert_int_equal(put(fixture, theirs, 1, ALARM_LIMIT_MERGE, &counts),
		RC_CONFLICT);
	assert_string_equal(fixture->fault.code, "DeclaredByAgent");
	/* And the other way round: what is engineered here stays. */
	assert_int_equal(declare(fixture, less, 1, &counts), RC_OK);
	assert_int_equal(counts.refused, 1);
	assert_int_equal(counts.removed, 1); /* "t" */
	assert_int_equal(find(fixture, ALARM_BY_DEFAULT).count, 1);
}

static void
test_alarm_limit_is_evaluated_by_the_agent_that_is_there(void **state)
{
	struct fixture *fixture = *state;
	struct alarm_limit limits[] = {above("level", "a", 1),
		above("pump", "b", 0), above("level", "c", 2)};
	struct alarm_limit_count counts;

	limits[2].evaluated_by = ALARM_BY_HUB;
	assert_int_equal(
		put(fixture, limits, 3, ALARM_LIMIT_MERGE, &counts), RC_OK);
	assert_int_equal(find(fixture, ALARM_BY_HUB).count, 3);
	assert_int_equal(declare(fixture, NULL, 0, &counts), RC_OK);
	assert_int_equal(find(fixture, ALARM_BY_HUB).count, 2);
	assert_string_equal(
		find(fixture, ALARM_BY_AGENT).items[0].limit.name, "a");
}

static void
test_alarm_limit_of_nothing_or_twice_is_refused(void **state)
{
	struct fixture *fixture = *state;
	const struct alarm_limit twice[] = {
		above("level", "a", 1), above("level", "a", 2)};
	const struct alarm_limit stranger[] = {above("nothing", "a", 1)};
	struct alarm_limit_count counts;

	assert_int_equal(put(fixture, twice, 2, ALARM_LIMIT_MERGE, &counts),
		RC_BAD_INPUT);
	assert_int_equal(put(fixture, stranger, 1, ALARM_LIMIT_MERGE, &counts),
		RC_NOT_FOUND);
	assert_int_equal(declare(fixture, twice, 2, &counts), RC_BAD_INPUT);
	assert_int_equal(find(fixture, ALARM_BY_DEFAULT).count, 0);
}

/* Somebody else who puts limits of the same plant. */
struct other {
	struct fixture *fixture;
	atomic_bool over;
	enum rc rc;
};

static void *
put_other(void *context)
{
	struct other *other = context;
	const struct alarm_limit limits[] = {
		above("level", "b", 2), above("level", "a", 2)};
	struct db *db = cluster_open("fieldgrid_owner", sets);
	struct arena *arena = arena_new();
	struct alarm_limit_count counts;
	struct fault fault;

	other->rc = alarm_limit_put(db, arena, other->fixture->plant.id, limits,
		2, ALARM_LIMIT_MERGE, &counts, &fault);
	atomic_store(&other->over, true);
	arena_free(arena);
	db_close(db);
	return NULL;
}

/* Until it is over, or waits for us. */
static void
await_other(struct other *other)
{
	struct fixture *fixture = other->fixture;
	struct db *db = cluster_open("fieldgrid_owner", sets);
	struct rows *rows = NULL;

	do {
		assert_int_equal(
			db_find(db, fixture->arena, &test_stmts[WAITERS],
				NO_PARAMS, &rows, &fixture->fault),
			RC_OK);
	} while (!atomic_load(&other->over) && rows_int(rows, 0, 0) == 0);
	db_close(db);
}

static void
test_alarm_limit_two_who_put_the_same_wait_for_each_other(void **state)
{
	struct fixture *fixture = *state;
	const struct alarm_limit first = above("level", "a", 1);
	const struct alarm_limit second = above("level", "b", 1);
	struct other other = {fixture, false, RC_BUG};
	struct alarm_limit_count counts;
	pthread_t thread;

	assert_int_equal(
		db_begin(fixture->db, DB_READ_COMMITTED, &fixture->fault),
		RC_OK);
	assert_int_equal(
		put(fixture, &first, 1, ALARM_LIMIT_MERGE, &counts), RC_OK);
	assert_int_equal(pthread_create(&thread, NULL, put_other, &other), 0);
	await_other(&other);
	assert_int_equal(
		put(fixture, &second, 1, ALARM_LIMIT_MERGE, &counts), RC_OK);
	assert_int_equal(db_commit(fixture->db, &fixture->fault), RC_OK);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(other.rc, RC_OK);
	assert_int_equal(find(fixture, ALARM_BY_DEFAULT).count, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_free)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_alarm_limit_comes_back_as_it_was_put),
		TEST(test_alarm_limit_replaces_only_what_is_engineered),
		TEST(test_alarm_limit_is_evaluated_by_the_agent_that_is_there),
		TEST(test_alarm_limit_of_nothing_or_twice_is_refused),
		TEST(test_alarm_limit_two_who_put_the_same_wait_for_each_other),
	};

	cluster_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
