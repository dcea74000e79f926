/*
 * chunk: the packed samples of one variable over a stretch of time.
 *
 * Lossless: every bit of times, statuses and values comes back, NaN payloads
 * and -0.0 too. The layout is doc/STORAGE.md. No SQL here; the rows of table
 * chunk are model/chunk_store.h.
 */
#ifndef FG_MODEL_CHUNK_H
#define FG_MODEL_CHUNK_H

#include <math.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/fault.h"
#include "model/sample.h"

#define CHUNK_SAMPLES_MAX 4096
#define CHUNK_STRINGS_MAX (1024 * 1024) /* bytes of all strings together */

/*
 * What can be said of a chunk without unpacking it. "Good" is a sample without
 * a bit of STATUS_BAD whose value is a finite number (a bool counts as 0 or
 * 1). A value holds until the next sample, so "integral" and "good_us" cover
 * first_us..last_us and the last sample adds nothing to them.
 */
struct chunk_summary {
	int64_t first_us;
	int64_t last_us;
	uint32_t samples;
	uint32_t good;
	double minimum; /* of the good ones; NaN = there is none */
	double maximum;
	double first_value; /* NaN = the first sample is not good */
	double last_value;
	double total;    /* sum of the good values */
	double integral; /* value x seconds over the good time */
	int64_t good_us;
	uint64_t worst; /* all status bits seen, or-ed */
};

/* A chunk unpacked: one column each; only that of "kind" is set. */
struct chunk_columns {
	enum value_kind kind;
	size_t count;
	int64_t *time_us;
	uint64_t *status;
	uint8_t *booleans; /* 0 or 1 */
	double *numbers;
	int64_t *integers;
	const char **strings; /* zero-terminated */
	uint32_t *string_bytes;
};

/* The value at "index" as a number; NaN for strings. */
double chunk_number(const struct chunk_columns *columns, size_t index);

/* How many of the first samples fit into one chunk: at least one. */
size_t chunk_fit(const struct sample *samples, size_t count);

/*
 * Pack samples of one variable and kind, times not falling and no more than
 * chunk_fit, and append the bytes to "out".
 * Fails: RC_BUG when the caller breaks that rule.
 */
MUST_CHECK enum rc chunk_encode(const struct sample *samples, size_t count,
	struct buf *out, struct chunk_summary *summary, struct fault *fault);

/*
 * Unpack what chunk_encode made.
 * Owns:  the columns live in "arena".
 * Fails: RC_BAD_INPUT the bytes are no chunk or were changed.
 */
MUST_CHECK enum rc chunk_decode(const void *data, size_t length,
	struct arena *arena, struct chunk_columns *columns,
	struct fault *fault);

/* Sample "index" of unpacked columns; a string lives in their arena. */
struct sample chunk_sample(
	const struct chunk_columns *columns, int32_t variable_id, size_t index);

/* Whether a sample counts for minimum, maximum, sums and averages. */
static inline bool
chunk_good(uint64_t status, double number)
{
	return (status & STATUS_BAD) == 0 && isfinite(number);
}

#endif
