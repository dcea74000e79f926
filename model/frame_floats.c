/* frame_floats: the float64 values of a group, in the shortest of three forms.
 *
 * What a plant measures has few decimals, so most groups are integers over a
 * power of ten; what came from 32-bit registers is float32; the rest is bits.
 */

#include <float.h>
#include <math.h>
#include <string.h>

#include "model/frame_layout.h"

static uint64_t
double_bits(double number)
{
	uint64_t bits;

	memcpy(&bits, &number, sizeof(bits));
	return bits;
}

static uint32_t
single_bits(float number)
{
	uint32_t bits;

	memcpy(&bits, &number, sizeof(bits));
	return bits;
}

static double
number_of(const struct frame_group *group, size_t index)
{
	return frame_member_of(group, index)->value.number;
}

/* --- writing -------------------------------------------------------------- */

/* The integer that is the number times 10^decimals, if it is exactly that. */
static bool
to_decimal(double number, unsigned decimals, int64_t *integer)
{
	double power = frame_power(decimals);
	double scaled = number * power;

	if (!(fabs(scaled) <= (double)FRAME_DECIMAL_MAX))
		return false;
	*integer = (int64_t)rint(scaled);
	return double_bits((double)*integer / power) == double_bits(number);
}

/* The fewest decimals that all numbers of the group have room in. */
static bool
find_decimals(const struct frame_group *group, unsigned *decimals)
{
	int64_t integer;

	*decimals = 0;
	for (size_t i = 0; i < group->count; i++)
		while (!to_decimal(number_of(group, i), *decimals, &integer))
			if (++*decimals > FRAME_DECIMALS_MAX)
				return false;
	return true;
}

static size_t
varint_bytes(uint64_t number)
{
	size_t bytes = 1;

	for (; number >= 0x80; number >>= 7)
		bytes++;
	return bytes;
}

/* SIZE_MAX when the group is not of this form. */
static size_t
decimal_bytes(const struct frame_group *group, unsigned *decimals)
{
	int64_t before = 0;
	size_t bytes = 1;

	if (!find_decimals(group, decimals))
		return SIZE_MAX;
	for (size_t i = 0; i < group->count; i++) {
		int64_t integer;

		if (!to_decimal(number_of(group, i), *decimals, &integer))
			return SIZE_MAX;
		bytes += varint_bytes(wire_zigzag(integer - before));
		before = integer;
	}
	return bytes;
}

static bool
is_single(const struct frame_group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		double number = number_of(group, i);

		if (isfinite(number) && fabs(number) > (double)FLT_MAX)
			return false;
		if (double_bits((double)(float)number) != double_bits(number))
			return false;
	}
	return true;
}

static void
put_decimals(
	struct buf *out, const struct frame_group *group, unsigned decimals)
{
	int64_t before = 0;

	wire_add_u8(out, decimals);
	for (size_t i = 0; i < group->count; i++) {
		int64_t integer = 0;

		(void)to_decimal(number_of(group, i), decimals, &integer);
		wire_add_zigzag(out, integer - before);
		before = integer;
	}
}

/* The highest byte of every number's bits, then the next one of every. Each
 * number is xor-ed with the one before, so that what stays is zero. */
static void
put_planes(struct buf *out, const struct frame_group *group, unsigned bytes)
{
	size_t count = group->count;
	uint8_t *at = buf_reserve(out, count * bytes);
	uint64_t before = 0;

	if (at == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		double number = number_of(group, i);
		uint64_t bits = bytes == sizeof(float)
					? single_bits((float)number)
					: double_bits(number);

		for (unsigned plane = 0; plane < bytes; plane++)
			at[plane * count + i] =
				(uint8_t)((bits ^ before) >>
					  8 * (bytes - 1 - plane));
		before = bits;
	}
	out->length += count * bytes;
}

void
frame_put_floats(struct buf *out, const struct frame_group *group)
{
	unsigned decimals;
	bool single = is_single(group);
	size_t width = single ? sizeof(float) : sizeof(double);

	if (decimal_bytes(group, &decimals) < group->count * width) {
		wire_add_u8(out, FRAME_FLOATS_DECIMAL);
		put_decimals(out, group, decimals);
		return;
	}
	wire_add_u8(out, single ? FRAME_FLOATS_SINGLE : FRAME_FLOATS_PLANES);
	put_planes(out, group, (unsigned)width);
}

/* --- reading -------------------------------------------------------------- */

static bool
take_decimals(struct wire_reader *in, struct sample *samples, size_t count)
{
	unsigned decimals = wire_take_u8(in);
	uint64_t integer = 0;

	if (decimals > FRAME_DECIMALS_MAX)
		return false;
	for (size_t i = 0; i < count; i++) {
		int64_t number;

		integer += (uint64_t)wire_take_zigzag(in);
		number = (int64_t)integer;
		if (number > FRAME_DECIMAL_MAX || number < -FRAME_DECIMAL_MAX)
			return false;
		samples[i].value.number =
			(double)number / frame_power(decimals);
	}
	return !in->failed;
}

static bool
take_planes(struct wire_reader *in, struct sample *samples, size_t count,
	unsigned bytes)
{
	const uint8_t *at = wire_take(in, count * bytes);
	uint64_t bits = 0;

	if (at == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		uint64_t change = 0;

		for (unsigned plane = 0; plane < bytes; plane++)
			change = change << 8 | at[plane * count + i];
		bits ^= change;
		if (bytes == sizeof(float)) {
			uint32_t half = (uint32_t)bits;
			float number;

			memcpy(&number, &half, sizeof(number));
			samples[i].value.number = (double)number;
		} else {
			memcpy(&samples[i].value.number, &bits, sizeof(bits));
		}
	}
	return true;
}

bool
frame_take_floats(struct wire_reader *in, struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count; i++)
		samples[i].value.kind = VALUE_FLOAT;
	switch (wire_take_u8(in)) {
	case FRAME_FLOATS_PLANES:
		return take_planes(in, samples, count, sizeof(double));
	case FRAME_FLOATS_DECIMAL:
		return take_decimals(in, samples, count);
	case FRAME_FLOATS_SINGLE:
		return take_planes(in, samples, count, sizeof(float));
	default:
		return false;
	}
}
