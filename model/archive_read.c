/* archive_read: the values of an archive over a range of time. */

#include "model/archive_read.h"

#include <math.h>
#include <string.h>

#include "lib/clock.h"
#include "model/history.h"

/* What the reading of one request knows. */
struct reading {
	struct db *db;
	struct arena *arena;
	const struct archive_request *request;
	const struct archive_visitor *visitor;
	int64_t now_us;
	int64_t samples;  /* handed over so far */
	size_t announced; /* variables told to the visitor so far */
};

static enum rc
hand_over(struct reading *reading, const struct sample *sample,
	struct fault *fault)
{
	if (++reading->samples > reading->request->samples_max)
		return fault_tell(fault, RC_TOO_LARGE, "TooManySamples",
			"timeFilter",
			"More than %lld samples; ask for a shorter time or "
			"fewer variables.",
			(long long)reading->request->samples_max);
	return reading->visitor->sample(
		reading->visitor->context, sample, fault);
}

/* Tell the visitor about variables up to and with items[place]. */
static enum rc
announce(struct reading *reading, size_t place, struct fault *fault)
{
	while (reading->announced <= place) {
		enum rc rc = reading->visitor->variable(
			reading->visitor->context,
			&reading->request->variables[reading->announced++],
			fault);

		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

/* --- spontaneous --------------------------------------------------------- */

static enum rc
take_sample(void *context, const struct sample *sample, struct fault *fault)
{
	struct reading *reading = context;
	const struct archive_request *request = reading->request;
	size_t place = reading->announced == 0 ? 0 : reading->announced - 1;
	enum rc rc;

	while (request->variables[place].id != sample->variable_id)
		place++;
	rc = announce(reading, place, fault);
	return rc == RC_OK ? hand_over(reading, sample, fault) : rc;
}

static enum rc
read_spontaneous(struct reading *reading, struct fault *fault)
{
	const struct archive_request *request = reading->request;
	int32_t *ids =
		arena_array(reading->arena, request->count + 1, sizeof(*ids));
	enum rc rc;

	for (size_t i = 0; i < request->count; i++)
		ids[i] = request->variables[i].id;
	rc = history_read(reading->db, reading->arena,
		&(struct history_query){
			.variable_ids = ids,
			.count = request->count,
			.from_us = request->from_us,
			.to_us = request->to_us + 1,
			.order = HISTORY_BY_VARIABLE,
		},
		&(struct history_visitor){take_sample, reading}, fault);
	if (rc == RC_OK && request->count > 0)
		rc = announce(reading, request->count - 1, fault);
	return rc;
}

/* --- cyclic -------------------------------------------------------------- */

static int64_t
round_up(int64_t time_us, int64_t cycle_us)
{
	return (time_us + cycle_us - 1) / cycle_us * cycle_us;
}

static int64_t
round_down(int64_t time_us, int64_t cycle_us)
{
	return time_us / cycle_us * cycle_us;
}

/* The value that holds, and the next cycle that wants one. */
struct sampling {
	struct reading *reading;
	struct sample held;                    /* kind VALUE_NONE = none yet */
	char text[VALUE_STRING_BYTES_MAX + 1]; /* of a held string */
	int64_t next_us;
	int64_t cycle_us;
};

static enum rc
fill_until(struct sampling *sampling, int64_t end_us, struct fault *fault)
{
	struct sample tick = sampling->held;

	for (; sampling->next_us < end_us;
		sampling->next_us += sampling->cycle_us) {
		enum rc rc;

		if (tick.value.kind == VALUE_NONE) {
			sampling->next_us =
				round_up(end_us, sampling->cycle_us);
			return RC_OK;
		}
		tick.time_us = sampling->next_us;
		rc = hand_over(sampling->reading, &tick, fault);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc
hold_sample(void *context, const struct sample *sample, struct fault *fault)
{
	struct sampling *sampling = context;
	int64_t last_us = sampling->reading->request->to_us;
	struct value *value = &sampling->held.value;
	enum rc rc;

	if (sample->time_us > last_us)
		return RC_OK; /* the bound behind the range */
	rc = fill_until(sampling, sample->time_us, fault);
	sampling->held = *sample;
	if (value->kind == VALUE_STRING) {
		memcpy(sampling->text, value->string.data, value->string.bytes);
		sampling->text[value->string.bytes] = '\0';
		value->string.data = sampling->text;
	}
	return rc;
}

static enum rc
read_cyclic(struct reading *reading, struct fault *fault)
{
	const struct archive_request *request = reading->request;
	struct sampling *sampling =
		arena_alloc(reading->arena, sizeof(*sampling));
	int64_t to_us = request->to_us < reading->now_us ? request->to_us
							 : reading->now_us;

	sampling->reading = reading;
	sampling->cycle_us = request->archive->cycle_s * CLOCK_SECOND_US;
	for (size_t i = 0; i < request->count; i++) {
		enum rc rc = announce(reading, i, fault);

		sampling->held.value.kind = VALUE_NONE;
		sampling->next_us =
			round_up(request->from_us, sampling->cycle_us);
		if (rc == RC_OK)
			rc = history_read(reading->db, reading->arena,
				&(struct history_query){
					.variable_ids =
						&request->variables[i].id,
					.count = 1,
					.from_us = request->from_us,
					.to_us = request->to_us + 1,
					.bounds = true,
				},
				&(struct history_visitor){
					hold_sample, sampling},
				fault);
		if (rc == RC_OK)
			rc = fill_until(sampling, to_us + 1, fault);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

/* --- aggregated ---------------------------------------------------------- */

/* One value per cycle; NaN = nothing good. */
struct series {
	size_t count;
	int64_t first_us; /* start of the first cycle */
	int64_t cycle_us;
	double *value;
	double *weight; /* seconds of good time, when it is an average */
	uint64_t *status;
};

static enum history_calculation
calculation_of(const struct archive *archive)
{
	switch (archive->calculation) {
	case ARCHIVE_SUM:
		return HISTORY_SUM;
	case ARCHIVE_MINIMUM:
		return HISTORY_MINIMUM;
	case ARCHIVE_MAXIMUM:
		return HISTORY_MAXIMUM;
	default:
		return HISTORY_AVERAGE;
	}
}

static void
series_make(struct arena *arena, struct series *series)
{
	series->value =
		arena_array(arena, series->count + 1, sizeof(*series->value));
	series->weight =
		arena_array(arena, series->count + 1, sizeof(*series->weight));
	series->status =
		arena_array(arena, series->count + 1, sizeof(*series->status));
	for (size_t i = 0; i < series->count; i++)
		series->value[i] = (double)NAN;
}

static enum rc
calculate_from_history(struct reading *reading, const struct archive *archive,
	const struct history_range *range, struct series *series,
	struct fault *fault)
{
	struct history_cycles cycles;
	enum rc rc = history_aggregate(reading->db, reading->arena, range,
		series->cycle_us, calculation_of(archive), &cycles, fault);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < cycles.count; i++) {
		size_t place = (size_t)((cycles.time_us[i] - range->from_us) /
					series->cycle_us);

		series->value[place] = cycles.value[i];
		series->weight[place] = (double)cycles.good_us[i] / 1e6;
		series->status[place] = cycles.status[i];
	}
	return RC_OK;
}

/* Fold one more value of the parent into a cycle. */
static void
fold(const struct archive *archive, struct series *series, size_t place,
	double value, double weight)
{
	double *total = &series->value[place];

	if (isnan(value))
		return;
	if (isnan(*total))
		*total = archive->calculation == ARCHIVE_AVERAGE ? 0 : value;
	else if (archive->calculation == ARCHIVE_SUM)
		*total += value;
	else if (archive->calculation == ARCHIVE_MINIMUM)
		*total = fmin(*total, value);
	else if (archive->calculation == ARCHIVE_MAXIMUM)
		*total = fmax(*total, value);
	if (archive->calculation == ARCHIVE_AVERAGE)
		*total += value * weight;
	series->weight[place] += weight;
}

/* A parent's average counts by its good time, everything else evenly. */
static void
fold_all(const struct archive *archive, const struct series *from,
	struct series *series)
{
	bool weighted = archive->parent->calculation == ARCHIVE_AVERAGE;
	int64_t ratio = series->cycle_us / from->cycle_us;

	for (size_t i = 0; i < from->count; i++) {
		size_t place = i / (size_t)ratio;

		fold(archive, series, place, from->value[i],
			weighted ? from->weight[i] : 1);
		series->status[place] |= from->status[i];
	}
	if (archive->calculation != ARCHIVE_AVERAGE)
		return;
	for (size_t i = 0; i < series->count; i++)
		series->value[i] =
			series->weight[i] > 0
				? series->value[i] / series->weight[i]
				: (double)NAN;
}

static enum rc
refuse_cycles(struct fault *fault)
{
	return fault_tell(fault, RC_TOO_LARGE, "TooManyCycles", "timeFilter",
		"More than %d cycles; ask for a shorter time.",
		HISTORY_CYCLES_MAX);
}

/* The cycles of an archive that lie in the range, which they fill exactly. */
static enum rc
calculate(struct reading *reading, const struct archive *archive,
	const struct history_range *range, struct series *series,
	struct fault *fault)
{
	struct series from = {0};
	int64_t count;
	enum rc rc;

	series->cycle_us = archive->cycle_s * CLOCK_SECOND_US;
	series->first_us = range->from_us;
	count = (range->to_us - range->from_us) / series->cycle_us;
	if (count > HISTORY_CYCLES_MAX)
		return refuse_cycles(fault);
	series->count = (size_t)count;
	series_make(reading->arena, series);
	if (archive->parent->calculation == ARCHIVE_NOT_AGGREGATED)
		return calculate_from_history(
			reading, archive, range, series, fault);
	rc = calculate(reading, archive->parent, range, &from, fault);
	if (rc == RC_OK)
		fold_all(archive, &from, series);
	return rc;
}

static enum rc
hand_over_series(struct reading *reading, int32_t variable_id,
	const struct series *series, struct fault *fault)
{
	for (size_t i = 0; i < series->count; i++) {
		struct sample sample = {
			.variable_id = variable_id,
			.time_us = series->first_us +
				   (int64_t)(i + 1) * series->cycle_us,
			/* made of the good samples only, so it is good */
			.status = series->status[i] & ~STATUS_BAD,
			.value = {.kind = VALUE_FLOAT,
				.number = series->value[i]},
		};
		enum rc rc;

		if (isnan(series->value[i]))
			continue;
		rc = hand_over(reading, &sample, fault);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

/* The ends of the cycles lie within the request, in the past, and where there
 * can be samples at all. */
static enum rc
read_aggregated(struct reading *reading, struct fault *fault)
{
	const struct archive_request *request = reading->request;
	int64_t cycle_us = request->archive->cycle_s * CLOCK_SECOND_US;
	int64_t to_us = request->to_us < reading->now_us ? request->to_us
							 : reading->now_us;
	int64_t earliest_us = SAMPLE_TIME_MIN_US + cycle_us;
	int64_t from_us =
		request->from_us > earliest_us ? request->from_us : earliest_us;
	struct history_range range = {
		.from_us = round_up(from_us, cycle_us) - cycle_us,
		.to_us = round_down(to_us, cycle_us),
	};

	for (size_t i = 0; i < request->count; i++) {
		struct series series = {0};
		enum rc rc = announce(reading, i, fault);

		range.variable_id = request->variables[i].id;
		if (rc != RC_OK)
			return rc;
		if (range.from_us >= range.to_us)
			continue;
		rc = calculate(
			reading, request->archive, &range, &series, fault);
		if (rc == RC_OK)
			rc = hand_over_series(
				reading, range.variable_id, &series, fault);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

enum rc
archive_read(struct db *db, struct arena *arena,
	const struct archive_request *request,
	const struct archive_visitor *visitor, struct fault *fault)
{
	struct reading reading = {
		.db = db,
		.arena = arena,
		.request = request,
		.visitor = visitor,
		.now_us = clock_now_us(),
	};
	enum rc rc = history_begin(db, fault);

	if (rc != RC_OK)
		return rc;
	if (request->archive->calculation != ARCHIVE_NOT_AGGREGATED)
		rc = read_aggregated(&reading, fault);
	else if (request->archive->rule == ARCHIVE_CYCLIC)
		rc = read_cyclic(&reading, fault);
	else
		rc = read_spontaneous(&reading, fault);
	db_rollback(db);
	return rc;
}
