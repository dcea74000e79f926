/* plant_variables: datasources and their variables. */

#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/sql/plant_fixture.h"

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
	struct variable changed[] = {plant_drafts[0], plant_drafts[1]};
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
	struct variable bad[] = {plant_drafts[0], plant_drafts[0],
		plant_drafts[0], plant_drafts[0]};
	struct variable twice[] = {plant_drafts[0], plant_drafts[0]};
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

int
plant_variables(void)
{
	const struct CMUnitTest tests[] = {
		PLANT_TEST(test_datasource_names_and_uuids_are_taken_once),
		PLANT_TEST(test_datasource_is_online_while_its_node_is_heard),
		PLANT_TEST(
			test_variable_patterns_know_star_and_question_mark_only),
		PLANT_TEST(test_variable_names_come_in_the_order_asked),
		PLANT_TEST(test_variable_put_changes_all_but_the_type),
		PLANT_TEST(test_variable_put_refuses_what_is_no_variable),
	};

	return cmocka_run_group_tests_name(
		"plant_variables", tests, NULL, NULL);
}
