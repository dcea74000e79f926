/* plant_fixture: what the tests of a plant and its records share. */
#ifndef FG_TESTS_SQL_PLANT_FIXTURE_H
#define FG_TESTS_SQL_PLANT_FIXTURE_H

#include "tests/sql/fixture.h"

#define PLANT_VARIABLES 4

/* The variables that every test starts with. */
extern const struct variable plant_drafts[PLANT_VARIABLES];

int plant_set_up(void **state);

#define PLANT_TEST(name)                                                       \
	cmocka_unit_test_setup_teardown(name, plant_set_up, fixture_free)

/* The parts of the program; each returns how many tests failed. */
int plant_variables(void);
int plant_events(void);
int plant_archives(void);

#endif
