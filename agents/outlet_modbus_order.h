/*
 * outlet_modbus_order: a write request of a control system, on its way to the
 * plants.
 */
#ifndef FG_AGENTS_OUTLET_MODBUS_ORDER_H
#define FG_AGENTS_OUTLET_MODBUS_ORDER_H

#include "agents/egress_writes.h"
#include "agents/outlet_modbus_map.h"

#define MODBUS_ORDER_VALUES_MAX 1968 /* coils; of registers there are fewer */

struct modbus_order {
	enum modbus_table table;
	uint32_t number;
	uint32_t count;
	uint16_t values[MODBUS_ORDER_VALUES_MAX]; /* coils 0 or 1 */
};

/* Take a write request apart, from its function code on. Its length was
 * checked against the function's. False: it contradicts itself. */
bool modbus_order_read(const uint8_t *pdu, struct modbus_order *order);

/*
 * Send all of it, or nothing; by one thread only. Returns 0, or the exception
 * of Modbus: no variable that may be written is there as a whole, the values
 * are none of its type, or too many wait already.
 */
unsigned modbus_order_take(const struct modbus_map *map,
	struct egress_writes *writes, const struct modbus_order *order);

#endif
