/*
 * wire: numbers as bytes, little-endian, for binary forms.
 *
 * A varint has seven bits a byte, lowest first, the top bit set on all but the
 * last. A zigzag varint maps 0, -1, 1, -2 … to 0, 1, 2, 3 … A reader never
 * passes its end: it then sets "failed", once and for all, and gives zeros.
 */
#ifndef FG_LIB_WIRE_H
#define FG_LIB_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/buf.h"

#define WIRE_VARINT_BYTES 10 /* at most */

struct wire_reader {
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

static inline uint64_t
wire_zigzag(int64_t number)
{
	return (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0);
}

static inline int64_t
wire_unzigzag(uint64_t code)
{
	return (int64_t)(code >> 1 ^ (0 - (code & 1)));
}

/* --- writing: to memory with room enough; the result is behind it --------- */

static inline uint8_t *
wire_put_varint(uint8_t *at, uint64_t number)
{
	for (; number >= 0x80; number >>= 7)
		*at++ = (uint8_t)(number | 0x80);
	*at++ = (uint8_t)number;
	return at;
}

void wire_put_u16(uint8_t *at, uint16_t number);
void wire_put_u32(uint8_t *at, uint32_t number);

/* Written out so that a compiler sees one store, or one load. */
static inline void
wire_put_u64(uint8_t *at, uint64_t number)
{
	for (unsigned i = 0; i < 8; i++)
		at[i] = (uint8_t)(number >> 8 * i);
}

/* --- writing: at the end of a buffer -------------------------------------- */

void wire_add_u8(struct buf *out, unsigned number);
void wire_add_u64(struct buf *out, uint64_t number);
void wire_add_varint(struct buf *out, uint64_t number);
void wire_add_zigzag(struct buf *out, int64_t number);

/* --- reading -------------------------------------------------------------- */

struct wire_reader wire_reader(const void *data, size_t length);

static inline size_t
wire_left(const struct wire_reader *in)
{
	return (size_t)(in->end - in->at);
}

uint16_t wire_u16(const uint8_t *at);
uint32_t wire_u32(const uint8_t *at);

static inline uint64_t
wire_u64(const uint8_t *at)
{
	return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 |
	       (uint64_t)at[3] << 24 | (uint64_t)at[4] << 32 |
	       (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 |
	       (uint64_t)at[7] << 56;
}

/* The next "length" bytes; NULL and failed when there are fewer. */
const uint8_t *wire_take(struct wire_reader *in, size_t length);
unsigned wire_take_u8(struct wire_reader *in);
uint64_t wire_take_u64(struct wire_reader *in);

/* A varint of more than one byte, or none at all. */
uint64_t wire_take_long_varint(struct wire_reader *in);

static inline uint64_t
wire_take_varint(struct wire_reader *in)
{
	if (in->at < in->end && *in->at < 0x80)
		return *in->at++;
	return wire_take_long_varint(in);
}

static inline int64_t
wire_take_zigzag(struct wire_reader *in)
{
	return wire_unzigzag(wire_take_varint(in));
}

#endif
