/* plant_events: what is written into the Chronological Event List is read. */

#include "tests/unit/unit.h"

#include <string.h>

#include "model/event_follow.h"
#include "tests/sql/cluster.h"
#include "tests/sql/plant_fixture.h"

static struct event_filter
all_events(const struct fixture *fixture)
{
	return (struct event_filter){.datasource_id = fixture->plant.id,
		.from_us = 10,
		.to_us = 20,
		.others = true,
		.limit = 100};
}

static struct event_page
query_events(struct fixture *fixture, const struct event_filter *filter)
{
	struct event_page page;

	assert_int_equal(event_query(fixture->db, fixture->arena, filter, &page,
				 &fixture->fault),
		RC_OK);
	return page;
}

static size_t
count_events(struct fixture *fixture, const struct event_filter *filter)
{
	return query_events(fixture, filter).list.count;
}

/* Three of the plant, one that is hidden and one that is too late. */
static void
write_events(struct fixture *fixture)
{
	const int64_t datasource = fixture->plant.id;
	const struct event_new events[] = {
		{.datasource_id = datasource,
			.time_us = 10,
			.kind = "alarm.commented",
			.text = "100% first"},
		{.datasource_id = datasource,
			.time_us = 20,
			.kind = "command.sent",
			.text = "second",
			.value = "1",
			.old_value = "0",
			.username = "ann",
			.computer = "::1",
			.comment = "why",
			.class_number = 7,
			.group_number = 8,
			.about = fixture->plant.uuid,
			.variable_id = fixture->variables.items[0].id},
		{.datasource_id = datasource,
			.time_us = 20,
			.kind = "alarm.commented",
			.text = "third",
			.variable_id = fixture->variables.items[1].id},
		{.datasource_id = datasource,
			.time_us = 20,
			.kind = "alarm.commented",
			.text = "of a variable that nobody outside may see",
			.variable_id = fixture->variables.items[3].id},
		{.datasource_id = datasource,
			.time_us = 21,
			.kind = "alarm.commented",
			.text = "too late"},
	};

	assert_int_equal(event_write(fixture->db, fixture->arena, events,
				 ARRAY_LENGTH(events), &fixture->fault),
		RC_OK);
}

static void
test_event_query_shows_what_was_written(void **state)
{
	struct fixture *fixture = *state;
	struct event_filter filter = all_events(fixture);
	struct event_list list;

	write_events(fixture);
	list = query_events(fixture, &filter).list;
	assert_int_equal(list.count, 3);
	assert_null(list.items[0].variable);
	assert_null(list.items[0].about);
	assert_string_equal(list.items[1].variable, "cpu/load");
	assert_string_equal(list.items[1].value, "1");
	assert_string_equal(list.items[1].old_value, "0");
	assert_string_equal(list.items[1].username, "ann");
	assert_string_equal(list.items[1].computer, "::1");
	assert_string_equal(list.items[1].comment, "why");
	assert_int_equal(list.items[1].class_number, 7);
	assert_int_equal(list.items[1].group_number, 8);
	assert_memory_equal(
		list.items[1].about, fixture->plant.uuid, UUID_BYTES);
}

static void
test_event_query_filters(void **state)
{
	static const char *const kinds[] = {"command.*", "x"};
	static const char *const users[] = {"A?N"};
	static const int32_t number = 7;
	struct fixture *fixture = *state;
	struct event_filter filter = all_events(fixture);
	int32_t ids[4];

	write_events(fixture);
	for (size_t i = 0; i < 4; i++)
		ids[i] = fixture->variables.items[i].id;
	filter.variables = (struct ints){4, ids};
	assert_int_equal(count_events(fixture, &filter), 3);
	filter.others = false;
	assert_int_equal(count_events(fixture, &filter), 2);
	filter.variables.count = 1;
	assert_int_equal(count_events(fixture, &filter), 1);
	filter.others = true;
	filter.variables.count = 0;
	assert_int_equal(count_events(fixture, &filter), 1);
	filter = all_events(fixture);
	filter.kinds = (struct texts){2, kinds};
	assert_int_equal(count_events(fixture, &filter), 1);
	filter = all_events(fixture);
	filter.users = (struct texts){1, users};
	assert_int_equal(count_events(fixture, &filter), 1);
	filter = all_events(fixture);
	filter.classes = (struct ints){1, &number};
	assert_int_equal(count_events(fixture, &filter), 1);
	filter.groups = (struct ints){1, &number};
	assert_int_equal(count_events(fixture, &filter), 0);
	filter = all_events(fixture);
	filter.text = "0% F";
	assert_int_equal(count_events(fixture, &filter), 1);
	filter.text = "1%f";
	assert_int_equal(count_events(fixture, &filter), 0);
	filter.text = "t*rd";
	assert_int_equal(count_events(fixture, &filter), 1);
	filter.text = "WHY";
	assert_int_equal(count_events(fixture, &filter), 1);
}

static void
test_event_query_pages_both_ways(void **state)
{
	struct fixture *fixture = *state;

	write_events(fixture);
	for (int down = 0; down < 2; down++) {
		struct event_filter filter = all_events(fixture);
		struct event_list whole;

		filter.descending = down == 1;
		whole = query_events(fixture, &filter).list;
		filter.limit = 1;
		for (size_t i = 0; i < whole.count; i++) {
			struct event_page page = query_events(fixture, &filter);

			assert_int_equal(page.list.count, 1);
			assert_true(page.list.items[0].id == whole.items[i].id);
			assert_int_equal(page.more, i + 1 < whole.count);
			filter.after_us = page.list.items[0].time_us;
			filter.after_id = page.list.items[0].id;
		}
		assert_int_equal(count_events(fixture, &filter), 0);
	}
}

static void
test_event_of_the_grid_is_for_all_datasources(void **state)
{
	struct fixture *fixture = *state;
	struct event_filter filter = all_events(fixture);
	const struct event_new login = {
		.time_us = 15, .kind = "login.ok", .text = "in"};
	size_t before;

	write_events(fixture);
	filter.grid = true;
	before = count_events(fixture, &filter);
	assert_int_equal(event_write(fixture->db, fixture->arena, &login, 1,
				 &fixture->fault),
		RC_OK);
	assert_int_equal(count_events(fixture, &filter), before + 1);
	filter.others = false;
	assert_int_equal(count_events(fixture, &filter), 2);
}

/* Of this plant, since "*seen". */
static size_t
count_since(struct fixture *fixture, const char **seen, const char *kind)
{
	const struct feed_look look = {
		.since = *seen, .until = "", .xid = "0", .id = FEED_NO_EVENT};
	struct event_seen *events;
	size_t count = 0;
	size_t found = 0;

	assert_int_equal(
		event_follow(fixture->db, fixture->arena, &look, NULL, 0, 10000,
			&events, &count, seen, &fixture->fault),
		RC_OK);
	for (size_t i = 0; i < count; i++)
		found += events[i].event.datasource_id == fixture->plant.id &&
			 strcmp(events[i].event.kind, kind) == 0;
	return found;
}

/* Two transactions, of which the one that began first commits last. */
static void
test_event_follow_misses_no_late_commit(void **state)
{
	static const struct stmt *const sets[] = {event_write_stmts, NULL};
	struct fixture *fixture = *state;
	struct event_new event = {
		.datasource_id = fixture->plant.id, .time_us = 5, .text = ""};
	struct db *other = cluster_open("fieldgrid_owner", sets);
	struct fault *fault = &fixture->fault;
	const char *seen = NULL;

	assert_int_equal(count_since(fixture, &seen, ""), 0);
	assert_int_equal(db_begin(other, DB_READ_COMMITTED, fault), RC_OK);
	event.kind = "node.moved";
	assert_int_equal(
		event_write(other, fixture->arena, &event, 1, fault), RC_OK);
	event.kind = "node.created";
	assert_int_equal(
		event_write(fixture->db, fixture->arena, &event, 1, fault),
		RC_OK);
	assert_int_equal(count_since(fixture, &seen, "node.created"), 1);
	assert_int_equal(count_since(fixture, &seen, "node.created"), 0);
	assert_int_equal(db_commit(other, fault), RC_OK);
	assert_int_equal(count_since(fixture, &seen, "node.moved"), 1);
	assert_int_equal(count_since(fixture, &seen, "node.moved"), 0);
	db_close(other);
}

int
plant_events(void)
{
	const struct CMUnitTest tests[] = {
		PLANT_TEST(test_event_query_shows_what_was_written),
		PLANT_TEST(test_event_query_filters),
		PLANT_TEST(test_event_query_pages_both_ways),
		PLANT_TEST(test_event_of_the_grid_is_for_all_datasources),
		PLANT_TEST(test_event_follow_misses_no_late_commit),
	};

	return cmocka_run_group_tests_name("plant_events", tests, NULL, NULL);
}
