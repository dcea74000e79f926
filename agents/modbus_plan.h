/*
 * modbus_plan: many values of a device in few read requests.
 *
 * Values that lie near each other in one table are read together, over gaps of
 * registers that nobody asked for. A value is never split: its registers are
 * from one moment.
 */
#ifndef FG_AGENTS_MODBUS_PLAN_H
#define FG_AGENTS_MODBUS_PLAN_H

#include "agents/modbus_address.h"

#define MODBUS_READ_REGISTERS_MAX 125
#define MODBUS_READ_BITS_MAX      2000

/* One value, and which of the agent's inputs it is for. */
struct modbus_item {
	struct modbus_address address; /* counts from 0 */
	size_t input;
};

struct modbus_limits {
	uint16_t gap_registers; /* read over so many that nobody wants */
	uint16_t gap_bits;
	uint16_t registers; /* of one request */
	uint16_t bits;
};

/* One read request, and the values it is for. */
struct modbus_block {
	enum modbus_table table;
	uint16_t start;
	uint16_t count;
	size_t first_item;
	size_t item_count;
};

/* By table, number and count: what modbus_plan needs. */
void modbus_plan_sort(struct modbus_item *items, size_t count);

/*
 * Write the blocks for sorted "items" into "blocks", which has room for as many
 * as there are items. As few as the limits allow. Returns how many.
 */
size_t modbus_plan(const struct modbus_item *items, size_t count,
	const struct modbus_limits *limits, struct modbus_block *blocks);

/*
 * Cut a block that the device refuses to read as a whole into two, at its
 * widest gap, or in the middle when it has none. False: it has one value, or
 * all of them overlap.
 */
bool modbus_plan_cut(const struct modbus_item *items,
	struct modbus_block *block, struct modbus_block *rest);

#endif
