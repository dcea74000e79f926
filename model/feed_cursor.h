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

/* A place in a list that is read in the order of (xid, id). */
struct feed_place {
	uint64_t xid;
	int64_t id;
};

const char *feed_place_write(
	struct arena *arena, const struct feed_place *place);
MUST_CHECK enum rc feed_place_read(
	const char *text, struct feed_place *place, struct fault *fault);

#endif
