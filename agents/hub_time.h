/*
 * hub_time: where the hub's steady clock is, at most.
 *
 * An exchange asks the hub for its clock; the answer was made between the
 * question and its arrival here. So the hub's clock can be, at any later time,
 * no more than what it said plus what has passed since the question. Whether a
 * command is still good is decided by that bound, on clocks that nobody can
 * set: neither a change of the date nor an answer that was long under way can
 * make an old command look fresh.
 */
#ifndef FG_AGENTS_HUB_TIME_H
#define FG_AGENTS_HUB_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/encode.h"

/* Two clocks may differ by so much per second; crystals do by 100. */
#define HUB_TIME_DRIFT_PPM 500

/* Times of our own are clock_boot_us: it counts while the machine sleeps. */
struct hub_time {
	bool known;
	uint8_t boot[UUID_BYTES]; /* which start of the hub's machine */
	int64_t hub_us;           /* what it said */
	int64_t asked_us;         /* ours, before the question was sent */
};

/* Take an exchange into account, when it says more than the last one did. */
void hub_time_note(struct hub_time *time, const uint8_t boot[UUID_BYTES],
	int64_t hub_us, int64_t asked_us, int64_t answered_us);

/* The hub is known to be at "hub_us" or later: what contradicts that is
 * forgotten, as after a pause of this machine that no clock of it noticed. */
void hub_time_check(struct hub_time *time, const uint8_t boot[UUID_BYTES],
	int64_t hub_us, int64_t now_us);

/* The latest that the hub's clock can be now; INT64_MAX when it is not known,
 * or when "boot" is another start of its machine. */
int64_t hub_time_latest(const struct hub_time *time,
	const uint8_t boot[UUID_BYTES], int64_t now_us);

#endif
