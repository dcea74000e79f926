/* feed: what egress nodes read, in an order that misses nothing. */

#include "model/feed_parts.h"

#include <stdlib.h>
#include <string.h>

#include "model/history.h"

/* Frames looked at for one page, and of one sender among them. */
#define LIST_ROWS_MAX   1024
#define SENDER_ROWS_MAX 256

enum { DATASOURCES, SOURCES, ENDS, LIST, LATE, BODIES, READER, NOTE };

#define FRAME_COLUMNS                                                          \
	"f.node_id, f.datasource_id, f.sequence, f.id, f.received_at"          \
	", f.last_us, octet_length(f.body)"

const struct stmt feed_stmts[] = {
	[DATASOURCES] = {"feed_datasources", "n", /* $1 node */
		"SELECT datasource_id"
		"  FROM node_datasource"
		" WHERE node_id = $1 AND subscribe"
		" ORDER BY datasource_id"},
	/* $1 node $2 senders that it has read of */
	[SOURCES] = {"feed_sources", "nN",
		"SELECT n.node_id"
		"     , n.last_sequence"
		"     , n.fills"
		"     , p.sequence"
		"     , p.lost_sequence"
		"     , p.lost_id"
		"     , p.lost_first_us"
		"     , p.lost_last_us"
		"     , EXISTS (SELECT FROM feed_reader WHERE node_id = $1)"
		"  FROM node_position n"
		"  LEFT JOIN feed_position p"
		"    ON p.node_id = $1 AND p.source_id = n.node_id"
		" WHERE n.node_id = ANY($2) OR n.node_id IN"
		"       (SELECT there.node_id"
		"          FROM node_datasource here"
		"          JOIN node_datasource there USING (datasource_id)"
		"         WHERE here.node_id = $1 AND here.subscribe"
		"           AND there.publish)"
		" ORDER BY n.node_id"},
	/* $1 senders: their newest frame, and their oldest in no chunk */
	[ENDS] = {"feed_ends", "N",
		"SELECT coalesce(max(f.id), 0)"
		"     , min(f.sequence) FILTER (WHERE NOT f.packed)"
		"     , min(f.id) FILTER (WHERE NOT f.packed)"
		"  FROM unnest($1) WITH ORDINALITY AS s (id, place)"
		"  LEFT JOIN frame f ON f.node_id = s.id"
		" GROUP BY s.place ORDER BY s.place"},
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

/* --- senders ------------------------------------------------------------ */

static void
take_sender(const struct rows *rows, size_t row,
	const struct feed_cursor *cursor, struct sender *sender)
{
	int32_t node_id = (int32_t)rows_int(rows, row, 0);
	const struct feed_source *read = feed_cursor_find(cursor, node_id);

	*sender = (struct sender){
		.read = {.node_id = node_id},
		.last_sequence = rows_int(rows, row, 1),
		.fills = rows_int(rows, row, 2),
		.noted = !rows_null(rows, row, 3),
		.known = read != NULL,
		.taken = rows_int(rows, row, 3),
		.lost_sequence = rows_int(rows, row, 4),
		.lost_id = rows_int(rows, row, 5),
		.lost_first_us = rows_int(rows, row, 6),
		.lost_last_us = rows_int(rows, row, 7),
		.reader = rows_bool(rows, row, 8),
	};
	if (read != NULL)
		sender->read = *read;
	else
		sender->read.fills = sender->fills;
}

static enum rc
find_senders(struct db *db, struct arena *arena, int64_t node_id,
	const struct feed_cursor *cursor, struct senders *senders,
	struct fault *fault)
{
	int32_t *ids = arena_array(arena, cursor->count, sizeof(*ids));
	struct rows *rows;
	enum rc rc;

	for (size_t i = 0; i < cursor->count; i++)
		ids[i] = cursor->sources[i].node_id;
	rc = db_query(db, arena, &feed_stmts[SOURCES],
		PARAMS(P_SHORT(node_id), P_SHORTS(ids, cursor->count)), &rows,
		fault);
	if (rc != RC_OK)
		return rc;
	if (rows_count(rows) > FEED_CURSOR_SOURCES_MAX)
		return fault_tell(fault, RC_UNPROCESSABLE, "TooManyNodes", NULL,
			"More than %d nodes send to the datasources of this "
			"one; use several egress nodes.",
			FEED_CURSOR_SOURCES_MAX);
	senders->count = rows_count(rows);
	senders->items =
		arena_array(arena, senders->count, sizeof(*senders->items));
	for (size_t i = 0; i < senders->count; i++)
		take_sender(rows, i, cursor, &senders->items[i]);
	return RC_OK;
}

static void
keep_cursor(struct arena *arena, const struct senders *senders,
	struct feed_cursor *cursor)
{
	cursor->count = senders->count;
	cursor->sources =
		arena_array(arena, senders->count, sizeof(*cursor->sources));
	for (size_t i = 0; i < senders->count; i++)
		cursor->sources[i] = senders->items[i].read;
}

static void
place_sender(const struct rows *rows, size_t row, enum feed_from from,
	struct sender *sender)
{
	sender->read.sequence = sender->last_sequence;
	sender->read.id = rows_int(rows, row, 0);
	if (from == FEED_FROM_NOW || rows_null(rows, row, 1))
		return;
	sender->read.sequence = rows_int(rows, row, 1) - 1;
	sender->read.id = rows_int(rows, row, 2) - 1;
}

static enum rc
place_all(struct db *db, struct arena *arena, enum feed_from from,
	struct senders *senders, struct fault *fault)
{
	int32_t *ids = arena_array(arena, senders->count, sizeof(*ids));
	struct rows *rows;
	enum rc rc;

	for (size_t i = 0; i < senders->count; i++)
		ids[i] = senders->items[i].read.node_id;
	rc = db_query(db, arena, &feed_stmts[ENDS],
		PARAMS(P_SHORTS(ids, senders->count)), &rows, fault);
	for (size_t i = 0; rc == RC_OK && i < senders->count; i++)
		place_sender(rows, i, from, &senders->items[i]);
	return rc;
}

static enum rc
start(struct db *db, struct arena *arena, int64_t node_id, enum feed_from from,
	struct feed_cursor *cursor, struct fault *fault)
{
	struct senders senders = {NULL, 0};
	enum rc rc = find_senders(db, arena, node_id, cursor, &senders, fault);

	if (rc == RC_OK)
		rc = place_all(db, arena, from, &senders, fault);
	if (rc == RC_OK)
		keep_cursor(arena, &senders, cursor);
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

static int
compare_senders(const void *left, const void *right)
{
	const struct sender *one = left;
	const struct sender *other = right;

	return (one->read.node_id > other->read.node_id) -
	       (one->read.node_id < other->read.node_id);
}

static int64_t
greater(int64_t one, int64_t other)
{
	return one > other ? one : other;
}

static void
advance(const struct senders *senders, const struct feed_page *page)
{
	for (size_t i = 0; i < page->count; i++) {
		const struct feed_frame *frame = &page->frames[i];
		const struct sender key = {.read.node_id = frame->node_id};
		struct sender *sender = bsearch(&key, senders->items,
			senders->count, sizeof(key), compare_senders);
		struct feed_source *read = &sender->read;

		read->sequence = greater(read->sequence, frame->sequence);
		read->id = greater(read->id, frame->id);
		read->last_us = greater(read->last_us, frame->last_us);
	}
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
	enum rc rc = find_senders(db, arena, node_id, cursor, &senders, fault);

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
	advance(&senders, page);
	close_gaps(&senders, page);
	keep_cursor(arena, &senders, cursor);
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
