/* series: random samples for property tests, the same for the same seed. */

#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "tests/unit/series.h"

#define T0         INT64_C(1700000000000000)
#define SERIES_MAX ((size_t)100000) /* samples of a file */

/* How the values of a series behave. */
enum shape { SHAPE_CONSTANT, SHAPE_DECIMAL, SHAPE_DOUBLE, SHAPE_ODD, SHAPES };

uint64_t
series_random(struct series *series)
{
	uint64_t x = series->seed;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	series->seed = x;
	return x >> 11;
}

static double
from_bits(uint64_t bits)
{
	double number;

	memcpy(&number, &bits, sizeof(number));
	return number;
}

static double
odd_number(struct series *series)
{
	switch (series_random(series) % 8) {
	case 0:
		return -0.0;
	case 1:
		return INFINITY;
	case 2:
		return -INFINITY;
	case 3: /* a NaN with a payload */
		return from_bits(UINT64_C(0x7ff8000000000000) |
				 (series_random(series) & 0xffffff));
	case 4: /* subnormal */
		return from_bits(series_random(series) & 0xffff);
	case 5:
		return from_bits(
			series_random(series) << 11 ^ series_random(series));
	default:
		return (double)(series_random(series) % 100);
	}
}

static double
draw_number(struct series *series, enum shape shape)
{
	switch (shape) {
	case SHAPE_CONSTANT:
		return 230.4;
	case SHAPE_DECIMAL:
		return round((double)(series_random(series) % 100000) - 5e4) /
		       1000;
	case SHAPE_DOUBLE:
		return (double)series_random(series) / 7e11;
	default:
		return odd_number(series);
	}
}

static struct value
draw_string(struct series *series, struct arena *arena, enum shape shape)
{
	static const char *const words[] = {"", "run", "stop",
		"fault: \xc3\xbc"
		"bertemperatur"};
	const char *word = words[series_random(series) % 4];

	if (shape == SHAPE_DOUBLE)
		word = arena_printf(arena, "batch %u",
			(unsigned)(series_random(series) % 100000));
	if (shape == SHAPE_CONSTANT)
		word = "run";
	return (struct value){
		.kind = VALUE_STRING, .string = {word, (uint32_t)strlen(word)}};
}

static struct value
draw_value(struct series *series, struct arena *arena, enum value_kind kind,
	enum shape shape)
{
	struct value value = {.kind = kind};

	switch (kind) {
	case VALUE_BOOL:
		value.boolean =
			shape != SHAPE_CONSTANT && series_random(series) % 2;
		break;
	case VALUE_INT:
		value.integer =
			(int64_t)(shape == SHAPE_ODD
					  ? series_random(series) << 11
					  : series_random(series) % 1000);
		break;
	case VALUE_STRING:
		return draw_string(series, arena, shape);
	default:
		value.kind = VALUE_FLOAT;
		value.number = draw_number(series, shape);
	}
	return value;
}

static uint64_t
draw_status(struct series *series, unsigned rate)
{
	if (rate == 0 || series_random(series) % 10 >= rate)
		return STATUS_SPONT;
	return series_random(series) % 3 == 0 ? STATUS_INVALID
					      : series_random(series);
}

struct sample *
series_single(struct series *series, struct arena *arena, enum value_kind kind,
	size_t count)
{
	struct sample *samples = arena_array(arena, count, sizeof(*samples));
	enum shape shape = (enum shape)(series_random(series) % SHAPES);
	unsigned rate = (unsigned)(series_random(series) % 4 * 3);
	unsigned jitter = (unsigned)(series_random(series) % 3);
	int64_t time_us = T0;

	if (kind == VALUE_NONE)
		kind = (enum value_kind)(1 + series_random(series) % 4);
	for (size_t i = 0; i < count; i++) {
		samples[i].variable_id = 1;
		samples[i].time_us = time_us;
		samples[i].status = draw_status(series, rate);
		samples[i].value = draw_value(series, arena, kind, shape);
		time_us += jitter == 0 ? 1000000
				       : (int64_t)(series_random(series) %
						   (jitter == 1 ? 3 : 5000000));
	}
	return samples;
}

struct sample *
series_mixed(
	struct series *series, struct arena *arena, int variables, size_t count)
{
	struct sample *samples = arena_array(arena, count, sizeof(*samples));
	enum shape shape = (enum shape)(series_random(series) % SHAPES);
	unsigned rate = (unsigned)(series_random(series) % 4 * 3);
	bool scan = series_random(series) % 2;

	for (size_t i = 0; i < count; i++) {
		int id = (int)(scan ? i : series_random(series)) % variables;

		samples[i].variable_id = id < 0 ? 1 : id + 1;
		samples[i].time_us =
			T0 +
			(scan ? (int64_t)(i / (size_t)variables) * 1000000
			      : (int64_t)(series_random(series) % 10000000));
		samples[i].status = draw_status(series, rate);
		samples[i].value = draw_value(series, arena,
			(enum value_kind)(1 + samples[i].variable_id % 4),
			shape);
	}
	return samples;
}

/* "…,2016-03-05 19:45:00,…,2.8154": a time somewhere, the value at the end. */
static bool
read_line(const char *line, struct sample *sample)
{
	const char *comma = strrchr(line, ',');
	struct tm date = {0};
	const char *at = line;

	sample->value.kind = VALUE_FLOAT;
	while (at != NULL && at < comma) {
		if (sscanf(at, "%d-%d-%d %d:%d:%d", &date.tm_year, &date.tm_mon,
			    &date.tm_mday, &date.tm_hour, &date.tm_min,
			    &date.tm_sec) == 6) {
			date.tm_year -= 1900;
			date.tm_mon -= 1;
			sample->time_us =
				(int64_t)timegm(&date) * CLOCK_SECOND_US;
			sample->value.number = strtod(comma + 1, NULL);
			return true;
		}
		at = strchr(at, ',');
		at = at != NULL ? at + 1 : NULL;
	}
	return false;
}

struct sample *
series_load(struct arena *arena, const char *name, size_t *count)
{
	const char *folder = getenv("FIELDGRID_DATA");
	struct sample *samples;
	char path[1024];
	char line[1024];
	FILE *file;

	if (folder == NULL)
		return NULL;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	if (file == NULL)
		return NULL;
	samples = arena_array(arena, SERIES_MAX, sizeof(*samples));
	for (*count = 0; *count < SERIES_MAX;)
		if (fgets(line, sizeof(line), file) == NULL)
			break;
		else if (read_line(line, &samples[*count]))
			(*count)++;
	fclose(file);
	sample_sort(arena, samples, *count);
	*count = sample_unique(samples, *count);
	return samples;
}

void
series_assert_equal(const struct sample *expected, const struct sample *actual)
{
	assert_int_equal(expected->variable_id, actual->variable_id);
	assert_true(expected->time_us == actual->time_us);
	assert_true(expected->status == actual->status);
	assert_true(value_equal(&expected->value, &actual->value));
}
