/*
 * pack: frames become chunks, and small chunks become larger ones.
 *
 * Each batch is one transaction that inserts chunks and deletes what they
 * were made of, so a reader with one snapshot sees each sample once, and a
 * keeper that dies at any moment leaves nothing half done. An advisory lock
 * keeps two packers from doing the same work; were it not there, the count of
 * deleted rows would still undo the second one.
 */
#ifndef FG_MODEL_PACK_H
#define FG_MODEL_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/db.h"
#include "lib/fault.h"

/* These, chunk_store_stmts and partition_stmts. */
extern const struct stmt pack_stmts[];

/*
 * Own the scheduled work, if nobody else does, until this connection ends.
 * Asked again the owner stays the owner. Fails: as db_query.
 */
MUST_CHECK enum rc pack_own(
	struct db *db, struct arena *arena, bool *owner, struct fault *fault);

struct pack_limits {
	int64_t received_before_us; /* frames received from then on are left */
	int64_t held_since_us;      /* of these those stay that a feed needs */
	size_t samples_max;         /* in memory at once, about 60 bytes each */
};

/* What was done; added up over calls. */
struct pack_count {
	int64_t frames;
	int64_t samples;
	int64_t chunks;
	int64_t bytes;   /* of the chunks' bodies */
	int64_t damaged; /* frames that do not decode and were left */
};

/*
 * Pack the next frames after *after_id, in the order of their ids, as one
 * batch, and move *after_id on; *more says whether to call again. A frame that
 * does not decode stays where it is and is logged.
 * Fails: as db_query; then nothing of the batch is done. RC_RETRY: somebody
 *        else packed meanwhile.
 */
MUST_CHECK enum rc pack_frames(struct db *db, struct arena *arena,
	const struct pack_limits *limits, int64_t *after_id, bool *more,
	struct pack_count *count, struct fault *fault);

enum pack_merging {
	PACK_MERGE_DUE, /* where it saves much */
	PACK_MERGE_ALL, /* wherever fewer chunks can hold the same */
};

/*
 * Merge small and overlapping chunks of one month, one transaction each.
 * *stop, if not NULL, ends it early when it becomes true.
 */
MUST_CHECK enum rc pack_merge(struct db *db, struct arena *arena,
	int64_t month_us, enum pack_merging merging, const volatile int *stop,
	struct pack_count *count, struct fault *fault);

#endif
