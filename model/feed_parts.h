/*
 * feed_parts: what feed.c and feed_dropped.c share, and nobody else.
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
 * Pass over what was dropped before the reader had it, of one sender at a
 * time: each is filled from history before what comes after it.
 * Fails: RC_CONFLICT FeedExpired, unless it wants to resume; as db_query.
 */
MUST_CHECK enum rc feed_check_dropped(struct db *db, struct arena *arena,
	struct senders *senders, bool resume, struct feed_page *page,
	struct fault *fault);

#endif
