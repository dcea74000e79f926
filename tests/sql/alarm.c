/* alarm: the Alarm Message List on a real server. */

#include "tests/unit/unit.h"

#include "tests/sql/alarm_fixture.h"
#include "tests/sql/cluster.h"

int
main(void)
{
	cluster_start();
	return alarm_merging() + alarm_lists() + alarm_acting();
}
