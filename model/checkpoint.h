/*
 * checkpoint: the process image in the database, and its rebuilding from
 * there and from what history has.
 */
#ifndef FG_MODEL_CHECKPOINT_H
#define FG_MODEL_CHECKPOINT_H

#include "lib/db.h"
#include "model/image.h"

extern const struct stmt checkpoint_stmts[];

/* Store the image under the hub's name. */
MUST_CHECK enum rc checkpoint_write(struct db *db, const char *hub,
	struct image *image, struct fault *fault);

/* Read the newest checkpoint of the hub into the image; none is RC_OK, and
 * so is one that is damaged: the frames say the rest. */
MUST_CHECK enum rc checkpoint_read(struct db *db, struct arena *arena,
	const char *hub, struct image *image, struct fault *fault);

/* Put in the last packed value of every variable that is newer than the
 * image's: its frame may be gone already. */
MUST_CHECK enum rc checkpoint_read_chunks(struct db *db, struct arena *arena,
	struct image *image, struct fault *fault);

#endif
