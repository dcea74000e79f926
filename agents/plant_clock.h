/*
 * plant_clock: the time at the plant, for stamps; it goes on when somebody sets
 * the machine's clock.
 *
 * It follows the machine's clock as long as that goes steadily. When it jumps,
 * this one goes on as before; the hub's time, which comes with the answer to
 * every beat, says whether the jump was a correction, and only then it is
 * followed. A machine that is wrong from the start gets the hub's time. Until
 * a hub has been heard, jumps are followed: nobody knows better.
 */
#ifndef FG_AGENTS_PLANT_CLOCK_H
#define FG_AGENTS_PLANT_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Beyond this it is a jump; below it, the work of a time service. */
#define PLANT_CLOCK_JUMP_US INT64_C(1000000)
/* So far from the hub's a time is as good as the hub's. */
#define PLANT_CLOCK_NEAR_US INT64_C(5000000)

enum plant_clock_news {
	PLANT_CLOCK_GOES,
	PLANT_CLOCK_HELD, /* the machine's clock jumped, and is not followed */
	PLANT_CLOCK_SET,  /* this clock jumped */
};

/* Of this process; every thread may ask. */
int64_t plant_clock_us(void);

/*
 * An answer told that it was "hub_us" at the hub; it was asked for when
 * clock_boot_us was "asked_us". *by_us is how far the clock in question jumped;
 * each jump is told once.
 */
enum plant_clock_news plant_clock_told(
	int64_t hub_us, int64_t asked_us, int64_t *by_us);

/* --- the same for given clocks ---------------------------------------------
 */

struct plant_clock {
	bool begun;
	bool known; /* a hub has been heard */
	bool held;  /* and that was told */
	int64_t offset_us;
};

struct plant_clocks {
	int64_t wall_us;
	int64_t boot_us;
};

int64_t plant_clock_at(struct plant_clock *clock, struct plant_clocks now);

enum plant_clock_news plant_clock_told_at(struct plant_clock *clock,
	struct plant_clocks now, int64_t hub_us, int64_t asked_us,
	int64_t *by_us);

#endif
