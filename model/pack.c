/* pack: frames become chunks. */

#include "model/pack.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "model/chunk_store.h"
#include "model/frame.h"
#include "model/pack_rows.h"
#include "model/partition.h"

/* Frames looked at, and bytes of frames fetched, at once. */
#define LIST_ROWS_MAX   4000
#define FETCH_BYTES_MAX (8 * 1024 * 1024)

enum { OWN, LOCK, LIST, FETCH, HOLD, DELETE };

const struct stmt pack_stmts[] = {
	[OWN] = {"pack_own", "",
		"SELECT pg_try_advisory_lock(hashtext('fieldgrid keeper'))"},
	[LOCK] = {"pack_lock", "",
		"SELECT pg_advisory_xact_lock(hashtext('fieldgrid pack'))"},
	/* $1 after id $2 received before $3 rows; what the hub has to evaluate
	 * stays until it has */
	[LIST] = {"pack_list", "izi",
		"SELECT id"
		"     , samples"
		"     , octet_length(body)"
		"  FROM frame"
		" WHERE id > $1 AND received_at < $2 AND NOT packed"
		"   AND NOT EXISTS (SELECT FROM alarm_position a"
		"       WHERE a.node_id = frame.node_id"
		"         AND a.sequence < frame.sequence)"
		" ORDER BY id LIMIT $3"},
	[FETCH] = {"pack_fetch", "Iz", /* $1 ids $2 received before */
		"SELECT id"
		"     , body"
		"  FROM frame"
		" WHERE id = ANY($1) AND received_at < $2 AND NOT packed"
		" ORDER BY id"},
	/* $1 ids $2 received before $3 since: those that an egress node of
	 * the datasource has not taken */
	[HOLD] = {"pack_hold", "Izz",
		"UPDATE frame f SET packed = true"
		" WHERE id = ANY($1) AND received_at < $2 AND NOT packed"
		"   AND received_at >= $3 AND EXISTS"
		"       (SELECT FROM feed_reader r"
		"          JOIN node e ON e.id = r.node_id"
		"           AND e.state = 'authorised'"
		"          JOIN node_datasource d ON d.node_id = r.node_id"
		"           AND d.datasource_id = f.datasource_id"
		"           AND d.subscribe"
		"          LEFT JOIN feed_position p ON p.node_id = r.node_id"
		"           AND p.source_id = f.node_id"
		"         WHERE r.seen_at >= $3"
		"           AND (p.node_id IS NULL OR p.sequence < f.sequence"
		"                OR p.frame_id < f.id))"},
	[DELETE] = {"pack_delete", "Iz", /* $1 ids $2 received before */
		"DELETE FROM frame WHERE id = ANY($1) AND received_at < $2"
		" AND NOT packed"},
	STMT_END,
};

/* Samples of one variable that stood together in one frame. */
struct run {
	int32_t variable_id;
	uint32_t place; /* counts up over the batch */
	const struct sample *samples;
	size_t count;
};

/* One transaction's work. */
struct batch {
	struct db *db;
	struct arena *arena;   /* samples, runs and lists live here */
	struct arena *scratch; /* of one fetch, or of one variable */
	const struct pack_limits *limits;
	int64_t *ids; /* of the frames */
	int64_t *bytes;
	size_t id_count;
	bool more;
	struct run *runs;
	size_t run_count;
	size_t run_room;
	struct pack_rows rows;
	int64_t *packed; /* ids that decoded */
	size_t packed_count;
	struct pack_count count;
	struct fault *fault;
};

enum rc
pack_own(struct db *db, struct arena *arena, bool *owner, struct fault *fault)
{
	struct rows *rows;
	enum rc rc =
		db_find(db, arena, &pack_stmts[OWN], NO_PARAMS, &rows, fault);

	*owner = rc == RC_OK && rows_bool(rows, 0, 0);
	return rc;
}

enum rc
pack_lock(struct db *db, struct fault *fault)
{
	return db_exec(db, &pack_stmts[LOCK], NO_PARAMS, NULL, fault);
}

/* --- which frames --------------------------------------------------------- */

/* As many of the next frames as samples_max allows; at least one. */
static enum rc
list_frames(struct batch *batch, int64_t after_id)
{
	size_t samples = 0;
	struct rows *rows;
	enum rc rc = db_query(batch->db, batch->arena, &pack_stmts[LIST],
		PARAMS(P_INT(after_id),
			P_TIME(batch->limits->received_before_us),
			P_INT(LIST_ROWS_MAX)),
		&rows, batch->fault);

	if (rc != RC_OK)
		return rc;
	batch->ids = arena_array(
		batch->arena, rows_count(rows), sizeof(*batch->ids));
	batch->bytes = arena_array(
		batch->arena, rows_count(rows), sizeof(*batch->bytes));
	batch->packed = arena_array(
		batch->arena, rows_count(rows), sizeof(*batch->packed));
	for (size_t i = 0; i < rows_count(rows); i++) {
		samples += (size_t)rows_int(rows, i, 1);
		if (i > 0 && samples > batch->limits->samples_max)
			break;
		batch->ids[i] = rows_int(rows, i, 0);
		batch->bytes[i] = rows_int(rows, i, 2);
		batch->id_count++;
	}
	batch->more = batch->id_count < rows_count(rows) ||
		      rows_count(rows) == LIST_ROWS_MAX;
	return RC_OK;
}

/* --- their samples -------------------------------------------------------- */

static void
add_run(struct batch *batch, const struct sample *samples, size_t count)
{
	if (batch->run_count == batch->run_room) {
		size_t room = batch->run_room * 2 + 1024;
		struct run *runs =
			arena_array(batch->arena, room, sizeof(*runs));

		if (batch->run_count > 0)
			memcpy(runs, batch->runs,
				batch->run_count * sizeof(*runs));
		batch->runs = runs;
		batch->run_room = room;
	}
	batch->runs[batch->run_count] = (struct run){samples->variable_id,
		(uint32_t)batch->run_count, samples, count};
	batch->run_count++;
}

static void
add_samples(struct batch *batch, const struct sample *samples, size_t count)
{
	size_t begin = 0;

	for (size_t i = 1; i <= count; i++) {
		if (i < count &&
			samples[i].variable_id == samples[begin].variable_id)
			continue;
		add_run(batch, samples + begin, i - begin);
		begin = i;
	}
	batch->count.samples += (int64_t)count;
}

static void
add_frame(struct batch *batch, int64_t id, struct bytes body)
{
	struct frame_head head;
	struct frame_content content;
	struct fault why;

	if (frame_decode(body.data, body.length, batch->arena, &head, &content,
		    &why) != RC_OK) {
		log_error(NULL, "frame %lld is damaged and stays: %s",
			(long long)id, why.text);
		batch->count.damaged++;
		return;
	}
	if (content.sample_count > 0)
		add_samples(batch, content.samples, content.sample_count);
	batch->packed[batch->packed_count++] = id;
	batch->count.frames++;
}

/* Bodies are fetched some at a time, as they may be large. */
static enum rc
fetch_frames(struct batch *batch)
{
	size_t begin = 0;

	while (begin < batch->id_count) {
		int64_t bytes = batch->bytes[begin];
		size_t end = begin + 1;
		struct rows *rows;
		enum rc rc;

		while (end < batch->id_count &&
			bytes + batch->bytes[end] <= FETCH_BYTES_MAX)
			bytes += batch->bytes[end++];
		rc = db_query(batch->db, batch->scratch, &pack_stmts[FETCH],
			PARAMS(P_INTS(batch->ids + begin, end - begin),
				P_TIME(batch->limits->received_before_us)),
			&rows, batch->fault);
		if (rc != RC_OK)
			return rc;
		for (size_t i = 0; i < rows_count(rows); i++)
			add_frame(batch, rows_int(rows, i, 0),
				rows_bytes(rows, i, 1));
		arena_reset(batch->scratch);
		begin = end;
	}
	return RC_OK;
}

/* --- chunks of them ------------------------------------------------------- */

static int
compare_runs(const void *left, const void *right)
{
	const struct run *a = left;
	const struct run *b = right;

	if (a->variable_id != b->variable_id)
		return a->variable_id < b->variable_id ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

/* All samples of one variable: join its runs, order them, cut into chunks. */
static enum rc
pack_variable(struct batch *batch, const struct run *runs, size_t run_count)
{
	struct sample *samples;
	size_t count = 0;
	size_t at = 0;
	enum rc rc;

	for (size_t i = 0; i < run_count; i++)
		count += runs[i].count;
	samples = arena_array(batch->scratch, count, sizeof(*samples));
	for (size_t i = 0; i < run_count; at += runs[i++].count)
		memcpy(samples + at, runs[i].samples,
			runs[i].count * sizeof(*samples));
	sample_sort(batch->scratch, samples, count);
	count = sample_unique(samples, count);
	rc = pack_rows_add(&batch->rows, samples, count, NULL, batch->fault);
	arena_reset(batch->scratch);
	return rc;
}

static enum rc
pack_variables(struct batch *batch)
{
	const struct run *runs = batch->runs;
	size_t begin = 0;
	enum rc rc = RC_OK;

	if (batch->run_count > 0)
		qsort(batch->runs, batch->run_count, sizeof(*batch->runs),
			compare_runs);
	for (size_t i = 1; rc == RC_OK && i <= batch->run_count; i++) {
		if (i < batch->run_count &&
			runs[i].variable_id == runs[begin].variable_id)
			continue;
		rc = pack_variable(batch, runs + begin, i - begin);
		begin = i;
	}
	return rc == RC_OK ? pack_rows_flush(&batch->rows, batch->fault) : rc;
}

/* But for those that are held for a feed. */
static enum rc
delete_frames(struct batch *batch)
{
	int64_t held = 0;
	int64_t deleted = 0;
	enum rc rc = db_exec(batch->db, &pack_stmts[HOLD],
		PARAMS(P_INTS(batch->packed, batch->packed_count),
			P_TIME(batch->limits->received_before_us),
			P_TIME(batch->limits->held_since_us)),
		&held, batch->fault);

	if (rc == RC_OK)
		rc = db_exec(batch->db, &pack_stmts[DELETE],
			PARAMS(P_INTS(batch->packed, batch->packed_count),
				P_TIME(batch->limits->received_before_us)),
			&deleted, batch->fault);
	if (rc == RC_OK && held + deleted != (int64_t)batch->packed_count)
		return fault_set(batch->fault, RC_RETRY,
			"%lld of %zu frames deleted, %lld held",
			(long long)deleted, batch->packed_count,
			(long long)held);
	return rc;
}

static enum rc
run_batch(struct batch *batch, int64_t *after_id)
{
	enum rc rc = pack_lock(batch->db, batch->fault);

	if (rc == RC_OK)
		rc = list_frames(batch, *after_id);
	if (rc != RC_OK || batch->id_count == 0)
		return rc;
	rc = fetch_frames(batch);
	if (rc == RC_OK)
		rc = pack_variables(batch);
	if (rc == RC_OK)
		rc = delete_frames(batch);
	if (rc == RC_OK)
		rc = db_commit(batch->db, batch->fault);
	if (rc == RC_OK)
		*after_id = batch->ids[batch->id_count - 1];
	return rc;
}

static void
add_up(struct pack_count *count, const struct batch *batch)
{
	count->frames += batch->count.frames;
	count->samples += batch->count.samples;
	count->damaged += batch->count.damaged;
	count->chunks += batch->rows.chunks;
	count->bytes += batch->rows.bytes;
}

enum rc
pack_frames(struct db *db, struct arena *arena,
	const struct pack_limits *limits, int64_t *after_id, bool *more,
	struct pack_count *count, struct fault *fault)
{
	struct batch batch = {.db = db,
		.arena = arena,
		.scratch = arena_new(),
		.limits = limits,
		.fault = fault};
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	pack_rows_open(&batch.rows, db);
	if (rc == RC_OK)
		rc = run_batch(&batch, after_id);
	if (db_in_transaction(db))
		db_rollback(db);
	if (rc == RC_OK)
		add_up(count, &batch);
	*more = rc == RC_OK && batch.more;
	pack_rows_close(&batch.rows);
	arena_free(batch.scratch);
	return rc;
}
