/* outlet_modbus_order: a write request of a control system. */

#include "agents/outlet_modbus_order.h"

#include <modbus/modbus.h>

#include "agents/outlet.h"

#define WRITE_BITS 0x0f

_Static_assert(MODBUS_ORDER_VALUES_MAX == MODBUS_MAX_WRITE_BITS,
	"as many as a request may write");

static uint16_t
word(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* The length was checked by libmodbus against the function's. */
bool
modbus_order_read(const uint8_t *pdu, struct modbus_order *order)
{
	const uint8_t *data = pdu + 6;

	*order = (struct modbus_order){.number = word(pdu + 1), .count = 1};
	switch (pdu[0]) {
	case MODBUS_FC_WRITE_SINGLE_COIL:
		order->table = MODBUS_COIL;
		order->values[0] = word(pdu + 3) == 0xff00;
		return word(pdu + 3) == 0xff00 || word(pdu + 3) == 0;
	case MODBUS_FC_WRITE_SINGLE_REGISTER:
		order->table = MODBUS_HOLDING;
		order->values[0] = word(pdu + 3);
		return true;
	case WRITE_BITS:
		order->table = MODBUS_COIL;
		order->count = word(pdu + 3);
		if (order->count < 1 || order->count > MODBUS_MAX_WRITE_BITS ||
			pdu[5] != (order->count + 7) / 8)
			return false;
		for (uint32_t i = 0; i < order->count; i++)
			order->values[i] = data[i / 8] >> i % 8 & 1;
		return true;
	default:
		order->table = MODBUS_HOLDING;
		order->count = word(pdu + 3);
		if (order->count < 1 ||
			order->count > MODBUS_MAX_WRITE_REGISTERS ||
			pdu[5] != order->count * 2)
			return false;
		for (uint32_t i = 0; i < order->count; i++)
			order->values[i] = word(data + 2 * i);
		return true;
	}
}

static const struct modbus_map_item *
item_at(const struct modbus_map *map, const struct modbus_order *order,
	uint32_t at)
{
	return modbus_map_covered(
		map, order->table, order->number + at, order->count - at);
}

/* 0 = all of it may be sent; else the exception. Only this thread puts, so
 * room that is there stays. */
static unsigned
check(const struct modbus_map *map, struct egress_writes *writes,
	const struct modbus_order *order)
{
	const struct modbus_map_item *item;
	size_t count = 0;

	for (uint32_t at = 0; at < order->count; at += item->address.count) {
		char text[MODBUS_TEXT_BYTES_MAX + 1];
		struct value value;

		item = item_at(map, order, at);
		if (item == NULL)
			return MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS;
		if (!modbus_decode(
			    &item->address, order->values + at, &value, text))
			return MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE;
		count++;
	}
	return count <= egress_writes_room(writes)
		       ? 0
		       : MODBUS_EXCEPTION_SLAVE_OR_SERVER_BUSY;
}

static bool
put(struct egress_writes *writes, const struct modbus_map_item *item,
	const uint16_t *values)
{
	char text[MODBUS_TEXT_BYTES_MAX + 1];
	struct value value;
	struct buf json;
	bool taken;

	if (!modbus_decode(&item->address, values, &value, text))
		return false;
	buf_init(&json, 0);
	outlet_json_bare(&json, &value);
	taken = egress_writes_put(
		writes, item->variable, json.data, NULL, NULL);
	buf_free(&json);
	return taken;
}

unsigned
modbus_order_take(const struct modbus_map *map, struct egress_writes *writes,
	const struct modbus_order *order)
{
	const struct modbus_map_item *item;
	unsigned refusal = check(map, writes, order);

	if (refusal != 0)
		return refusal;
	for (uint32_t at = 0; at < order->count; at += item->address.count) {
		item = item_at(map, order, at);
		if (!put(writes, item, order->values + at))
			return MODBUS_EXCEPTION_SLAVE_OR_SERVER_BUSY;
	}
	return 0;
}
