/* pack_rows: ordered samples on their way into rows of table chunk. */

#include "model/pack_rows.h"

#include "lib/clock.h"
#include "model/partition.h"

void
pack_rows_open(struct pack_rows *rows, struct db *db)
{
	rows->db = db;
	rows->arena = arena_new();
	buf_init(&rows->body, 0);
	rows->count = 0;
	rows->month_us = CLOCK_NEVER;
	rows->chunks = 0;
	rows->bytes = 0;
}

void
pack_rows_close(struct pack_rows *rows)
{
	buf_free(&rows->body);
	arena_free(rows->arena);
}

enum rc
pack_rows_flush(struct pack_rows *rows, struct fault *fault)
{
	enum rc rc = RC_OK;

	if (rows->count > 0)
		rc = chunk_insert(rows->db, rows->arena, rows->waiting,
			rows->count, fault);
	rows->count = 0;
	arena_reset(rows->arena);
	return rc;
}

/* A chunk_insert needs the partition; most rows are of the same month. */
static enum rc
open_month(struct pack_rows *rows, int64_t time_us, struct fault *fault)
{
	int64_t month_us = partition_month(time_us);
	enum rc rc;

	if (month_us == rows->month_us)
		return RC_OK;
	rc = partition_open_month(rows->db, time_us, fault);
	rows->month_us = rc == RC_OK ? month_us : CLOCK_NEVER;
	return rc;
}

static enum rc
add_chunk(struct pack_rows *rows, const struct sample *samples, size_t count,
	int64_t id, struct fault *fault)
{
	struct chunk_row *row;
	enum rc rc = open_month(rows, samples[0].time_us, fault);

	if (rc == RC_OK && rows->count == PACK_ROWS_MAX)
		rc = pack_rows_flush(rows, fault);
	if (rc != RC_OK)
		return rc;
	row = &rows->waiting[rows->count++];
	row->id = id;
	row->variable_id = samples[0].variable_id;
	buf_clear(&rows->body);
	rc = chunk_encode(samples, count, &rows->body, &row->summary, fault);
	row->body.data =
		arena_memdup(rows->arena, rows->body.data, rows->body.length);
	row->body.length = rows->body.length;
	rows->chunks++;
	rows->bytes += (int64_t)rows->body.length;
	return rc;
}

/* The first samples that are of one month and one kind. */
static size_t
same_place(const struct sample *samples, size_t count)
{
	int64_t next_us = partition_next_month(samples[0].time_us);
	size_t same = 1;

	while (same < count && samples[same].time_us < next_us &&
		samples[same].value.kind == samples[0].value.kind)
		same++;
	return same;
}

/* Rather two halves than a full chunk and a rest. */
static size_t
even_share(size_t count)
{
	size_t chunks = (count + CHUNK_SAMPLES_MAX - 1) / CHUNK_SAMPLES_MAX;

	return (count + chunks - 1) / chunks;
}

size_t
pack_rows_cut(const struct sample *samples, size_t count)
{
	return chunk_fit(samples, even_share(same_place(samples, count)));
}

enum rc
pack_rows_add(struct pack_rows *rows, const struct sample *samples,
	size_t count, const int64_t *ids, struct fault *fault)
{
	size_t done = 0;
	enum rc rc = RC_OK;

	while (rc == RC_OK && done < count) {
		size_t next = pack_rows_cut(samples + done, count - done);

		rc = add_chunk(rows, samples + done, next,
			ids != NULL ? *ids++ : 0, fault);
		done += next;
	}
	return rc;
}
