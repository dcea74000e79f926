/* modbus_plan: many values of a device in few read requests. */

#include "agents/modbus_plan.h"

#include <stdlib.h>

static uint32_t
end_of(const struct modbus_item *item)
{
	return item->address.number + item->address.count;
}

static int
compare(const void *left, const void *right)
{
	const struct modbus_item *a = left;
	const struct modbus_item *b = right;

	if (a->address.table != b->address.table)
		return a->address.table < b->address.table ? -1 : 1;
	if (a->address.number != b->address.number)
		return a->address.number < b->address.number ? -1 : 1;
	if (a->address.count != b->address.count)
		return a->address.count < b->address.count ? -1 : 1;
	return a->input < b->input ? -1 : a->input > b->input;
}

void
modbus_plan_sort(struct modbus_item *items, size_t count)
{
	qsort(items, count, sizeof(*items), compare);
}

/* Whether "item" can be read with what the block has. */
static bool
joins(const struct modbus_block *block, const struct modbus_item *item,
	const struct modbus_limits *limits)
{
	bool bits = modbus_is_bits(block->table);
	uint32_t end = (uint32_t)block->start + block->count;

	return item->address.table == block->table &&
	       item->address.number <= end + (bits ? limits->gap_bits
						   : limits->gap_registers) &&
	       end_of(item) - block->start <=
		       (bits ? limits->bits : limits->registers);
}

static void
add(struct modbus_block *block, const struct modbus_item *item)
{
	if (end_of(item) > (uint32_t)block->start + block->count)
		block->count = (uint16_t)(end_of(item) - block->start);
	block->item_count++;
}

static struct modbus_block
begin(const struct modbus_item *items, size_t first)
{
	return (struct modbus_block){.table = items[first].address.table,
		.start = (uint16_t)items[first].address.number,
		.count = items[first].address.count,
		.first_item = first,
		.item_count = 1};
}

size_t
modbus_plan(const struct modbus_item *items, size_t count,
	const struct modbus_limits *limits, struct modbus_block *blocks)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		if (used > 0 && joins(&blocks[used - 1], &items[i], limits))
			add(&blocks[used - 1], &items[i]);
		else
			blocks[used++] = begin(items, i);
	return used;
}

/* The block of "count" items from "first" on. */
static struct modbus_block
join_all(const struct modbus_item *items, size_t first, size_t count)
{
	struct modbus_block block = begin(items, first);

	for (size_t i = 1; i < count; i++)
		add(&block, &items[first + i]);
	return block;
}

/* How good a cut before item "i" is: wide gaps first, then the middle. */
static uint32_t
rate_cut(const struct modbus_block *block, uint32_t gap, size_t i)
{
	uint32_t left = (uint32_t)i;
	uint32_t right = (uint32_t)(block->item_count - i);

	return gap * 16384 + (left < right ? left : right);
}

bool
modbus_plan_cut(const struct modbus_item *items, struct modbus_block *block,
	struct modbus_block *rest)
{
	size_t first = block->first_item;
	size_t best = 0;
	uint32_t best_rate = 0;
	uint32_t end = end_of(&items[first]);

	for (size_t i = 1; i < block->item_count; i++) {
		const struct modbus_item *item = &items[first + i];

		if (item->address.number >= end) {
			uint32_t rate =
				rate_cut(block, item->address.number - end, i);

			if (rate > best_rate) {
				best_rate = rate;
				best = i;
			}
		}
		if (end_of(item) > end)
			end = end_of(item);
	}
	if (best == 0)
		return false;
	*rest = join_all(items, first + best, block->item_count - best);
	*block = join_all(items, first, best);
	return true;
}
