/* chunk_decode: bytes into columns, believing nothing. */

#include <math.h>
#include <string.h>
#include <zstd.h>

#include "lib/crc32c.h"
#include "lib/wire.h"
#include "model/chunk.h"
#include "model/chunk_layout.h"

/* The walk over one chunk. */
struct walk {
	struct wire_reader in;
	struct arena *arena;
	struct chunk_columns *columns;
};

/* --- streams -------------------------------------------------------------- */

/* The next stream, unpacked; fails when it holds more than "most" bytes. */
static bool
take_stream(struct walk *walk, size_t most, struct wire_reader *stream)
{
	uint64_t code = wire_take_varint(&walk->in);
	size_t length = (size_t)(code >> 1);
	const uint8_t *data;
	uint64_t packed;
	void *room;

	if (walk->in.failed || code >> 1 > most)
		return false;
	if ((code & 1) == 0) {
		data = wire_take(&walk->in, length);
		if (data != NULL)
			*stream = wire_reader(data, length);
		return data != NULL;
	}
	packed = wire_take_varint(&walk->in);
	if (packed > wire_left(&walk->in))
		return false;
	data = wire_take(&walk->in, (size_t)packed);
	room = arena_alloc(walk->arena, length);
	*stream = wire_reader(room, length);
	return data != NULL &&
	       ZSTD_decompress(room, length, data, (size_t)packed) == length;
}

static bool
at_end(const struct wire_reader *stream)
{
	return !stream->failed && stream->at == stream->end;
}

/* --- integers ------------------------------------------------------------- */

/* "count" words of which "width" bytes stand in planes. */
static bool
read_planes(struct walk *walk, size_t count, unsigned width, uint64_t *words)
{
	struct wire_reader stream;

	if (width > sizeof(words[0]) ||
		!take_stream(walk, count * width, &stream) ||
		wire_left(&stream) != count * width)
		return false;
	memset(words, 0, count * sizeof(words[0]));
	for (unsigned byte = 0; byte < width; byte++)
		for (size_t i = 0; i < count; i++)
			words[i] |= (uint64_t)stream.at[byte * count + i]
				    << 8 * byte;
	return true;
}

static bool
read_varints(struct walk *walk, size_t count, uint64_t *words)
{
	struct wire_reader stream;

	if (!take_stream(walk, count * WIRE_VARINT_BYTES, &stream))
		return false;
	for (size_t i = 0; i < count; i++)
		words[i] = wire_take_varint(&stream);
	return at_end(&stream);
}

static bool
read_integers(struct walk *walk, int64_t *integers)
{
	size_t count = walk->columns->count;
	uint64_t *words = arena_array(walk->arena, count, sizeof(*words));
	uint64_t sum = 0;
	unsigned form;
	bool read;

	words[0] = wire_take_varint(&walk->in);
	form = wire_take_u8(&walk->in);
	if (form == CHUNK_INTEGERS_PLANES)
		read = read_planes(
			walk, count - 1, wire_take_u8(&walk->in), words + 1);
	else
		read = form == CHUNK_INTEGERS_VARINT &&
		       read_varints(walk, count - 1, words + 1);
	for (size_t i = 0; read && i < count; i++) {
		sum += (uint64_t)wire_unzigzag(words[i]);
		integers[i] = (int64_t)sum;
	}
	return read;
}

/* --- times and statuses --------------------------------------------------- */

static bool
read_deltas(struct walk *walk, uint64_t divisor)
{
	struct chunk_columns *columns = walk->columns;
	uint64_t *words = (uint64_t *)columns->time_us;
	uint64_t time = words[0];
	uint64_t step = 0;

	if (!read_varints(walk, columns->count - 1, words + 1))
		return false;
	for (size_t i = 1; i < columns->count; i++) {
		step += (uint64_t)wire_unzigzag(words[i]);
		time += step * divisor;
		columns->time_us[i] = (int64_t)time;
	}
	return true;
}

static bool
read_times(struct walk *walk)
{
	struct chunk_columns *columns = walk->columns;
	unsigned form = wire_take_u8(&walk->in);
	uint64_t time = (uint64_t)wire_take_zigzag(&walk->in);
	uint64_t step = wire_take_varint(&walk->in);

	columns->time_us = arena_array(
		walk->arena, columns->count, sizeof(*columns->time_us));
	columns->time_us[0] = (int64_t)time;
	if (form == CHUNK_TIMES_DELTA)
		return !walk->in.failed && read_deltas(walk, step);
	for (size_t i = 1; i < columns->count; i++)
		columns->time_us[i] = (int64_t)(time + i * step);
	return !walk->in.failed && form == CHUNK_TIMES_REGULAR;
}

static bool
times_rise(const struct chunk_columns *columns)
{
	bool rise = true;

	for (size_t i = 1; i < columns->count; i++)
		rise &= columns->time_us[i - 1] <= columns->time_us[i];
	return rise;
}

static bool
read_statuses(struct walk *walk)
{
	struct chunk_columns *columns = walk->columns;
	size_t count = columns->count;
	struct wire_reader runs;

	columns->status =
		arena_array(walk->arena, count, sizeof(*columns->status));
	if (!take_stream(walk, count * 2 * WIRE_VARINT_BYTES, &runs))
		return false;
	for (size_t i = 0; i < count;) {
		uint64_t run = wire_take_varint(&runs);
		uint64_t status = wire_take_varint(&runs);

		if (run == 0 || run > count - i)
			return false;
		for (; run > 0; run--)
			columns->status[i++] = status;
	}
	return at_end(&runs);
}

/* --- numbers -------------------------------------------------------------- */

static double
from_bits(uint64_t bits)
{
	double number;

	memcpy(&number, &bits, sizeof(number));
	return number;
}

struct exceptions {
	uint64_t count;
	size_t *places;
	double *numbers;
};

static bool
read_exceptions(struct walk *walk, struct exceptions *exceptions)
{
	uint64_t place = 0;

	exceptions->count = wire_take_varint(&walk->in);
	if (exceptions->count > walk->columns->count)
		return false;
	exceptions->places = arena_array(
		walk->arena, exceptions->count, sizeof(*exceptions->places));
	exceptions->numbers = arena_array(
		walk->arena, exceptions->count, sizeof(*exceptions->numbers));
	for (size_t i = 0; i < exceptions->count; i++) {
		uint64_t step = wire_take_varint(&walk->in);

		if (step >= walk->columns->count - place)
			return false;
		place += step;
		exceptions->places[i] = (size_t)place;
		exceptions->numbers[i] = from_bits(wire_take_u64(&walk->in));
	}
	return !walk->in.failed;
}

static bool
read_decimals(struct walk *walk, enum chunk_values form)
{
	struct chunk_columns *columns = walk->columns;
	size_t count = columns->count;
	int64_t *integers = arena_array(walk->arena, count, sizeof(*integers));
	unsigned decimals = wire_take_u8(&walk->in);
	struct exceptions exceptions;

	if (decimals > CHUNK_DECIMALS_MAX ||
		!read_exceptions(walk, &exceptions) ||
		!read_integers(walk, integers))
		return false;
	for (size_t i = 0; i < count; i++)
		columns->numbers[i] =
			(double)integers[i] / chunk_powers[decimals];
	if (form == CHUNK_VALUES_DECIMAL32)
		for (size_t i = 0; i < count; i++)
			columns->numbers[i] =
				(double)(float)columns->numbers[i];
	for (size_t i = 0; i < exceptions.count; i++)
		columns->numbers[exceptions.places[i]] = exceptions.numbers[i];
	return true;
}

static bool
read_shuffled(struct walk *walk)
{
	struct chunk_columns *columns = walk->columns;
	uint64_t *words =
		arena_array(walk->arena, columns->count, sizeof(*words));

	if (!read_planes(walk, columns->count, sizeof(*words), words))
		return false;
	for (size_t i = 0; i < columns->count; i++)
		columns->numbers[i] = from_bits(words[i]);
	return true;
}

static bool
read_numbers(struct walk *walk, unsigned form)
{
	struct chunk_columns *columns = walk->columns;
	double constant;

	columns->numbers = arena_array(
		walk->arena, columns->count, sizeof(*columns->numbers));
	switch (form) {
	case CHUNK_VALUES_CONSTANT:
		constant = from_bits(wire_take_u64(&walk->in));
		for (size_t i = 0; i < columns->count; i++)
			columns->numbers[i] = constant;
		return true;
	case CHUNK_VALUES_DECIMAL:
	case CHUNK_VALUES_DECIMAL32:
		return read_decimals(walk, form);
	case CHUNK_VALUES_SHUFFLED:
		return read_shuffled(walk);
	default:
		return false;
	}
}

/* --- other values --------------------------------------------------------- */

static bool
read_booleans(struct walk *walk, unsigned form)
{
	struct chunk_columns *columns = walk->columns;
	size_t count = columns->count;
	struct wire_reader bits;

	columns->booleans = arena_alloc(walk->arena, count);
	if (form == CHUNK_VALUES_CONSTANT) {
		unsigned constant = wire_take_u8(&walk->in);

		memset(columns->booleans, (int)constant, count);
		return constant <= 1;
	}
	if (form != CHUNK_VALUES_BITS ||
		!take_stream(walk, (count + 7) / 8, &bits) ||
		wire_left(&bits) != (count + 7) / 8)
		return false;
	for (size_t i = 0; i < count; i++)
		columns->booleans[i] = bits.at[i / 8] >> i % 8 & 1;
	return true;
}

static bool
read_int64s(struct walk *walk, unsigned form)
{
	struct chunk_columns *columns = walk->columns;
	int64_t constant;

	columns->integers = arena_array(
		walk->arena, columns->count, sizeof(*columns->integers));
	if (form == CHUNK_VALUES_INTEGERS)
		return read_integers(walk, columns->integers);
	constant = wire_take_zigzag(&walk->in);
	for (size_t i = 0; i < columns->count; i++)
		columns->integers[i] = constant;
	return form == CHUNK_VALUES_CONSTANT;
}

static bool
read_constant_string(struct walk *walk)
{
	struct chunk_columns *columns = walk->columns;
	uint64_t bytes = wire_take_varint(&walk->in);
	const uint8_t *data;
	const char *text;

	if (bytes > wire_left(&walk->in))
		return false;
	data = wire_take(&walk->in, (size_t)bytes);
	text = arena_strndup(walk->arena, (const char *)data, (size_t)bytes);
	for (size_t i = 0; i < columns->count; i++) {
		columns->strings[i] = text;
		columns->string_bytes[i] = (uint32_t)bytes;
	}
	return true;
}

static bool
read_varied_strings(struct walk *walk)
{
	struct chunk_columns *columns = walk->columns;
	uint64_t *lengths =
		arena_array(walk->arena, columns->count, sizeof(*lengths));
	struct wire_reader text;

	/* One string alone may be longer than all may be together. */
	if (!read_varints(walk, columns->count, lengths) ||
		!take_stream(walk, 2 * CHUNK_STRINGS_MAX, &text))
		return false;
	for (size_t i = 0; i < columns->count; i++) {
		const uint8_t *data;

		if (lengths[i] > wire_left(&text))
			return false;
		data = wire_take(&text, (size_t)lengths[i]);
		columns->strings[i] = arena_strndup(
			walk->arena, (const char *)data, (size_t)lengths[i]);
		columns->string_bytes[i] = (uint32_t)lengths[i];
	}
	return at_end(&text);
}

static bool
read_strings(struct walk *walk, unsigned form)
{
	struct chunk_columns *columns = walk->columns;

	columns->strings = arena_array(
		walk->arena, columns->count, sizeof(*columns->strings));
	columns->string_bytes = arena_array(
		walk->arena, columns->count, sizeof(*columns->string_bytes));
	if (form == CHUNK_VALUES_CONSTANT)
		return read_constant_string(walk);
	return form == CHUNK_VALUES_STRINGS && read_varied_strings(walk);
}

static bool
read_values(struct walk *walk)
{
	unsigned form = wire_take_u8(&walk->in);

	switch (walk->columns->kind) {
	case VALUE_BOOL:
		return read_booleans(walk, form);
	case VALUE_FLOAT:
		return read_numbers(walk, form);
	case VALUE_INT:
		return read_int64s(walk, form);
	case VALUE_STRING:
		return read_strings(walk, form);
	case VALUE_NONE:
		break;
	}
	return false;
}

/* --- the chunk ------------------------------------------------------------ */

static bool
read_chunk(struct walk *walk)
{
	unsigned version = wire_take_u8(&walk->in);
	unsigned kind = wire_take_u8(&walk->in);
	uint64_t count = wire_take_varint(&walk->in);

	if (version != CHUNK_VERSION || kind < VALUE_BOOL ||
		kind > VALUE_STRING || count == 0 || count > CHUNK_SAMPLES_MAX)
		return false;
	walk->columns->kind = (enum value_kind)kind;
	walk->columns->count = (size_t)count;
	return read_times(walk) && times_rise(walk->columns) &&
	       read_statuses(walk) && read_values(walk) && at_end(&walk->in);
}

enum rc
chunk_decode(const void *data, size_t length, struct arena *arena,
	struct chunk_columns *columns, struct fault *fault)
{
	const uint8_t *bytes = data;
	struct walk walk = {.arena = arena, .columns = columns};

	memset(columns, 0, sizeof(*columns));
	if (length < CHUNK_CRC_BYTES)
		return fault_set(fault, RC_BAD_INPUT, "chunk is truncated");
	length -= CHUNK_CRC_BYTES;
	if (crc32c(0, bytes, length) != wire_u32(bytes + length))
		return fault_set(
			fault, RC_BAD_INPUT, "checksum of a chunk is wrong");
	walk.in = wire_reader(bytes, length);
	return read_chunk(&walk)
		       ? RC_OK
		       : fault_set(fault, RC_BAD_INPUT, "chunk is malformed");
}

double
chunk_number(const struct chunk_columns *columns, size_t index)
{
	switch (columns->kind) {
	case VALUE_BOOL:
		return columns->booleans[index];
	case VALUE_FLOAT:
		return columns->numbers[index];
	case VALUE_INT:
		return (double)columns->integers[index];
	case VALUE_STRING:
	case VALUE_NONE:
		break;
	}
	return NAN;
}

struct sample
chunk_sample(
	const struct chunk_columns *columns, int32_t variable_id, size_t index)
{
	struct sample sample = {.variable_id = variable_id,
		.time_us = columns->time_us[index],
		.status = columns->status[index],
		.value.kind = columns->kind};

	switch (columns->kind) {
	case VALUE_BOOL:
		sample.value.boolean = columns->booleans[index] != 0;
		break;
	case VALUE_FLOAT:
		sample.value.number = columns->numbers[index];
		break;
	case VALUE_INT:
		sample.value.integer = columns->integers[index];
		break;
	case VALUE_STRING:
		sample.value.string.data = columns->strings[index];
		sample.value.string.bytes = columns->string_bytes[index];
		break;
	case VALUE_NONE:
		break;
	}
	return sample;
}
