/* alarm_engine: samples and limits go in, changes of alarms come out. */

#include "tests/unit/unit.h"

#include "tests/unit/alarm_engine_words.h"

int
main(void)
{
	return engine_limits() + engine_states() + engine_oracle();
}
