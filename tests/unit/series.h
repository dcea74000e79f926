/* series: random samples for property tests, the same for the same seed. */
#ifndef FG_TESTS_UNIT_SERIES_H
#define FG_TESTS_UNIT_SERIES_H

#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "model/sample.h"

struct series {
	uint64_t seed; /* any but 0 */
};

uint64_t series_random(struct series *series);

/*
 * "count" samples of one variable, times not falling, of a shape drawn at
 * random: steady or jittered or equal times, few or many statuses, and values
 * that are constant, decimal, full doubles, or odd (NaN payloads, -0.0,
 * infinities); VALUE_NONE draws the kind as well.
 */
struct sample *series_single(struct series *series, struct arena *arena,
	enum value_kind kind, size_t count);

/* "count" samples of the variables 1..variables, mixed, times in any order. */
struct sample *series_mixed(struct series *series, struct arena *arena,
	int variables, size_t count);

/*
 * A real series: lines that have a time "2016-03-05 19:45:00" in one column
 * and a number in the last, sorted by time. NULL when the folder of
 * FIELDGRID_DATA, or "name" in it, is not there.
 */
struct sample *series_load(
	struct arena *arena, const char *name, size_t *count);

/* Fail the test unless both are the same, bit by bit. */
void series_assert_equal(
	const struct sample *expected, const struct sample *actual);

#endif
