/* pack_merge: small and overlapping chunks become fewer and larger ones. */

#include <string.h>

#include "lib/log.h"
#include "model/chunk_store.h"
#include "model/pack.h"
#include "model/pack_rows.h"
#include "model/partition.h"

/* Chunks and samples that are merged at once. */
#define RUN_CHUNKS_MAX  64
#define RUN_SAMPLES_MAX 65536
/* When it is worth the work. */
#define DUE_CHUNKS  16
#define DUE_SAMPLES 3072

/* One run of neighbours, each small or overlapping another. */
struct run {
	struct chunk_row *rows;
	size_t count;
	size_t samples;
	bool overlap;
};

struct merger {
	struct db *db;
	struct arena *arena;
	struct chunk_place place;
	enum pack_merging merging;
	struct pack_count *count;
	struct fault *fault;
};

/* --- which ---------------------------------------------------------------- */

/* Whether chunk "index" shares time with one before or behind it. */
static bool
overlaps(const struct chunk_row *rows, size_t count, size_t index,
	int64_t reached_us)
{
	return (index > 0 && rows[index].summary.first_us < reached_us) ||
	       (index + 1 < count && rows[index + 1].summary.first_us <
					     rows[index].summary.last_us);
}

/* The next run from *next on; rows are sorted by first_us. */
static struct run
next_run(struct chunk_row *rows, size_t count, size_t *next)
{
	struct run run = {rows + *next, 0, 0, false};
	int64_t reached_us = INT64_MIN;

	for (; *next < count; (*next)++) {
		struct chunk_row *row = &rows[*next];
		bool overlap = overlaps(rows, count, *next, reached_us);
		bool settled = !overlap && row->summary.samples >= CHUNK_SMALL;

		if ((settled && run.count > 0) || run.count == RUN_CHUNKS_MAX ||
			run.samples > RUN_SAMPLES_MAX)
			break;
		if (row->summary.last_us > reached_us)
			reached_us = row->summary.last_us;
		if (settled) {
			run.rows++;
			continue;
		}
		run.count++;
		run.samples += row->summary.samples;
		run.overlap |= overlap;
	}
	return run;
}

static bool
is_worth(const struct run *run, enum pack_merging merging)
{
	size_t needed =
		(run->samples + CHUNK_SAMPLES_MAX - 1) / CHUNK_SAMPLES_MAX;

	if (run->count < 2 || (needed >= run->count && !run->overlap))
		return false;
	return merging == PACK_MERGE_ALL || run->count >= DUE_CHUNKS ||
	       run->samples >= DUE_SAMPLES;
}

/* --- how ------------------------------------------------------------------ */

/* By id: the order in which the samples came. */
static void
sort_by_id(struct chunk_row *rows, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct chunk_row row = rows[i];
		size_t k = i;

		for (; k > 0 && rows[k - 1].id > row.id; k--)
			rows[k] = rows[k - 1];
		rows[k] = row;
	}
}

static enum rc
unpack_run(struct merger *merger, const struct run *run, struct sample *samples)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct chunk_row *row = &run->rows[i];
		struct chunk_columns columns;
		enum rc rc = chunk_decode(row->body.data, row->body.length,
			merger->arena, &columns, merger->fault);

		if (rc == RC_OK && columns.count != row->summary.samples)
			rc = fault_set(merger->fault, RC_BAD_INPUT,
				"chunk %lld: count", (long long)row->id);
		if (rc != RC_OK)
			return rc;
		for (size_t k = 0; k < columns.count; k++)
			*samples++ =
				chunk_sample(&columns, row->variable_id, k);
	}
	return RC_OK;
}

/*
 * The new chunks take over the lowest ids, so that they keep their place among
 * chunks outside the run. Long strings may need more chunks than there were:
 * then nothing is won and the run stays.
 */
static enum rc
replace_run(struct merger *merger, const struct run *run,
	struct sample *samples, size_t count, struct pack_rows *rows)
{
	int64_t ids[RUN_CHUNKS_MAX];
	size_t needed = 0;
	enum rc rc;

	for (size_t at = 0; at < count; needed++)
		at += pack_rows_cut(samples + at, count - at);
	if (needed > run->count || (needed == run->count && !run->overlap))
		return RC_OK;
	for (size_t i = 0; i < run->count; i++)
		ids[i] = run->rows[i].id;
	rc = chunk_delete(merger->db, merger->arena, &merger->place, run->rows,
		run->count, merger->fault);
	if (rc == RC_OK)
		rc = pack_rows_add(rows, samples, count, ids, merger->fault);
	if (rc == RC_OK)
		rc = pack_rows_flush(rows, merger->fault);
	return rc == RC_OK ? db_commit(merger->db, merger->fault) : rc;
}

static enum rc
merge_locked(struct merger *merger, const struct run *run)
{
	struct sample *samples =
		arena_array(merger->arena, run->samples, sizeof(*samples));
	struct pack_rows rows;
	enum rc rc = chunk_load(merger->db, merger->arena, &merger->place,
		run->rows, run->count, merger->fault);

	if (rc == RC_OK)
		rc = unpack_run(merger, run, samples);
	if (rc != RC_OK)
		return rc;
	sample_sort(merger->arena, samples, run->samples);
	pack_rows_open(&rows, merger->db);
	rc = replace_run(merger, run, samples,
		sample_unique(samples, run->samples), &rows);
	if (rc == RC_OK) {
		merger->count->chunks += rows.chunks;
		merger->count->bytes += rows.bytes;
		merger->count->samples += (int64_t)run->samples;
	}
	pack_rows_close(&rows);
	return rc;
}

static enum rc
merge_run(struct merger *merger, const struct run *run)
{
	enum rc rc = db_begin(merger->db, DB_READ_COMMITTED, merger->fault);

	sort_by_id(run->rows, run->count);
	if (rc == RC_OK)
		rc = pack_lock(merger->db, merger->fault);
	if (rc == RC_OK)
		rc = merge_locked(merger, run);
	if (db_in_transaction(merger->db))
		db_rollback(merger->db);
	if (rc != RC_BAD_INPUT)
		return rc;
	log_error(NULL, "chunks of variable %d stay unmerged: %s",
		(int)merger->place.variable_id, merger->fault->text);
	return RC_OK;
}

static enum rc
merge_variable(struct merger *merger)
{
	struct chunk_row *rows;
	size_t count;
	size_t next = 0;
	enum rc rc = chunk_list(merger->db, merger->arena, &merger->place,
		&rows, &count, merger->fault);

	while (rc == RC_OK && next < count) {
		struct run run = next_run(rows, count, &next);

		if (is_worth(&run, merger->merging))
			rc = merge_run(merger, &run);
	}
	return rc;
}

enum rc
pack_merge(struct db *db, struct arena *arena, int64_t month_us,
	enum pack_merging merging, const volatile int *stop,
	struct pack_count *count, struct fault *fault)
{
	bool all = merging == PACK_MERGE_ALL;
	struct merger merger = {.db = db,
		.arena = arena_new(),
		.place = {.month_us = partition_month(month_us)},
		.merging = merging,
		.count = count,
		.fault = fault};
	int32_t *variables;
	size_t variable_count;
	enum rc rc = chunk_find_small(db, arena, merger.place.month_us,
		all ? 2 : DUE_CHUNKS, DUE_SAMPLES, &variables, &variable_count,
		fault);

	for (size_t i = 0; rc == RC_OK && i < variable_count; i++) {
		if (stop != NULL && *stop)
			break;
		merger.place.variable_id = variables[i];
		rc = merge_variable(&merger);
		arena_reset(merger.arena);
	}
	arena_free(merger.arena);
	return rc;
}
