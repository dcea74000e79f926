/* modbus: addresses, word and byte orders, and the plan of read requests. */

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

static uint64_t
draw(void)
{
	static uint64_t state = 88172645463325252; /* xorshift64 */

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
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
		const char *type = types[draw() % ARRAY_LENGTH(types)];
		bool one = strstr(type, "16") != NULL;
		uint16_t wire[4];
		uint16_t back[MODBUS_VALUE_REGISTERS_MAX];
		struct modbus_address address;
		struct value value;
		struct fault fault = {0};
		char room[MODBUS_TEXT_BYTES_MAX + 1];
		char text[64];

		snprintf(text, sizeof(text), "d/holding/0:%s:%s", type,
			one ? orders2[draw() % 2] : modbus_orders[draw() % 4]);
		address = parsed(text);
		for (size_t j = 0; j < 4; j++)
			wire[j] = (uint16_t)draw();
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

/* --- plan -------------------------------------------------------------------
 */

#define ITEMS_MAX 60

static const uint16_t sizes[] = {1, 1, 1, 2, 4, 20};

static size_t
draw_items(struct modbus_item *items, uint32_t room)
{
	size_t count = draw() % ITEMS_MAX + 1;

	memset(items, 0, count * sizeof(*items));
	for (size_t i = 0; i < count; i++) {
		struct modbus_address *address = &items[i].address;

		address->table = (enum modbus_table)(draw() % MODBUS_TABLES);
		address->number = (uint32_t)(draw() % room);
		address->count = modbus_is_bits(address->table)
					 ? 1
					 : sizes[draw() % ARRAY_LENGTH(sizes)];
		items[i].input = i;
	}
	return count;
}

static uint32_t
item_end(const struct modbus_item *item)
{
	return item->address.number + item->address.count;
}

/* Everything is read, whole, within the limits and over no wider gap. */
static void
check_block(const struct modbus_item *items, const struct modbus_block *block,
	const struct modbus_limits *limits)
{
	bool bits = modbus_is_bits(block->table);
	uint32_t reached = block->start;

	assert_true(block->count <= (bits ? limits->bits : limits->registers));
	for (size_t i = 0; i < block->item_count; i++) {
		const struct modbus_item *item = &items[block->first_item + i];

		assert_int_equal(item->address.table, block->table);
		assert_true(item->address.number >= block->start);
		assert_true(item_end(item) <=
			    (uint32_t)block->start + block->count);
		assert_true(item->address.number <=
			    reached + (bits ? limits->gap_bits
					    : limits->gap_registers));
		if (item_end(item) > reached)
			reached = item_end(item);
	}
	assert_int_equal(reached, block->start + block->count);
}

/* Two neighbours could not have been one. */
static void
check_least(const struct modbus_item *items, const struct modbus_block *left,
	const struct modbus_block *right, const struct modbus_limits *limits)
{
	const struct modbus_item *next = &items[right->first_item];
	bool bits = modbus_is_bits(left->table);
	uint32_t end = (uint32_t)left->start + left->count;

	assert_true(
		left->table != right->table ||
		next->address.number > end + (bits ? limits->gap_bits
						   : limits->gap_registers) ||
		item_end(next) - left->start >
			(bits ? limits->bits : limits->registers));
}

static void
test_plan_reads_everything_in_few_requests(void **state)
{
	struct modbus_item items[ITEMS_MAX];
	struct modbus_block blocks[ITEMS_MAX];

	(void)state;
	for (int round = 0; round < 5000; round++) {
		struct modbus_limits limits = {
			.gap_registers = (uint16_t)(draw() % 10),
			.gap_bits = (uint16_t)(draw() % 160),
			.registers = (uint16_t)(20 + draw() % 106),
			.bits = (uint16_t)(1 + draw() % 2000)};
		size_t count = draw_items(items, round % 2 == 0 ? 500 : 60000);
		size_t covered = 0;
		size_t used;

		modbus_plan_sort(items, count);
		used = modbus_plan(items, count, &limits, blocks);
		for (size_t i = 0; i < used; i++) {
			assert_int_equal(blocks[i].first_item, covered);
			covered += blocks[i].item_count;
			check_block(items, &blocks[i], &limits);
			if (i > 0)
				check_least(items, &blocks[i - 1], &blocks[i],
					&limits);
		}
		assert_int_equal(covered, count);
	}
}

/* Cut again and again: down to blocks that cannot be cut, nothing is lost. */
static size_t
cut_down(const struct modbus_item *items, struct modbus_block block,
	const struct modbus_limits *limits)
{
	struct modbus_block rest;
	size_t before = block.item_count;

	check_block(items, &block, limits);
	if (!modbus_plan_cut(items, &block, &rest))
		return block.item_count;
	assert_int_equal(block.item_count + rest.item_count, before);
	assert_int_equal(rest.first_item, block.first_item + block.item_count);
	assert_true(rest.start >= block.start + block.count);
	return cut_down(items, block, limits) + cut_down(items, rest, limits);
}

static void
test_plan_cuts_what_is_refused(void **state)
{
	struct modbus_limits limits = {.gap_registers = 9,
		.gap_bits = 100,
		.registers = 125,
		.bits = 2000};
	struct modbus_item items[ITEMS_MAX];
	struct modbus_block blocks[ITEMS_MAX];

	(void)state;
	for (int round = 0; round < 1000; round++) {
		size_t count = draw_items(items, 300);
		size_t used;
		size_t covered = 0;

		modbus_plan_sort(items, count);
		used = modbus_plan(items, count, &limits, blocks);
		for (size_t i = 0; i < used; i++)
			covered += cut_down(items, blocks[i], &limits);
		assert_int_equal(covered, count);
	}
}

static void
test_plan_cuts_at_the_widest_gap(void **state)
{
	static const uint32_t numbers[] = {10, 11, 14, 20, 21};
	struct modbus_limits limits = {
		.gap_registers = 9, .registers = 125, .bits = 2000};
	struct modbus_item items[ARRAY_LENGTH(numbers)] = {0};
	struct modbus_block block;
	struct modbus_block rest;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
		items[i].address.table = MODBUS_HOLDING;
		items[i].address.number = numbers[i];
		items[i].address.count = 1;
	}
	assert_int_equal(
		modbus_plan(items, ARRAY_LENGTH(numbers), &limits, &block), 1);
	assert_int_equal(block.count, 12);
	assert_true(modbus_plan_cut(items, &block, &rest));
	assert_int_equal(rest.start, 20);
	assert_int_equal(block.count, 5);
}

/* --- devices ----------------------------------------------------------------
 */

static enum rc
read_devices(struct arena *arena, const char *text,
	struct modbus_devices *devices, struct fault *fault)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	enum rc rc;

	assert_non_null(file);
	rc = modbus_devices_read(arena, file, "d.csv", devices, fault);
	fclose(file);
	return rc;
}

static void
test_devices_have_defaults(void **state)
{
	struct arena *arena = arena_new();
	struct modbus_devices devices;
	struct fault fault = {0};

	(void)state;
	assert_int_equal(read_devices(arena,
				 "name;connection;unit;order;first;write\n"
				 "plc;10.0.0.5;;;;\n"
				 "meter;[fe80::1]:1502;7;CDAB;1;multiple\n"
				 "drive;/dev/ttyUSB0;3;;;\n",
				 &devices, &fault),
		RC_OK);
	assert_int_equal(devices.count, 3);
	assert_string_equal(devices.items[0].host, "10.0.0.5");
	assert_string_equal(devices.items[0].port, "502");
	assert_int_equal(devices.items[0].unit, 1);
	assert_int_equal(devices.items[0].timeout_ms, 1000);
	assert_int_equal(
		modbus_device_limits(&devices.items[0]).registers, 125);
	assert_string_equal(devices.items[1].host, "fe80::1");
	assert_string_equal(devices.items[1].port, "1502");
	assert_string_equal(modbus_orders[devices.items[1].order], "cdab");
	assert_int_equal(devices.items[1].first, 1);
	assert_true(devices.items[1].always_multiple);
	assert_null(devices.items[2].host);
	assert_int_equal(devices.items[2].parity, MODBUS_PARITY_EVEN);
	assert_ptr_equal(
		modbus_device_find(&devices, "drive"), &devices.items[2]);
	arena_free(arena);
}

static void
test_devices_are_refused_with_their_place(void **state)
{
	static const char *const cases[][2] = {
		{"name,unit\n", "d.csv:1:1: the columns name and connection"},
		{"name,connection\n", "d.csv:1:1: names no device"},
		{"name,connection,speed\n", "d.csv:1:17: unknown column"},
		{"name,connection\na,\n", "d.csv:2:3: connection \"\""},
		{"name,connection\na,h:0\n", "d.csv:2:3: connection"},
		{"name,connection\na,h:1:2\n", "d.csv:2:3: connection"},
		{"name,connection\na,[::1\n", "d.csv:2:3: connection"},
		{"name,connection\na/b,h\n", "d.csv:2:1: name"},
		{"name,connection\na,h\na,h\n", "d.csv:3:1: name"},
		{"name,connection,unit\na,h,256\n", "d.csv:2:5: unit"},
		{"name,connection,unit\na,h,250\n", "d.csv:2:5: unit"},
		{"name,connection,unit\na,/dev/x,0\n", "d.csv:2:10: unit"},
		{"name,connection,order\na,h,abdc\n",
			"d.csv:2:5: order \"abdc\": must be abcd, badc"},
		{"name,connection,baud\na,/dev/x,9600\nb,/dev/x,19200\n",
			"d.csv:3:3: connection"},
		{"name,connection\na,h,1\n", "d.csv:2:5: the header has no"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct arena *arena = arena_new();
		struct modbus_devices devices;
		struct fault fault = {0};

		assert_int_equal(
			read_devices(arena, cases[i][0], &devices, &fault),
			RC_BAD_INPUT);
		if (strncmp(fault.text, cases[i][1], strlen(cases[i][1])) != 0)
			fail_msg("%s is not %s", fault.text, cases[i][1]);
		arena_free(arena);
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
		cmocka_unit_test(test_plan_reads_everything_in_few_requests),
		cmocka_unit_test(test_plan_cuts_what_is_refused),
		cmocka_unit_test(test_plan_cuts_at_the_widest_gap),
		cmocka_unit_test(test_devices_have_defaults),
		cmocka_unit_test(test_devices_are_refused_with_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
