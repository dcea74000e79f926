/* noise: random courses that are a pure function of seed and time. */

#include "agents/noise.h"

#include <math.h>

static uint64_t
mix(uint64_t bits) /* the finaliser of splitmix64 */
{
	bits += UINT64_C(0x9e3779b97f4a7c15);
	bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
	return bits ^ (bits >> 31);
}

double
noise_uniform(uint64_t seed, uint64_t channel, int64_t index)
{
	uint64_t bits = mix(mix(mix(seed) ^ channel) ^ (uint64_t)index);

	return (double)(bits >> 11) / 9007199254740992.0;
}

static int64_t
floor_divide(int64_t number, int64_t divisor)
{
	int64_t quotient = number / divisor;

	return number % divisor < 0 ? quotient - 1 : quotient;
}

double
noise_smooth(uint64_t seed, uint64_t channel, int64_t time_us, double period_s)
{
	int64_t step_us = (int64_t)llround(period_s * 1e6);
	int64_t index = floor_divide(time_us, step_us);
	double x = (double)(time_us - index * step_us) / (double)step_us;
	double p[4];

	for (int i = 0; i < 4; i++)
		p[i] = 2 * noise_uniform(seed, channel, index + i - 1) - 1;
	/* Catmull-Rom: through p[1] and p[2], smooth at both. */
	return p[1] +
	       0.5 * x *
		       (p[2] - p[0] +
			       x * (2 * p[0] - 5 * p[1] + 4 * p[2] - p[3] +
					   x * (3 * (p[1] - p[2]) + p[3] -
						       p[0])));
}

/* Always summed in the same order, so that equal rings give equal bits. */
static double
weighted_mean(const struct lag *lag, int64_t newest)
{
	const double keep = exp(-4.0 / LAG_STEPS);
	double weight = 1;
	double weights = 0;
	double sum = 0;

	for (int64_t i = 0; i < LAG_STEPS; i++, weight *= keep) {
		int64_t slot = (newest - i) % (LAG_STEPS + 1);

		sum += weight *
		       lag->ring[slot < 0 ? slot + LAG_STEPS + 1 : slot];
		weights += weight;
	}
	return sum / weights;
}

static void
fill_step(struct lag *lag, int64_t step)
{
	int64_t slot = step % (LAG_STEPS + 1);

	lag->ring[slot < 0 ? slot + LAG_STEPS + 1 : slot] =
		lag->target(lag->context, step * lag->step_us);
}

double
lag_at(struct lag *lag, int64_t time_us)
{
	int64_t step = floor_divide(time_us, lag->step_us);
	double x =
		(double)(time_us - step * lag->step_us) / (double)lag->step_us;

	if (!lag->filled || step != lag->last) {
		int64_t from = lag->filled && step == lag->last + 1
				       ? step
				       : step - LAG_STEPS;

		for (; from <= step; from++)
			fill_step(lag, from);
		lag->filled = 1;
		lag->last = step;
		lag->before = weighted_mean(lag, step - 1);
		lag->now = weighted_mean(lag, step);
	}
	return lag->before + x * (lag->now - lag->before);
}
