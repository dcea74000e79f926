/* feed: what egress nodes read, in an order that misses nothing. */

#include "model/feed_parts.h"

#include "model/history.h"

/* Frames looked at for one page, and of one sender among them. */
#define LIST_ROWS_MAX   1024
#define SENDER_ROWS_MAX 256

enum { DATASOURCES, LIST, LATE, BODIES, READER, NOTE };

#define FRAME_COLUMNS                                                          \
	"f.node_id, f.datasource_id, f.sequence, f.id, f.received_at"          \
	", f.last_us, octet_length(f.body)"

const struct stmt feed_stmts[] = {
	[DATASOURCES] = {"feed_datasources", "n", /* $1 node */
		"SELECT datasource_id"
		"  FROM node_datasource"
		" WHERE node_id = $1 AND subscribe"
		" ORDER BY datasource_id"},
	/* $1 senders $2 after their sequences $3 rows of one $4 rows: the first
	 * of each, then the second of each, … */
	[LIST] = {"feed_list", "NIii",
		"SELECT " FRAME_COLUMNS "  FROM unnest($1, $2) WITH ORDINALITY"
		"    AS s (node_id, sequence, place)"
		" CROSS JOIN LATERAL"
		" (SELECT *, row_number() OVER (ORDER BY sequence) AS ordinal"
		"    FROM frame"
		"   WHERE node_id = s.node_id AND sequence > s.sequence"
		"   ORDER BY sequence LIMIT $3) AS f"
		" ORDER BY f.ordinal, s.place LIMIT $4"},
	/* $1 sender $2 up to sequence $3 after id $4 rows */
	[LATE] = {"feed_late", "niii",
		"SELECT " FRAME_COLUMNS "  FROM frame f"
		" WHERE node_id = $1 AND sequence <= $2 AND id > $3"
		" ORDER BY id LIMIT $4"},
	/* $1 senders $2 sequences $3 earliest $4 latest received */
	[BODIES] = {"feed_bodies", "NIzz",
		"SELECT f.body"
		"  FROM unnest($1, $2) WITH ORDINALITY"
		"    AS s (node_id, sequence, place)"
		"  JOIN frame f ON f.node_id = s.node_id"
		"   AND f.sequence = s.sequence"
		"   AND f.received_at >= $3 AND f.received_at <= $4"
		" ORDER BY s.place"},
	[READER] = {"feed_reader", "n", /* $1 node */
		"INSERT INTO feed_reader (node_id) VALUES ($1)"
		" ON CONFLICT (node_id) DO UPDATE SET seen_at = now()"},
	/* $1 node $2 senders $3 their sequences $4 their ids */
	[NOTE] = {"feed_note", "nNII",
		"INSERT INTO feed_position AS p (node_id, source_id, sequence"
		"     , frame_id)"
		" SELECT $1, s.* FROM unnest($2, $3, $4) AS s"
		" ON CONFLICT (node_id, source_id) DO UPDATE"
		"   SET sequence = excluded.sequence"
		"     , frame_id = excluded.frame_id"
		"     , lost_sequence = 0"
		"     , lost_id = 0"
		"     , lost_first_us = NULL"
		"     , lost_last_us = NULL"
		" WHERE (p.sequence, p.frame_id)"
		"    <> (excluded.sequence, excluded.frame_id)"
		"   AND greatest(p.sequence, p.lost_sequence)"
		"    <= excluded.sequence"
		"   AND greatest(p.frame_id, p.lost_id)"
		"    <= excluded.frame_id"},
	STMT_END,
};

enum rc
feed_datasources(struct db *db, struct arena *arena, int64_t node_id,
	int32_t **ids, size_t *count, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(db, arena, &feed_stmts[DATASOURCES],
		PARAMS(P_SHORT(node_id)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	*count = rows_count(rows);
	*ids = arena_array(arena, *count, sizeof(**ids));
	for (size_t i = 0; i < *count; i++)
		(*ids)[i] = (int32_t)rows_int(rows, i, 0);
	return RC_OK;
}

static enum rc
start(struct db *db, struct arena *arena, int64_t node_id, enum feed_from from,
	struct feed_cursor *cursor, struct fault *fault)
{
	struct senders senders = {NULL, 0};
	enum rc rc =
		feed_senders_find(db, arena, node_id, cursor, &senders, fault);

	if (rc == RC_OK)
		rc = feed_senders_place(db, arena, from, &senders, fault);
	if (rc == RC_OK)
		feed_senders_keep(arena, &senders, cursor);
	return rc;
}

enum rc
feed_start(struct db *db, struct arena *arena, int64_t node_id,
	enum feed_from from, struct feed_cursor *cursor, struct fault *fault)
{
	enum rc rc = history_begin(db, fault);

	*cursor = (struct feed_cursor){NULL, 0};
	if (rc != RC_OK)
		return rc;
	rc = start(db, arena, node_id, from, cursor, fault);
	db_rollback(db);
	return rc;
}

/* --- frames ------------------------------------------------------------- */

static void
read_list(struct arena *arena, const struct rows *rows, int64_t bytes_max,
	size_t rows_max, struct feed_page *page)
{
	int64_t bytes = 0;

	page->frames =
		arena_array(arena, rows_count(rows), sizeof(*page->frames));
	page->more = rows_count(rows) >= rows_max;
	for (size_t i = 0; i < rows_count(rows); i++) {
		struct feed_frame *frame = &page->frames[i];

		frame->node_id = (int32_t)rows_int(rows, i, 0);
		frame->datasource_id = (int32_t)rows_int(rows, i, 1);
		frame->sequence = rows_int(rows, i, 2);
		frame->id = rows_int(rows, i, 3);
		frame->received_us = rows_time(rows, i, 4);
		frame->last_us = rows_int(rows, i, 5);
		frame->bytes = rows_int(rows, i, 6);
		bytes += frame->bytes;
		if (i > 0 && bytes > bytes_max) {
			page->more = true;
			return;
		}
		page->count++;
	}
}

/* Frames that came late into gaps behind which the reader is already. */
static enum rc
list_late(struct db *db, struct arena *arena, struct senders *senders,
	int64_t bytes_max, struct feed_page *page, struct fault *fault)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < senders->count; i++) {
		struct sender *sender = &senders->items[i];
		struct rows *rows;

		if (sender->read.fills == sender->fills)
			continue;
		rc = db_query(db, arena, &feed_stmts[LATE],
			PARAMS(P_SHORT(sender->read.node_id),
				P_INT(sender->read.sequence),
				P_INT(sender->read.id), P_INT(SENDER_ROWS_MAX)),
			&rows, fault);
		if (rc == RC_OK)
			read_list(
				arena, rows, bytes_max, SENDER_ROWS_MAX, page);
		if (rc == RC_OK && !page->more)
			sender->read.fills = sender->fills;
		if (page->count > 0) {
			page->more = true; /* those in order come after */
			break;
		}
	}
	return rc;
}

static enum rc
list_next(struct db *db, struct arena *arena, const struct senders *senders,
	int64_t bytes_max, struct feed_page *page, struct fault *fault)
{
	int32_t *ids = arena_array(arena, senders->count, sizeof(*ids));
	int64_t *after = arena_array(arena, senders->count, sizeof(*after));
	size_t count = 0;
	struct rows *rows;
	enum rc rc;

	for (size_t i = 0; i < senders->count; i++) {
		const struct sender *sender = &senders->items[i];

		if (sender->read.sequence >= sender->last_sequence)
			continue;
		ids[count] = sender->read.node_id;
		after[count++] = sender->read.sequence;
	}
	if (count == 0)
		return RC_OK;
	rc = db_query(db, arena, &feed_stmts[LIST],
		PARAMS(P_SHORTS(ids, count), P_INTS(after, count),
			P_INT(SENDER_ROWS_MAX), P_INT(LIST_ROWS_MAX)),
		&rows, fault);
	if (rc == RC_OK)
		read_list(arena, rows, bytes_max, SENDER_ROWS_MAX, page);
	return rc;
}

static bool
is_among(const int32_t *ids, size_t count, int32_t id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* Bodies of those frames that are of the reader's datasources. */
static enum rc
fetch_bodies(struct db *db, struct arena *arena, struct feed_frame **wanted,
	size_t count, struct fault *fault)
{
	int32_t *ids = arena_array(arena, count, sizeof(*ids));
	int64_t *sequences = arena_array(arena, count, sizeof(*sequences));
	int64_t first_us = INT64_MAX;
	int64_t last_us = 0;
	struct rows *rows;
	enum rc rc;

	for (size_t i = 0; i < count; i++) {
		ids[i] = wanted[i]->node_id;
		sequences[i] = wanted[i]->sequence;
		if (wanted[i]->received_us < first_us)
			first_us = wanted[i]->received_us;
		if (wanted[i]->received_us > last_us)
			last_us = wanted[i]->received_us;
	}
	if (count == 0)
		return RC_OK;
	rc = db_query(db, arena, &feed_stmts[BODIES],
		PARAMS(P_SHORTS(ids, count), P_INTS(sequences, count),
			P_TIME(first_us), P_TIME(last_us)),
		&rows, fault);
	if (rc == RC_OK && rows_count(rows) != count)
		return fault_set(fault, RC_RETRY, "%zu of %zu frames are there",
			rows_count(rows), count);
	for (size_t i = 0; rc == RC_OK && i < count; i++)
		wanted[i]->body = rows_bytes(rows, i, 0);
	return rc;
}

static enum rc
fetch(struct db *db, struct arena *arena, int64_t node_id,
	struct feed_page *page, struct fault *fault)
{
	struct feed_frame **wanted =
		arena_array(arena, page->count, sizeof(*wanted));
	int32_t *datasources;
	size_t datasource_count;
	size_t count = 0;
	enum rc rc = feed_datasources(
		db, arena, node_id, &datasources, &datasource_count, fault);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < page->count; i++)
		if (is_among(datasources, datasource_count,
			    page->frames[i].datasource_id))
			wanted[count++] = &page->frames[i];
	return fetch_bodies(db, arena, wanted, count, fault);
}

/* Sequences that never came are passed when nothing is left before them. */
static void
close_gaps(const struct senders *senders, const struct feed_page *page)
{
	for (size_t i = 0; !page->more && i < senders->count; i++)
		senders->items[i].read.sequence =
			senders->items[i].last_sequence;
}

static enum rc
read_page(struct db *db, struct arena *arena, int64_t node_id,
	struct feed_cursor *cursor, int64_t bytes_max, bool resume,
	struct feed_page *page, struct fault *fault)
{
	struct senders senders = {NULL, 0};
	enum rc rc =
		feed_senders_find(db, arena, node_id, cursor, &senders, fault);

	if (rc == RC_OK)
		rc = feed_check_dropped(
			db, arena, &senders, resume, page, fault);
	page->more = page->lost_count > 0;
	if (rc == RC_OK && page->lost_count == 0)
		rc = list_late(db, arena, &senders, bytes_max, page, fault);
	if (rc == RC_OK && page->lost_count == 0 && page->count == 0)
		rc = list_next(db, arena, &senders, bytes_max, page, fault);
	if (rc == RC_OK)
		rc = fetch(db, arena, node_id, page, fault);
	if (rc != RC_OK)
		return rc;
	feed_senders_advance(&senders, page);
	close_gaps(&senders, page);
	feed_senders_keep(arena, &senders, cursor);
	return RC_OK;
}

enum rc
feed_read(struct db *db, struct arena *arena, int64_t node_id,
	struct feed_cursor *cursor, int64_t bytes_max, bool resume,
	struct feed_page *page, struct fault *fault)
{
	enum rc rc = history_begin(db, fault);

	*page = (struct feed_page){.frames = NULL};
	if (rc != RC_OK)
		return rc;
	rc = read_page(
		db, arena, node_id, cursor, bytes_max, resume, page, fault);
	db_rollback(db);
	return rc;
}

static enum rc
note(struct db *db, int64_t node_id, struct params params, struct fault *fault)
{
	enum rc rc = db_exec(
		db, &feed_stmts[READER], PARAMS(P_SHORT(node_id)), NULL, fault);

	if (rc == RC_OK)
		rc = db_exec(db, &feed_stmts[NOTE], params, NULL, fault);
	return rc == RC_OK ? db_commit(db, fault) : rc;
}

enum rc
feed_note(struct db *db, struct arena *arena, int64_t node_id,
	const struct feed_cursor *cursor, struct fault *fault)
{
	size_t count = cursor->count;
	int32_t *senders = arena_array(arena, count, sizeof(*senders));
	int64_t *sequences = arena_array(arena, count, sizeof(*sequences));
	int64_t *ids = arena_array(arena, count, sizeof(*ids));
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	for (size_t i = 0; i < count; i++) {
		senders[i] = cursor->sources[i].node_id;
		sequences[i] = cursor->sources[i].sequence;
		ids[i] = cursor->sources[i].id;
	}
	if (rc == RC_OK)
		rc = note(db, node_id,
			PARAMS(P_SHORT(node_id), P_SHORTS(senders, count),
				P_INTS(sequences, count), P_INTS(ids, count)),
			fault);
	if (db_in_transaction(db))
		db_rollback(db);
	return rc;
}
