/*
 * history_part: the chunks and frames of a stretch of time, for the functions
 * of history.h. Not for others.
 */
#ifndef FG_MODEL_HISTORY_PART_H
#define FG_MODEL_HISTORY_PART_H

#include <stdbool.h>

#include "model/chunk.h"
#include "model/frame.h"
#include "model/history.h"

/* Indexes into history_stmts. */
enum history_stmt {
	HISTORY_LOCK,
	HISTORY_CHUNKS,
	HISTORY_BODIES,
	HISTORY_FRAMES,
	HISTORY_FRAME_BODIES,
	HISTORY_CHUNK_BEFORE,
	HISTORY_CHUNK_ACROSS,
	HISTORY_CHUNK_AFTER,
};

/* Samples before this or after that do not exist (model/sample.h). */
int64_t history_earliest_us(void);
int64_t history_latest_us(void);

/* For qsort and bsearch, by an int32_t at the begin of each element. */
int history_compare_ids(const void *left, const void *right);

/* The ids in "arena", rising and each once. */
const int32_t *history_sorted(
	struct arena *arena, const int32_t *ids, size_t count, size_t *kept);

/*
 * Open a snapshot unless the caller has one; *mine tells history_close to end
 * it.
 */
MUST_CHECK enum rc history_open(struct db *db, bool *mine, struct fault *fault);
void history_close(struct db *db, bool mine);

/* What frames say of some variables, read once for several parts. */
struct history_cache;

/* What is read: variables, rising ids, and from_us <= time < to_us. */
struct history_part {
	struct db *db;
	const struct history_cache *cache; /* of these frames; NULL = none */
	const int32_t *ids;
	size_t count;
	int64_t from_us;
	int64_t to_us;
	struct fault *fault;
};

/* A row of table chunk without its body; of the summary all but "total",
 * "integral", "good_us" and "first_value" is set. */
struct history_chunk {
	int64_t id;
	int32_t variable_id;
	int64_t bytes;
	struct chunk_summary summary;
};

/* The chunks of a part within one month, by id. They live in "arena". */
MUST_CHECK enum rc history_chunks(const struct history_part *part,
	struct arena *arena, struct history_chunk **chunks, size_t *count);

/* Called for each chunk; "columns" are valid during the call. */
struct history_chunk_visitor {
	enum rc (*columns)(void *context, const struct history_chunk *chunk,
		const struct chunk_columns *columns);
	void *context;
};

/* Load and unpack chunks in the order given; a damaged one is logged and left
 * out. */
MUST_CHECK enum rc history_unpack(const struct history_part *part,
	const struct history_chunk *chunks, size_t count,
	const struct history_chunk_visitor *visitor);

/*
 * Hand the samples of the not yet packed frames that overlap the part to
 * visit(context, …), by the frames' ids; times outside the part are among
 * them. What it sees is valid during the call.
 */
MUST_CHECK enum rc history_frames(const struct history_part *part,
	enum rc (*visit)(void *context, const struct sample *samples,
		size_t count, struct fault *fault),
	void *context);

/*
 * Read the frames of a part into "arena" once, for the cache of others with
 * the same or fewer variables and times. *cache is NULL when they hold more
 * samples than memory should.
 */
MUST_CHECK enum rc history_cache_fill(const struct history_part *part,
	struct arena *arena, const struct history_cache **cache);

/* As history_frames, from part->cache. */
MUST_CHECK enum rc history_cache_visit(const struct history_part *part,
	enum rc (*visit)(void *context, const struct sample *samples,
		size_t count, struct fault *fault),
	void *context);

/* history_at with a cache; "like" gives database, cache and fault. */
MUST_CHECK enum rc history_at_cached(const struct history_part *like,
	struct arena *arena, const int32_t *variable_ids, size_t count,
	int64_t time_us, struct sample *samples);

#endif
