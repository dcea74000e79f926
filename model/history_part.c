/* history_part: the chunks and frames of a stretch of time. */

#include "model/history_part.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "model/partition.h"

/* Rows looked at, and bytes of bodies fetched, at once. */
#define LIST_ROWS_MAX   4000
#define FETCH_BYTES_MAX (4 * 1024 * 1024)

#define CHUNK_BODY                                                             \
	"SELECT c.variable_id"                                                 \
	"     , c.body"
#define OF_MONTH " AND first_us >= $2 AND first_us < $3"

const struct stmt history_stmts[] = {
	/* Before the snapshot is taken, so that no partition can be dropped
	 * between the reading of its chunks and of its frames. */
	[HISTORY_LOCK] = {"history_lock", "",
		"LOCK TABLE ONLY frame IN ACCESS SHARE MODE"},
	/* $1 variables $2 begin of the month $3 to $4 from */
	[HISTORY_CHUNKS] = {"history_chunks", "Niii",
		"SELECT id"
		"     , variable_id"
		"     , octet_length(body)"
		"     , first_us"
		"     , last_us"
		"     , samples"
		"     , good"
		"     , minimum"
		"     , maximum"
		"     , last_value"
		"     , worst"
		"  FROM chunk"
		" WHERE variable_id = ANY($1) AND last_us >= $4" OF_MONTH
		" ORDER BY id"},
	/* $1 variables $2 begin of the month $3 to $4 last_us $5 ids */
	[HISTORY_BODIES] = {"history_bodies", "NiiII",
		"SELECT c.body"
		"  FROM unnest($5) WITH ORDINALITY AS o (id, ordinal)"
		"  LEFT JOIN (SELECT id, body"
		"               FROM chunk"
		"              WHERE variable_id = ANY($1)" OF_MONTH
		"                AND last_us = ANY($4) AND id = ANY($5)) AS c"
		"    ON c.id = o.id"
		" ORDER BY o.ordinal"},
	/* $1 variables $2 from $3 to $4 after id $5 rows */
	[HISTORY_FRAMES] = {"history_frames", "Niiii",
		"SELECT id"
		"     , octet_length(body)"
		"  FROM frame"
		" WHERE datasource_id IN (SELECT datasource_id"
		"          FROM variable WHERE id = ANY($1))"
		" AND last_us >= $2 AND first_us < $3 AND id > $4"
		" AND NOT packed"
		" ORDER BY id LIMIT $5"},
	[HISTORY_FRAME_BODIES] = {"history_frame_bodies", "I", /* $1 ids */
		"SELECT body"
		"  FROM frame"
		" WHERE id = ANY($1) AND NOT packed"
		" ORDER BY id"},
	/* $1 variables $2 time: of each the chunk that ends last before it */
	[HISTORY_CHUNK_BEFORE] = {"history_chunk_before", "Ni",
		CHUNK_BODY "  FROM unnest($1) AS v (id) CROSS JOIN LATERAL"
			   " (SELECT variable_id, body"
			   "    FROM chunk"
			   "   WHERE variable_id = v.id AND last_us <= $2"
			   "   ORDER BY last_us DESC, first_us DESC, id DESC"
			   "   LIMIT 1) AS c"},
	/* $1 variables $2 begin of the month $3 behind the time $4 time */
	[HISTORY_CHUNK_ACROSS] = {"history_chunk_across", "Niii",
		CHUNK_BODY
		"  FROM chunk c"
		" WHERE variable_id = ANY($1) AND last_us > $4" OF_MONTH
		" ORDER BY id"},
	/* $1 variable $2 time: the earliest end of a chunk from then on */
	[HISTORY_CHUNK_AFTER] = {"history_chunk_after", "ni",
		"SELECT last_us"
		"  FROM chunk"
		" WHERE variable_id = $1 AND last_us >= $2"
		" ORDER BY last_us LIMIT 1"},
	STMT_END,
};

int64_t
history_earliest_us(void)
{
	return SAMPLE_TIME_MIN_US;
}

int64_t
history_latest_us(void)
{
	return clock_now_us() + SAMPLE_TIME_AHEAD_US + CLOCK_DAY_US;
}

int
history_compare_ids(const void *left, const void *right)
{
	int32_t a = *(const int32_t *)left;
	int32_t b = *(const int32_t *)right;

	return a < b ? -1 : a > b;
}

const int32_t *
history_sorted(
	struct arena *arena, const int32_t *ids, size_t count, size_t *kept)
{
	int32_t *sorted = arena_memdup(arena, ids, count * sizeof(*ids));
	size_t unique = 0;

	qsort(sorted, count, sizeof(*sorted), history_compare_ids);
	for (size_t i = 0; i < count; i++)
		if (unique == 0 || sorted[unique - 1] != sorted[i])
			sorted[unique++] = sorted[i];
	*kept = unique;
	return sorted;
}

enum rc
history_begin(struct db *db, struct fault *fault)
{
	enum rc rc = db_begin(db, DB_SNAPSHOT_READ_ONLY, fault);

	if (rc == RC_OK)
		rc = db_exec(db, &history_stmts[HISTORY_LOCK], NO_PARAMS, NULL,
			fault);
	if (rc != RC_OK)
		db_rollback(db);
	return rc;
}

enum rc
history_open(struct db *db, bool *mine, struct fault *fault)
{
	*mine = !db_in_transaction(db);
	return *mine ? history_begin(db, fault) : RC_OK;
}

void
history_close(struct db *db, bool mine)
{
	if (mine)
		db_rollback(db);
}

/* --- chunks --------------------------------------------------------------- */

static void
read_chunk(const struct rows *rows, size_t row, struct history_chunk *chunk)
{
	struct chunk_summary *summary = &chunk->summary;

	chunk->id = rows_int(rows, row, 0);
	chunk->variable_id = (int32_t)rows_int(rows, row, 1);
	chunk->bytes = rows_int(rows, row, 2);
	summary->first_us = rows_int(rows, row, 3);
	summary->last_us = rows_int(rows, row, 4);
	summary->samples = (uint32_t)rows_int(rows, row, 5);
	summary->good = (uint32_t)rows_int(rows, row, 6);
	summary->minimum = rows_num(rows, row, 7);
	summary->maximum = rows_num(rows, row, 8);
	summary->last_value = rows_num(rows, row, 9);
	summary->worst = (uint64_t)rows_int(rows, row, 10);
}

enum rc
history_chunks(const struct history_part *part, struct arena *arena,
	struct history_chunk **chunks, size_t *count)
{
	struct arena *scratch = arena_new();
	struct rows *rows;
	enum rc rc = db_query(part->db, scratch, &history_stmts[HISTORY_CHUNKS],
		PARAMS(P_SHORTS(part->ids, part->count),
			P_INT(partition_month(part->from_us)),
			P_INT(part->to_us), P_INT(part->from_us)),
		&rows, part->fault);

	if (rc == RC_OK) {
		*count = rows_count(rows);
		*chunks = arena_array(arena, *count, sizeof(**chunks));
		for (size_t i = 0; i < *count; i++)
			read_chunk(rows, i, &(*chunks)[i]);
	}
	arena_free(scratch);
	return rc;
}

static enum rc
visit_body(const struct history_part *part, struct arena *arena,
	const struct history_chunk *chunk, struct bytes body,
	const struct history_chunk_visitor *visitor)
{
	struct chunk_columns columns;
	struct fault why;
	enum rc rc;

	if (body.data == NULL)
		return fault_set(part->fault, RC_RETRY, "chunk %lld is gone",
			(long long)chunk->id);
	rc = chunk_decode(body.data, body.length, arena, &columns, &why);
	if (rc == RC_OK)
		return visitor->columns(visitor->context, chunk, &columns);
	log_error(NULL, "chunk %lld is left out: %s", (long long)chunk->id,
		why.text);
	return RC_OK;
}

/* One fetch of bodies. */
static enum rc
unpack_some(const struct history_part *part, const struct history_chunk *chunks,
	size_t count, const struct history_chunk_visitor *visitor)
{
	struct arena *arena = arena_new();
	struct arena *scratch = arena_new();
	int64_t *ids = arena_array(arena, count, sizeof(*ids));
	int64_t *lasts = arena_array(arena, count, sizeof(*lasts));
	struct rows *rows;
	enum rc rc;

	for (size_t i = 0; i < count; i++) {
		ids[i] = chunks[i].id;
		lasts[i] = chunks[i].summary.last_us;
	}
	rc = db_query(part->db, arena, &history_stmts[HISTORY_BODIES],
		PARAMS(P_SHORTS(part->ids, part->count),
			P_INT(partition_month(part->from_us)),
			P_INT(part->to_us), P_INTS(lasts, count),
			P_INTS(ids, count)),
		&rows, part->fault);
	for (size_t i = 0; rc == RC_OK && i < count; i++) {
		rc = visit_body(part, scratch, &chunks[i],
			rows_bytes(rows, i, 0), visitor);
		arena_reset(scratch);
	}
	arena_free(scratch);
	arena_free(arena);
	return rc;
}

enum rc
history_unpack(const struct history_part *part,
	const struct history_chunk *chunks, size_t count,
	const struct history_chunk_visitor *visitor)
{
	size_t begin = 0;
	enum rc rc = RC_OK;

	while (rc == RC_OK && begin < count) {
		int64_t bytes = chunks[begin].bytes;
		size_t end = begin + 1;

		while (end < count &&
			bytes + chunks[end].bytes <= FETCH_BYTES_MAX)
			bytes += chunks[end++].bytes;
		rc = unpack_some(part, chunks + begin, end - begin, visitor);
		begin = end;
	}
	return rc;
}

/* --- frames --------------------------------------------------------------- */

static enum rc
visit_frame(const struct frame_visitor *visitor, struct arena *scratch,
	int64_t id, struct bytes body, struct fault *fault)
{
	enum rc rc =
		frame_each(body.data, body.length, scratch, visitor, fault);

	if (rc != RC_BAD_INPUT && rc != RC_UNSUPPORTED)
		return rc;
	log_error(
		NULL, "frame %lld is left out: %s", (long long)id, fault->text);
	return RC_OK;
}

/* One fetch of bodies. */
static enum rc
visit_some(const struct history_part *part, const int64_t *ids, size_t count,
	const struct frame_visitor *visitor)
{
	struct arena *arena = arena_new();
	struct arena *scratch = arena_new();
	struct rows *rows;
	enum rc rc =
		db_query(part->db, arena, &history_stmts[HISTORY_FRAME_BODIES],
			PARAMS(P_INTS(ids, count)), &rows, part->fault);

	for (size_t i = 0; rc == RC_OK && i < rows_count(rows); i++) {
		rc = visit_frame(visitor, scratch, ids[i],
			rows_bytes(rows, i, 0), part->fault);
		arena_reset(scratch);
	}
	arena_free(scratch);
	arena_free(arena);
	return rc;
}

static enum rc
visit_listed(const struct history_part *part, const struct rows *listed,
	struct arena *arena, const struct frame_visitor *visitor)
{
	size_t count = rows_count(listed);
	int64_t *ids = arena_array(arena, count, sizeof(*ids));
	size_t begin = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < count; i++)
		ids[i] = rows_int(listed, i, 0);
	while (rc == RC_OK && begin < count) {
		int64_t bytes = rows_int(listed, begin, 1);
		size_t end = begin + 1;

		while (end < count &&
			bytes + rows_int(listed, end, 1) <= FETCH_BYTES_MAX)
			bytes += rows_int(listed, end++, 1);
		rc = visit_some(part, ids + begin, end - begin, visitor);
		begin = end;
	}
	return rc;
}

enum rc
history_frames(const struct history_part *part,
	enum rc (*visit)(void *context, const struct sample *samples,
		size_t count, struct fault *fault),
	void *context)
{
	const struct frame_visitor visitor = {
		part->ids, part->count, visit, NULL, NULL, context};
	struct arena *arena = arena_new();
	int64_t after_id = INT64_MIN;
	bool more = part->cache == NULL;
	enum rc rc = RC_OK;

	if (part->cache != NULL)
		rc = history_cache_visit(part, visit, context);
	while (rc == RC_OK && more) {
		struct rows *rows;

		rc = db_query(part->db, arena, &history_stmts[HISTORY_FRAMES],
			PARAMS(P_SHORTS(part->ids, part->count),
				P_INT(part->from_us), P_INT(part->to_us),
				P_INT(after_id), P_INT(LIST_ROWS_MAX)),
			&rows, part->fault);
		if (rc != RC_OK)
			break;
		more = rows_count(rows) == LIST_ROWS_MAX;
		if (more)
			after_id = rows_int(rows, LIST_ROWS_MAX - 1, 0);
		rc = visit_listed(part, rows, arena, &visitor);
		arena_reset(arena);
	}
	arena_free(arena);
	return rc;
}
