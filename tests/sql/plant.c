/* plant: datasources, variables, events and archives, on a real server. */

#include "tests/unit/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/db.h"
#include "model/archive.h"
#include "model/datasource.h"
#include "model/event_follow.h"
#include "model/variable.h"
#include "tests/sql/cluster.h"

/* What every test starts with: a plant of its own with four variables. */
struct fixture {
	struct db *db;
	struct arena *arena;
	struct datasource plant;
	struct variable_list variables;
	struct fault fault;
};

static const struct variable drafts[] = {
	{.name = "cpu/load",
		.kind = VALUE_FLOAT,
		.unit = "1",
		.decimals = 3,
		.minimum = 0,
		.maximum = (double)NAN,
		.access = ACCESS_READ},
	{.name = "cpu/count",
		.kind = VALUE_INT,
		.minimum = (double)NAN,
		.maximum = (double)NAN,
		.access = ACCESS_READ_WRITE},
	{.name = "100%_of\\it",
		.kind = VALUE_BOOL,
		.minimum = (double)NAN,
		.maximum = (double)NAN,
		.stepped = true,
		.access = ACCESS_READ},
	{.name = "name",
		.kind = VALUE_STRING,
		.minimum = (double)NAN,
		.maximum = (double)NAN,
		.access = ACCESS_NONE},
};

static int
set_up(void **state)
{
	static const struct stmt *const sets[] = {archive_stmts,
		datasource_stmts, event_stmts, event_follow_stmts,
		event_write_stmts, variable_stmts, NULL};
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	char name[UUID_TEXT_BYTES];
	uint8_t uuid[UUID_BYTES];

	uuid_random(uuid);
	uuid_format(name, uuid);
	fixture->arena = arena_new();
	fixture->db = cluster_open("fieldgrid_owner", sets);
	assert_int_equal(
		datasource_create(fixture->db, fixture->arena, uuid, name,
			"a test", &fixture->plant, &fixture->fault),
		RC_OK);
	assert_int_equal(
		variable_put(fixture->db, fixture->arena, fixture->plant.id,
			drafts, ARRAY_LENGTH(drafts), &fixture->variables,
			&fixture->fault),
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

/* --- datasources --------------------------------------------------------- */

static void
test_datasource_names_and_uuids_are_taken_once(void **state)
{
	struct fixture *fixture = *state;
	struct datasource again;
	uint8_t uuid[UUID_BYTES];

	assert_int_equal(datasource_create(fixture->db, fixture->arena,
				 fixture->plant.uuid, "other", "", &again,
				 &fixture->fault),
		RC_CONFLICT);
	uuid_random(uuid);
	assert_int_equal(
		datasource_create(fixture->db, fixture->arena, uuid,
			fixture->plant.name, "", &again, &fixture->fault),
		RC_CONFLICT);
	assert_int_equal(datasource_create(fixture->db, fixture->arena, uuid,
				 "", "", &again, &fixture->fault),
		RC_BAD_INPUT);
	assert_int_equal(datasource_find(fixture->db, fixture->arena, uuid,
				 &again, &fixture->fault),
		RC_NOT_FOUND);
}

static void
test_datasource_is_online_while_its_node_is_heard(void **state)
{
	struct fixture *fixture = *state;
	struct db *db = fixture->db;
	struct datasource found;
	char script[1024];

	assert_false(fixture->plant.online);
	snprintf(script, sizeof(script),
		"WITH n AS (INSERT INTO node (uuid, name, kind, state)"
		" VALUES ('%s', '%s', 'ingress', 'authorised') RETURNING id)"
		", a AS (INSERT INTO node_datasource"
		" (node_id, datasource_id, publish) SELECT id, %d, true FROM n)"
		" INSERT INTO node_status (node_id, seen_at)"
		" SELECT id, now() FROM n",
		fixture->plant.uuid_text, fixture->plant.uuid_text,
		(int)fixture->plant.id);
	assert_int_equal(db_script(db, script, &fixture->fault), RC_OK);
	assert_int_equal(datasource_find(db, fixture->arena,
				 fixture->plant.uuid, &found, &fixture->fault),
		RC_OK);
	assert_true(found.online);
	snprintf(script, sizeof(script),
		"UPDATE node SET state = 'blocked' WHERE uuid = '%s'",
		fixture->plant.uuid_text);
	assert_int_equal(db_script(db, script, &fixture->fault), RC_OK);
	assert_int_equal(datasource_find(db, fixture->arena,
				 fixture->plant.uuid, &found, &fixture->fault),
		RC_OK);
	assert_false(found.online);
}

/* --- variables ----------------------------------------------------------- */

static void
expect_names(struct fixture *fixture, const char *pattern, const char *names)
{
	struct variable_list list;
	char found[256] = "";

	assert_int_equal(
		variable_query(fixture->db, fixture->arena, fixture->plant.id,
			&pattern, 1, &list, &fixture->fault),
		RC_OK);
	for (size_t i = 0; i < list.count; i++) {
		strcat(found, list.items[i].name);
		strcat(found, " ");
	}
	assert_string_equal(found, names);
}

static void
test_variable_patterns_know_star_and_question_mark_only(void **state)
{
	struct fixture *fixture = *state;

	expect_names(fixture, "*", "100%_of\\it cpu/count cpu/load name ");
	expect_names(fixture, "cpu/*", "cpu/count cpu/load ");
	expect_names(fixture, "cpu/l?ad", "cpu/load ");
	expect_names(fixture, "%", "");
	expect_names(fixture, "nam_", "");
	expect_names(fixture, "100%_of\\*", "100%_of\\it ");
	expect_names(fixture, "CPU/load", "");
}

static void
test_variable_names_come_in_the_order_asked(void **state)
{
	static const char *const names[] = {"name", "nobody", "cpu/load"};
	struct fixture *fixture = *state;
	struct variable_list list;

	assert_int_equal(
		variable_query_names(fixture->db, fixture->arena,
			fixture->plant.id, names, 3, &list, &fixture->fault),
		RC_OK);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.items[0].name, "name");
	assert_string_equal(list.items[1].name, "cpu/load");
	assert_true(isnan(list.items[1].maximum));
	assert_true(list.items[1].minimum >= 0);
	assert_int_equal(list.items[1].decimals, 3);
}

static void
test_variable_put_changes_all_but_the_type(void **state)
{
	struct fixture *fixture = *state;
	struct variable changed[] = {drafts[0], drafts[1]};
	struct variable_list stored;
	struct variable found;

	changed[0].unit = "kW";
	assert_int_equal(
		variable_put(fixture->db, fixture->arena, fixture->plant.id,
			changed, 2, &stored, &fixture->fault),
		RC_OK);
	assert_int_equal(stored.items[0].id, fixture->variables.items[0].id);
	changed[0].unit = "W";
	changed[1].kind = VALUE_STRING;
	assert_int_equal(
		variable_put(fixture->db, fixture->arena, fixture->plant.id,
			changed, 2, &stored, &fixture->fault),
		RC_CONFLICT);
	assert_string_equal(fixture->fault.field, "cpu/count");
	assert_int_equal(
		variable_find(fixture->db, fixture->arena, fixture->plant.id,
			"cpu/load", &found, &fixture->fault),
		RC_OK);
	assert_string_equal(found.unit, "kW"); /* all or none */
}

static void
test_variable_put_refuses_what_is_no_variable(void **state)
{
	struct fixture *fixture = *state;
	struct variable bad[] = {drafts[0], drafts[0], drafts[0], drafts[0]};
	struct variable twice[] = {drafts[0], drafts[0]};
	struct variable_list stored;
	char longer[VARIABLE_NAME_BYTES_MAX + 2];

	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	bad[0].name = "";
	bad[1].name = longer;
	bad[2].name = "a*";
	bad[3].decimals = 16;
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		assert_int_equal(variable_put(fixture->db, fixture->arena,
					 fixture->plant.id, &bad[i], 1, &stored,
					 &fixture->fault),
			RC_BAD_INPUT);
	assert_int_equal(
		variable_put(fixture->db, fixture->arena, fixture->plant.id,
			twice, 2, &stored, &fixture->fault),
		RC_BAD_INPUT);
}

/* --- events -------------------------------------------------------------- */

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

/* --- archives ------------------------------------------------------------ */

static enum rc
add_archive(struct fixture *fixture, struct archive_draft draft,
	const char *pattern, size_t *variables)
{
	draft.datasource_id = fixture->plant.id;
	draft.name = "test";
	draft.patterns = &pattern;
	draft.patterns_count = pattern != NULL;
	return archive_create(fixture->db, fixture->arena, &draft, variables,
		&fixture->fault);
}

static void
test_archive_tree_goes_as_deep_as_wished(void **state)
{
	struct fixture *fixture = *state;
	const struct archive *first;
	const struct archive *found;
	size_t variables;

	assert_int_equal(add_archive(fixture,
				 (struct archive_draft){.identification = "R"},
				 "*", &variables),
		RC_OK);
	assert_int_equal(variables, 4);
	assert_int_equal(add_archive(fixture,
				 (struct archive_draft){.identification = "R1",
					 .parent = "R",
					 .calculation = ARCHIVE_AVERAGE,
					 .cycle_s = 60},
				 NULL, &variables),
		RC_OK);
	assert_int_equal(variables, 3); /* a string has no average */
	assert_int_equal(add_archive(fixture,
				 (struct archive_draft){.identification = "R2",
					 .parent = "R1",
					 .calculation = ARCHIVE_MAXIMUM,
					 .cycle_s = 3600},
				 "cpu/*", &variables),
		RC_OK);
	assert_int_equal(variables, 2);
	assert_int_equal(archive_query(fixture->db, fixture->arena,
				 fixture->plant.id, &first, &fixture->fault),
		RC_OK);
	assert_null(first->next);
	assert_string_equal(first->child->child->identification, "R2");
	assert_int_equal(first->child->child->variables.count, 2);
	assert_int_equal(
		archive_find(fixture->db, fixture->arena, fixture->plant.id,
			"R2", &found, &fixture->fault),
		RC_OK);
	assert_string_equal(found->parent->parent->identification, "R");
	assert_int_equal(found->cycle_s, 3600);
}

static void
test_archive_drafts_must_make_sense(void **state)
{
	static const struct archive_draft bad[] = {
		{.identification = ""},
		{.identification = "a/b"},
		{.identification = "X", .rule = ARCHIVE_EVENT},
		{.identification = "X", .rule = ARCHIVE_CYCLIC},
		{.identification = "X", .cycle_s = 5},
		{.identification = "X", .calculation = ARCHIVE_SUM},
		{.identification = "X",
			.parent = "S",
			.calculation = ARCHIVE_SUM},
		{.identification = "X", .parent = "S", .cycle_s = 60},
		{.identification = "X",
			.parent = "M",
			.calculation = ARCHIVE_SUM,
			.cycle_s = 90},
	};
	struct fixture *fixture = *state;
	size_t variables;

	assert_int_equal(add_archive(fixture,
				 (struct archive_draft){.identification = "S"},
				 "*", &variables),
		RC_OK);
	assert_int_equal(add_archive(fixture,
				 (struct archive_draft){.identification = "M",
					 .parent = "S",
					 .calculation = ARCHIVE_SUM,
					 .cycle_s = 60},
				 NULL, &variables),
		RC_OK);
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		assert_int_equal(add_archive(fixture, bad[i], "*", &variables),
			RC_BAD_INPUT);
	assert_int_equal(add_archive(fixture,
				 (struct archive_draft){.identification = "X"},
				 "nothing*", &variables),
		RC_BAD_INPUT);
	assert_int_equal(add_archive(fixture,
				 (struct archive_draft){.identification = "X",
					 .parent = "nobody",
					 .calculation = ARCHIVE_SUM,
					 .cycle_s = 60},
				 "*", &variables),
		RC_NOT_FOUND);
	assert_int_equal(add_archive(fixture,
				 (struct archive_draft){.identification = "S"},
				 "*", &variables),
		RC_CONFLICT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_datasource_names_and_uuids_are_taken_once),
		TEST(test_datasource_is_online_while_its_node_is_heard),
		TEST(test_variable_patterns_know_star_and_question_mark_only),
		TEST(test_variable_names_come_in_the_order_asked),
		TEST(test_variable_put_changes_all_but_the_type),
		TEST(test_variable_put_refuses_what_is_no_variable),
		TEST(test_event_query_shows_what_was_written),
		TEST(test_event_query_filters),
		TEST(test_event_query_pages_both_ways),
		TEST(test_event_of_the_grid_is_for_all_datasources),
		TEST(test_event_follow_misses_no_late_commit),
		TEST(test_archive_tree_goes_as_deep_as_wished),
		TEST(test_archive_drafts_must_make_sense),
	};

	cluster_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
