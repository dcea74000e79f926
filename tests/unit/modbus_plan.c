/* modbus_plan: the plan of read requests, and the devices that bound it. */

#include "agents/modbus_device.h"
#include "agents/modbus_value.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- plan -------------------------------------------------------------------
 */

#define ITEMS_MAX 60

static const uint16_t sizes[] = {1, 1, 1, 2, 4, 20};

static size_t
draw_items(struct modbus_item *items, uint32_t room)
{
	size_t count = unit_draw() % ITEMS_MAX + 1;

	memset(items, 0, count * sizeof(*items));
	for (size_t i = 0; i < count; i++) {
		struct modbus_address *address = &items[i].address;

		address->table =
			(enum modbus_table)(unit_draw() % MODBUS_TABLES);
		address->number = (uint32_t)(unit_draw() % room);
		address->count =
			modbus_is_bits(address->table)
				? 1
				: sizes[unit_draw() % ARRAY_LENGTH(sizes)];
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
			.gap_registers = (uint16_t)(unit_draw() % 10),
			.gap_bits = (uint16_t)(unit_draw() % 160),
			.registers = (uint16_t)(20 + unit_draw() % 106),
			.bits = (uint16_t)(1 + unit_draw() % 2000)};
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
		cmocka_unit_test(test_plan_reads_everything_in_few_requests),
		cmocka_unit_test(test_plan_cuts_what_is_refused),
		cmocka_unit_test(test_plan_cuts_at_the_widest_gap),
		cmocka_unit_test(test_devices_have_defaults),
		cmocka_unit_test(test_devices_are_refused_with_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
