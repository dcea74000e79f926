/* fixture: what a test of a plant's data starts with. */

#include "tests/unit/unit.h"

#include <stdlib.h>

#include "lib/encode.h"
#include "tests/sql/cluster.h"
#include "tests/sql/fixture.h"

struct fixture *
fixture_new(const struct stmt *const *sets, const struct variable *drafts,
	size_t count)
{
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
			drafts, count, &fixture->variables, &fixture->fault),
		RC_OK);
	return fixture;
}

int
fixture_free(void **state)
{
	struct fixture *fixture = *state;

	db_close(fixture->db);
	arena_free(fixture->arena);
	free(fixture);
	return 0;
}
