/* modbus_value: values in coils and registers, by type, word and byte order. */
#ifndef FG_AGENTS_MODBUS_VALUE_H
#define FG_AGENTS_MODBUS_VALUE_H

#include "agents/modbus_address.h"
#include "model/sample.h"

#define MODBUS_VALUE_REGISTERS_MAX ((MODBUS_TEXT_BYTES_MAX + 1) / 2)

/*
 * The value that address->count registers (or one coil, 0 or 1) hold; text goes
 * to "text", up to the first zero byte and without spaces at its end. False
 * when they hold none: a BCD digit above 9, a float that is not finite, text
 * that is not UTF-8. A uint64 above INT64_MAX is told as a float.
 */
bool modbus_decode(const struct modbus_address *address,
	const uint16_t *registers, struct value *value,
	char text[MODBUS_TEXT_BYTES_MAX + 1]);

/*
 * What to write for "value". Numbers are rounded to the nearest that the type
 * has; text is filled up with zero bytes. Of a bit in a register "registers"
 * gets 0 or its mask.
 * Fails: RC_UNPROCESSABLE the type cannot hold it.
 */
MUST_CHECK enum rc modbus_encode(const struct modbus_address *address,
	const struct value *value,
	uint16_t registers[MODBUS_VALUE_REGISTERS_MAX], struct fault *fault);

/* Whether two images of what the address holds are the same; other bits of the
 * register do not count. */
bool modbus_same(const struct modbus_address *address, const uint16_t *left,
	const uint16_t *right);

#endif
