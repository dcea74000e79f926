/* modbus_address: where in a Modbus device a variable is, and as what. */

#include "agents/modbus_address.h"

#include <string.h>

#define NUMBER_MAX 65536 /* counted from 1 */
#define PLACES     65536

static const char *const table_names[MODBUS_TABLES] = {
	[MODBUS_COIL] = "coil",
	[MODBUS_DISCRETE] = "discrete",
	[MODBUS_INPUT] = "input",
	[MODBUS_HOLDING] = "holding",
};

/* The number of a type's name is that of its bits, of a string's its bytes. */
static const struct {
	const char *name;
	enum modbus_type type;
	unsigned minimum;
	unsigned maximum;
} types[] = {
	{"int", MODBUS_INT, 16, 64},
	{"uint", MODBUS_UINT, 16, 64},
	{"float", MODBUS_FLOAT, 32, 64},
	{"bcd", MODBUS_BCD, 16, 64},
	{"string", MODBUS_TEXT, 1, MODBUS_TEXT_BYTES_MAX},
};

bool
modbus_is_bits(enum modbus_table table)
{
	return table == MODBUS_COIL || table == MODBUS_DISCRETE;
}

bool
modbus_can_write(enum modbus_table table)
{
	return table == MODBUS_COIL || table == MODBUS_HOLDING;
}

const char *
modbus_table_name(enum modbus_table table)
{
	return table_names[table];
}

/* --- parts --------------------------------------------------------------- */

/* Digits at *text, which is moved behind them; false: none, or too large. */
static bool
take_number(const char **text, unsigned maximum, unsigned *number)
{
	const char *from = *text;

	for (*number = 0; **text >= '0' && **text <= '9'; (*text)++) {
		*number = *number * 10 + (unsigned)(**text - '0');
		if (*number > maximum)
			return false;
	}
	return *text > from;
}

/* The part up to one of "ends"; *text is moved behind it. */
static size_t
part_length(const char *text, const char *ends)
{
	return strcspn(text, ends);
}

static enum rc
take_device(
	const char **text, struct modbus_address *address, struct fault *fault)
{
	size_t length = part_length(*text, "/");

	if ((*text)[length] != '/' || length == 0 ||
		length > MODBUS_NAME_BYTES_MAX)
		return fault_set(fault, RC_BAD_INPUT,
			"\"%.80s\": must be DEVICE/TABLE/NUMBER", *text);
	memcpy(address->device, *text, length);
	address->device[length] = '\0';
	*text += length + 1;
	return RC_OK;
}

static enum rc
take_table(
	const char **text, struct modbus_address *address, struct fault *fault)
{
	size_t length = part_length(*text, "/");

	for (int table = 0; table < MODBUS_TABLES; table++)
		if (strlen(table_names[table]) == length &&
			strncmp(*text, table_names[table], length) == 0 &&
			(*text)[length] == '/') {
			address->table = (enum modbus_table)table;
			*text += length + 1;
			return RC_OK;
		}
	return fault_set(fault, RC_BAD_INPUT,
		"table \"%.*s\": must be coil, discrete, input or holding",
		(int)(length < 40 ? length : 40), *text);
}

static enum rc
take_place(
	const char **text, struct modbus_address *address, struct fault *fault)
{
	const char *from = *text;
	unsigned number;
	unsigned bit;

	if (!take_number(text, NUMBER_MAX, &number))
		return fault_set(fault, RC_BAD_INPUT,
			"\"%.40s\": the number must be 0 to 65536", from);
	address->number = number;
	address->count = 1;
	address->bytes = 2;
	address->type =
		modbus_is_bits(address->table) ? MODBUS_BIT : MODBUS_UINT;
	if (**text != '.')
		return RC_OK;
	(*text)++;
	if (modbus_is_bits(address->table) || !take_number(text, 15, &bit))
		return fault_set(fault, RC_BAD_INPUT,
			"\"%.40s\": a bit is .0 to .15 of a register", from);
	address->type = MODBUS_BIT;
	address->bit = (uint8_t)bit;
	return RC_OK;
}

/* --- type ---------------------------------------------------------------- */

static bool
is_size(enum modbus_type type, unsigned number)
{
	return type == MODBUS_TEXT || number == 16 || number == 32 ||
	       number == 64;
}

static void
set_type(struct modbus_address *address, enum modbus_type type, unsigned number)
{
	address->type = type;
	address->bytes = (uint16_t)(type == MODBUS_TEXT ? number : number / 8);
	address->count = (uint16_t)((address->bytes + 1) / 2);
}

/* "part" is the name up to its number: int32 is "int" and 32. */
static bool
parse_type(const char *part, size_t length, struct modbus_address *address)
{
	for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
		size_t name = strlen(types[i].name);
		const char *rest = part + name;
		unsigned number;

		if (name >= length || strncmp(part, types[i].name, name) != 0)
			continue;
		if (!take_number(&rest, types[i].maximum, &number) ||
			rest != part + length || number < types[i].minimum ||
			!is_size(types[i].type, number))
			return false;
		set_type(address, types[i].type, number);
		return true;
	}
	return false;
}

static enum rc
take_type(
	const char **text, struct modbus_address *address, struct fault *fault)
{
	size_t length = part_length(*text, ":");

	if (address->type == MODBUS_BIT)
		return fault_set(fault, RC_BAD_INPUT,
			"\":%.40s\": a bit has no type", *text);
	if (!parse_type(*text, length, address))
		return fault_set(fault, RC_BAD_INPUT,
			"type \"%.*s\": must be int16 int32 int64 uint16 "
			"uint32 uint64 float32 float64 bcd16 bcd32 bcd64 or "
			"string1 to string246",
			(int)(length < 40 ? length : 40), *text);
	*text += length;
	return RC_OK;
}

/* --- order --------------------------------------------------------------- */

/* Each of the first "bytes" letters once. */
static bool
parse_letters(const char *text, size_t bytes, uint8_t order[MODBUS_ORDER_BYTES])
{
	unsigned seen = 0;

	if (strlen(text) != bytes)
		return false;
	for (size_t i = 0; i < bytes; i++) {
		unsigned letter = (unsigned)(unsigned char)text[i] - 'a';

		if (letter >= bytes || seen & 1U << letter)
			return false;
		seen |= 1U << letter;
		order[i] = (uint8_t)letter;
	}
	return true;
}

/* What four letters say about words and bytes, of any number of bytes. */
static bool
parse_rule(const char *text, size_t bytes, uint8_t order[MODBUS_ORDER_BYTES])
{
	static const char *const rules[] = {"abcd", "badc", "cdab", "dcba"};

	for (size_t rule = 0; rule < ARRAY_LENGTH(rules); rule++) {
		size_t bytes_swapped = rule & 1;
		size_t words_swapped = rule >> 1;

		if (strcmp(text, rules[rule]) != 0)
			continue;
		for (size_t i = 0; i < bytes; i++) {
			size_t word =
				words_swapped ? bytes / 2 - 1 - i / 2 : i / 2;

			order[i] =
				(uint8_t)(word * 2 + ((i & 1) ^ bytes_swapped));
		}
		return true;
	}
	return false;
}

bool
modbus_order_parse(
	const char *text, size_t bytes, uint8_t order[MODBUS_ORDER_BYTES])
{
	if (bytes == 2 || bytes == 4 || bytes == 8)
		if (parse_letters(text, bytes, order))
			return true;
	return bytes == 8 && parse_rule(text, bytes, order);
}

/* How many bytes an order of the address has letters for. */
static size_t
order_bytes(const struct modbus_address *address)
{
	return address->type == MODBUS_TEXT ? 2 : address->bytes;
}

static enum rc
take_order(
	const char *text, struct modbus_address *address, struct fault *fault)
{
	if (address->type == MODBUS_BIT)
		return fault_set(fault, RC_BAD_INPUT,
			"order \"%.40s\": a bit has none", text);
	if (!modbus_order_parse(text, order_bytes(address), address->order))
		return fault_set(fault, RC_BAD_INPUT,
			"order \"%.40s\": must have the letters of %zu bytes, "
			"such as %s",
			text, order_bytes(address),
			order_bytes(address) == 2 ? "ab or ba"
						  : "abcd, cdab, badc, dcba");
	address->has_order = true;
	return RC_OK;
}

/* --- the whole ----------------------------------------------------------- */

static enum rc
take_rest(const char *text, struct modbus_address *address, struct fault *fault)
{
	enum rc rc = RC_OK;

	if (*text == ':') {
		text++;
		rc = take_type(&text, address, fault);
	}
	if (rc != RC_OK || *text == '\0')
		return rc;
	if (*text != ':')
		return fault_set(fault, RC_BAD_INPUT,
			"\"%.40s\" is too much behind the number", text);
	return take_order(text + 1, address, fault);
}

enum rc
modbus_address_parse(
	const char *text, struct modbus_address *address, struct fault *fault)
{
	enum rc rc;

	memset(address, 0, sizeof(*address));
	for (uint8_t i = 0; i < MODBUS_ORDER_BYTES; i++)
		address->order[i] = i;
	rc = take_device(&text, address, fault);
	if (rc == RC_OK)
		rc = take_table(&text, address, fault);
	if (rc == RC_OK)
		rc = take_place(&text, address, fault);
	if (rc == RC_OK)
		rc = take_rest(text, address, fault);
	return rc;
}

enum rc
modbus_address_place(struct modbus_address *address, uint32_t first,
	const char *order, struct fault *fault)
{
	if (address->number < first ||
		address->number - first + address->count > PLACES)
		return fault_set(fault, RC_BAD_INPUT,
			"%s %u: reaches out of %u to %u",
			modbus_table_name(address->table), address->number,
			first, first + PLACES - 1);
	address->number -= first;
	/* One register is as the protocol has it, whatever the device does
	 * with more of them. */
	if (!address->has_order && address->type != MODBUS_TEXT &&
		address->bytes > 2 &&
		!parse_rule(order, address->bytes, address->order))
		return fault_set(fault, RC_BAD_INPUT,
			"order \"%.40s\": must be abcd, badc, cdab or dcba",
			order);
	return RC_OK;
}
