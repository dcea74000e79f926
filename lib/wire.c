/* wire: numbers as bytes, little-endian, for binary forms. */

#include "lib/wire.h"

void
wire_put_u16(uint8_t *at, uint16_t number)
{
	at[0] = (uint8_t)number;
	at[1] = (uint8_t)(number >> 8);
}

void
wire_put_u32(uint8_t *at, uint32_t number)
{
	wire_put_u16(at, (uint16_t)number);
	wire_put_u16(at + 2, (uint16_t)(number >> 16));
}

void
wire_add_u8(struct buf *out, unsigned number)
{
	buf_char(out, (char)(uint8_t)number);
}

void
wire_add_u64(struct buf *out, uint64_t number)
{
	uint8_t bytes[sizeof(number)];

	wire_put_u64(bytes, number);
	buf_add(out, bytes, sizeof(bytes));
}

void
wire_add_varint(struct buf *out, uint64_t number)
{
	uint8_t bytes[WIRE_VARINT_BYTES];

	buf_add(out, bytes, (size_t)(wire_put_varint(bytes, number) - bytes));
}

void
wire_add_zigzag(struct buf *out, int64_t number)
{
	wire_add_varint(out, wire_zigzag(number));
}

struct wire_reader
wire_reader(const void *data, size_t length)
{
	const uint8_t *bytes = data;

	return (struct wire_reader){bytes, bytes + length, false};
}

uint16_t
wire_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

uint32_t
wire_u32(const uint8_t *at)
{
	return wire_u16(at) | (uint32_t)wire_u16(at + 2) << 16;
}

static void
fail(struct wire_reader *in)
{
	in->failed = true;
	in->at = in->end;
}

const uint8_t *
wire_take(struct wire_reader *in, size_t length)
{
	const uint8_t *bytes = in->at;

	if (in->failed || length > wire_left(in)) {
		fail(in);
		return NULL;
	}
	in->at += length;
	return bytes;
}

unsigned
wire_take_u8(struct wire_reader *in)
{
	const uint8_t *bytes = wire_take(in, 1);

	return bytes != NULL ? *bytes : 0;
}

uint64_t
wire_take_u64(struct wire_reader *in)
{
	const uint8_t *bytes = wire_take(in, sizeof(uint64_t));

	return bytes != NULL ? wire_u64(bytes) : 0;
}

uint64_t
wire_take_long_varint(struct wire_reader *in)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 64 && in->at < in->end; shift += 7) {
		uint64_t byte = *in->at++;

		/* The tenth byte has room for the one bit that is left. */
		if (shift == 63 && byte > 1)
			break;
		number |= (byte & 0x7f) << shift;
		if (byte < 0x80)
			return number;
	}
	fail(in);
	return 0;
}
