/*
 * history: what was, read from packed chunks and not yet packed frames as one.
 *
 * Every function reads under one snapshot, so that each sample is seen once
 * whatever the keeper does meanwhile. Inside a transaction of the caller that
 * one is used (it must be DB_SNAPSHOT_READ_ONLY and begun by history_begin);
 * otherwise each call opens and ends its own. Memory is bounded by a window of
 * time that moves over the range, not by the range. Intervals are
 * from <= time < to. A sample that came twice with the same time, value and
 * status is one; equal times with different values keep their order of
 * arrival. "Good" is defined in model/chunk.h.
 */
#ifndef FG_MODEL_HISTORY_H
#define FG_MODEL_HISTORY_H

#include "lib/arena.h"
#include "lib/db.h"
#include "lib/fault.h"
#include "model/sample.h"

#define HISTORY_POINTS_MAX 20000
#define HISTORY_CYCLES_MAX 100000

/* Needs also: none; these are all statements of this noun. */
extern const struct stmt history_stmts[];

/*
 * Begin a read-only snapshot for several calls that must agree; end it with
 * db_rollback. Fails: as db_begin.
 */
MUST_CHECK enum rc history_begin(struct db *db, struct fault *fault);

enum history_order {
	HISTORY_BY_VARIABLE, /* all of ids[0], then all of ids[1], … */
	HISTORY_BY_TIME,     /* rising times; equal ones as the ids are given */
};

struct history_query {
	const int32_t *variable_ids; /* unknown ids have no samples */
	size_t count;
	int64_t from_us;
	int64_t to_us;
	enum history_order order;
	size_t limit; /* samples of each variable within the range; 0 = all */
	bool packed;  /* only what is in chunks, nothing from frames */
	bool bounds;  /* also the last sample before from_us and the first one
		       * at or after to_us; only HISTORY_BY_VARIABLE */
};

/*
 * "sample" is valid during the call; its variable_id is of the query. Bounds
 * are told by their times. Anything but RC_OK ends the reading.
 */
struct history_visitor {
	enum rc (*sample)(void *context, const struct sample *sample,
		struct fault *fault);
	void *context;
};

/*
 * Hand every sample of the query to the visitor.
 * Fails: as db_query; RC_BAD_INPUT from_us > to_us; what the visitor says.
 */
MUST_CHECK enum rc history_read(struct db *db, struct arena *arena,
	const struct history_query *query,
	const struct history_visitor *visitor, struct fault *fault);

/*
 * The last sample at or before "time_us" of each variable, in the order of
 * the ids; value.kind is VALUE_NONE where there is none.
 * Owns: "samples" has room for "count"; strings live in "arena".
 */
MUST_CHECK enum rc history_at(struct db *db, struct arena *arena,
	const int32_t *variable_ids, size_t count, int64_t time_us,
	struct sample *samples, struct fault *fault);

/* One variable over a range; "slots" equal parts of it, or cycles. */
struct history_range {
	int32_t variable_id;
	int64_t from_us;
	int64_t to_us;
};

/*
 * At most "points" equal parts of a range, those without a sample left out.
 * Strings count with value NaN.
 */
struct history_envelope {
	int64_t bucket_us; /* width of a part */
	int64_t samples;   /* in the whole range */
	size_t count;
	int64_t *time_us; /* start of the part */
	double *minimum;  /* of the good samples; NaN = none is good */
	double *maximum;
	double *last;     /* NaN = the last sample is not good */
	uint64_t *status; /* or-ed */
};

/*
 * Draw a range to at most "points" (1..HISTORY_POINTS_MAX) parts, each with
 * its extremes, so that no spike vanishes.
 * Fails: RC_BAD_INPUT range or points; as db_query.
 */
MUST_CHECK enum rc history_envelope(struct db *db, struct arena *arena,
	const struct history_range *range, size_t points,
	struct history_envelope *envelope, struct fault *fault);

/* The same for all variables of a query; of the query only variable_ids, count
 * and range count. "envelopes" has room for each. Unpacked frames are read
 * once. */
MUST_CHECK enum rc history_envelopes(struct db *db, struct arena *arena,
	const struct history_query *query, size_t points,
	struct history_envelope *envelopes, struct fault *fault);

enum history_calculation {
	HISTORY_SUM,     /* of the good samples in the cycle */
	HISTORY_AVERAGE, /* weighted by time; a value holds until the next */
	HISTORY_MINIMUM, /* of the values that were there in the cycle */
	HISTORY_MAXIMUM,
};

/*
 * Cycles from_us + n * cycle_us, the last one cut at to_us. A value that
 * held from before a cycle counts for its average, minimum and maximum. Bad
 * samples count for nothing and end what held before them. Nothing holds
 * beyond the wall clock.
 */
struct history_cycles {
	size_t count;
	int64_t *time_us; /* start of the cycle */
	double *value;    /* NaN = nothing good */
	int64_t *samples; /* within the cycle */
	int64_t *good_us; /* time with a good value */
	uint64_t *status; /* or-ed over the samples within */
};

/*
 * Calculate one value per cycle.
 * Fails: RC_BAD_INPUT range, cycle_us < 1, or more than HISTORY_CYCLES_MAX
 *        cycles; as db_query.
 */
MUST_CHECK enum rc history_aggregate(struct db *db, struct arena *arena,
	const struct history_range *range, int64_t cycle_us,
	enum history_calculation calculation, struct history_cycles *cycles,
	struct fault *fault);

#endif
