/* plant_archives: the tree of archives of a datasource. */

#include "tests/unit/unit.h"

#include "model/archive.h"
#include "tests/sql/plant_fixture.h"

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

int
plant_archives(void)
{
	const struct CMUnitTest tests[] = {
		PLANT_TEST(test_archive_tree_goes_as_deep_as_wished),
		PLANT_TEST(test_archive_drafts_must_make_sense),
	};

	return cmocka_run_group_tests_name("plant_archives", tests, NULL, NULL);
}
