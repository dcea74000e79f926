/*
 * noise: random courses that are a pure function of seed and time.
 *
 * The simulated plants must show the same values after a restart, so nothing
 * may be drawn from a generator with a state.
 */
#ifndef FG_AGENTS_NOISE_H
#define FG_AGENTS_NOISE_H

#include <stdint.h>

/* Evenly spread over 0..1, one number per (seed, channel, index). */
double noise_uniform(uint64_t seed, uint64_t channel, int64_t index);

/*
 * A smooth course around 0, mostly within -1..1, that forgets itself over
 * about "period_s": cubic between random points.
 */
double noise_smooth(
	uint64_t seed, uint64_t channel, int64_t time_us, double period_s);

/*
 * First-order lag (inertia) as a pure function of time: the exponentially
 * weighted mean of what "target" was at the last LAG_STEPS whole steps, drawn
 * straight between steps. The ring only saves asking again.
 */
#define LAG_STEPS 96

struct lag {
	double (*target)(const void *context, int64_t time_us);
	const void *context;
	int64_t step_us; /* LAG_STEPS / 4 steps are one time constant */
	int64_t last;    /* index of the newest step in the ring */
	int filled;      /* 0 before the first call */
	double ring[LAG_STEPS + 1];
	double before; /* the mean at step last - 1, and at last */
	double now;
};

double lag_at(struct lag *lag, int64_t time_us);

#endif
