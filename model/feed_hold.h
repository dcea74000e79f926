/*
 * feed_hold: packed frames that stay for egress nodes, and when they go.
 */
#ifndef FG_MODEL_FEED_HOLD_H
#define FG_MODEL_FEED_HOLD_H

#include "lib/db.h"

extern const struct stmt feed_hold_stmts[];

/*
 * Drop packed frames that every egress node has taken, and all that came
 * before "since_us". *expired: how often a reader lost some that it had not
 * taken; it is told with the times of what it misses. Nodes that have not asked
 * since then are not waited for any longer. Fails: as db_query.
 */
MUST_CHECK enum rc feed_hold_release(
	struct db *db, int64_t since_us, int64_t *expired, struct fault *fault);

#endif
