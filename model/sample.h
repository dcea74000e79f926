/*
 * sample: a value of a variable at a time, with its status.
 */
#ifndef FG_MODEL_SAMPLE_H
#define FG_MODEL_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"

/* Also the column variable.kind. "numeric" outside is VALUE_FLOAT or VALUE_INT.
 */
enum value_kind {
	VALUE_NONE = 0,
	VALUE_BOOL = 1,
	VALUE_FLOAT = 2,
	VALUE_INT = 3,
	VALUE_STRING = 4,
};

#define VALUE_STRING_BYTES_MAX 4096

struct value {
	enum value_kind kind;
	union {
		bool boolean;
		double number;
		int64_t integer;
		struct {
			const char *data; /* UTF-8, zero-terminated */
			uint32_t bytes;
		} string;
	};
};

/* Status bits, numbered as the facts of the original product have them. */
#define STATUS_GI    (UINT64_C(1) << 16) /* because it was asked for */
#define STATUS_SPONT (UINT64_C(1) << 17) /* spontaneous */
#define STATUS_INVALID                                                         \
	(UINT64_C(1) << 18)                /* set by the driver: do not trust  \
					    */
#define STATUS_OFF     (UINT64_C(1) << 20) /* switched off */
#define STATUS_ALT_VAL (UINT64_C(1) << 27) /* substituted by hand */
#define STATUS_OV      (UINT64_C(1) << 47) /* overflow: samples before were lost */

/* A value that must not be taken for a good one. */
#define STATUS_BAD (STATUS_INVALID | STATUS_OFF)

struct sample {
	int32_t variable_id;
	int64_t time_us; /* source time */
	uint64_t status;
	struct value value;
};

/* Accepted source times: 2000-01-01 up to ten minutes ahead of the hub. */
#define SAMPLE_TIME_MIN_US   INT64_C(946684800000000)
#define SAMPLE_TIME_AHEAD_US INT64_C(600000000)

/* The value as a double; NaN for strings. */
double value_number(const struct value *value);
/* By bits: NaN equals itself, and -0.0 is not 0.0. */
bool value_equal(const struct value *left, const struct value *right);

/* By time; equal times keep their order. "arena" holds a copy meanwhile. */
void sample_sort(struct arena *arena, struct sample *samples, size_t count);

/*
 * Of samples sorted by time leave out those that came before with the same
 * time, status and value; they are looked for among the last few of the same
 * time only. Returns how many are left.
 */
size_t sample_unique(struct sample *samples, size_t count);

#endif
