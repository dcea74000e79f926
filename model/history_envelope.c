/* history_envelope: a range drawn to as many parts as a screen has points. */

#include <math.h>
#include <string.h>

#include "lib/log.h"
#include "model/history_part.h"
#include "model/partition.h"

/* What is known of one part of the range. No order of samples matters. */
struct bucket {
	int64_t samples;
	int64_t last_us;
	double last;
	double minimum;
	double maximum;
	uint64_t status;
};

struct drawing {
	struct history_part part; /* one month of the range */
	int64_t from_us;          /* of the range */
	int64_t to_us;
	int64_t bucket_us;
	struct bucket *buckets;
	int64_t samples;
};

static size_t
bucket_index(const struct drawing *drawing, int64_t time_us)
{
	return (size_t)((time_us - drawing->from_us) / drawing->bucket_us);
}

/* Comparisons with NaN are false, so a value that is not good widens nothing.
 */
static void
widen(struct bucket *bucket, double minimum, double maximum)
{
	if (minimum < bucket->minimum)
		bucket->minimum = minimum;
	if (maximum > bucket->maximum)
		bucket->maximum = maximum;
}

/* Later in arrival wins among equal times. */
static void
add(struct bucket *bucket, int64_t time_us, uint64_t status, double number)
{
	double good = chunk_good(status, number) ? number : NAN;

	if (bucket->samples++ == 0 || time_us >= bucket->last_us) {
		bucket->last_us = time_us;
		bucket->last = good;
	}
	widen(bucket, good, good);
	bucket->status |= status;
}

static bool
in_range(const struct drawing *drawing, int64_t time_us)
{
	return time_us >= drawing->from_us && time_us < drawing->to_us;
}

static const double *
numbers_of(const struct chunk_columns *columns, double *room)
{
	if (columns->kind == VALUE_FLOAT)
		return columns->numbers;
	for (size_t i = 0; i < columns->count; i++)
		room[i] = chunk_number(columns, i);
	return room;
}

/* Times rise, so most samples fall into the bucket of the one before. */
static enum rc
add_columns(void *context, const struct history_chunk *chunk,
	const struct chunk_columns *columns)
{
	struct drawing *drawing = context;
	struct bucket *bucket = NULL;
	int64_t end_us = INT64_MIN;
	double room[CHUNK_SAMPLES_MAX];
	const double *numbers = numbers_of(columns, room);

	(void)chunk;
	for (size_t i = 0; i < columns->count; i++) {
		int64_t time_us = columns->time_us[i];

		if (!in_range(drawing, time_us))
			continue;
		if (time_us >= end_us) {
			size_t index = bucket_index(drawing, time_us);

			bucket = &drawing->buckets[index];
			end_us = drawing->from_us +
				 (int64_t)(index + 1) * drawing->bucket_us;
		}
		add(bucket, time_us, columns->status[i], numbers[i]);
		drawing->samples++;
	}
	return RC_OK;
}

static enum rc
add_samples(void *context, const struct sample *samples, size_t count,
	struct fault *fault)
{
	struct drawing *drawing = context;

	(void)fault;
	for (size_t i = 0; i < count; i++) {
		const struct sample *sample = &samples[i];

		if (!in_range(drawing, sample->time_us))
			continue;
		add(&drawing->buckets[bucket_index(drawing, sample->time_us)],
			sample->time_us, sample->status,
			value_number(&sample->value));
		drawing->samples++;
	}
	return RC_OK;
}

/* A chunk within one bucket need not be unpacked. */
static bool
add_summary(struct drawing *drawing, const struct chunk_summary *summary)
{
	struct bucket *bucket;
	size_t index;

	if (!in_range(drawing, summary->first_us) ||
		!in_range(drawing, summary->last_us))
		return false;
	index = bucket_index(drawing, summary->first_us);
	if (index != bucket_index(drawing, summary->last_us))
		return false;
	bucket = &drawing->buckets[index];
	if (bucket->samples == 0 || summary->last_us >= bucket->last_us) {
		bucket->last_us = summary->last_us;
		bucket->last = summary->last_value;
	}
	bucket->samples += summary->samples;
	widen(bucket, summary->minimum, summary->maximum);
	bucket->status |= summary->worst;
	drawing->samples += summary->samples;
	return true;
}

static enum rc
draw_month(struct drawing *drawing)
{
	const struct history_chunk_visitor visitor = {add_columns, drawing};
	struct arena *arena = arena_new();
	struct history_chunk *chunks;
	size_t count;
	size_t left = 0;
	enum rc rc = history_chunks(&drawing->part, arena, &chunks, &count);

	if (rc == RC_OK) {
		for (size_t i = 0; i < count; i++)
			if (!add_summary(drawing, &chunks[i].summary))
				chunks[left++] = chunks[i];
		rc = history_unpack(&drawing->part, chunks, left, &visitor);
	}
	arena_free(arena);
	return rc;
}

static enum rc
draw(struct drawing *drawing)
{
	struct history_part *part = &drawing->part;
	int64_t earliest_us = history_earliest_us();
	int64_t latest_us = history_latest_us();
	int64_t end_us =
		drawing->to_us < latest_us ? drawing->to_us : latest_us;
	enum rc rc = RC_OK;

	part->from_us =
		drawing->from_us > earliest_us ? drawing->from_us : earliest_us;
	while (rc == RC_OK && part->from_us < end_us) {
		part->to_us = partition_next_month(part->from_us);
		if (part->to_us > end_us)
			part->to_us = end_us;
		rc = draw_month(drawing);
		part->from_us = part->to_us;
	}
	part->from_us = drawing->from_us;
	part->to_us = drawing->to_us;
	return rc == RC_OK ? history_frames(part, add_samples, drawing) : rc;
}

/* The buckets that have samples, as columns. */
static void
collect(const struct drawing *drawing, struct arena *arena, size_t points,
	struct history_envelope *envelope)
{
	size_t count = 0;

	envelope->bucket_us = drawing->bucket_us;
	envelope->samples = drawing->samples;
	envelope->time_us = arena_array(arena, points, sizeof(int64_t));
	envelope->minimum = arena_array(arena, points, sizeof(double));
	envelope->maximum = arena_array(arena, points, sizeof(double));
	envelope->last = arena_array(arena, points, sizeof(double));
	envelope->status = arena_array(arena, points, sizeof(uint64_t));
	for (size_t i = 0; i < points; i++) {
		const struct bucket *bucket = &drawing->buckets[i];

		if (bucket->samples == 0)
			continue;
		envelope->time_us[count] =
			drawing->from_us + (int64_t)i * drawing->bucket_us;
		envelope->minimum[count] =
			isinf(bucket->minimum) ? NAN : bucket->minimum;
		envelope->maximum[count] =
			isinf(bucket->maximum) ? NAN : bucket->maximum;
		envelope->last[count] = bucket->last;
		envelope->status[count] = bucket->status;
		count++;
	}
	envelope->count = count;
}

/* "like" gives database, cache and fault. */
static enum rc
draw_range(const struct history_part *like, struct arena *arena,
	const struct history_range *range, size_t points,
	struct history_envelope *envelope)
{
	int64_t width_us = range->to_us - range->from_us;
	struct drawing drawing = {.part = *like,
		.from_us = range->from_us,
		.to_us = range->to_us,
		.bucket_us = (width_us - 1) / (int64_t)points + 1};
	enum rc rc;

	drawing.part.ids = &range->variable_id;
	drawing.part.count = 1;
	drawing.buckets = arena_array(arena, points, sizeof(*drawing.buckets));
	for (size_t i = 0; i < points; i++)
		drawing.buckets[i] = (struct bucket){
			.last = NAN, .minimum = INFINITY, .maximum = -INFINITY};
	rc = draw(&drawing);
	if (rc == RC_OK)
		collect(&drawing, arena, points, envelope);
	return rc;
}

static enum rc
check_range(int64_t from_us, int64_t to_us, size_t points, struct fault *fault)
{
	if (from_us < to_us && from_us >= 0 && points >= 1 &&
		points <= HISTORY_POINTS_MAX)
		return RC_OK;
	return fault_tell(fault, RC_BAD_INPUT, "BadRequest", "from",
		"The range must not be empty, with 1 to %d points.",
		HISTORY_POINTS_MAX);
}

enum rc
history_envelope(struct db *db, struct arena *arena,
	const struct history_range *range, size_t points,
	struct history_envelope *envelope, struct fault *fault)
{
	const struct history_part like = {.db = db, .fault = fault};
	bool mine;
	enum rc rc = check_range(range->from_us, range->to_us, points, fault);

	if (rc == RC_OK)
		rc = history_open(db, &mine, fault);
	if (rc != RC_OK)
		return rc;
	rc = draw_range(&like, arena, range, points, envelope);
	history_close(db, mine);
	return rc;
}

static enum rc
draw_all(struct history_part *like, struct arena *arena,
	const struct history_query *query, size_t points,
	struct history_envelope *envelopes)
{
	struct history_part frames = *like;
	struct arena *scratch = arena_new();
	enum rc rc;

	frames.ids = history_sorted(
		arena, query->variable_ids, query->count, &frames.count);
	frames.from_us = query->from_us;
	frames.to_us = query->to_us;
	rc = history_cache_fill(&frames, scratch, &like->cache);
	for (size_t i = 0; rc == RC_OK && i < query->count; i++) {
		const struct history_range range = {
			query->variable_ids[i], query->from_us, query->to_us};

		rc = draw_range(like, arena, &range, points, &envelopes[i]);
	}
	arena_free(scratch);
	return rc;
}

enum rc
history_envelopes(struct db *db, struct arena *arena,
	const struct history_query *query, size_t points,
	struct history_envelope *envelopes, struct fault *fault)
{
	struct history_part like = {.db = db, .fault = fault};
	bool mine;
	enum rc rc = check_range(query->from_us, query->to_us, points, fault);

	if (rc == RC_OK)
		rc = history_open(db, &mine, fault);
	if (rc != RC_OK)
		return rc;
	if (query->count > 0)
		rc = draw_all(&like, arena, query, points, envelopes);
	history_close(db, mine);
	return rc;
}
