/* sample: a value of a variable at a time, with its status. */

#include "model/sample.h"

#include <math.h>
#include <string.h>

double
value_number(const struct value *value)
{
	switch (value->kind) {
	case VALUE_BOOL:
		return value->boolean ? 1 : 0;
	case VALUE_FLOAT:
		return value->number;
	case VALUE_INT:
		return (double)value->integer;
	case VALUE_NONE:
	case VALUE_STRING:
		break;
	}
	return NAN;
}

static uint64_t
bits_of(double number)
{
	uint64_t bits;

	memcpy(&bits, &number, sizeof(bits));
	return bits;
}

bool
value_equal(const struct value *left, const struct value *right)
{
	if (left->kind != right->kind)
		return false;
	switch (left->kind) {
	case VALUE_BOOL:
		return left->boolean == right->boolean;
	case VALUE_FLOAT: /* by bits: NaN is itself, and -0.0 is not 0.0 */
		return bits_of(left->number) == bits_of(right->number);
	case VALUE_INT:
		return left->integer == right->integer;
	case VALUE_STRING:
		return left->string.bytes == right->string.bytes &&
		       memcmp(left->string.data, right->string.data,
			       left->string.bytes) == 0;
	case VALUE_NONE:
		break;
	}
	return true;
}

/* --- order ---------------------------------------------------------------- */

static bool
is_sorted(const struct sample *samples, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (samples[i - 1].time_us > samples[i].time_us)
			return false;
	return true;
}

/* Merge two sorted runs that lie one behind the other; ties take the first. */
static void
merge_runs(struct sample *to, const struct sample *from, size_t first_count,
	size_t count)
{
	size_t left = 0;
	size_t right = first_count;

	for (size_t i = 0; i < count; i++)
		if (right >= count ||
			(left < first_count &&
				from[left].time_us <= from[right].time_us))
			to[i] = from[left++];
		else
			to[i] = from[right++];
}

void
sample_sort(struct arena *arena, struct sample *samples, size_t count)
{
	struct sample *from = samples;
	struct sample *to;

	if (is_sorted(samples, count))
		return;
	to = arena_array(arena, count, sizeof(*to));
	for (size_t width = 1; width < count; width *= 2) {
		struct sample *done = to;

		for (size_t i = 0; i < count; i += 2 * width) {
			size_t left = count - i;

			merge_runs(to + i, from + i,
				left < width ? left : width,
				left < 2 * width ? left : 2 * width);
		}
		to = from;
		from = done;
	}
	if (from != samples)
		memcpy(samples, from, count * sizeof(*samples));
}

/* How far back a repeated sample is looked for. */
#define REPEAT_REACH 8

static bool
is_repeated(
	const struct sample *samples, size_t count, const struct sample *sample)
{
	size_t reach = count < REPEAT_REACH ? count : REPEAT_REACH;

	for (size_t i = 1; i <= reach; i++) {
		const struct sample *before = &samples[count - i];

		if (before->time_us != sample->time_us)
			return false;
		if (before->status == sample->status &&
			value_equal(&before->value, &sample->value))
			return true;
	}
	return false;
}

size_t
sample_unique(struct sample *samples, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (!is_repeated(samples, kept, &samples[i]))
			samples[kept++] = samples[i];
	return kept;
}
