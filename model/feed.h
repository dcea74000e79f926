/*
 * feed: what egress nodes read, in an order that misses nothing.
 *
 * Frames are paged by the sequences of their senders (model/feed_cursor.h).
 * What a node has taken is noted, and the keeper keeps packed frames that it
 * has not, for some hours; when they are gone the node is told from when to
 * when to fill from history.
 */
#ifndef FG_MODEL_FEED_H
#define FG_MODEL_FEED_H

#include <stdbool.h>

#include "lib/db.h"
#include "model/feed_cursor.h"

/* These and history_stmts. */
extern const struct stmt feed_stmts[];
extern const struct stmt feed_dropped_stmts[];
extern const struct stmt feed_senders_stmts[];

/* A stored frame on its way out. */
struct feed_frame {
	int32_t node_id;
	int32_t datasource_id;
	int64_t sequence;
	int64_t id;
	int64_t received_us;
	int64_t last_us;
	int64_t bytes;
	struct bytes body;
};

/* Frames of one sender that were dropped unread: their times. */
struct feed_lost {
	int32_t node_id;
	int64_t first_us;
	int64_t last_us;
};

struct feed_page {
	struct feed_frame *frames;
	size_t count;
	bool more; /* there were more than the page holds */
	struct feed_lost *lost;
	size_t lost_count;
};

/* The datasources that the node subscribes to, by id, rising. */
MUST_CHECK enum rc feed_datasources(struct db *db, struct arena *arena,
	int64_t node_id, int32_t **ids, size_t *count, struct fault *fault);

enum feed_from {
	FEED_FROM_NOW,      /* behind everything that is stored now */
	FEED_FROM_UNPACKED, /* behind what is in chunks: history has that */
};

/* A cursor to begin with. */
MUST_CHECK enum rc feed_start(struct db *db, struct arena *arena,
	int64_t node_id, enum feed_from from, struct feed_cursor *cursor,
	struct fault *fault);

/*
 * The next frames of all senders of the node's datasources, at most about
 * "bytes_max" but one at least, and move the cursor behind them. With "resume"
 * a cursor whose frames were dropped moves to what is left, sender by sender:
 * then page->lost says what to fill and there are no frames.
 * Fails: RC_CONFLICT FeedExpired: frames were dropped; else as db_query.
 */
MUST_CHECK enum rc feed_read(struct db *db, struct arena *arena,
	int64_t node_id, struct feed_cursor *cursor, int64_t bytes_max,
	bool resume, struct feed_page *page, struct fault *fault);

/* The node keeps what is before the cursor: nobody else need keep it. */
MUST_CHECK enum rc feed_note(struct db *db, struct arena *arena,
	int64_t node_id, const struct feed_cursor *cursor, struct fault *fault);

#endif
