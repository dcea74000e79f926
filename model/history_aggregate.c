/* history_aggregate: one value per cycle, calculated from the samples. */

#include <math.h>

#include "lib/clock.h"
#include "model/chunk.h"
#include "model/history_part.h"

/* One cycle while samples come in. */
struct cycle {
	int64_t samples;
	int64_t good;
	int64_t good_us;
	double total;
	double integral; /* value x microseconds */
	double minimum;
	double maximum;
	uint64_t status;
};

struct sums {
	const struct history_range *range;
	int64_t cycle_us;
	struct cycle *cycles;
	struct cycle *current; /* the one that was looked for last */
	int64_t current_us;    /* its begin */
	double held;           /* the value that holds; NaN = none */
	int64_t held_us;       /* accounted for up to then */
};

/* Mostly the one of the time before, which saves a division. */
static struct cycle *
cycle_at(struct sums *sums, int64_t time_us)
{
	int64_t index;

	if (sums->current != NULL && time_us >= sums->current_us &&
		time_us - sums->current_us < sums->cycle_us)
		return sums->current;
	index = (time_us - sums->range->from_us) / sums->cycle_us;
	sums->current = &sums->cycles[index];
	sums->current_us = sums->range->from_us + index * sums->cycle_us;
	return sums->current;
}

static void
widen(struct cycle *cycle, double number)
{
	if (number < cycle->minimum)
		cycle->minimum = number;
	if (number > cycle->maximum)
		cycle->maximum = number;
}

/* What holds fills the cycles up to "until_us". */
static void
hold_until(struct sums *sums, int64_t until_us)
{
	int64_t at_us = sums->held_us;

	while (!isnan(sums->held) && at_us < until_us) {
		struct cycle *cycle = cycle_at(sums, at_us);
		int64_t end_us = sums->current_us + sums->cycle_us;

		if (end_us > until_us)
			end_us = until_us;
		cycle->good_us += end_us - at_us;
		cycle->integral += sums->held * (double)(end_us - at_us);
		widen(cycle, sums->held);
		at_us = end_us;
	}
	sums->held_us = until_us;
}

static enum rc
add_sample(void *context, const struct sample *sample, struct fault *fault)
{
	struct sums *sums = context;
	double number = value_number(&sample->value);
	bool good = chunk_good(sample->status, number);
	struct cycle *cycle;

	(void)fault;
	hold_until(sums, sample->time_us);
	sums->held = good ? number : NAN;
	cycle = cycle_at(sums, sample->time_us);
	cycle->samples++;
	cycle->status |= sample->status;
	if (good) {
		cycle->good++;
		cycle->total += number;
		widen(cycle, number);
	}
	return RC_OK;
}

static enum rc
sum_range(struct db *db, struct arena *arena, struct sums *sums,
	struct fault *fault)
{
	const struct history_range *range = sums->range;
	const struct history_query query = {.variable_ids = &range->variable_id,
		.count = 1,
		.from_us = range->from_us,
		.to_us = range->to_us,
		.order = HISTORY_BY_VARIABLE};
	const struct history_visitor visitor = {add_sample, sums};
	int64_t now_us = clock_now_us();
	int64_t end_us = range->to_us < now_us ? range->to_us : now_us;
	struct sample before;
	enum rc rc = history_at(db, arena, &range->variable_id, 1,
		range->from_us - 1, &before, fault);

	if (rc != RC_OK)
		return rc;
	sums->held = value_number(&before.value);
	if (!chunk_good(before.status, sums->held))
		sums->held = NAN;
	sums->held_us = range->from_us;
	rc = history_read(db, arena, &query, &visitor, fault);
	if (rc == RC_OK && end_us > sums->held_us)
		hold_until(sums, end_us);
	return rc;
}

static double
result(const struct cycle *cycle, enum history_calculation calculation)
{
	switch (calculation) {
	case HISTORY_SUM:
		return cycle->good > 0 ? cycle->total : NAN;
	case HISTORY_AVERAGE:
		/* A good sample at the very end holds for no time. */
		if (cycle->good_us == 0)
			return cycle->good > 0
				       ? cycle->total / (double)cycle->good
				       : NAN;
		return cycle->integral / (double)cycle->good_us;
	case HISTORY_MINIMUM:
		return isinf(cycle->minimum) ? NAN : cycle->minimum;
	case HISTORY_MAXIMUM:
		return isinf(cycle->maximum) ? NAN : cycle->maximum;
	}
	return NAN;
}

static void
collect(const struct sums *sums, struct arena *arena, size_t count,
	enum history_calculation calculation, struct history_cycles *cycles)
{
	cycles->count = count;
	cycles->time_us = arena_array(arena, count, sizeof(int64_t));
	cycles->value = arena_array(arena, count, sizeof(double));
	cycles->samples = arena_array(arena, count, sizeof(int64_t));
	cycles->good_us = arena_array(arena, count, sizeof(int64_t));
	cycles->status = arena_array(arena, count, sizeof(uint64_t));
	for (size_t i = 0; i < count; i++) {
		const struct cycle *cycle = &sums->cycles[i];

		cycles->time_us[i] =
			sums->range->from_us + (int64_t)i * sums->cycle_us;
		cycles->value[i] = result(cycle, calculation);
		cycles->samples[i] = cycle->samples;
		cycles->good_us[i] = cycle->good_us;
		cycles->status[i] = cycle->status;
	}
}

static bool
is_sane(const struct history_range *range, int64_t cycle_us)
{
	return range->from_us >= history_earliest_us() &&
	       range->from_us < range->to_us && cycle_us >= 1 &&
	       (range->to_us - range->from_us - 1) / cycle_us <
		       HISTORY_CYCLES_MAX;
}

enum rc
history_aggregate(struct db *db, struct arena *arena,
	const struct history_range *range, int64_t cycle_us,
	enum history_calculation calculation, struct history_cycles *cycles,
	struct fault *fault)
{
	struct sums sums = {.range = range, .cycle_us = cycle_us};
	size_t count;
	bool mine;
	enum rc rc;

	if (!is_sane(range, cycle_us))
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest", "from",
			"The range must not be empty, from 2000 on, with at "
			"most %d cycles.",
			HISTORY_CYCLES_MAX);
	count = (size_t)((range->to_us - range->from_us - 1) / cycle_us + 1);
	sums.cycles = arena_array(arena, count, sizeof(*sums.cycles));
	for (size_t i = 0; i < count; i++) {
		sums.cycles[i].minimum = INFINITY;
		sums.cycles[i].maximum = -INFINITY;
	}
	rc = history_open(db, &mine, fault);
	if (rc != RC_OK)
		return rc;
	rc = sum_range(db, arena, &sums, fault);
	history_close(db, mine);
	if (rc == RC_OK)
		collect(&sums, arena, count, calculation, cycles);
	return rc;
}
