/*
 * catalog: which datasources and variables there are, from the database into
 * the process image, and from a node's declaration into the database.
 */
#ifndef FG_MODEL_CATALOG_H
#define FG_MODEL_CATALOG_H

#include <stddef.h>
#include <stdint.h>

#include "lib/db.h"
#include "model/image.h"

#define CATALOG_DECLARE_MAX 10000
/* A notification on this channel follows every change. */
#define CATALOG_CHANNEL "fieldgrid_catalog"

extern const struct stmt catalog_stmts[];

/* Read everything into the image. */
MUST_CHECK enum rc catalog_read(struct db *db, struct arena *arena,
	struct image *image, struct fault *fault);

/* Read one datasource and its variables into the image. A datasource that is
 * not there leaves the image as it is. */
MUST_CHECK enum rc catalog_read_one(struct db *db, struct arena *arena,
	struct image *image, const uint8_t uuid[16], struct fault *fault);

/*
 * Create or update variables of a datasource, in one transaction, and set the
 * id of each meta; the datasource_id of each is the same. Names differ.
 * Fails: RC_CONFLICT TypeChanged: a variable exists with another type.
 */
MUST_CHECK enum rc catalog_declare(struct db *db, struct arena *arena,
	struct image_meta *metas, size_t count, struct fault *fault);

#endif
