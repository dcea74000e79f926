/* feed_senders: who sends what a reader reads, and how far it has come. */

#include "model/feed_parts.h"

#include <stdlib.h>

enum { SOURCES, ENDS };

const struct stmt feed_senders_stmts[] = {
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
	STMT_END,
};

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

enum rc
feed_senders_find(struct db *db, struct arena *arena, int64_t node_id,
	const struct feed_cursor *cursor, struct senders *senders,
	struct fault *fault)
{
	int32_t *ids = arena_array(arena, cursor->count, sizeof(*ids));
	struct rows *rows;
	enum rc rc;

	for (size_t i = 0; i < cursor->count; i++)
		ids[i] = cursor->sources[i].node_id;
	rc = db_query(db, arena, &feed_senders_stmts[SOURCES],
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

void
feed_senders_keep(struct arena *arena, const struct senders *senders,
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

enum rc
feed_senders_place(struct db *db, struct arena *arena, enum feed_from from,
	struct senders *senders, struct fault *fault)
{
	int32_t *ids = arena_array(arena, senders->count, sizeof(*ids));
	struct rows *rows;
	enum rc rc;

	for (size_t i = 0; i < senders->count; i++)
		ids[i] = senders->items[i].read.node_id;
	rc = db_query(db, arena, &feed_senders_stmts[ENDS],
		PARAMS(P_SHORTS(ids, senders->count)), &rows, fault);
	for (size_t i = 0; rc == RC_OK && i < senders->count; i++)
		place_sender(rows, i, from, &senders->items[i]);
	return rc;
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

void
feed_senders_advance(
	const struct senders *senders, const struct feed_page *page)
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
