/* sim: what the simulated plants share. */

#include "agents/sim.h"

#include <math.h>
#include <string.h>

#include "agents/noise.h"
#include "lib/clock.h"

#define TURN            6.283185307179586
#define CHANNEL_WEATHER 900
#define CHANNEL_SPELL   1000

struct value
sim_text(const char *text)
{
	struct value value = {.kind = VALUE_STRING};

	value.string.data = text;
	value.string.bytes = (uint32_t)strlen(text);
	return value;
}

static int64_t
solar_shift_us(const struct sim_place *place)
{
	return (int64_t)(place->longitude / 15 * (double)CLOCK_HOUR_US);
}

int64_t
sim_midnight(const struct sim_place *place, int64_t time_us)
{
	int64_t local = time_us + solar_shift_us(place);

	return local - local % CLOCK_DAY_US - solar_shift_us(place);
}

double
sim_air_temperature(const struct sim_place *place, int64_t time_us)
{
	double day = (double)time_us / (double)CLOCK_DAY_US;
	double hour = (double)(time_us - sim_midnight(place, time_us)) /
		      (double)CLOCK_HOUR_US;
	double season = cos(TURN * (day - 20) / 365.25);

	return 11 - (place->latitude < 0 ? -10 : 10) * season +
	       4.5 * sin(TURN * (hour - 9.5) / 24) +
	       4 * noise_smooth(place->seed, CHANNEL_WEATHER, time_us, 2.5e5) +
	       0.4 * noise_smooth(
			     place->seed, CHANNEL_WEATHER + 1, time_us, 900);
}

bool
sim_spell(const struct sim_place *place, const struct sim_spell *spell,
	int64_t time_us, uint64_t *number)
{
	int64_t block = time_us / spell->block_us;
	uint64_t channel = CHANNEL_SPELL + spell->channel * 4;
	double length =
		noise_uniform(place->seed, channel + 1, block) *
			(double)(spell->longest_us - spell->shortest_us) +
		(double)spell->shortest_us;
	double start = noise_uniform(place->seed, channel + 2, block) *
		       ((double)spell->block_us - length);
	double at = (double)(time_us - block * spell->block_us);

	*number = (uint64_t)(noise_uniform(place->seed, channel + 3, block) *
			     1e6);
	return noise_uniform(place->seed, channel, block) < spell->chance &&
	       at >= start && at < start + length;
}

/* Sum all slots before the one that "time_us" is in. */
static void
advance(const struct sim_meter *meter, struct sim_sum *sum, int64_t time_us)
{
	int64_t age = time_us > SIM_BUILT_US ? time_us - SIM_BUILT_US : 0;
	int64_t slots = age / meter->slot_us;

	if (sum->started && sum->slots == slots)
		return;
	if (sum->slots > slots)
		memset(sum, 0, sizeof(*sum));
	for (;;) {
		int64_t middle = SIM_BUILT_US + sum->slots * meter->slot_us +
				 meter->slot_us / 2;

		if (!sum->started)
			meter->power(meter->context, middle, sum->watts);
		sum->started = true;
		if (sum->slots == slots)
			return;
		for (int i = 0; i < meter->units; i++)
			sum->wh[i] += sum->watts[i] * (double)meter->slot_us /
				      (double)CLOCK_HOUR_US;
		sum->slots++;
		sum->started = false;
	}
}

static int64_t
read_unit(const struct sim_meter *meter, const struct sim_sum *sum, int unit,
	int64_t time_us)
{
	int64_t start = SIM_BUILT_US + sum->slots * meter->slot_us;
	double hours = time_us > start ? (double)(time_us - start) /
						 (double)CLOCK_HOUR_US
				       : 0;

	return (int64_t)floor(sum->wh[unit] + sum->watts[unit] * hours);
}

void
sim_meter_read(struct sim_meter *meter, int64_t time_us, int64_t midnight_us,
	int64_t *wh, int64_t *today_wh)
{
	advance(meter, &meter->midnight, midnight_us);
	if (meter->now.slots < meter->midnight.slots)
		meter->now = meter->midnight;
	advance(meter, &meter->now, time_us);
	*today_wh = 0;
	for (int i = 0; i < meter->units; i++) {
		wh[i] = read_unit(meter, &meter->now, i, time_us);
		*today_wh += wh[i] -
			     read_unit(meter, &meter->midnight, i, midnight_us);
	}
}
