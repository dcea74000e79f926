/* fuzz/outlet_map: any bytes as registers.csv of the egress to Modbus. */

#include <stdlib.h>

#include "agents/outlet_modbus_map.h"
#include "tests/fuzz/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* A value goes where its row says; who may write it finds the row again. */
static void
check_item(struct modbus_map *map, const struct modbus_map_item *item)
{
	const struct modbus_address *address = &item->address;
	const struct modbus_map_item *covered;
	struct sample sample = {
		.time_us = 1, .value = {.kind = VALUE_INT, .integer = 1}};
	struct fault fault;

	if (address->count == 0 ||
		address->number + address->count > MODBUS_MAP_ADDRESSES)
		abort();
	if (modbus_map_put(map, item->variable, &sample, &fault) == RC_OK &&
		item->time_us != sample.time_us)
		abort();
	if (!item->writable)
		return;
	covered = modbus_map_covered(
		map, address->table, address->number, address->count);
	if (covered != item)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct modbus_map map;
	struct fault fault;

	if (modbus_map_open(&map, fuzz_file("registers.csv", data, length),
		    &fault) == RC_OK)
		for (size_t i = 0; i < map.count; i++)
			check_item(&map, &map.items[i]);
	modbus_map_close(&map);
	return 0;
}
