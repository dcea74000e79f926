/* history: samples of chunks and frames as one, window by window. */

#include "model/history.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "model/history_part.h"
#include "model/partition.h"

/* Samples in memory at once, 48 bytes each, and once more to sort them. */
#define WINDOW_SAMPLES ((size_t)256 * 1024)

/* The samples of one variable in the window. */
struct column {
	int32_t variable_id;
	struct sample *samples; /* in the order in which they came */
	size_t count;
	size_t room;
};

struct reader {
	struct history_part part; /* the window; ids rise */
	struct arena *arena;      /* of the window */
	struct column *columns;   /* as part.ids */
	size_t samples;           /* in all columns */
	size_t most;              /* of them at once */
	const struct history_query *query;
	const struct history_visitor *visitor;
	size_t *handed; /* samples in range handed over, as part.ids */
};

/* --- the window ----------------------------------------------------------- */

static size_t
place_of(const struct reader *reader, int32_t variable_id)
{
	const int32_t *found = bsearch(&variable_id, reader->part.ids,
		reader->part.count, sizeof(variable_id), history_compare_ids);

	return (size_t)(found - reader->part.ids);
}

static struct column *
column_of(struct reader *reader, int32_t variable_id)
{
	return &reader->columns[place_of(reader, variable_id)];
}

static void
empty_window(struct reader *reader)
{
	arena_reset(reader->arena);
	reader->samples = 0;
	reader->columns = arena_array(
		reader->arena, reader->part.count, sizeof(*reader->columns));
	for (size_t i = 0; i < reader->part.count; i++)
		reader->columns[i].variable_id = reader->part.ids[i];
}

static void
append(struct reader *reader, struct column *column,
	const struct sample *sample)
{
	struct value *value;

	if (column->count == column->room) {
		size_t room = column->room * 2 + 256;
		struct sample *samples =
			arena_array(reader->arena, room, sizeof(*samples));

		if (column->count > 0)
			memcpy(samples, column->samples,
				column->count * sizeof(*samples));
		column->samples = samples;
		column->room = room;
	}
	column->samples[column->count] = *sample;
	value = &column->samples[column->count++].value;
	if (value->kind == VALUE_STRING)
		value->string.data = arena_strndup(
			reader->arena, value->string.data, value->string.bytes);
	reader->samples++;
}

static bool
in_window(const struct reader *reader, int64_t time_us)
{
	return time_us >= reader->part.from_us && time_us < reader->part.to_us;
}

static enum rc
too_many(struct reader *reader, struct fault *fault)
{
	return fault_set(fault, RC_TOO_LARGE, "%zu samples in one window",
		reader->samples);
}

/* A window of one microsecond cannot be halved, whatever is in it. */
static bool
is_full(const struct reader *reader)
{
	return reader->samples > reader->most &&
	       reader->part.to_us - reader->part.from_us > 1;
}

static enum rc
add_columns(void *context, const struct history_chunk *chunk,
	const struct chunk_columns *columns)
{
	struct reader *reader = context;
	struct column *column = column_of(reader, chunk->variable_id);

	for (size_t i = 0; i < columns->count; i++) {
		struct sample sample;

		if (!in_window(reader, columns->time_us[i]))
			continue;
		sample = chunk_sample(columns, chunk->variable_id, i);
		append(reader, column, &sample);
	}
	return is_full(reader) ? too_many(reader, reader->part.fault) : RC_OK;
}

static enum rc
add_samples(void *context, const struct sample *samples, size_t count,
	struct fault *fault)
{
	struct reader *reader = context;
	struct column *column = column_of(reader, samples[0].variable_id);

	for (size_t i = 0; i < count; i++)
		if (in_window(reader, samples[i].time_us))
			append(reader, column, &samples[i]);
	return is_full(reader) ? too_many(reader, fault) : RC_OK;
}

static bool
touches(const struct history_chunk *chunk, int64_t from_us, int64_t to_us)
{
	return chunk->summary.last_us >= from_us &&
	       chunk->summary.first_us < to_us;
}

/* About how many samples of the chunks lie between the two times. */
static double
estimate(const struct history_chunk *chunks, size_t count, int64_t from_us,
	int64_t to_us)
{
	double samples = 0;

	for (size_t i = 0; i < count; i++) {
		const struct chunk_summary *summary = &chunks[i].summary;
		int64_t begin = summary->first_us > from_us ? summary->first_us
							    : from_us;
		int64_t end =
			summary->last_us < to_us ? summary->last_us : to_us;

		if (touches(&chunks[i], from_us, to_us))
			samples += summary->samples *
				   ((double)(end - begin) + 1) /
				   ((double)(summary->last_us -
					     summary->first_us) +
					   1);
	}
	return samples;
}

/* Read the window; chunks first, as what is in frames came later. */
static enum rc
fill_window(
	struct reader *reader, const struct history_chunk *chunks, size_t count)
{
	const struct history_chunk_visitor visitor = {add_columns, reader};
	struct history_chunk *touched;
	size_t touched_count = 0;
	enum rc rc;

	empty_window(reader);
	touched = arena_array(reader->arena, count, sizeof(*touched));
	for (size_t i = 0; i < count; i++)
		if (touches(&chunks[i], reader->part.from_us,
			    reader->part.to_us))
			touched[touched_count++] = chunks[i];
	rc = history_unpack(&reader->part, touched, touched_count, &visitor);
	if (rc == RC_OK && !reader->query->packed)
		rc = history_frames(&reader->part, add_samples, reader);
	return rc;
}

static void
sort_window(struct reader *reader)
{
	for (size_t i = 0; i < reader->part.count; i++) {
		struct column *column = &reader->columns[i];

		sample_sort(reader->arena, column->samples, column->count);
		column->count = sample_unique(column->samples, column->count);
	}
}

/* --- handing over --------------------------------------------------------- */

static enum rc
hand(struct reader *reader, size_t place, const struct sample *sample)
{
	size_t limit = reader->query->limit;

	if (limit != 0 && reader->handed[place] >= limit)
		return RC_OK;
	reader->handed[place]++;
	return reader->visitor->sample(
		reader->visitor->context, sample, reader->part.fault);
}

static bool
is_done(const struct reader *reader)
{
	if (reader->query->limit == 0)
		return false;
	for (size_t i = 0; i < reader->part.count; i++)
		if (reader->handed[i] < reader->query->limit)
			return false;
	return true;
}

static enum rc
hand_column(struct reader *reader, int32_t variable_id)
{
	size_t place = place_of(reader, variable_id);
	const struct column *column = &reader->columns[place];
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < column->count; i++)
		rc = hand(reader, place, &column->samples[i]);
	return rc;
}

/* All columns, in the order of the query, sorted once more by time. */
static enum rc
hand_by_time(struct reader *reader)
{
	struct sample *all =
		arena_array(reader->arena, reader->samples, sizeof(*all));
	size_t count = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < reader->query->count; i++) {
		struct column *column =
			column_of(reader, reader->query->variable_ids[i]);

		if (column->count > 0)
			memcpy(all + count, column->samples,
				column->count * sizeof(*all));
		count += column->count;
		column->count = 0; /* an id that stands twice comes once */
	}
	sample_sort(reader->arena, all, count);
	for (size_t i = 0; rc == RC_OK && i < count; i++)
		rc = hand(
			reader, place_of(reader, all[i].variable_id), &all[i]);
	return rc;
}

static enum rc
hand_window(struct reader *reader)
{
	enum rc rc = RC_OK;

	sort_window(reader);
	if (reader->query->order == HISTORY_BY_TIME)
		return hand_by_time(reader);
	for (size_t i = 0; rc == RC_OK && i < reader->part.count; i++)
		rc = hand_column(reader, reader->part.ids[i]);
	return rc;
}

/* --- the range ------------------------------------------------------------ */

/* Windows over one month, as large as memory allows. */
static enum rc
read_month(struct reader *reader, int64_t from_us, int64_t to_us)
{
	struct arena *arena = arena_new();
	struct history_chunk *chunks = NULL;
	size_t count = 0;
	int64_t end_us = to_us;
	enum rc rc;

	reader->part.from_us = from_us;
	reader->part.to_us = to_us;
	rc = history_chunks(&reader->part, arena, &chunks, &count);
	while (rc == RC_OK && from_us < to_us && !is_done(reader)) {
		while (end_us - from_us > 1 &&
			estimate(chunks, count, from_us, end_us) >
				(double)reader->most)
			end_us = from_us + (end_us - from_us) / 2;
		reader->part.from_us = from_us;
		reader->part.to_us = end_us;
		rc = fill_window(reader, chunks, count);
		if (rc == RC_TOO_LARGE) {
			end_us = from_us + (end_us - from_us) / 2;
			rc = RC_OK;
			continue;
		}
		if (rc == RC_OK)
			rc = hand_window(reader);
		from_us = end_us;
		end_us = to_us;
	}
	arena_free(arena);
	return rc;
}

static enum rc
read_months(struct reader *reader, int64_t from_us, int64_t to_us)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK && from_us < to_us && !is_done(reader)) {
		int64_t next_us = partition_next_month(from_us);

		if (next_us > to_us)
			next_us = to_us;
		rc = read_month(reader, from_us, next_us);
		from_us = next_us;
	}
	return rc;
}

/* Read the range of the query for some of its variables. */
static enum rc
read_ids(const struct reader *like, const int32_t *ids, size_t count)
{
	const struct history_query *query = like->query;
	int64_t earliest_us = history_earliest_us();
	int64_t latest_us = history_latest_us();
	struct reader reader = *like;
	size_t limit = query->limit;
	enum rc rc;

	reader.arena = arena_new();
	reader.part.ids = ids;
	reader.part.count = count;
	reader.handed = calloc(count, sizeof(*reader.handed));
	reader.most = WINDOW_SAMPLES;
	if (limit != 0 && limit * count * 4 < WINDOW_SAMPLES / 8)
		reader.most = WINDOW_SAMPLES / 8;
	rc = reader.handed == NULL
		     ? fault_set(like->part.fault, RC_BUG, "out of memory")
		     : read_months(&reader,
			       query->from_us > earliest_us ? query->from_us
							    : earliest_us,
			       query->to_us < latest_us ? query->to_us
							: latest_us);
	free(reader.handed);
	arena_free(reader.arena);
	return rc;
}

/* --- bounds --------------------------------------------------------------- */

static enum rc
hand_before(const struct reader *like, const struct sample *before)
{
	if (before->value.kind == VALUE_NONE)
		return RC_OK;
	return like->visitor->sample(
		like->visitor->context, before, like->part.fault);
}

/*
 * The first sample at or after to_us is not later than the earliest end of a
 * chunk from then on, as that end is a sample itself.
 */
static enum rc
hand_after(const struct reader *like, struct arena *arena, int32_t id)
{
	struct history_query query = {.variable_ids = &id,
		.count = 1,
		.from_us = like->query->to_us,
		.to_us = history_latest_us(),
		.order = HISTORY_BY_VARIABLE,
		.limit = 1};
	struct reader reader = *like;
	struct rows *rows;
	enum rc rc = db_query(like->part.db, arena,
		&history_stmts[HISTORY_CHUNK_AFTER],
		PARAMS(P_SHORT(id), P_INT(query.from_us)), &rows,
		like->part.fault);

	if (rc != RC_OK)
		return rc;
	if (rows_count(rows) > 0)
		query.to_us = rows_int(rows, 0, 0) + 1;
	reader.query = &query;
	return read_ids(&reader, &id, 1);
}

/* The samples before the range, of all variables at once. */
static enum rc
find_before(
	const struct reader *like, struct arena *arena, struct sample *before)
{
	const struct history_query *query = like->query;

	if (!query->bounds || query->from_us <= history_earliest_us())
		return RC_OK;
	return history_at_cached(&like->part, arena, query->variable_ids,
		query->count, query->from_us - 1, before);
}

static enum rc
read_by_variable(const struct reader *like, struct arena *arena)
{
	const struct history_query *query = like->query;
	struct sample *before =
		arena_array(arena, query->count, sizeof(*before));
	enum rc rc = find_before(like, arena, before);

	for (size_t i = 0; rc == RC_OK && i < query->count; i++) {
		const int32_t *id = &query->variable_ids[i];

		rc = hand_before(like, &before[i]);
		if (rc == RC_OK)
			rc = read_ids(like, id, 1);
		if (rc == RC_OK && query->bounds)
			rc = hand_after(like, arena, *id);
	}
	return rc;
}

/* Frames are read once for all variables, windows and bounds, if they fit. */
static enum rc
read_all(struct reader *like, struct arena *arena, struct arena *scratch)
{
	const struct history_query *query = like->query;
	struct history_part frames = like->part;
	enum rc rc;

	frames.ids = history_sorted(
		arena, query->variable_ids, query->count, &frames.count);
	frames.from_us = query->bounds ? INT64_MIN : query->from_us;
	frames.to_us = query->bounds ? INT64_MAX : query->to_us;
	rc = query->packed
		     ? RC_OK
		     : history_cache_fill(&frames, scratch, &like->part.cache);
	if (rc != RC_OK)
		return rc;
	return query->order == HISTORY_BY_TIME
		       ? read_ids(like, frames.ids, frames.count)
		       : read_by_variable(like, arena);
}

enum rc
history_read(struct db *db, struct arena *arena,
	const struct history_query *query,
	const struct history_visitor *visitor, struct fault *fault)
{
	struct reader like = {.part = {.db = db, .fault = fault},
		.query = query,
		.visitor = visitor};
	struct arena *scratch;
	bool mine;
	enum rc rc;

	if (query->from_us > query->to_us)
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest", "from",
			"The end of the range is before its begin.");
	if (query->count == 0)
		return RC_OK;
	rc = history_open(db, &mine, fault);
	if (rc != RC_OK)
		return rc;
	scratch = arena_new();
	rc = read_all(&like, arena, scratch);
	arena_free(scratch);
	history_close(db, mine);
	return rc;
}
