/*
 * modbus_address: where in a Modbus device a variable is, and as what.
 *
 *   DEVICE/TABLE/NUMBER[.BIT][:TYPE][:ORDER]
 *
 * TABLE is coil, discrete, input or holding, NUMBER that of the first coil or
 * register, from 0 as on the wire or from 1 as the device's manual counts.
 * doc/AGENT.md describes it for people. Source: Modbus Application Protocol
 * Specification V1.1b3, chapters 4.3 and 6.
 */
#ifndef FG_AGENTS_MODBUS_ADDRESS_H
#define FG_AGENTS_MODBUS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/fault.h"

#define MODBUS_NAME_BYTES_MAX 64
#define MODBUS_TEXT_BYTES_MAX                                                  \
	246 /* of a string: what one request can write                         \
	     */
#define MODBUS_ORDER_BYTES 8

enum modbus_table {
	MODBUS_COIL,
	MODBUS_DISCRETE,
	MODBUS_INPUT,
	MODBUS_HOLDING,
	MODBUS_TABLES
};

enum modbus_type {
	MODBUS_BIT, /* a coil, a discrete input or one bit of a register */
	MODBUS_INT,
	MODBUS_UINT,
	MODBUS_FLOAT,
	MODBUS_BCD,
	MODBUS_TEXT,
};

struct modbus_address {
	char device[MODBUS_NAME_BYTES_MAX + 1];
	enum modbus_table table;
	uint32_t number; /* as written; modbus_address_place counts from 0 */
	uint16_t count;  /* coils or registers */
	enum modbus_type type;
	uint8_t bit;    /* of a MODBUS_BIT in a register, 0 = the lowest */
	uint16_t bytes; /* of the value; 2, 4, 8, or of a text */
	/* Which byte of the value, 0 = the highest, each byte on the wire is.
	 * Of a text only the first two count: how they lie in each register. */
	uint8_t order[MODBUS_ORDER_BYTES];
	bool has_order; /* written in the address; the device's otherwise */
};

/* Fails: RC_BAD_INPUT with words about the part that is not understood. */
MUST_CHECK enum rc modbus_address_parse(
	const char *text, struct modbus_address *address, struct fault *fault);

/*
 * Read an order of "bytes" letters, each of the first ones of the alphabet
 * once, a being the highest byte: "cdab". Four letters that keep or swap words
 * and bytes serve eight bytes as well. False: it is none.
 */
bool modbus_order_parse(
	const char *text, size_t bytes, uint8_t order[MODBUS_ORDER_BYTES]);

/*
 * Count from 0 when the device's manual counts from "first", and take its order
 * if the address has none and more than one register.
 * Fails: RC_BAD_INPUT when it reaches out of 0..65535.
 */
MUST_CHECK enum rc modbus_address_place(struct modbus_address *address,
	uint32_t first, const char *order, struct fault *fault);

bool modbus_is_bits(enum modbus_table table); /* not registers */
bool modbus_can_write(enum modbus_table table);
const char *modbus_table_name(enum modbus_table table);

#endif
