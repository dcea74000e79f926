/* event_follow: events in the order in which they can be followed. */
#ifndef FG_MODEL_EVENT_FOLLOW_H
#define FG_MODEL_EVENT_FOLLOW_H

#include "model/event.h"
#include "model/feed_cursor.h"

extern const struct stmt event_follow_stmts[];

/* An event with what a look needs. */
struct event_seen {
	struct event event;
	const char *xid;
};

/*
 * The next events of the datasources within "look", at most "limit"; *now is
 * the snapshot of this call. look->since NULL: none, only *now. "datasources"
 * NULL: every one, and what is of none.
 * Owns: lives in "arena".  Fails: RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc event_follow(struct db *db, struct arena *arena,
	const struct feed_look *look, const int32_t *datasources, size_t count,
	int64_t limit, struct event_seen **events, size_t *found,
	const char **now, struct fault *fault);

#endif
