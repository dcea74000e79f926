/* modbus: addresses, and values in every word and byte order. */

#include "agents/modbus_device.h"
#include "agents/modbus_value.h"
#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- addresses --------------------------------------------------------------
 */

static struct modbus_address
parsed(const char *text)
{
	struct modbus_address address;
	struct fault fault = {0};

	if (modbus_address_parse(text, &address, &fault) != RC_OK)
		fail_msg("%s: %s", text, fault.text);
	if (modbus_address_place(&address, 0, "abcd", &fault) != RC_OK)
		fail_msg("%s: %s", text, fault.text);
	return address;
}

static void
test_address_says_where_and_what(void **state)
{
	static const struct {
		const char *text;
		enum modbus_table table;
		uint32_t number;
		uint16_t count;
		enum modbus_type type;
		uint16_t bytes;
		uint8_t bit;
	} cases[] = {
		{"d/coil/0", MODBUS_COIL, 0, 1, MODBUS_BIT, 2, 0},
		{"d/discrete/65535", MODBUS_DISCRETE, 65535, 1, MODBUS_BIT, 2,
			0},
		{"d/input/7", MODBUS_INPUT, 7, 1, MODBUS_UINT, 2, 0},
		{"d/holding/7:int16", MODBUS_HOLDING, 7, 1, MODBUS_INT, 2, 0},
		{"d/holding/7.15", MODBUS_HOLDING, 7, 1, MODBUS_BIT, 2, 15},
		{"d/input/7:uint32", MODBUS_INPUT, 7, 2, MODBUS_UINT, 4, 0},
		{"d/input/7:int64", MODBUS_INPUT, 7, 4, MODBUS_INT, 8, 0},
		{"d/input/7:float32:cdab", MODBUS_INPUT, 7, 2, MODBUS_FLOAT, 4,
			0},
		{"d/input/7:float64", MODBUS_INPUT, 7, 4, MODBUS_FLOAT, 8, 0},
		{"d/input/7:bcd16", MODBUS_INPUT, 7, 1, MODBUS_BCD, 2, 0},
		{"d/holding/0:string1", MODBUS_HOLDING, 0, 1, MODBUS_TEXT, 1,
			0},
		{"d/holding/0:string246", MODBUS_HOLDING, 0, 123, MODBUS_TEXT,
			246, 0},
		{"d/input/65534:uint32", MODBUS_INPUT, 65534, 2, MODBUS_UINT, 4,
			0},
		{"pump 1.x/coil/1", MODBUS_COIL, 1, 1, MODBUS_BIT, 2, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct modbus_address address = parsed(cases[i].text);

		assert_int_equal(address.table, cases[i].table);
		assert_int_equal(address.number, cases[i].number);
		assert_int_equal(address.count, cases[i].count);
		assert_int_equal(address.type, cases[i].type);
		assert_int_equal(address.bytes, cases[i].bytes);
		assert_int_equal(address.bit, cases[i].bit);
	}
	assert_string_equal(parsed("pump 1.x/coil/1").device, "pump 1.x");
}

static void
test_address_is_refused_with_a_reason(void **state)
{
	static const char *const cases[][2] = {
		{"", "DEVICE/TABLE/NUMBER"},
		{"d", "DEVICE/TABLE/NUMBER"},
		{"/coil/1", "DEVICE/TABLE/NUMBER"},
		{"d/coils/1", "coil, discrete, input or holding"},
		{"d/holding", "coil, discrete, input or holding"},
		{"d/holding/", "number must be"},
		{"d/holding/-1", "number must be"},
		{"d/holding/65537", "number must be"},
		{"d/holding/99999999999999999999", "number must be"},
		{"d/holding/1x", "too much"},
		{"d/holding/1.16", "a bit is .0 to .15"},
		{"d/holding/1.", "a bit is .0 to .15"},
		{"d/coil/1.0", "a bit is .0 to .15"},
		{"d/coil/1:int16", "a bit has no type"},
		{"d/holding/1.3:int16", "a bit has no type"},
		{"d/holding/1:", "type \"\""},
		{"d/holding/1:int", "type \"int\""},
		{"d/holding/1:int24", "type \"int24\""},
		{"d/holding/1:float16", "type \"float16\""},
		{"d/holding/1:string0", "type \"string0\""},
		{"d/holding/1:string247", "type \"string247\""},
		{"d/holding/1:uint16x", "type \"uint16x\""},
		{"d/holding/1:uint16:abcd", "order \"abcd\""},
		{"d/holding/1:uint32:abca", "order \"abca\""},
		{"d/holding/1:uint32:abce", "order \"abce\""},
		{"d/holding/1:string4:abcd", "order \"abcd\""},
		{"d/holding/1:uint32:abcd:", "order \"abcd:\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct modbus_address address;
		struct fault fault = {0};

		assert_int_equal(
			modbus_address_parse(cases[i][0], &address, &fault),
			RC_BAD_INPUT);
		if (strstr(fault.text, cases[i][1]) == NULL)
			fail_msg("%s: %s", cases[i][0], fault.text);
	}
}

static enum rc
place(const char *text, uint32_t first, uint32_t *number)
{
	struct modbus_address address;
	struct fault fault;
	enum rc rc = modbus_address_parse(text, &address, &fault);

	if (rc == RC_OK)
		rc = modbus_address_place(&address, first, "abcd", &fault);
	*number = address.number;
	return rc;
}

static void
test_address_counts_as_the_manual_does(void **state)
{
	uint32_t number;

	(void)state;
	assert_int_equal(place("d/holding/1", 1, &number), RC_OK);
	assert_int_equal(number, 0);
	assert_int_equal(place("d/holding/65536", 1, &number), RC_OK);
	assert_int_equal(number, 65535);
	assert_int_equal(place("d/holding/0", 1, &number), RC_BAD_INPUT);
	assert_int_equal(place("d/holding/65536", 0, &number), RC_BAD_INPUT);
	assert_int_equal(
		place("d/holding/65535:int32", 0, &number), RC_BAD_INPUT);
}

/* --- values -----------------------------------------------------------------
 */

static void
assert_number(const char *text, const uint16_t *registers, double wanted)
{
	struct modbus_address address = parsed(text);
	struct value value;
	char room[MODBUS_TEXT_BYTES_MAX + 1];

	assert_true(modbus_decode(&address, registers, &value, room));
	if (value_number(&value) != wanted)
		fail_msg("%s: %.17g is not %.17g", text, value_number(&value),
			wanted);
}

static void
test_value_of_every_type(void **state)
{
	(void)state;
	assert_number("d/input/0", (uint16_t[]){0xfffe}, 65534);
	assert_number("d/input/0:int16", (uint16_t[]){0xfffe}, -2);
	assert_number("d/input/0:uint16:ba", (uint16_t[]){0x3412}, 0x1234);
	assert_number("d/input/0.1", (uint16_t[]){0xfffe}, 1);
	assert_number("d/input/0.0", (uint16_t[]){0xfffe}, 0);
	assert_number("d/input/0:bcd16", (uint16_t[]){0x1234}, 1234);
	assert_number(
		"d/input/0:bcd32", (uint16_t[]){0x9876, 0x5432}, 98765432);
	assert_number("d/input/0:int32", (uint16_t[]){0xffff, 0xfffe}, -2);
	/* IEEE 754: 25 is 0x41c80000, -1.5 is 0xbff8000000000000 */
	assert_number("d/input/0:float32", (uint16_t[]){0x41c8, 0}, 25);
	assert_number("d/input/0:float64", (uint16_t[]){0xbff8, 0, 0, 0}, -1.5);
	assert_number("d/input/0:uint64",
		(uint16_t[]){0xffff, 0xffff, 0xffff, 0xffff},
		18446744073709551615.0);
}

/* The names are how meters and inverters call their orders. */
static void
test_value_of_every_order(void **state)
{
	static const struct {
		const char *order;
		uint16_t two[2];  /* of 0x11223344 */
		uint16_t four[4]; /* of 0x0122334455667788 */
	} cases[] = {
		{"abcd", {0x1122, 0x3344}, {0x0122, 0x3344, 0x5566, 0x7788}},
		{"cdab", {0x3344, 0x1122}, {0x7788, 0x5566, 0x3344, 0x0122}},
		{"badc", {0x2211, 0x4433}, {0x2201, 0x4433, 0x6655, 0x8877}},
		{"dcba", {0x4433, 0x2211}, {0x8877, 0x6655, 0x4433, 0x2201}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		char text[64];

		snprintf(text, sizeof(text), "d/input/0:uint32:%s",
			cases[i].order);
		assert_number(text, cases[i].two, 0x11223344);
		snprintf(text, sizeof(text), "d/input/0:int64:%s",
			cases[i].order);
		assert_number(text, cases[i].four, (double)0x0122334455667788);
	}
	assert_number("d/input/0:int64:efghabcd",
		(uint16_t[]){0x5566, 0x7788, 0x0122, 0x3344},
		(double)0x0122334455667788);
}

static void
test_value_that_is_none(void **state)
{
	static const struct {
		const char *text;
		uint16_t registers[4];
	} cases[] = {
		{"d/input/0:bcd16", {0x123a}},
		{"d/input/0:float32", {0x7fc0, 0}}, /* NaN */
		{"d/input/0:float32", {0xff80, 0}}, /* -infinity */
		{"d/input/0:float64", {0x7ff8, 0, 0, 0}},
		{"d/input/0:string4", {0xff41, 0}}, /* no UTF-8 */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct modbus_address address = parsed(cases[i].text);
		struct value value;
		char room[MODBUS_TEXT_BYTES_MAX + 1];

		assert_false(modbus_decode(
			&address, cases[i].registers, &value, room));
	}
}

static void
assert_text(const char *text, const uint16_t *registers, const char *wanted)
{
	struct modbus_address address = parsed(text);
	uint16_t back[MODBUS_VALUE_REGISTERS_MAX];
	struct value value;
	struct fault fault;
	char room[MODBUS_TEXT_BYTES_MAX + 1];

	assert_true(modbus_decode(&address, registers, &value, room));
	assert_string_equal(value.string.data, wanted);
	assert_int_equal(value.string.bytes, strlen(wanted));
	assert_int_equal(modbus_encode(&address, &value, back, &fault), RC_OK);
	assert_true(modbus_decode(&address, back, &value, room));
	assert_string_equal(value.string.data, wanted);
}

static void
test_value_of_text(void **state)
{
	(void)state;
	assert_text(
		"d/holding/0:string4", (uint16_t[]){0x4142, 0x4344}, "ABCD");
	assert_text(
		"d/holding/0:string4:ba", (uint16_t[]){0x4142, 0x4344}, "BADC");
	assert_text("d/holding/0:string3", (uint16_t[]){0x4142, 0x4344}, "ABC");
	assert_text(
		"d/holding/0:string3:ba", (uint16_t[]){0x4142, 0x4344}, "BAD");
	assert_text("d/holding/0:string8", (uint16_t[]){0x4142, 0x0044, 0, 0},
		"AB");
	assert_text("d/holding/0:string4", (uint16_t[]){0x4120, 0x2020}, "A");
	assert_text("d/holding/0:string4", (uint16_t[]){0xc3a4, 0x2020}, "ä");
}

/* What is written reads back as it was, whatever type and order. */
static void
test_value_survives_the_way_there_and_back(void **state)
{
	static const char *const types[] = {"int16", "uint16", "int32",
		"uint32", "int64", "uint64", "float32", "float64", "bcd16",
		"bcd32", "bcd64"};
	static const char *const orders2[] = {"ab", "ba"};

	(void)state;
	for (int i = 0; i < 20000; i++) {
		const char *type = types[unit_draw() % ARRAY_LENGTH(types)];
		bool one = strstr(type, "16") != NULL;
		uint16_t wire[4];
		uint16_t back[MODBUS_VALUE_REGISTERS_MAX];
		struct modbus_address address;
		struct value value;
		struct fault fault = {0};
		char room[MODBUS_TEXT_BYTES_MAX + 1];
		char text[64];

		snprintf(text, sizeof(text), "d/holding/0:%s:%s", type,
			one ? orders2[unit_draw() % 2]
			    : modbus_orders[unit_draw() % 4]);
		address = parsed(text);
		for (size_t j = 0; j < 4; j++)
			wire[j] = (uint16_t)unit_draw();
		if (!modbus_decode(&address, wire, &value, room))
			continue;
		if (address.type == MODBUS_UINT && value.kind == VALUE_FLOAT)
			continue; /* above 2^63 digits are lost */
		if (modbus_encode(&address, &value, back, &fault) != RC_OK)
			fail_msg("%s: %s", text, fault.text);
		assert_true(modbus_same(&address, wire, back));
	}
}

static void
test_value_that_does_not_fit(void **state)
{
	static const struct {
		const char *text;
		double number;
		bool fits;
	} cases[] = {
		{"d/holding/0", 65535, true},
		{"d/holding/0", 65535.4, true},
		{"d/holding/0", 65536, false},
		{"d/holding/0", -1, false},
		{"d/holding/0", -0.4, true},
		{"d/holding/0:int16", -32768, true},
		{"d/holding/0:int16", -32769, false},
		{"d/holding/0:int16", 32768, false},
		{"d/holding/0:bcd16", 9999, true},
		{"d/holding/0:bcd16", 10000, false},
		{"d/holding/0:bcd16", -1, false},
		{"d/holding/0:uint32", 4294967295, true},
		{"d/holding/0:uint32", 4294967296, false},
		{"d/holding/0:int64", 9.3e18, false},
		{"d/holding/0:uint64", 1.8e19, true},
		{"d/holding/0:uint64", 1.9e19, false},
		{"d/holding/0:float32", 1e39, false},
		{"d/holding/0:float64", 1e308, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct modbus_address address = parsed(cases[i].text);
		struct value value = {
			.kind = VALUE_FLOAT, .number = cases[i].number};
		uint16_t registers[MODBUS_VALUE_REGISTERS_MAX];
		struct fault fault;
		enum rc rc = modbus_encode(&address, &value, registers, &fault);

		if ((rc == RC_OK) != cases[i].fits)
			fail_msg("%s %g", cases[i].text, cases[i].number);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address_says_where_and_what),
		cmocka_unit_test(test_address_is_refused_with_a_reason),
		cmocka_unit_test(test_address_counts_as_the_manual_does),
		cmocka_unit_test(test_value_of_every_type),
		cmocka_unit_test(test_value_of_every_order),
		cmocka_unit_test(test_value_that_is_none),
		cmocka_unit_test(test_value_of_text),
		cmocka_unit_test(test_value_survives_the_way_there_and_back),
		cmocka_unit_test(test_value_that_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
