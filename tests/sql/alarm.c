/* alarm: the Alarm Message List on a real server: merging, states, pages. */

#include "tests/unit/unit.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/db.h"
#include "model/alarm.h"
#include "model/alarm_act.h"
#include "model/datasource.h"
#include "model/event.h"
#include "model/variable.h"
#include "tests/sql/cluster.h"

#define START INT64_C(1770000000000000)

enum { STATES, EVENTS, KEEP, WAITERS };

static const struct stmt test_stmts[] = {
	/* every combination that the state depends on, as C shall see it */
	[STATES] = {"test_states", "",
		"SELECT a.went_us, a.acknowledged_us, a.shelved_until_us"
		"     , a.must_acknowledge, a.suppressed, a.flags"
		"     , a.out_of_service, alarm_state(a, 1000)"
		"  FROM (VALUES (NULL::bigint), (5)) AS w (went)"
		"     , (VALUES (NULL::bigint), (6)) AS k (acknowledged)"
		"     , (VALUES (NULL::bigint), (999), (1000), (1001)) AS s "
		"(til)"
		"     , (VALUES (true), (false)) AS m (must)"
		"     , (VALUES (true), (false)) AS u (suppressed)"
		"     , (VALUES (true), (false)) AS o (out)"
		"     , generate_series(0, 7) AS f (flags)"
		"     , LATERAL (SELECT (jsonb_populate_record(NULL::alarm"
		"         , jsonb_build_object('went_us', went"
		"           , 'acknowledged_us', acknowledged"
		"           , 'shelved_until_us', til"
		"           , 'must_acknowledge', must"
		"           , 'suppressed', suppressed, 'flags', f.flags"
		"           , 'out_of_service', out))).*) AS a"},
	[EVENTS] = {"test_events", "i",
		"SELECT kind FROM event WHERE datasource_id = $1 ORDER BY id"},
	[KEEP] = {"test_acknowledge", "ui",
		"UPDATE alarm SET acknowledged_us = $2 WHERE id = $1"},
	[WAITERS] = {"test_waiters", "",
		"SELECT count(*) FROM pg_locks"
		" WHERE locktype = 'advisory' AND NOT granted"},
	STMT_END,
};

static const struct stmt *const sets[] = {alarm_stmts, alarm_apply_stmts,
	alarm_act_stmts, event_write_stmts, datasource_stmts, variable_stmts,
	test_stmts, NULL};

struct fixture {
	struct db *db;
	struct arena *arena;
	struct datasource plant;
	struct variable_list variables;
	struct fault fault;
};

static int
set_up(void **state)
{
	static const struct variable drafts[] = {
		{.name = "level", .kind = VALUE_FLOAT, .access = ACCESS_READ},
		{.name = "hidden", .kind = VALUE_FLOAT, .access = ACCESS_NONE},
	};
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	char name[UUID_TEXT_BYTES];
	uint8_t uuid[UUID_BYTES];

	uuid_random(uuid);
	uuid_format(name, uuid);
	fixture->arena = arena_new();
	fixture->db = cluster_open("fieldgrid_owner", sets);
	assert_int_equal(datasource_create(fixture->db, fixture->arena, uuid,
				 name, "", &fixture->plant, &fixture->fault),
		RC_OK);
	assert_int_equal(
		variable_put(fixture->db, fixture->arena, fixture->plant.id,
			drafts, 2, &fixture->variables, &fixture->fault),
		RC_OK);
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	db_close(fixture->db);
	arena_free(fixture->arena);
	free(fixture);
	return 0;
}

/* --- merging --------------------------------------------------------------
 */

/* The alarm "number" came at START + came; the other times are offsets, too,
 * 0 = not. */
static struct alarm_change
change(const struct fixture *fixture, uint8_t number,
	enum alarm_change_kind kind, int64_t came, int64_t went,
	uint32_t reactivations)
{
	int64_t last = went > came ? went : came;
	struct alarm_change made = {
		.variable_id = fixture->variables.items[0].id,
		.limit = "high",
		.kind = kind,
		.time_us = START + last,
		.came_us = START + came,
		.went_us = went != 0 ? START + went : CLOCK_NEVER,
		.reactivated_us =
			reactivations > 0 ? START + last : CLOCK_NEVER,
		.reactivations = reactivations,
		.value = {.kind = VALUE_FLOAT, .number = 99.5},
		.text = "too high",
	};

	memcpy(made.id, fixture->plant.uuid, UUID_BYTES);
	made.id[UUID_BYTES - 1] = number;
	return made;
}

static enum rc
apply(struct fixture *fixture, const struct alarm_change *changes, size_t count)
{
	return alarm_apply(fixture->db, fixture->arena, fixture->plant.id,
		changes, count, &fixture->fault);
}

static struct alarm_filter
everything(const struct fixture *fixture)
{
	return (struct alarm_filter){
		.datasource_id = fixture->plant.id,
		.from_us = 0,
		.to_us = INT64_MAX,
		.now_us = START,
		.limit = 1000,
	};
}

static struct alarm_list
find(struct fixture *fixture, const struct alarm_filter *filter)
{
	struct alarm_page page;

	assert_int_equal(alarm_query(fixture->db, fixture->arena, filter, &page,
				 &fixture->fault),
		RC_OK);
	return page.list;
}

static struct alarm
the_only(struct fixture *fixture)
{
	struct alarm_filter filter = everything(fixture);
	struct alarm_list list = find(fixture, &filter);

	assert_int_equal(list.count, 1);
	return list.items[0];
}

static void
expect_events(struct fixture *fixture, const char *const *kinds, size_t count)
{
	struct rows *rows;

	assert_int_equal(
		db_query(fixture->db, fixture->arena, &test_stmts[EVENTS],
			PARAMS(P_INT(fixture->plant.id)), &rows,
			&fixture->fault),
		RC_OK);
	assert_int_equal(rows_count(rows), count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(rows_text(rows, i, 0), kinds[i]);
}

static void
test_alarm_life_is_one_row(void **state)
{
	static const char *const kinds[] = {
		"alarm.came", "alarm.went", "alarm.reactivated", "alarm.went"};
	struct fixture *fixture = *state;
	const struct alarm_change life[] = {
		change(fixture, 1, ALARM_CAME, 10, 0, 0),
		change(fixture, 1, ALARM_CHANGED, 10, 0, 0),
		change(fixture, 1, ALARM_WENT, 10, 20, 0),
		change(fixture, 1, ALARM_REACTIVATED, 10, 0, 1),
		change(fixture, 1, ALARM_WENT, 10, 40, 1),
	};
	struct alarm alarm;

	for (size_t i = 0; i < 5; i++)
		assert_int_equal(apply(fixture, &life[i], 1), RC_OK);
	alarm = the_only(fixture);
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
	assert_int_equal(apply(fixture, life, 5), RC_OK);
	assert_int_equal(the_only(fixture).facts.went_us, START + 40);
	expect_events(fixture, kinds, 4);
}

static void
test_alarm_life_in_one_batch_is_the_same(void **state)
{
	static const char *const kinds[] = {
		"alarm.came", "alarm.went", "alarm.reactivated"};
	struct fixture *fixture = *state;
	const struct alarm_change life[] = {
		change(fixture, 1, ALARM_CAME, 10, 0, 0),
		change(fixture, 1, ALARM_WENT, 10, 20, 0),
		change(fixture, 1, ALARM_REACTIVATED, 10, 0, 1),
	};
	struct alarm alarm;

	assert_int_equal(apply(fixture, life, 3), RC_OK);
	alarm = the_only(fixture);
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
		change(fixture, 1, ALARM_CAME, CLOCK_HOUR_US, 0, 0);
	struct alarm_change went =
		change(fixture, 1, ALARM_WENT, CLOCK_HOUR_US, 0, 0);

	went.went_us = went.time_us = START + 1;
	assert_int_equal(apply(fixture, &came, 1), RC_OK);
	assert_int_equal(apply(fixture, &went, 1), RC_OK);
	assert_int_equal(the_only(fixture).facts.went_us, START + 1);
}

static void
test_alarm_late_news_change_nothing(void **state)
{
	struct fixture *fixture = *state;
	const struct alarm_change came =
		change(fixture, 1, ALARM_CAME, 10, 0, 0);
	const struct alarm_change went =
		change(fixture, 1, ALARM_WENT, 10, 20, 0);

	assert_int_equal(apply(fixture, &went, 1), RC_OK); /* "came" is lost */
	assert_int_equal(the_only(fixture).came_us, START + 10);
	assert_int_equal(apply(fixture, &came, 1), RC_OK); /* and found */
	assert_int_equal(the_only(fixture).facts.went_us, START + 20);
}

static void
test_alarm_of_another_plant_is_not_touched(void **state)
{
	struct fixture *fixture = *state;
	const struct alarm_change came =
		change(fixture, 1, ALARM_CAME, 10, 0, 0);
	const struct alarm_change went =
		change(fixture, 1, ALARM_WENT, 10, 20, 0);

	assert_int_equal(apply(fixture, &came, 1), RC_OK);
	assert_int_equal(
		alarm_apply(fixture->db, fixture->arena, fixture->plant.id + 1,
			&went, 1, &fixture->fault),
		RC_OK);
	assert_int_equal(the_only(fixture).facts.went_us, CLOCK_NEVER);
}

/* Of the list by time received: the alarm at "index" has these times. */
static void
expect_alarm(struct fixture *fixture, size_t index, int64_t came, int64_t went,
	int64_t acknowledged, int64_t reactivations)
{
	struct alarm_filter filter = everything(fixture);
	struct alarm_list list = find(fixture, &filter);

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
	struct alarm_filter filter = everything(fixture);
	struct alarm_list list = find(fixture, &filter);

	assert_int_equal(
		db_exec(fixture->db, &test_stmts[KEEP],
			PARAMS(P_UUID(list.items[index].id), P_INT(START + at)),
			NULL, &fixture->fault),
		RC_OK);
}

static size_t
entries(struct fixture *fixture)
{
	struct alarm_filter filter = everything(fixture);

	return find(fixture, &filter).count;
}

/* A reactivation at "last", or that it went then. */
static struct alarm_change
again(const struct fixture *fixture, enum alarm_change_kind kind, int64_t last,
	uint32_t reactivations)
{
	struct alarm_change made =
		change(fixture, 1, kind, 10, 0, reactivations);

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
		change(fixture, 1, ALARM_CAME, 10, 0, 0),
		again(fixture, ALARM_REACTIVATED, 50, 1),
		again(fixture, ALARM_WENT, 60, 1),
		again(fixture, ALARM_REACTIVATED, 70, 2),
	};

	assert_int_equal(apply(fixture, life, 1), RC_OK);
	acknowledge(fixture, 0, 40);
	/* That it went is lost; but it must have. */
	assert_int_equal(apply(fixture, life + 1, 1), RC_OK);
	expect_alarm(fixture, 0, 10, 50, 40, 0);
	expect_alarm(fixture, 1, 50, 0, 0, 0);
	/* Nobody has acknowledged that one: it comes again. */
	assert_int_equal(apply(fixture, life + 2, 2), RC_OK);
	expect_alarm(fixture, 1, 50, 0, 0, 1);
	expect_events(fixture, kinds, 4);
	/* All of it once more: nothing is new. */
	assert_int_equal(apply(fixture, life, 4), RC_OK);
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
		change(fixture, 1, ALARM_CAME, 10, 0, 0),
		change(fixture, 1, ALARM_WENT, 10, 20, 0),
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

	assert_int_equal(apply(fixture, before, 3), RC_OK);
	acknowledge(fixture, 0, 60);
	assert_int_equal(apply(fixture, meanwhile, 5), RC_OK);
	assert_int_equal(entries(fixture), 2);
	expect_alarm(fixture, 0, 10, 40, 60, 1);
	expect_alarm(fixture, 1, 50, 80, 0, 1);
	acknowledge(fixture, 1, 90);
	assert_int_equal(apply(fixture, &once_more, 1), RC_OK);
	expect_alarm(fixture, 1, 50, 80, 90, 1);
	expect_alarm(fixture, 2, 100, 0, 0, 0);
}

static void
test_alarm_malformed_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct alarm_change bad[] = {
		change(fixture, 1, ALARM_CAME, 10, 0, 0),
		change(fixture, 1, ALARM_CAME, 10, 0, 0),
		change(fixture, 1, (enum alarm_change_kind)9, 10, 0, 0),
		change(fixture, 1, ALARM_CAME, 10, 0, 0),
	};

	bad[0].variable_id = 0;
	bad[1].limit = NULL;
	bad[3].time_us = CLOCK_NEVER;
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		assert_int_equal(apply(fixture, &bad[i], 1), RC_BAD_INPUT);
	assert_int_equal(apply(fixture, NULL, 0), RC_OK);
}

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

	assert_int_equal(
		db_query(fixture->db, fixture->arena, &test_stmts[STATES],
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
		changes[i] = change(fixture, i, ALARM_CAME, 1 + i / 3,
			i % 2 == 0 ? 0 : 1000 + i, 0);
	assert_int_equal(apply(fixture, changes, 100), RC_OK);
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
			struct alarm_filter filter = everything(fixture);

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
	struct alarm_change came = change(fixture, 1, ALARM_CAME, 10, 0, 0);
	struct alarm_filter filter = everything(fixture);

	came.variable_id = fixture->variables.items[1].id;
	assert_int_equal(apply(fixture, &came, 1), RC_OK);
	assert_int_equal(find(fixture, &filter).count, 0);
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
	struct db *other = cluster_open("fieldgrid_owner", sets);
	const struct alarm_change one = change(fixture, 1, ALARM_CAME, 1, 0, 0);
	const struct alarm_change two = change(fixture, 2, ALARM_CAME, 1, 0, 0);
	const char *snapshot = NULL;
	struct alarm_list list;

	assert_int_equal(follow(fixture, other, &snapshot).count, 0);
	assert_int_equal(
		db_begin(fixture->db, DB_READ_COMMITTED, &fixture->fault),
		RC_OK);
	assert_int_equal(apply(fixture, &one, 1), RC_OK);
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
	struct db *db = cluster_open("fieldgrid_owner", sets);
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
	struct db *db = cluster_open("fieldgrid_owner", sets);
	struct rows *rows = NULL;

	do {
		assert_int_equal(
			db_query(db, fixture->arena, &test_stmts[WAITERS],
				NO_PARAMS, &rows, &fixture->fault),
			RC_OK);
	} while (!atomic_load(&report->over) && rows_int(rows, 0, 0) == 0);
	db_close(db);
}

static void
shelve(struct fixture *fixture, const struct alarm_change *known)
{
	const struct bytes id = {known->id, UUID_BYTES};
	const struct alarm_wish wish = {.shelve = "works",
		.shelve_until_us = clock_now_us() + CLOCK_HOUR_US};
	const struct alarm_actor actor = {"anna", "desk", 0};
	struct alarm_act act = {.changed = false};
	struct alarm_list list;

	assert_int_equal(
		alarm_lock(fixture->db, fixture->arena, fixture->plant.id, &id,
			1, &list, &fixture->fault),
		RC_OK);
	act.alarm = &list.items[0];
	assert_int_equal(
		alarm_act(fixture->db, fixture->arena, fixture->plant.id, &wish,
			&actor, clock_now_us(), &act, 1, &fixture->fault),
		RC_OK);
}

static void
test_alarm_that_comes_while_its_limit_is_shelved_is_shelved(void **state)
{
	struct fixture *fixture = *state;
	const struct alarm_change known =
		change(fixture, 1, ALARM_CAME, 1, 0, 0);
	struct report report = {fixture,
		change(fixture, 2, ALARM_CAME, 2, 0, 0), false, RC_BUG};
	struct alarm_filter filter = everything(fixture);
	struct alarm_list list;
	pthread_t thread;

	assert_int_equal(apply(fixture, &known, 1), RC_OK);
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
	list = find(fixture, &filter);
	assert_int_equal(list.count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_true(
			list.items[i].facts.shelved_until_us > clock_now_us());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_alarm_life_is_one_row),
		TEST(test_alarm_life_in_one_batch_is_the_same),
		TEST(test_alarm_goes_also_when_the_clock_went_back),
		TEST(test_alarm_late_news_change_nothing),
		TEST(test_alarm_of_another_plant_is_not_touched),
		TEST(test_alarm_reactivated_after_acknowledgement_is_another),
		TEST(test_alarm_reactivated_while_cut_off_is_one_more),
		TEST(test_alarm_malformed_is_refused),
		TEST(test_alarm_state_is_the_same_in_sql),
		TEST(test_alarm_pages_are_complete_in_every_order),
		TEST(test_alarm_of_a_hidden_variable_is_hidden),
		TEST(test_alarm_changes_are_followed_without_a_gap),
		TEST(test_alarm_that_comes_while_its_limit_is_shelved_is_shelved),
	};

	cluster_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
