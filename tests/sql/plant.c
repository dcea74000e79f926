/* plant: datasources, variables, events and archives, on a real server. */

#include "tests/unit/unit.h"

#include <math.h>

#include "model/archive.h"
#include "model/event_follow.h"
#include "tests/sql/cluster.h"
#include "tests/sql/plant_fixture.h"

const struct variable plant_drafts[PLANT_VARIABLES] = {
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

int
plant_set_up(void **state)
{
	static const struct stmt *const sets[] = {archive_stmts,
		datasource_stmts, event_stmts, event_follow_stmts,
		event_write_stmts, variable_stmts, NULL};

	*state = fixture_new(sets, plant_drafts, PLANT_VARIABLES);
	return 0;
}

int
main(void)
{
	cluster_start();
	return plant_variables() + plant_events() + plant_archives();
}
