/*
 * chunk_store: chunks as rows. Written by the keeper's packing and merging
 * only; model/history.h reads them.
 */
#ifndef FG_MODEL_CHUNK_STORE_H
#define FG_MODEL_CHUNK_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/db.h"
#include "model/chunk.h"

/* Of a chunk with fewer samples more may be merged; also in the schema. */
#define CHUNK_SMALL 2048

extern const struct stmt chunk_store_stmts[];

struct chunk_row {
	int64_t id; /* 0 = the next one */
	int32_t variable_id;
	struct chunk_summary summary;
	struct bytes body;
};

/* Insert rows; the partitions of their months must be there. */
MUST_CHECK enum rc chunk_insert(struct db *db, struct arena *arena,
	const struct chunk_row *rows, size_t count, struct fault *fault);

/* One variable in one month. */
struct chunk_place {
	int32_t variable_id;
	int64_t month_us;
};

/*
 * The variables that have at least "chunks" small chunks in a month, or small
 * ones of at least "samples" samples together.
 */
MUST_CHECK enum rc chunk_find_small(struct db *db, struct arena *arena,
	int64_t month_us, int64_t chunks, int64_t samples, int32_t **variables,
	size_t *count, struct fault *fault);

/* All chunks of a place by first_us and id, without bodies; of the summary
 * only first_us, last_us and samples are set. */
MUST_CHECK enum rc chunk_list(struct db *db, struct arena *arena,
	const struct chunk_place *place, struct chunk_row **rows, size_t *count,
	struct fault *fault);

/* Fill in the bodies of rows of one place. Fails: RC_RETRY one is gone. */
MUST_CHECK enum rc chunk_load(struct db *db, struct arena *arena,
	const struct chunk_place *place, struct chunk_row *rows, size_t count,
	struct fault *fault);

/* Delete rows of one place. Fails: RC_RETRY one is gone already. */
MUST_CHECK enum rc chunk_delete(struct db *db, struct arena *arena,
	const struct chunk_place *place, const struct chunk_row *rows,
	size_t count, struct fault *fault);

#endif
