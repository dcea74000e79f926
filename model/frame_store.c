/* frame_store: frames into the database as received, and out again. */

#include "model/frame_columns.h"

#include <string.h>

#include "model/alarm.h"

enum { STORE, FILL, ENTER, LOCK, KNOWN, REPLAY, POSITIONS };

/* $1 node $2 spool $3 first and $4 last sequence $5 $6 low and high ends of
 * the gaps between frames; $7.. the columns of the frames, $14.. of the events
 */
#define STORE_TYPES "niiiIINIIINIBNNIINTTTTTTT"
#define STORE_TAIL                                                             \
	", stored AS ("                                                        \
	" INSERT INTO frame (node_id, datasource_id, sequence, first_us"       \
	"     , last_us, samples, crc, body)"                                  \
	" SELECT moved.node_id, f.* FROM moved, unnest($7, $8, $9, $10, $11"   \
	"     , $12, $13) AS f)"                                               \
	", noted AS ("                                                         \
	" INSERT INTO event (node_id, datasource_id, variable_id, sequence"    \
	"     , time_us, ordinal, kind, text, value, old_value, username"      \
	"     , computer, comment)"                                            \
	" SELECT moved.node_id, e.datasource_id, nullif(e.variable_id, 0)"     \
	"     , e.sequence, e.time_us, e.ordinal, e.kind, e.text, e.value"     \
	"     , e.old_value, e.username, e.computer, e.comment"                \
	"  FROM moved, unnest($14, $15, $16, $17, $18, $19, $20, $21, $22"     \
	"     , $23, $24, $25)"                                                \
	"    AS e (datasource_id, variable_id, sequence, time_us, ordinal"     \
	"     , kind, text, value, old_value, username, computer, comment))"   \
	" SELECT count(*) FROM moved"

const struct stmt frame_store_stmts[] = {
	/* The row lock of node_position makes the frames of one node come one
	 * after the other. The list of gaps is cut off when it grows long. */
	[STORE] = {"frame_store", STORE_TYPES,
		"WITH moved AS ("
		" UPDATE node_position"
		"   SET spool_id = $2"
		"     , last_sequence = $4"
		"     , gaps = CASE WHEN spool_id <> $2"
		"                OR pg_column_size(gaps) > 8000"
		"              THEN '{}' ELSE gaps END"
		"       + int8multirange(int8range(last_sequence + 1, $3))"
		"       + (SELECT coalesce(range_agg(int8range(g.low, g.high))"
		"                , '{}')"
		"            FROM unnest($5, $6) AS g (low, high))"
		" WHERE node_id = $1 AND last_sequence < $3"
		" RETURNING node_id)" STORE_TAIL},
	/* Frames that come late into a gap. */
	[FILL] = {"frame_fill", STORE_TYPES,
		"WITH moved AS ("
		" UPDATE node_position"
		"   SET fills = fills + 1"
		"     , gaps = gaps - (SELECT"
		"         range_agg(int8range(s, s, '[]')) FROM unnest($8) AS "
		"s)"
		" WHERE node_id = $1 AND spool_id = $2"
		" AND last_sequence >= $4 AND $3 > 0"
		" AND cardinality($5) = cardinality($6)"
		" RETURNING node_id)" STORE_TAIL},
	[ENTER] = {"frame_enter", "n", /* $1 node */
		"INSERT INTO node_position (node_id) VALUES ($1)"
		" ON CONFLICT DO NOTHING"},
	[LOCK] = {"frame_lock", "n", /* $1 node */
		"SELECT last_sequence"
		"     , spool_id"
		"  FROM node_position"
		" WHERE node_id = $1 FOR UPDATE"},
	/* $1 node $2 sequences: is it in a gap, and what is stored of it */
	[KNOWN] = {"frame_known", "nI",
		"SELECT s <@ p.gaps"
		"     , (SELECT f.crc FROM frame f WHERE f.node_id = $1"
		"           AND f.sequence = s LIMIT 1)"
		"  FROM unnest($2) WITH ORDINALITY AS o (s, ordinal)"
		"     , node_position p"
		" WHERE p.node_id = $1"
		" ORDER BY o.ordinal"},
	[REPLAY] = {"frame_replay", "ni", /* $1 node $2 after sequence */
		"SELECT sequence"
		"     , received_at"
		"     , body"
		"  FROM frame"
		" WHERE node_id = $1 AND sequence > $2"
		" ORDER BY sequence LIMIT 16"},
	[POSITIONS] = {"frame_positions", "",
		"SELECT node_id"
		"     , last_sequence"
		"  FROM node_position"},
	STMT_END,
};

/* *moved: the statement's condition held, so everything is stored. */
static enum rc
run_store(struct db *db, struct arena *arena, const struct stmt *stmt,
	const struct frame_batch *batch, const struct frame_columns *c,
	bool *moved, struct fault *fault)
{
	struct rows *rows;
	size_t n = c->count;
	size_t e = c->event_count;
	enum rc rc = db_find(db, arena, stmt,
		PARAMS(P_SHORT(batch->node_id), P_INT((int64_t)batch->spool_id),
			P_INT(c->sequences[0]), P_INT(c->sequences[n - 1]),
			P_INTS(c->gap_lows, c->gap_count),
			P_INTS(c->gap_highs, c->gap_count),
			P_SHORTS(c->datasources, n), P_INTS(c->sequences, n),
			P_INTS(c->firsts, n), P_INTS(c->lasts, n),
			P_SHORTS(c->samples, n), P_INTS(c->crcs, n),
			P_BLOBS(c->bodies, n),
			P_SHORTS(c->event_datasources, e),
			P_SHORTS(c->event_variables, e),
			P_INTS(c->event_sequences, e),
			P_INTS(c->event_times, e),
			P_SHORTS(c->event_ordinals, e),
			P_TEXTS(c->event_kinds, e), P_TEXTS(c->event_texts, e),
			P_TEXTS(c->event_values, e),
			P_TEXTS(c->event_old_values, e),
			P_TEXTS(c->event_usernames, e),
			P_TEXTS(c->event_computers, e),
			P_TEXTS(c->event_comments, e)),
		&rows, fault);

	if (rc == RC_OK)
		*moved = rows_int(rows, 0, 0) > 0;
	return rc;
}

static enum rc
lock_position(struct db *db, struct arena *arena, int64_t node_id,
	int64_t *last, uint64_t *spool_id, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_exec(db, &frame_store_stmts[ENTER],
		PARAMS(P_SHORT(node_id)), NULL, fault);

	if (rc == RC_OK)
		rc = db_find(db, arena, &frame_store_stmts[LOCK],
			PARAMS(P_SHORT(node_id)), &rows, fault);
	if (rc == RC_OK) {
		*last = rows_int(rows, 0, 0);
		*spool_id = (uint64_t)rows_int(rows, 0, 1);
	}
	return rc;
}

static enum rc
tell_conflict(struct fault *fault, int64_t sequence, const char *why)
{
	return fault_tell(fault, RC_CONFLICT, "SequenceConflict", "sequence",
		"Sequence %lld %s; ask for the position and count on from it.",
		(long long)sequence, why);
}

/* Of the first "old" rows, which are not newer than the last: put those that
 * fill a gap into "late", leave out what is stored already. */
static enum rc
sort_out(struct db *db, struct arena *arena, const struct frame_batch *batch,
	size_t old, struct frame_columns *late, struct fault *fault)
{
	int64_t *sequences = arena_array(arena, old, sizeof(*sequences));
	struct rows *rows;
	enum rc rc;

	for (size_t i = 0; i < old; i++)
		sequences[i] = batch->rows[i].head.sequence;
	rc = db_query(db, arena, &frame_store_stmts[KNOWN],
		PARAMS(P_SHORT(batch->node_id), P_INTS(sequences, old)), &rows,
		fault);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < old && i < rows_count(rows); i++) {
		batch->rows[i].stored = rows_bool(rows, i, 0);
		if (batch->rows[i].stored)
			frame_columns_add(late, &batch->rows[i]);
		else if (!rows_null(rows, i, 1) &&
			 rows_int(rows, i, 1) != batch->rows[i].head.crc)
			return tell_conflict(fault, sequences[i],
				"is stored with other content");
	}
	late->gap_count = 0;
	return RC_OK;
}

/* The way for batches that are not all new; the position is locked. */
static enum rc
store_rest(struct db *db, struct arena *arena, const struct frame_batch *batch,
	int64_t last, uint64_t spool_id, struct fault *fault)
{
	struct frame_columns late;
	struct frame_columns fresh;
	size_t old = 0;
	bool moved;
	enum rc rc = RC_OK;

	frame_columns_make(arena, batch, &late);
	frame_columns_make(arena, batch, &fresh);
	while (old < batch->count && batch->rows[old].head.sequence <= last)
		old++;
	for (size_t i = old; i < batch->count; i++) {
		frame_columns_add(&fresh, &batch->rows[i]);
		batch->rows[i].stored = true;
	}
	if (old > 0 && spool_id != batch->spool_id)
		return tell_conflict(fault, batch->rows[0].head.sequence,
			"was used by another spool");
	if (old > 0)
		rc = sort_out(db, arena, batch, old, &late, fault);
	if (rc == RC_OK && late.count > 0)
		rc = run_store(db, arena, &frame_store_stmts[FILL], batch,
			&late, &moved, fault);
	if (rc == RC_OK && fresh.count > 0)
		rc = run_store(db, arena, &frame_store_stmts[STORE], batch,
			&fresh, &moved, fault);
	return rc;
}

/* --- alarm changes -------------------------------------------------------- */

static size_t
count_alarms(const struct frame_batch *batch)
{
	size_t count = 0;

	for (size_t i = 0; i < batch->count; i++)
		count += batch->rows[i].alarm_count;
	return count;
}

static bool
is_applied(const struct frame_row *row, int32_t datasource_id)
{
	return row->stored && row->alarm_count > 0 &&
	       row->datasource_id == datasource_id;
}

/* Those of all frames of one datasource that are new, in their order. */
static enum rc
apply_datasource(struct db *db, struct arena *arena,
	const struct frame_batch *batch, size_t first, struct fault *fault)
{
	int32_t datasource_id = batch->rows[first].datasource_id;
	struct alarm_change *changes =
		arena_array(arena, count_alarms(batch), sizeof(*changes));
	size_t count = 0;

	for (size_t i = first; i < batch->count; i++) {
		const struct frame_row *row = &batch->rows[i];

		if (!is_applied(row, datasource_id))
			continue;
		memcpy(changes + count, row->alarms,
			row->alarm_count * sizeof(*changes));
		count += row->alarm_count;
	}
	return alarm_apply(db, arena, datasource_id, changes, count, fault);
}

static enum rc
apply_alarms(struct db *db, struct arena *arena,
	const struct frame_batch *batch, struct fault *fault)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < batch->count && rc == RC_OK; i++) {
		const struct frame_row *row = &batch->rows[i];
		bool done = !is_applied(row, row->datasource_id);

		for (size_t k = 0; k < i && !done; k++)
			done = is_applied(&batch->rows[k], row->datasource_id);
		if (!done)
			rc = apply_datasource(db, arena, batch, i, fault);
	}
	return rc;
}

/* --- a batch -------------------------------------------------------------- */

/* All at once, which does when every frame is newer than the last. */
static enum rc
store_all(struct db *db, struct arena *arena, const struct frame_batch *batch,
	bool *moved, struct fault *fault)
{
	struct frame_columns columns;
	enum rc rc;

	frame_columns_make(arena, batch, &columns);
	for (size_t i = 0; i < batch->count; i++)
		frame_columns_add(&columns, &batch->rows[i]);
	rc = run_store(db, arena, &frame_store_stmts[STORE], batch, &columns,
		moved, fault);
	for (size_t i = 0; i < batch->count; i++)
		batch->rows[i].stored = rc == RC_OK && *moved;
	return rc;
}

/* "last" is the position that was there before, 0 when nobody asked for it. */
static enum rc
store_any(struct db *db, struct arena *arena, const struct frame_batch *batch,
	int64_t *last, struct fault *fault)
{
	uint64_t spool_id;
	bool moved = false;
	enum rc rc = store_all(db, arena, batch, &moved, fault);

	*last = 0;
	if (rc == RC_OK && !moved)
		rc = lock_position(
			db, arena, batch->node_id, last, &spool_id, fault);
	if (rc == RC_OK && !moved)
		rc = store_rest(db, arena, batch, *last, spool_id, fault);
	return rc == RC_OK ? apply_alarms(db, arena, batch, fault) : rc;
}

static enum rc
store_in_steps(struct db *db, struct arena *arena,
	const struct frame_batch *batch, int64_t *sequence, struct fault *fault)
{
	int64_t last;
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc == RC_OK)
		rc = store_any(db, arena, batch, &last, fault);
	if (rc == RC_OK)
		rc = db_commit(db, fault);
	if (rc != RC_OK) {
		db_rollback(db);
		return rc;
	}
	*sequence = batch->rows[batch->count - 1].head.sequence;
	if (last > *sequence)
		*sequence = last;
	return RC_OK;
}

enum rc
frame_store(struct db *db, struct arena *arena, const struct frame_batch *batch,
	int64_t *sequence, struct fault *fault)
{
	bool moved = false;
	enum rc rc;

	if (count_alarms(batch) == 0) {
		rc = store_all(db, arena, batch, &moved, fault);
		if (rc != RC_OK)
			return rc;
	}
	if (!moved)
		return store_in_steps(db, arena, batch, sequence, fault);
	*sequence = batch->rows[batch->count - 1].head.sequence;
	return RC_OK;
}

enum rc
frame_replay(struct db *db, struct arena *arena, int64_t node_id,
	int64_t sequence, struct frame_stored **frames, size_t *count,
	struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(db, arena, &frame_store_stmts[REPLAY],
		PARAMS(P_SHORT(node_id), P_INT(sequence)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	*count = rows_count(rows);
	*frames = arena_array(arena, *count, sizeof(**frames));
	for (size_t i = 0; i < *count; i++) {
		(*frames)[i].sequence = rows_int(rows, i, 0);
		(*frames)[i].received_us = rows_time(rows, i, 1);
		(*frames)[i].body = rows_bytes(rows, i, 2);
	}
	return RC_OK;
}

enum rc
frame_positions(struct db *db, struct arena *arena,
	struct frame_position **positions, size_t *count, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(db, arena, &frame_store_stmts[POSITIONS],
		NO_PARAMS, &rows, fault);

	if (rc != RC_OK)
		return rc;
	*count = rows_count(rows);
	*positions = arena_array(arena, *count, sizeof(**positions));
	for (size_t i = 0; i < *count; i++) {
		(*positions)[i].node_id = rows_int(rows, i, 0);
		(*positions)[i].sequence = rows_int(rows, i, 1);
	}
	return RC_OK;
}
