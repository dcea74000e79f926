/*
 * feed_cursor: how far an egress node has read, as an opaque text.
 *
 * Frames are read by their senders: of each sending node its own frames rise
 * in sequence and in id, while those of several nodes are committed in any
 * order. No SQL here. The text holds no secret and is no proof: whoever makes
 * one up reads nothing more by it.
 */
#ifndef FG_MODEL_FEED_CURSOR_H
#define FG_MODEL_FEED_CURSOR_H

#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/fault.h"

#define FEED_CURSOR_BYTES_MAX   ((size_t)128 * 1024)
#define FEED_CURSOR_SOURCES_MAX 4096

/* What was read of one sending node. */
struct feed_source {
	int32_t node_id;
	int64_t sequence; /* up to this one */
	int64_t id;       /* the highest frame.id of what was read */
	int64_t fills;    /* node_position.fills that was followed */
	int64_t last_us;  /* the latest time in it; 0 = nothing was read */
};

/* By node_id, rising. */
struct feed_cursor {
	struct feed_source *sources;
	size_t count;
};

/* Lives in "arena". */
const char *feed_cursor_write(
	struct arena *arena, const struct feed_cursor *cursor);

/* Fails: RC_BAD_INPUT CursorInvalid. Owns: lives in "arena". */
MUST_CHECK enum rc feed_cursor_read(struct arena *arena, const char *text,
	struct feed_cursor *cursor, struct fault *fault);

/* NULL when it has none of that node. */
struct feed_source *feed_cursor_find(
	const struct feed_cursor *cursor, int32_t node_id);

/*
 * A look at a list whose rows carry the transaction that wrote them: what the
 * snapshot "since" did not show and "until" shows, in the order of (xid, id).
 * A page that is not the last one leaves a place within; then "until" is what
 * is looked for next. So nothing is missed that is committed late, and nothing
 * waits for a transaction that takes long.
 */
struct feed_look {
	const char *since; /* as pg_snapshot writes it */
	const char *until; /* "" = as it is now */
	const char *xid;   /* behind this place; "0" = from the begin */
	const char *id;
};

/* The id before all others, of an alarm and of an event. */
#define FEED_NO_ALARM "00000000-0000-0000-0000-000000000000"
#define FEED_NO_EVENT "0"

/* look->since, or without one a snapshot for which everything is new. */
const char *feed_look_since(const struct feed_look *look);

const char *feed_look_write(struct arena *arena, const struct feed_look *look);

/* What a snapshot says of numbers from "base" on does not count: they were not
 * seen. "none" is the id before all others. */
void feed_look_cut(struct arena *arena, int64_t base, const char *none,
	struct feed_look *look);

/* Snapshots, numbers and ids are such as PostgreSQL reads without an error.
 * Fails: RC_BAD_INPUT CursorInvalid. Owns: lives in "arena". */
MUST_CHECK enum rc feed_look_read(struct arena *arena, const char *text,
	struct feed_look *look, struct fault *fault);

#endif
