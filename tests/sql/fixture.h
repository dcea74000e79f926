/* fixture: what a test of a plant's data starts with: a connection as the
 * owner, and a plant of its own with variables. */
#ifndef FG_TESTS_SQL_FIXTURE_H
#define FG_TESTS_SQL_FIXTURE_H

#include "lib/db.h"
#include "model/datasource.h"
#include "model/variable.h"

struct fixture {
	struct db *db;
	struct arena *arena;
	struct datasource plant;
	struct variable_list variables;
	struct fault fault;
};

/* "sets" must have datasource_stmts and variable_stmts. Owns: fixture_free. */
struct fixture *fixture_new(const struct stmt *const *sets,
	const struct variable *drafts, size_t count);

/* A tear-down of cmocka. */
int fixture_free(void **state);

#endif
