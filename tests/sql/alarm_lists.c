/* alarm_lists: states, pages, and what is told of changes. */

#include "tests/unit/unit.h"

#include <string.h>

#include "lib/clock.h"
#include "tests/sql/alarm_fixture.h"
#include "tests/sql/cluster.h"

/* --- states ---------------------------------------------------------------
 */

static int64_t
time_at(const struct rows *rows, size_t row, int column)
{
	return rows_null(rows, row, column) ? CLOCK_NEVER
					    : rows_int(rows, row, column);
}

static void
test_alarm_state_is_the_same_in_sql(void **state)
{
	struct fixture *fixture = *state;
	struct rows *rows;

	assert_int_equal(db_query(fixture->db, fixture->arena,
				 &alarm_test_stmts[ALARM_TEST_STATES],
				 NO_PARAMS, &rows, &fixture->fault),
		RC_OK);
	assert_int_equal(rows_count(rows), 2 * 2 * 4 * 2 * 2 * 2 * 8);
	for (size_t i = 0; i < rows_count(rows); i++) {
		const struct alarm_facts facts = {
			.went_us = time_at(rows, i, 0),
			.acknowledged_us = time_at(rows, i, 1),
			.shelved_until_us = time_at(rows, i, 2),
			.must_acknowledge = rows_bool(rows, i, 3),
			.suppressed =
				rows_bool(rows, i, 4) ||
				(rows_int(rows, i, 5) & ALARM_SUPPRESSED) != 0,
			.out_of_service = rows_bool(rows, i, 6),
		};

		assert_int_equal(
			alarm_state(&facts, 1000), rows_int(rows, i, 7));
	}
}

/* --- pages ----------------------------------------------------------------
 */

/* 100 alarms; three come at the same time, each second one has gone. */
static void
fill(struct fixture *fixture)
{
	struct alarm_change changes[100];

	for (uint8_t i = 0; i < 100; i++)
		changes[i] = make_change(fixture, i, ALARM_CAME, 1 + i / 3,
			i % 2 == 0 ? 0 : 1000 + i, 0);
	assert_int_equal(apply_changes(fixture, changes, 100), RC_OK);
}

/* Walk page by page; the list must be complete and in order. */
static void
walk(struct fixture *fixture, struct alarm_filter filter, size_t expected)
{
	size_t seen = 0;
	struct alarm last = {.came_us = 0};
	struct alarm_page page;

	filter.limit = 7;
	do {
		assert_int_equal(alarm_query(fixture->db, fixture->arena,
					 &filter, &page, &fixture->fault),
			RC_OK);
		for (size_t i = 0; i < page.list.count; i++) {
			const struct alarm *alarm = &page.list.items[i];
			int order = memcmp(alarm->id, last.id, UUID_BYTES);

			if (alarm->came_us != last.came_us)
				order = alarm->came_us > last.came_us ? 1 : -1;
			if (seen + i > 0 && filter.sort == ALARM_SORT_RECEIVED)
				assert_true(filter.descending ? order < 0
							      : order > 0);
			last = *alarm;
		}
		seen += page.list.count;
		filter.after = page.next;
		memcpy(filter.after_id, last.id, UUID_BYTES);
		assert_true(seen <= expected);
	} while (page.next != NULL);
	assert_int_equal(seen, expected);
}

static void
test_alarm_pages_are_complete_in_every_order(void **state)
{
	struct fixture *fixture = *state;

	fill(fixture);
	for (int sort = 0; sort < ALARM_SORTS; sort++)
		for (int down = 0; down < 2; down++) {
			struct alarm_filter filter = all_alarms(fixture);

			filter.sort = (enum alarm_sort)sort;
			filter.descending = down;
			walk(fixture, filter, 100);
			filter.active = true;
			walk(fixture, filter, 50);
			filter.cleared = true;
			walk(fixture, filter, 0);
			filter.active = false;
			walk(fixture, filter, 50);
			filter.cleared = false;
			filter.unacknowledged = true;
			walk(fixture, filter, 100);
		}
}

static void
test_alarm_of_a_hidden_variable_is_hidden(void **state)
{
	struct fixture *fixture = *state;
	struct alarm_change came =
		make_change(fixture, 1, ALARM_CAME, 10, 0, 0);
	struct alarm_filter filter = all_alarms(fixture);

	came.variable_id = fixture->variables.items[1].id;
	assert_int_equal(apply_changes(fixture, &came, 1), RC_OK);
	assert_int_equal(find_alarms(fixture, &filter).count, 0);
}

/* What "other" sees since "*snapshot", which moves on. */
static struct alarm_list
follow(struct fixture *fixture, struct db *other, const char **snapshot)
{
	const struct feed_look look = {.since = *snapshot,
		.until = "",
		.xid = "0",
		.id = FEED_NO_ALARM};
	struct alarm_list list;

	assert_int_equal(alarm_follow(other, fixture->arena, &look, NULL, 0,
				 100, &list, snapshot, &fixture->fault),
		RC_OK);
	return list;
}

static void
test_alarm_changes_are_followed_without_a_gap(void **state)
{
	struct fixture *fixture = *state;
	struct db *other = cluster_open("fieldgrid_owner", alarm_sets);
	const struct alarm_change one =
		make_change(fixture, 1, ALARM_CAME, 1, 0, 0);
	const struct alarm_change two =
		make_change(fixture, 2, ALARM_CAME, 1, 0, 0);
	const char *snapshot = NULL;
	struct alarm_list list;

	assert_int_equal(follow(fixture, other, &snapshot).count, 0);
	assert_int_equal(
		db_begin(fixture->db, DB_READ_COMMITTED, &fixture->fault),
		RC_OK);
	assert_int_equal(apply_changes(fixture, &one, 1), RC_OK);
	/* The other one commits before; it may be seen, and the first after. */
	assert_int_equal(alarm_apply(other, fixture->arena, fixture->plant.id,
				 &two, 1, &fixture->fault),
		RC_OK);
	list = follow(fixture, other, &snapshot);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.items[0].id[UUID_BYTES - 1], 2);
	assert_int_equal(db_commit(fixture->db, &fixture->fault), RC_OK);
	list = follow(fixture, other, &snapshot);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.items[0].id[UUID_BYTES - 1], 1);
	assert_int_equal(follow(fixture, other, &snapshot).count, 0);
	db_close(other);
}

int
alarm_lists(void)
{
	const struct CMUnitTest tests[] = {
		ALARM_TEST(test_alarm_state_is_the_same_in_sql),
		ALARM_TEST(test_alarm_pages_are_complete_in_every_order),
		ALARM_TEST(test_alarm_of_a_hidden_variable_is_hidden),
		ALARM_TEST(test_alarm_changes_are_followed_without_a_gap),
	};

	return cmocka_run_group_tests_name("alarm_lists", tests, NULL, NULL);
}
