/*
 * alarm_state: in which state of ISA-18.2 an occurrence of an alarm is.
 *
 * A pure function of its stamps and of what holds it back. The same is said in
 * SQL by alarm_state() (sql/0011-create-alarms.sql); a test compares the two.
 */
#ifndef FG_MODEL_ALARM_STATE_H
#define FG_MODEL_ALARM_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum alarm_state {
	ALARM_STATE_NORMAL, /* over, and nobody has to look at it */
	ALARM_STATE_UNACKNOWLEDGED_ACTIVE,
	ALARM_STATE_ACKNOWLEDGED_ACTIVE,
	ALARM_STATE_RETURNED_UNACKNOWLEDGED,
	ALARM_STATE_SHELVED,
	ALARM_STATE_SUPPRESSED,
	ALARM_STATE_OUT_OF_SERVICE,
	ALARM_STATE_COUNT,
};

/* What the state depends on. Times may be CLOCK_NEVER. */
struct alarm_facts {
	int64_t went_us;
	int64_t acknowledged_us;
	int64_t shelved_until_us;
	bool must_acknowledge;
	bool suppressed; /* by the plant's design or by hand */
	bool out_of_service;
};

enum alarm_state alarm_state(const struct alarm_facts *facts, int64_t now_us);

/* "UnacknowledgedActive" */
const char *alarm_state_name(enum alarm_state state);
/* Without regard to case; false when there is no such state. */
bool alarm_state_parse(const char *name, enum alarm_state *state);

/* The column "alarm status" of the original product: "received", "cleared" or
 * "acknowledged", by the stamps alone. */
const char *alarm_status_name(const struct alarm_facts *facts);

#endif
