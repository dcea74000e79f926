/* modbus_value: values in coils and registers, by type, word and byte order. */

#include "agents/modbus_value.h"

#include <math.h>
#include <string.h>

#include "lib/utf8.h"

#define INT64_EDGE  9223372036854775808.0  /* 2^63 */
#define UINT64_EDGE 18446744073709551616.0 /* 2^64 */

/* --- bytes --------------------------------------------------------------- */

/* The byte at "place" on the wire: registers come with the high byte first. */
static uint8_t
wire_byte(const uint16_t *registers, size_t place)
{
	return (uint8_t)(registers[place / 2] >> (place % 2 == 0 ? 8 : 0));
}

static void
put_wire_byte(uint16_t *registers, size_t place, uint8_t byte)
{
	registers[place / 2] |= (uint16_t)(byte << (place % 2 == 0 ? 8 : 0));
}

/* The value's bits, as one number. */
static uint64_t
gather(const struct modbus_address *address, const uint16_t *registers)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < address->bytes; i++)
		bits |= (uint64_t)wire_byte(registers, i)
			<< 8 * (address->bytes - 1U - address->order[i]);
	return bits;
}

static void
scatter(const struct modbus_address *address, uint64_t bits,
	uint16_t *registers)
{
	for (size_t i = 0; i < address->bytes; i++)
		put_wire_byte(registers, i,
			(uint8_t)(bits >> 8 * (address->bytes - 1U -
						      address->order[i])));
}

/* Where on the wire the byte of a text is. */
static size_t
text_place(const struct modbus_address *address, size_t i)
{
	return i - i % 2 + address->order[i % 2];
}

/* --- decode -------------------------------------------------------------- */

static bool
decode_bcd(const struct modbus_address *address, uint64_t bits, int64_t *number)
{
	*number = 0;
	for (size_t digit = address->bytes * 2U; digit-- > 0;) {
		int64_t decimal = (int64_t)(bits >> 4 * digit & 0xf);

		if (decimal > 9)
			return false;
		*number = *number * 10 + decimal;
	}
	return true;
}

static bool
decode_float(
	const struct modbus_address *address, uint64_t bits, double *number)
{
	uint32_t half = (uint32_t)bits;
	float single;

	if (address->bytes == sizeof(single)) {
		memcpy(&single, &half, sizeof(single));
		*number = (double)single;
	} else {
		memcpy(number, &bits, sizeof(*number));
	}
	return isfinite(*number);
}

static int64_t
extend_sign(const struct modbus_address *address, uint64_t bits)
{
	switch (address->bytes) {
	case sizeof(int16_t):
		return (int16_t)bits;
	case sizeof(int32_t):
		return (int32_t)bits;
	default:
		return (int64_t)bits;
	}
}

static bool
decode_text(const struct modbus_address *address, const uint16_t *registers,
	struct value *value, char *text)
{
	size_t length = 0;

	while (length < address->bytes) {
		char byte =
			(char)wire_byte(registers, text_place(address, length));

		if (byte == '\0')
			break;
		text[length++] = byte;
	}
	while (length > 0 && text[length - 1] == ' ')
		length--;
	text[length] = '\0';
	*value = (struct value){.kind = VALUE_STRING};
	value->string.data = text;
	value->string.bytes = (uint32_t)length;
	return utf8_valid(text, length);
}

bool
modbus_decode(const struct modbus_address *address, const uint16_t *registers,
	struct value *value, char text[MODBUS_TEXT_BYTES_MAX + 1])
{
	uint64_t bits;

	if (address->type == MODBUS_TEXT)
		return decode_text(address, registers, value, text);
	if (address->type == MODBUS_BIT) {
		*value = (struct value){.kind = VALUE_BOOL,
			.boolean = (registers[0] >> address->bit & 1) != 0};
		return true;
	}
	bits = gather(address, registers);
	*value = (struct value){.kind = VALUE_INT};
	switch (address->type) {
	case MODBUS_FLOAT:
		value->kind = VALUE_FLOAT;
		return decode_float(address, bits, &value->number);
	case MODBUS_BCD:
		return decode_bcd(address, bits, &value->integer);
	case MODBUS_INT:
		value->integer = extend_sign(address, bits);
		return true;
	default:
		value->integer = (int64_t)bits;
		if (bits > INT64_MAX)
			*value = (struct value){
				.kind = VALUE_FLOAT, .number = (double)bits};
		return true;
	}
}

/* --- encode -------------------------------------------------------------- */

static enum rc
refuse(const struct modbus_address *address, struct fault *fault)
{
	return fault_set(fault, RC_UNPROCESSABLE,
		"the value does not fit into %u bits of the device",
		8U * address->bytes);
}

/* The nearest whole number as sign and magnitude; false: beyond 64 bits. */
static bool
split(const struct value *value, bool *negative, uint64_t *magnitude)
{
	double whole;

	if (value->kind == VALUE_INT) {
		*negative = value->integer < 0;
		*magnitude = *negative ? 0 - (uint64_t)value->integer
				       : (uint64_t)value->integer;
		return true;
	}
	whole = value->kind == VALUE_BOOL ? value->boolean
					  : round(value->number);
	*negative = whole < 0;
	if (!(fabs(whole) < UINT64_EDGE))
		return false;
	*magnitude = (uint64_t)fabs(whole);
	return true;
}

/* The digits of a BCD number; false: it has too many. */
static bool
encode_bcd(
	const struct modbus_address *address, uint64_t number, uint64_t *bits)
{
	*bits = 0;
	for (size_t digit = 0; digit < address->bytes * 2U; digit++) {
		*bits |= number % 10 << 4 * digit;
		number /= 10;
	}
	return number == 0;
}

static bool
encode_whole(const struct modbus_address *address, const struct value *value,
	uint64_t *bits)
{
	uint64_t edge = UINT64_C(1) << (8 * address->bytes - 1);
	bool negative;

	if (!split(value, &negative, bits) || (negative && *bits > edge))
		return false;
	if (address->type == MODBUS_INT) {
		if (!negative && *bits >= edge)
			return false;
		*bits = negative ? 0 - *bits : *bits;
		return true;
	}
	if (negative && *bits != 0)
		return false;
	if (address->type == MODBUS_BCD)
		return encode_bcd(address, *bits, bits);
	return address->bytes == 8 || *bits >> 8 * address->bytes == 0;
}

static bool
encode_float(const struct modbus_address *address, const struct value *value,
	uint64_t *bits)
{
	double number = value_number(value);
	float single = (float)number;
	uint32_t half;

	if (address->bytes == sizeof(number)) {
		memcpy(bits, &number, sizeof(number));
		return isfinite(number);
	}
	memcpy(&half, &single, sizeof(half));
	*bits = half;
	return isfinite(single);
}

static enum rc
encode_text(const struct modbus_address *address, const struct value *value,
	uint16_t *registers, struct fault *fault)
{
	if (value->string.bytes > address->bytes)
		return fault_set(fault, RC_UNPROCESSABLE,
			"the text has more than the %u bytes of the device",
			address->bytes);
	for (size_t i = 0; i < value->string.bytes; i++)
		put_wire_byte(registers, text_place(address, i),
			(uint8_t)value->string.data[i]);
	return RC_OK;
}

enum rc
modbus_encode(const struct modbus_address *address, const struct value *value,
	uint16_t registers[MODBUS_VALUE_REGISTERS_MAX], struct fault *fault)
{
	uint64_t bits;
	bool fits;

	memset(registers, 0, address->count * sizeof(*registers));
	if ((value->kind == VALUE_STRING) != (address->type == MODBUS_TEXT))
		return fault_set(
			fault, RC_UNPROCESSABLE, "text and numbers do not mix");
	if (address->type == MODBUS_TEXT)
		return encode_text(address, value, registers, fault);
	if (address->type == MODBUS_BIT) {
		if (value_number(value) != 0)
			registers[0] = (uint16_t)(1U << address->bit);
		return RC_OK;
	}
	fits = address->type == MODBUS_FLOAT
		       ? encode_float(address, value, &bits)
		       : encode_whole(address, value, &bits);
	if (!fits)
		return refuse(address, fault);
	scatter(address, bits, registers);
	return RC_OK;
}

bool
modbus_same(const struct modbus_address *address, const uint16_t *left,
	const uint16_t *right)
{
	if (address->type == MODBUS_BIT)
		return ((left[0] ^ right[0]) >> address->bit & 1) == 0;
	return memcmp(left, right, address->count * sizeof(*left)) == 0;
}
