/* chunk: samples of one variable into few bytes, and their summary. */

#include "model/chunk.h"

#include <math.h>
#include <string.h>
#include <zstd.h>

#include "lib/crc32c.h"
#include "lib/wire.h"
#include "model/chunk_layout.h"
#include "model/value_wire.h"

#define ZSTD_LEVEL 3
/* Fewer bytes than this never get smaller. */
#define ZSTD_LEAST 24
/* One sample in this many may be none of the decimals. */
#define EXCEPTIONS_SHARE 16
/* Integers beyond this are not exact as float64. */
#define MANTISSA_MAX 9007199254740992.0

const double chunk_powers[CHUNK_DECIMALS_MAX + 1] = {
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12};

/* --- streams: bytes that are compressed when that makes them fewer -------- */

/* Appends: varint length * 2 + packed, [varint packed length], bytes. */
static void
add_stream(struct buf *out, const void *data, size_t length)
{
	struct buf packed;
	size_t room = ZSTD_compressBound(length);
	size_t bytes = length;
	void *at = NULL;

	buf_init(&packed, 0);
	if (length >= ZSTD_LEAST)
		at = buf_reserve(&packed, room);
	if (at != NULL)
		bytes = ZSTD_compress(at, room, data, length, ZSTD_LEVEL);
	if (at != NULL && !ZSTD_isError(bytes) && bytes + 2 < length) {
		wire_add_varint(out, length << 1 | 1);
		wire_add_varint(out, bytes);
		buf_add(out, at, bytes);
	} else {
		wire_add_varint(out, length << 1);
		buf_add(out, data, length);
	}
	buf_free(&packed);
}

/* Byte 0 of every word, then byte 1 of every word, … "width" bytes of each. */
static void
add_planes(struct buf *out, const uint64_t *words, size_t count, unsigned width)
{
	struct buf planes;
	uint8_t *at;

	buf_init(&planes, 0);
	at = buf_reserve(&planes, count * width);
	for (unsigned byte = 0; byte < width; byte++)
		for (size_t i = 0; i < count; i++)
			*at++ = (uint8_t)(words[i] >> 8 * byte);
	add_stream(out, planes.data, count * width);
	buf_free(&planes);
}

/* --- integers ------------------------------------------------------------- */

static void
add_varints(struct buf *out, const uint64_t *words, size_t count)
{
	uint8_t bytes[CHUNK_SAMPLES_MAX * WIRE_VARINT_BYTES];
	uint8_t *at = bytes;

	for (size_t i = 0; i < count; i++)
		at = wire_put_varint(at, words[i]);
	add_stream(out, bytes, (size_t)(at - bytes));
}

static unsigned
width_of(const uint64_t *words, size_t count)
{
	uint64_t all = 0;
	unsigned width = 0;

	for (size_t i = 0; i < count; i++)
		all |= words[i];
	for (; all != 0; all >>= 8)
		width++;
	return width;
}

/* Deltas, in whichever of the two forms is smaller. */
static void
add_integers(struct buf *out, const int64_t *integers, size_t count)
{
	uint64_t words[CHUNK_SAMPLES_MAX] = {0};
	struct buf planes;
	struct buf varints;
	uint64_t before = 0;
	bool smaller;

	for (size_t i = 0; i < count; i++) {
		uint64_t integer = (uint64_t)integers[i];

		words[i] = wire_zigzag((int64_t)(integer - before));
		before = integer;
	}
	/* The first is no delta; apart, it does not widen the planes. */
	wire_add_varint(out, words[0]);
	buf_init(&varints, 0);
	buf_init(&planes, 0);
	add_varints(&varints, words + 1, count - 1);
	wire_add_u8(&planes, width_of(words + 1, count - 1));
	add_planes(
		&planes, words + 1, count - 1, width_of(words + 1, count - 1));
	smaller = planes.length < varints.length;
	wire_add_u8(
		out, smaller ? CHUNK_INTEGERS_PLANES : CHUNK_INTEGERS_VARINT);
	if (smaller)
		buf_add(out, planes.data, planes.length);
	else
		buf_add(out, varints.data, varints.length);
	buf_free(&planes);
	buf_free(&varints);
}

/* --- times and statuses --------------------------------------------------- */

static uint64_t
common_divisor(uint64_t left, uint64_t right)
{
	while (right != 0) {
		uint64_t rest = left % right;

		left = right;
		right = rest;
	}
	return left;
}

static void
add_times(struct buf *out, const struct sample *samples, size_t count)
{
	uint64_t steps[CHUNK_SAMPLES_MAX] = {0};
	uint64_t divisor = 0;
	bool regular = true;

	for (size_t i = 1; i < count; i++) {
		steps[i] = (uint64_t)samples[i].time_us -
			   (uint64_t)samples[i - 1].time_us;
		divisor = common_divisor(steps[i], divisor);
		regular &= steps[i] == steps[1];
	}
	wire_add_u8(out, regular ? CHUNK_TIMES_REGULAR : CHUNK_TIMES_DELTA);
	wire_add_zigzag(out, samples[0].time_us);
	wire_add_varint(out, regular ? steps[count > 1] : divisor);
	if (regular)
		return;
	for (size_t i = count - 1; i > 0; i--)
		steps[i] = wire_zigzag(
			(int64_t)(steps[i] / divisor -
				  (i > 1 ? steps[i - 1] / divisor : 0)));
	add_varints(out, steps + 1, count - 1);
}

static void
add_statuses(struct buf *out, const struct sample *samples, size_t count)
{
	struct buf runs;
	size_t begin = 0;

	buf_init(&runs, 0);
	for (size_t i = 1; i <= count; i++) {
		if (i < count && samples[i].status == samples[begin].status)
			continue;
		wire_add_varint(&runs, i - begin);
		wire_add_varint(&runs, samples[begin].status);
		begin = i;
	}
	add_stream(out, runs.data, runs.length);
	buf_free(&runs);
}

/* --- numbers -------------------------------------------------------------- */

static uint64_t
bits_of(double number)
{
	uint64_t bits;

	memcpy(&bits, &number, sizeof(bits));
	return bits;
}

/* The integer that gives "number" back bit by bit, if there is one. */
static bool
as_decimal(double number, unsigned decimals, enum chunk_values form,
	int64_t *integer)
{
	double scaled = round(number * chunk_powers[decimals]);
	double back;

	if (!(fabs(scaled) < MANTISSA_MAX))
		return false;
	*integer = (int64_t)scaled; /* which has no -0 */
	back = (double)*integer / chunk_powers[decimals];
	if (form == CHUNK_VALUES_DECIMAL32)
		back = (double)(float)back;
	return bits_of(back) == bits_of(number);
}

/* A try at one number of decimals. */
struct decimal {
	enum chunk_values form;
	unsigned decimals;
	size_t exceptions;
	uint16_t except[CHUNK_SAMPLES_MAX / EXCEPTIONS_SHARE];
	int64_t integers[CHUNK_SAMPLES_MAX];
};

static bool
try_decimals(struct decimal *decimal, const struct sample *samples,
	size_t count, size_t allowed)
{
	decimal->exceptions = 0;
	for (size_t i = 0; i < count; i++) {
		if (as_decimal(samples[i].value.number, decimal->decimals,
			    decimal->form, &decimal->integers[i]))
			continue;
		if (decimal->exceptions >= allowed)
			return false;
		decimal->except[decimal->exceptions++] = (uint16_t)i;
		decimal->integers[i] = i > 0 ? decimal->integers[i - 1] : 0;
	}
	return true;
}

/* More decimals than needed also fit, so the first that fit are the best. */
static bool
find_decimals(struct decimal *decimal, const struct sample *samples,
	size_t count, enum chunk_values form, size_t allowed)
{
	decimal->form = form;
	for (unsigned k = 0; k <= CHUNK_DECIMALS_MAX; k++) {
		decimal->decimals = k;
		if (try_decimals(decimal, samples, count, allowed))
			return true;
	}
	return false;
}

/* All of them at any number of decimals, before most of them at fewer. */
static bool
find_any_decimals(
	struct decimal *decimal, const struct sample *samples, size_t count)
{
	size_t some = count / EXCEPTIONS_SHARE;

	return find_decimals(
		       decimal, samples, count, CHUNK_VALUES_DECIMAL, 0) ||
	       find_decimals(
		       decimal, samples, count, CHUNK_VALUES_DECIMAL32, 0) ||
	       find_decimals(
		       decimal, samples, count, CHUNK_VALUES_DECIMAL, some) ||
	       find_decimals(
		       decimal, samples, count, CHUNK_VALUES_DECIMAL32, some);
}

static void
add_decimals(struct buf *out, const struct decimal *decimal,
	const struct sample *samples, size_t count)
{
	size_t before = 0;

	wire_add_u8(out, decimal->form);
	wire_add_u8(out, decimal->decimals);
	wire_add_varint(out, decimal->exceptions);
	for (size_t i = 0; i < decimal->exceptions; i++) {
		size_t place = decimal->except[i];

		wire_add_varint(out, place - before);
		wire_add_u64(out, bits_of(samples[place].value.number));
		before = place;
	}
	add_integers(out, decimal->integers, count);
}

static void
add_shuffled(struct buf *out, const struct sample *samples, size_t count)
{
	uint64_t words[CHUNK_SAMPLES_MAX];

	for (size_t i = 0; i < count; i++)
		words[i] = bits_of(samples[i].value.number);
	wire_add_u8(out, CHUNK_VALUES_SHUFFLED);
	add_planes(out, words, count, sizeof(words[0]));
}

static void
add_numbers(struct buf *out, const struct sample *samples, size_t count)
{
	struct decimal decimal;
	struct buf packed;
	struct buf shuffled;

	buf_init(&packed, 0);
	buf_init(&shuffled, 0);
	add_shuffled(&shuffled, samples, count);
	if (find_any_decimals(&decimal, samples, count))
		add_decimals(&packed, &decimal, samples, count);
	if (packed.length > 0 && packed.length < shuffled.length)
		buf_add(out, packed.data, packed.length);
	else
		buf_add(out, shuffled.data, shuffled.length);
	buf_free(&packed);
	buf_free(&shuffled);
}

/* --- other values --------------------------------------------------------- */

static void
add_booleans(struct buf *out, const struct sample *samples, size_t count)
{
	uint8_t bits[CHUNK_SAMPLES_MAX / 8] = {0};

	for (size_t i = 0; i < count; i++)
		if (samples[i].value.boolean)
			bits[i / 8] |= (uint8_t)(1u << i % 8);
	wire_add_u8(out, CHUNK_VALUES_BITS);
	add_stream(out, bits, (count + 7) / 8);
}

static void
add_int64s(struct buf *out, const struct sample *samples, size_t count)
{
	int64_t integers[CHUNK_SAMPLES_MAX];

	for (size_t i = 0; i < count; i++)
		integers[i] = samples[i].value.integer;
	wire_add_u8(out, CHUNK_VALUES_INTEGERS);
	add_integers(out, integers, count);
}

static void
add_strings(struct buf *out, const struct sample *samples, size_t count)
{
	uint64_t lengths[CHUNK_SAMPLES_MAX];
	struct buf text;

	buf_init(&text, 0);
	for (size_t i = 0; i < count; i++) {
		lengths[i] = samples[i].value.string.bytes;
		buf_add(&text, samples[i].value.string.data, lengths[i]);
	}
	wire_add_u8(out, CHUNK_VALUES_STRINGS);
	add_varints(out, lengths, count);
	add_stream(out, text.data, text.length);
	buf_free(&text);
}

static void
add_constant(struct buf *out, const struct value *value)
{
	wire_add_u8(out, CHUNK_VALUES_CONSTANT);
	value_wire_add(out, value);
}

static bool
is_constant(const struct sample *samples, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (!value_equal(&samples[0].value, &samples[i].value))
			return false;
	return true;
}

static void
add_values(struct buf *out, const struct sample *samples, size_t count)
{
	if (is_constant(samples, count))
		add_constant(out, &samples[0].value);
	else if (samples[0].value.kind == VALUE_BOOL)
		add_booleans(out, samples, count);
	else if (samples[0].value.kind == VALUE_FLOAT)
		add_numbers(out, samples, count);
	else if (samples[0].value.kind == VALUE_INT)
		add_int64s(out, samples, count);
	else
		add_strings(out, samples, count);
}

/* --- summary -------------------------------------------------------------- */

/* A good value at "number" that holds for "hold_us". */
static void
count_good(struct chunk_summary *summary, double number, int64_t hold_us)
{
	if (summary->good++ == 0)
		summary->minimum = summary->maximum = number;
	summary->minimum = fmin(summary->minimum, number);
	summary->maximum = fmax(summary->maximum, number);
	summary->total += number;
	summary->integral += number * ((double)hold_us / 1e6);
	summary->good_us += hold_us;
}

static double
good_or_nan(const struct sample *sample)
{
	double number = value_number(&sample->value);

	return chunk_good(sample->status, number) ? number : NAN;
}

static struct chunk_summary
summarise(const struct sample *samples, size_t count)
{
	struct chunk_summary summary = {.first_us = samples[0].time_us,
		.last_us = samples[count - 1].time_us,
		.samples = (uint32_t)count,
		.minimum = NAN,
		.maximum = NAN,
		.first_value = good_or_nan(&samples[0]),
		.last_value = good_or_nan(&samples[count - 1])};

	for (size_t i = 0; i < count; i++) {
		double number = good_or_nan(&samples[i]);
		int64_t end_us = samples[i + 1 < count ? i + 1 : i].time_us;

		if (!isnan(number))
			count_good(
				&summary, number, end_us - samples[i].time_us);
		summary.worst |= samples[i].status;
	}
	return summary;
}

/* --- the chunk ------------------------------------------------------------ */

size_t
chunk_fit(const struct sample *samples, size_t count)
{
	size_t bytes = 0;
	size_t fit = 0;

	while (fit < count && fit < CHUNK_SAMPLES_MAX) {
		if (samples[fit].value.kind == VALUE_STRING)
			bytes += samples[fit].value.string.bytes;
		if (fit > 0 && bytes > CHUNK_STRINGS_MAX)
			break;
		fit++;
	}
	return fit;
}

static bool
is_packable(const struct sample *samples, size_t count)
{
	enum value_kind kind = samples[0].value.kind;

	if (kind < VALUE_BOOL || kind > VALUE_STRING)
		return false;
	for (size_t i = 1; i < count; i++)
		if (samples[i].value.kind != kind ||
			samples[i].time_us < samples[i - 1].time_us)
			return false;
	return chunk_fit(samples, count) == count;
}

enum rc
chunk_encode(const struct sample *samples, size_t count, struct buf *out,
	struct chunk_summary *summary, struct fault *fault)
{
	size_t begin = out->length;
	uint8_t crc[CHUNK_CRC_BYTES];

	if (count == 0 || !is_packable(samples, count))
		return fault_set(fault, RC_BUG,
			"%zu samples of variable %d cannot be one chunk", count,
			count > 0 ? (int)samples[0].variable_id : 0);
	wire_add_u8(out, CHUNK_VERSION);
	wire_add_u8(out, samples[0].value.kind);
	wire_add_varint(out, count);
	add_times(out, samples, count);
	add_statuses(out, samples, count);
	add_values(out, samples, count);
	wire_put_u32(crc, crc32c(0, out->data + begin, out->length - begin));
	buf_add(out, crc, sizeof(crc));
	*summary = summarise(samples, count);
	return out->overflow
		       ? fault_set(fault, RC_TOO_LARGE, "no room for a chunk")
		       : RC_OK;
}
