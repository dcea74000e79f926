/* history_at: the last sample at or before a time. */

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "model/history_part.h"
#include "model/partition.h"

/* Variables asked for at once: a body of each is fetched. */
#define BATCH_MAX ((size_t)256)

/* A variable and where its sample goes. */
struct target {
	int32_t variable_id;
	size_t place;
};

struct search {
	struct history_part part; /* to_us is just behind the time */
	struct arena *arena;      /* of the caller */
	int32_t ids[BATCH_MAX];   /* rising, each once */
	struct sample found[BATCH_MAX];
};

/* Later in arrival wins among equal times. */
static void
offer(struct search *search, const struct sample *sample)
{
	const int32_t *id = bsearch(&sample->variable_id, search->ids,
		search->part.count, sizeof(*id), history_compare_ids);
	struct sample *found;

	if (id == NULL || sample->time_us >= search->part.to_us)
		return;
	found = &search->found[id - search->ids];
	if (found->value.kind != VALUE_NONE && found->time_us > sample->time_us)
		return;
	*found = *sample;
	if (found->value.kind == VALUE_STRING)
		found->value.string.data = arena_strndup(search->arena,
			sample->value.string.data, sample->value.string.bytes);
}

static void
offer_chunk(struct search *search, struct arena *scratch, int32_t variable_id,
	struct bytes body)
{
	struct chunk_columns columns;
	struct sample sample;
	struct fault why;
	size_t end;

	if (chunk_decode(body.data, body.length, scratch, &columns, &why) !=
		RC_OK) {
		log_error(NULL, "a chunk of variable %d is left out: %s",
			(int)variable_id, why.text);
		return;
	}
	end = columns.count;
	while (end > 0 && columns.time_us[end - 1] >= search->part.to_us)
		end--;
	if (end == 0)
		return;
	sample = chunk_sample(&columns, variable_id, end - 1);
	offer(search, &sample);
}

static enum rc
search_chunks(
	struct search *search, enum history_stmt stmt, struct params params)
{
	struct arena *arena = arena_new();
	struct arena *scratch = arena_new();
	struct rows *rows;
	enum rc rc = db_query(search->part.db, arena, &history_stmts[stmt],
		params, &rows, search->part.fault);

	for (size_t i = 0; rc == RC_OK && i < rows_count(rows); i++) {
		offer_chunk(search, scratch, (int32_t)rows_int(rows, i, 0),
			rows_bytes(rows, i, 1));
		arena_reset(scratch);
	}
	arena_free(scratch);
	arena_free(arena);
	return rc;
}

static enum rc
offer_samples(void *context, const struct sample *samples, size_t count,
	struct fault *fault)
{
	(void)fault;
	for (size_t i = 0; i < count; i++)
		offer(context, &samples[i]);
	return RC_OK;
}

/* Frames that ended before what chunks gave for every variable are no help. */
static int64_t
frames_from(const struct search *search)
{
	int64_t from_us = search->part.to_us;

	for (size_t i = 0; i < search->part.count; i++) {
		const struct sample *found = &search->found[i];

		if (found->value.kind == VALUE_NONE)
			return INT64_MIN;
		if (found->time_us < from_us)
			from_us = found->time_us;
	}
	return from_us;
}

static enum rc
search_batch(struct search *search, int64_t time_us)
{
	struct history_part *part = &search->part;
	struct param ids = P_SHORTS(part->ids, part->count);
	enum rc rc = search_chunks(
		search, HISTORY_CHUNK_BEFORE, PARAMS(ids, P_INT(time_us)));

	if (rc == RC_OK)
		rc = search_chunks(search, HISTORY_CHUNK_ACROSS,
			PARAMS(ids, P_INT(partition_month(time_us)),
				P_INT(time_us + 1), P_INT(time_us)));
	if (rc != RC_OK)
		return rc;
	part->from_us = frames_from(search);
	return history_frames(part, offer_samples, search);
}

/* The next targets, sorted by id, into the search; returns how many. */
static size_t
take_batch(struct search *search, const struct target *targets, size_t count)
{
	size_t used = 0;

	search->part.count = 0;
	for (; used < count; used++) {
		size_t ids = search->part.count;

		if (ids > 0 &&
			search->ids[ids - 1] == targets[used].variable_id)
			continue;
		if (ids == BATCH_MAX)
			break;
		search->ids[ids] = targets[used].variable_id;
		search->part.count++;
	}
	memset(search->found, 0, sizeof(search->found));
	return used;
}

static void
put_found(const struct search *search, const struct target *targets,
	size_t count, struct sample *samples)
{
	for (size_t i = 0; i < count; i++) {
		const int32_t *id = bsearch(&targets[i].variable_id,
			search->ids, search->part.count, sizeof(*id),
			history_compare_ids);
		struct sample *sample = &samples[targets[i].place];

		*sample = search->found[id - search->ids];
		sample->variable_id = targets[i].variable_id;
	}
}

static enum rc
search_all(struct search *search, const struct target *targets, size_t count,
	int64_t time_us, struct sample *samples)
{
	size_t done = 0;
	enum rc rc = RC_OK;

	while (rc == RC_OK && done < count) {
		size_t used = take_batch(search, targets + done, count - done);

		rc = search_batch(search, time_us);
		if (rc == RC_OK)
			put_found(search, targets + done, used, samples);
		done += used;
	}
	return rc;
}

enum rc
history_at_cached(const struct history_part *like, struct arena *arena,
	const int32_t *variable_ids, size_t count, int64_t time_us,
	struct sample *samples)
{
	struct target *targets = arena_array(arena, count, sizeof(*targets));
	struct search *search = arena_alloc(arena, sizeof(*search));

	for (size_t i = 0; i < count; i++)
		targets[i] = (struct target){variable_ids[i], i};
	/* variable_id is the first member, so this sorts targets too */
	qsort(targets, count, sizeof(*targets), history_compare_ids);
	if (time_us > history_latest_us())
		time_us = history_latest_us();
	if (time_us < history_earliest_us())
		time_us = history_earliest_us() - 1;
	search->part = *like;
	search->part.ids = search->ids;
	search->part.to_us = time_us + 1;
	search->arena = arena;
	return search_all(search, targets, count, time_us, samples);
}

enum rc
history_at(struct db *db, struct arena *arena, const int32_t *variable_ids,
	size_t count, int64_t time_us, struct sample *samples,
	struct fault *fault)
{
	const struct history_part like = {.db = db, .fault = fault};
	bool mine;
	enum rc rc = history_open(db, &mine, fault);

	if (rc == RC_OK) {
		rc = history_at_cached(
			&like, arena, variable_ids, count, time_us, samples);
		history_close(db, mine);
	}
	return rc;
}
