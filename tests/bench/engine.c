/*
 * engine: samples against limits, on one core.
 *
 * Prints one line per figure: name, value, unit, ratio, of what, wanted; with
 * tabs between them. 5,000 variables, three limits on each: high and low with
 * hysteresis and delays, and a status bit. The values are those of a plant that
 * moves; one sample of some ten thousand begins or ends a violation.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "model/alarm_engine.h"

#define VARIABLES 5000
#define ROUNDS    100 /* samples of each variable */
#define REPEATS   5
#define SAMPLES   ((size_t)VARIABLES * ROUNDS)
#define BEGIN_US  INT64_C(1700000000000000)

static struct alarm_limit limits[3];

static void
make_limits(void)
{
	static const char *const names[] = {"high", "low", "bad"};

	for (size_t i = 0; i < ARRAY_LENGTH(limits); i++) {
		limits[i] = alarm_limit_default();
		limits[i].name = names[i];
		limits[i].on_delay_ms = 2000;
		limits[i].off_delay_ms = 1000;
		limits[i].text = "{value} {unit}, limit {limit} {unit}";
	}
	limits[0].condition = ALARM_GREATER;
	limits[0].value = 90;
	limits[1].condition = ALARM_LESS;
	limits[1].value = 10;
	limits[0].hysteresis = limits[1].hysteresis = 2;
	limits[2].condition = ALARM_STATUS;
	limits[2].value = 18;
}

static struct alarm_engine *
make_engine(void)
{
	struct alarm_engine *engine = alarm_engine_new();
	struct alarm_target *targets =
		calloc(3 * (size_t)VARIABLES, sizeof(*targets));

	if (targets == NULL)
		abort();
	for (size_t i = 0; i < 3 * (size_t)VARIABLES; i++)
		targets[i] = (struct alarm_target){.limit = &limits[i % 3],
			.variable_id = (int32_t)(i / 3) + 1,
			.kind = VALUE_FLOAT,
			.unit = "bar",
			.decimals = 1};
	alarm_engine_set(engine, targets, 3 * (size_t)VARIABLES, BEGIN_US);
	free(targets);
	return engine;
}

/* The same numbers in every run (xorshift). */
static double
draw(void)
{
	static uint64_t random = 20261121;

	random ^= random << 13;
	random ^= random >> 7;
	random ^= random << 17;
	return (double)(random >> 11) / 9007199254740992.0;
}

/* Each variable wanders; few come near their limits. */
static struct sample *
make_samples(void)
{
	struct sample *samples = calloc(SAMPLES, sizeof(*samples));
	double *values = calloc(VARIABLES, sizeof(*values));

	if (samples == NULL || values == NULL)
		abort();
	for (size_t i = 0; i < VARIABLES; i++)
		values[i] = 20 + 60 * draw();
	for (size_t i = 0; i < SAMPLES; i++) {
		double *value = &values[i % VARIABLES];

		*value += 2 * (draw() - 0.5);
		if (draw() < 0.0001)
			*value = draw() < 0.5 ? 5 : 95;
		samples[i] = (struct sample){
			.variable_id = (int32_t)(i % VARIABLES) + 1,
			.time_us = BEGIN_US +
				   (int64_t)(i / VARIABLES) * CLOCK_SECOND_US,
			.status = STATUS_SPONT,
			.value = {.kind = VALUE_FLOAT, .number = *value}};
	}
	free(values);
	return samples;
}

static size_t changes_seen;

static double
time_engine(struct alarm_engine *engine, const struct sample *samples)
{
	int64_t start_us = clock_steady_us();

	for (size_t i = 0; i < SAMPLES; i++) {
		const struct alarm_change *changes;
		size_t count;

		alarm_engine_put(engine, &samples[i], samples[i].time_us);
		if (i % VARIABLES != 0)
			continue;
		alarm_engine_tick(engine, samples[i].time_us);
		count = alarm_engine_changes(engine, &changes);
		alarm_engine_taken(engine, count);
		changes_seen += count;
	}
	return (double)(clock_steady_us() - start_us);
}

/* What no evaluation can beat: to look at each sample and copy it. */
static double
time_copy(struct sample *out, const struct sample *samples)
{
	int64_t start_us = clock_steady_us();

	memcpy(out, samples, SAMPLES * sizeof(*samples));
	__asm__ volatile("" : : "r"(out) : "memory");
	return (double)(clock_steady_us() - start_us);
}

int
main(void)
{
	struct sample *samples = make_samples();
	struct sample *out = malloc(SAMPLES * sizeof(*out));
	double engine_us = 1e18;
	double copy_us = 1e18;

	if (out == NULL)
		abort();
	make_limits();
	memset(out, 1, SAMPLES * sizeof(*out));
	for (int i = 0; i < REPEATS; i++) {
		struct alarm_engine *engine = make_engine();
		double took_us = time_engine(engine, samples);
		double copied_us = time_copy(out, samples);

		engine_us = took_us < engine_us ? took_us : engine_us;
		copy_us = copied_us < copy_us ? copied_us : copy_us;
		alarm_engine_free(engine);
	}
	printf("alarm engine, 3 limits on each of %d variables\t%.3g\t"
	       "M samples/s\t%.4f\ta plain copy\t> 2 M/s\n",
		VARIABLES, (double)SAMPLES / engine_us, copy_us / engine_us);
	printf("  changes in %d samples\t%zu\t\t\t\t\n", (int)SAMPLES,
		changes_seen / REPEATS);
	free(out);
	free(samples);
	return 0;
}
