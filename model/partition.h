/*
 * partition: the stretches of time into which frames and chunks are divided.
 *
 * Frames by the time they were received, some hours a partition; chunks by
 * the month (UTC) of their samples. A chunk never passes the end of its month.
 * Tables are made and dropped by functions of the schema, as the keeper's
 * role may do nothing of that kind itself.
 */
#ifndef FG_MODEL_PARTITION_H
#define FG_MODEL_PARTITION_H

#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/db.h"
#include "lib/fault.h"

extern const struct stmt partition_stmts[];

/* First microsecond of the month of "time_us", and of the month after. */
int64_t partition_month(int64_t time_us);
int64_t partition_next_month(int64_t time_us);

/*
 * Make those of the "ahead" partitions from "now_us" on, "width_us" each, that
 * are not there yet. *made counts them. Fails: as db_query.
 */
MUST_CHECK enum rc partition_prepare(struct db *db, struct arena *arena,
	int64_t now_us, int64_t width_us, int64_t ahead, size_t *made,
	struct fault *fault);

/* Drop the frame partitions that ended before "now_us" and are empty. */
MUST_CHECK enum rc partition_sweep(struct db *db, struct arena *arena,
	int64_t now_us, size_t *dropped, struct fault *fault);

/* Make the chunk partition of the month of "time_us" unless it is there. */
MUST_CHECK enum rc partition_open_month(
	struct db *db, int64_t time_us, struct fault *fault);

/* The months for which there are chunks, rising; each by its begin. */
MUST_CHECK enum rc partition_months(struct db *db, struct arena *arena,
	int64_t **months, size_t *count, struct fault *fault);

/* Drop the chunk partitions that ended before "before_us". */
MUST_CHECK enum rc partition_retain(struct db *db, struct arena *arena,
	int64_t before_us, size_t *dropped, struct fault *fault);

#endif
