/*
 * alarm_rate: how many alarms come in ten minutes, and when they come in
 * floods.
 *
 * As EEMUA 191 and ISA-18.2 count: a flood begins with ten minutes of more
 * than ten alarms and ends before the first ten minutes of fewer than five.
 */
#ifndef FG_MODEL_ALARM_RATE_H
#define FG_MODEL_ALARM_RATE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"

#define ALARM_RATE_SLOT_US (600 * INT64_C(1000000))

/* Ten minutes in which alarms came; counted from the start of the range. */
struct alarm_slot {
	int64_t index;
	int64_t count;
};

struct alarm_flood {
	int64_t first; /* slot */
	int64_t slots;
	int64_t count;
	int64_t peak; /* in one slot */
};

struct alarm_rate {
	int64_t count;
	double average; /* in ten minutes */
	int64_t peak;
	int64_t peak_slot;
	const char *label; /* what EEMUA 191 calls the average */
	size_t flood_count;
	struct alarm_flood *floods; /* in order */
	int64_t flood_slots;
};

/* "slots" rise and leave out those without alarms; the range has "total" of
 * them, which may be a fraction. Lives in "arena". */
struct alarm_rate alarm_rate(struct arena *arena,
	const struct alarm_slot *slots, size_t count, double total);

/* Of an average in ten minutes: "VeryLikelyAcceptable" (up to 1),
 * "Manageable" (up to 2), "LikelyOverDemanding" (up to 5) or
 * "VeryLikelyUnacceptable". */
const char *alarm_rate_label(double average);

#endif
