/*
 * pack_rows: ordered samples on their way into rows of table chunk, some at a
 * time. Shared by packing and merging.
 */
#ifndef FG_MODEL_PACK_ROWS_H
#define FG_MODEL_PACK_ROWS_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/db.h"
#include "model/chunk_store.h"
#include "model/sample.h"

#define PACK_ROWS_MAX 64 /* inserted by one statement */

struct pack_rows {
	struct db *db;
	struct arena *arena; /* of the rows that wait */
	struct buf body;
	struct chunk_row waiting[PACK_ROWS_MAX];
	size_t count;
	int64_t month_us; /* the last month that was made sure of */
	int64_t chunks;   /* inserted in all */
	int64_t bytes;
};

void pack_rows_open(struct pack_rows *rows, struct db *db);
void pack_rows_close(struct pack_rows *rows);

/*
 * How many of the first samples make the next chunk: up to the end of a month
 * or a change of kind, and rather two even chunks than a full one and a rest.
 */
size_t pack_rows_cut(const struct sample *samples, size_t count);

/*
 * Cut the samples of one variable, sorted by time, into chunks and insert them
 * sooner or later. "ids", if not NULL, are given to them in order; there must
 * be one for each cut.
 */
MUST_CHECK enum rc pack_rows_add(struct pack_rows *rows,
	const struct sample *samples, size_t count, const int64_t *ids,
	struct fault *fault);

/* Insert what waits. */
MUST_CHECK enum rc pack_rows_flush(struct pack_rows *rows, struct fault *fault);

/* Until the end of the transaction nobody else packs or merges. */
MUST_CHECK enum rc pack_lock(struct db *db, struct fault *fault);

#endif
