/* plant_clock: the time at the plant, for stamps. */

#include "agents/plant_clock.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/clock.h"

int64_t
plant_clock_at(struct plant_clock *clock, struct plant_clocks now)
{
	int64_t own_us = now.boot_us + clock->offset_us;
	bool jumped = llabs(now.wall_us - own_us) > PLANT_CLOCK_JUMP_US;

	if (clock->begun && clock->known && jumped)
		return own_us;
	clock->begun = true;
	clock->held = false;
	clock->offset_us = now.wall_us - now.boot_us;
	return now.wall_us;
}

/* The hub's time is between that of the answer and "spent_us" later. */
static bool
is_near(int64_t time_us, int64_t hub_us, int64_t spent_us)
{
	return time_us >= hub_us - PLANT_CLOCK_NEAR_US &&
	       time_us <= hub_us + spent_us + PLANT_CLOCK_NEAR_US;
}

static enum plant_clock_news
set(struct plant_clock *clock, int64_t by_us, int64_t *told_us)
{
	clock->offset_us += by_us;
	clock->held = false;
	*told_us = by_us;
	return PLANT_CLOCK_SET;
}

enum plant_clock_news
plant_clock_told_at(struct plant_clock *clock, struct plant_clocks now,
	int64_t hub_us, int64_t asked_us, int64_t *by_us)
{
	int64_t own_us = plant_clock_at(clock, now);
	int64_t spent_us = now.boot_us - asked_us;
	bool first = !clock->known;

	clock->known = true;
	if (is_near(own_us, hub_us, spent_us)) {
		if (own_us == now.wall_us || clock->held)
			return PLANT_CLOCK_GOES;
		clock->held = true;
		*by_us = now.wall_us - own_us;
		return PLANT_CLOCK_HELD;
	}
	if (own_us != now.wall_us && is_near(now.wall_us, hub_us, spent_us))
		return set(clock, now.wall_us - own_us, by_us);
	/* Later it is the hub that was set: that changes nothing here. */
	if (first)
		return set(clock, hub_us + spent_us / 2 - own_us, by_us);
	return PLANT_CLOCK_GOES;
}

/* --- of this process ---------------------------------------------------------
 */

static struct plant_clock ours;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct plant_clocks
read_clocks(void)
{
	return (struct plant_clocks){clock_now_us(), clock_boot_us()};
}

int64_t
plant_clock_us(void)
{
	int64_t time_us;

	pthread_mutex_lock(&lock);
	time_us = plant_clock_at(&ours, read_clocks());
	pthread_mutex_unlock(&lock);
	return time_us;
}

enum plant_clock_news
plant_clock_told(int64_t hub_us, int64_t asked_us, int64_t *by_us)
{
	enum plant_clock_news news;

	pthread_mutex_lock(&lock);
	news = plant_clock_told_at(
		&ours, read_clocks(), hub_us, asked_us, by_us);
	pthread_mutex_unlock(&lock);
	return news;
}
