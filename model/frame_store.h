/*
 * frame_store: frames into the database as received, and out again.
 *
 * Keyed by node and sequence: a frame that is sent twice is stored once, a
 * sequence that goes backwards with other content is refused.
 */
#ifndef FG_MODEL_FRAME_STORE_H
#define FG_MODEL_FRAME_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/db.h"
#include "model/frame.h"

/* A program that has these has alarm_apply_stmts as well. */
extern const struct stmt frame_store_stmts[];

/* One frame, checked. */
struct frame_row {
	int32_t datasource_id;
	struct frame_head head;
	struct bytes body; /* the whole frame, head included */
	const struct alarm_change *alarms;
	size_t alarm_count;
	const struct frame_event *events;
	size_t event_count;
	bool stored; /* set by frame_store: it was new */
};

/* Frames of one node and one spool with rising sequences. */
struct frame_batch {
	int64_t node_id;
	uint64_t spool_id;
	struct frame_row *rows;
	size_t count; /* from 1 */
};

/*
 * Store what is new of a batch, with its alarm changes and events, in one
 * transaction; on return it is durable. *sequence is then the highest committed
 * one. One round trip, unless there are alarm changes, or a frame is not newer
 * than the last: then those that are stored already are ignored.
 * Fails: RC_CONFLICT SequenceConflict: nothing is stored; RC_UNAVAILABLE and
 *        RC_DB: it may be stored or not.
 */
MUST_CHECK enum rc frame_store(struct db *db, struct arena *arena,
	const struct frame_batch *batch, int64_t *sequence,
	struct fault *fault);

/* A stored frame, and where its node was when it was read. */
struct frame_stored {
	int64_t sequence;
	int64_t received_us;
	struct bytes body;
};

/* The next stored frames of a node after "sequence", at most 16, in order. */
MUST_CHECK enum rc frame_replay(struct db *db, struct arena *arena,
	int64_t node_id, int64_t sequence, struct frame_stored **frames,
	size_t *count, struct fault *fault);

/* The highest committed sequence of every node. */
struct frame_position {
	int64_t node_id;
	int64_t sequence;
};

MUST_CHECK enum rc frame_positions(struct db *db, struct arena *arena,
	struct frame_position **positions, size_t *count, struct fault *fault);

#endif
