/*
 * node: how far an enrolled machine has come, and how it is.
 */
#ifndef FG_MODEL_NODE_H
#define FG_MODEL_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/tls.h"

extern const struct stmt node_stmts[];

/* The highest committed frame, and the spool that counted it. */
struct node_position {
	int64_t sequence; /* 0 = none yet */
	uint64_t spool_id;
};

/* A node that has never sent a frame is at position 0. */
MUST_CHECK enum rc node_position_find(struct db *db, struct arena *arena,
	int64_t node_id, struct node_position *position, struct fault *fault);

/* Where its agent runs, as it says itself; "" = unknown. */
MUST_CHECK enum rc node_place_find(struct db *db, struct arena *arena,
	int64_t node_id, const char **place, struct fault *fault);
/* *changed: it was elsewhere before, or unknown. */
MUST_CHECK enum rc node_place_keep(struct db *db, int64_t node_id,
	const char *place, bool *changed, struct fault *fault);

/* What a node says about itself every two seconds. */
struct node_beat {
	const char *address;
	const char *version;
	int64_t spool_frames;
	int64_t spool_bytes;
	int64_t oldest_us; /* in the spool; CLOCK_NEVER = it is empty */
	int64_t lost_samples;
	int64_t clock_offset_us; /* node's clock minus ours */
};

MUST_CHECK enum rc node_note_beat(struct db *db, int64_t node_id,
	const struct node_beat *beat, struct fault *fault);

/* The certificate over which a node speaks: at first sight the node's older
 * ones end. */
MUST_CHECK enum rc node_note_certificate(
	struct db *db, const struct tls_facts *facts, struct fault *fault);

/* Nodes that have sent something just now count as seen. */
MUST_CHECK enum rc node_note_seen(struct db *db, const int64_t *node_ids,
	size_t count, struct fault *fault);

/* Fails: RC_DENIED: the node may not publish the datasource. */
MUST_CHECK enum rc node_may_publish(struct db *db, struct arena *arena,
	int64_t node_id, int32_t datasource_id, struct fault *fault);

#endif
