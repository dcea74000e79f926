/* sampler_value: a raw value becomes a value, and news or not. */

#include "agents/sampler.h"

#include <math.h>

#include "model/frame.h"

#define INT64_EDGE 9223372036854775808.0 /* 2^63 */

static bool
convert_int(
	const struct input *input, const struct value *raw, struct value *value)
{
	int64_t number;

	if (raw->kind == VALUE_FLOAT) {
		double rounded = round(raw->number);

		if (!(rounded >= -INT64_EDGE && rounded < INT64_EDGE))
			return false;
		number = (int64_t)rounded;
	} else {
		number = raw->kind == VALUE_BOOL ? raw->boolean : raw->integer;
	}
	*value = (struct value){.kind = VALUE_INT};
	return !__builtin_mul_overflow(
		       number, (int64_t)input->scale, &number) &&
	       !__builtin_add_overflow(
		       number, (int64_t)input->offset, &value->integer);
}

static double
raw_number(const struct value *raw)
{
	switch (raw->kind) {
	case VALUE_BOOL:
		return raw->boolean ? 1 : 0;
	case VALUE_INT:
		return (double)raw->integer;
	default:
		return raw->number;
	}
}

static bool
outside(const struct input *input, double number)
{
	/* Comparisons with NAN, no limit, are false. */
	return number < input->minimum || number > input->maximum;
}

bool
sampler_convert(const struct input *input, const struct value *raw,
	struct value *value, uint64_t *status)
{
	if ((raw->kind == VALUE_STRING) != (input->kind == VALUE_STRING))
		return false;
	switch (input->kind) {
	case VALUE_BOOL:
		*value = (struct value){
			.kind = VALUE_BOOL, .boolean = raw_number(raw) != 0};
		return true;
	case VALUE_INT:
		if (!convert_int(input, raw, value))
			return false;
		if (outside(input, (double)value->integer))
			*status |= STATUS_OV;
		return true;
	case VALUE_FLOAT:
		*value = (struct value){.kind = VALUE_FLOAT,
			.number =
				raw_number(raw) * input->scale + input->offset};
		if (outside(input, value->number))
			*status |= STATUS_OV;
		return true;
	case VALUE_STRING:
		*value = *raw;
		return raw->string.bytes <= VALUE_STRING_BYTES_MAX &&
		       frame_text_valid(raw->string.data, raw->string.bytes);
	default:
		return false;
	}
}

bool
sampler_is_outside(const struct input *input, const struct value *value)
{
	if (value->kind != VALUE_INT && value->kind != VALUE_FLOAT)
		return false;
	return outside(input, raw_number(value));
}

static bool
unscale_int(
	const struct input *input, const struct value *value, struct value *raw)
{
	int64_t scale = (int64_t)input->scale;
	int64_t number;

	if (__builtin_sub_overflow(
		    value->integer, (int64_t)input->offset, &number) ||
		(number == INT64_MIN && scale == -1) || number % scale != 0)
		return false;
	*raw = (struct value){.kind = VALUE_INT, .integer = number / scale};
	return true;
}

bool
sampler_unscale(
	const struct input *input, const struct value *value, struct value *raw)
{
	if (value->kind != input->kind)
		return false;
	*raw = *value;
	if (value->kind == VALUE_INT)
		return unscale_int(input, value, raw);
	if (value->kind == VALUE_STRING)
		return value->string.bytes <= VALUE_STRING_BYTES_MAX;
	if (value->kind != VALUE_FLOAT)
		return true;
	raw->number = (value->number - input->offset) / input->scale;
	return isfinite(raw->number);
}

bool
sampler_moved(const struct input *input, const struct value *before,
	const struct value *now)
{
	double change;

	if (isnan(input->dead_band))
		return true;
	if (value_equal(before, now))
		return false;
	if (input->kind == VALUE_BOOL || input->kind == VALUE_STRING ||
		input->dead_band == 0)
		return true;
	change = fabs(value_number(now) - value_number(before));
	return !(change <= input->dead_band); /* NaN is news too */
}
