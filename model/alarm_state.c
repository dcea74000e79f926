/* alarm_state: in which state of ISA-18.2 an occurrence of an alarm is. */

#include "model/alarm_state.h"

#include <strings.h>

#include "lib/clock.h"

static const char *const names[ALARM_STATE_COUNT] = {
	[ALARM_STATE_NORMAL] = "Normal",
	[ALARM_STATE_UNACKNOWLEDGED_ACTIVE] = "UnacknowledgedActive",
	[ALARM_STATE_ACKNOWLEDGED_ACTIVE] = "AcknowledgedActive",
	[ALARM_STATE_RETURNED_UNACKNOWLEDGED] = "ReturnedUnacknowledged",
	[ALARM_STATE_SHELVED] = "Shelved",
	[ALARM_STATE_SUPPRESSED] = "SuppressedByDesign",
	[ALARM_STATE_OUT_OF_SERVICE] = "OutOfService",
};

enum alarm_state
alarm_state(const struct alarm_facts *facts, int64_t now_us)
{
	bool went = facts->went_us != CLOCK_NEVER;
	bool seen = facts->acknowledged_us != CLOCK_NEVER ||
		    !facts->must_acknowledge;

	if (went && seen)
		return ALARM_STATE_NORMAL;
	if (facts->out_of_service)
		return ALARM_STATE_OUT_OF_SERVICE;
	if (facts->suppressed)
		return ALARM_STATE_SUPPRESSED;
	if (facts->shelved_until_us > now_us)
		return ALARM_STATE_SHELVED;
	if (went)
		return ALARM_STATE_RETURNED_UNACKNOWLEDGED;
	return seen ? ALARM_STATE_ACKNOWLEDGED_ACTIVE
		    : ALARM_STATE_UNACKNOWLEDGED_ACTIVE;
}

const char *
alarm_state_name(enum alarm_state state)
{
	return names[state];
}

bool
alarm_state_parse(const char *name, enum alarm_state *state)
{
	for (int i = 0; i < ALARM_STATE_COUNT; i++)
		if (strcasecmp(names[i], name) == 0) {
			*state = (enum alarm_state)i;
			return true;
		}
	return false;
}

const char *
alarm_status_name(const struct alarm_facts *facts)
{
	if (facts->acknowledged_us != CLOCK_NEVER)
		return "acknowledged";
	return facts->went_us != CLOCK_NEVER ? "cleared" : "received";
}
