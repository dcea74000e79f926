/*
 * feed_parts: what the files of feed share, and nobody else.
 */
#ifndef FG_MODEL_FEED_PARTS_H
#define FG_MODEL_FEED_PARTS_H

#include "model/feed.h"

/* A sender as the database has it, beside what was read of it. */
struct sender {
	struct feed_source read;
	int64_t last_sequence;
	int64_t fills;
	bool noted;    /* there is a position */
	bool known;    /* the cursor has it */
	bool reader;   /* the reader was not forgotten */
	int64_t taken; /* of the position */
	int64_t lost_sequence;
	int64_t lost_id;
	int64_t lost_first_us;
	int64_t lost_last_us;
};

struct senders {
	struct sender *items;
	size_t count;
};

/*
 * All senders to the datasources that the reader subscribes to, by id, and how
 * far the cursor has read of each.
 * Fails: RC_UNPROCESSABLE TooManyNodes; as db_query.
 */
MUST_CHECK enum rc feed_senders_find(struct db *db, struct arena *arena,
	int64_t node_id, const struct feed_cursor *cursor,
	struct senders *senders, struct fault *fault);

/* As if of each everything up to "from" had been read. Fails: as db_query. */
MUST_CHECK enum rc feed_senders_place(struct db *db, struct arena *arena,
	enum feed_from from, struct senders *senders, struct fault *fault);

/* The frames of the page have been read. */
void feed_senders_advance(
	const struct senders *senders, const struct feed_page *page);

/* How far each was read, as a cursor. */
void feed_senders_keep(struct arena *arena, const struct senders *senders,
	struct feed_cursor *cursor);

/*
 * Pass over what was dropped before the reader had it, of one sender at a
 * time: each is filled from history before what comes after it.
 * Fails: RC_CONFLICT FeedExpired, unless it wants to resume; as db_query.
 */
MUST_CHECK enum rc feed_check_dropped(struct db *db, struct arena *arena,
	struct senders *senders, bool resume, struct feed_page *page,
	struct fault *fault);

#endif
