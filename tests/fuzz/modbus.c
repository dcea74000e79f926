/* fuzz/modbus: any bytes as the devices CSV, as an address and as registers. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/modbus_device.h"
#include "agents/modbus_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* What was decoded can be written again and is then the same. */
static void
check_value(const struct modbus_address *address, const uint16_t *registers)
{
	uint16_t back[MODBUS_VALUE_REGISTERS_MAX];
	char text[MODBUS_TEXT_BYTES_MAX + 1];
	char again[MODBUS_TEXT_BYTES_MAX + 1];
	struct value value;
	struct value second;
	struct fault fault;

	if (!modbus_decode(address, registers, &value, text) ||
		(address->type == MODBUS_UINT && value.kind == VALUE_FLOAT))
		return;
	if (modbus_encode(address, &value, back, &fault) != RC_OK ||
		!modbus_decode(address, back, &second, again) ||
		!value_equal(&value, &second))
		abort();
}

/* The first line is the address, what follows the registers. */
static void
check_address(const uint8_t *data, size_t length)
{
	uint16_t registers[MODBUS_VALUE_REGISTERS_MAX] = {0};
	struct modbus_address address;
	struct fault fault;
	char text[200];
	const uint8_t *end = memchr(data, '\n', length);
	size_t line = end != NULL ? (size_t)(end - data) : length;
	size_t rest = end != NULL ? length - line - 1 : 0;

	if (line >= sizeof(text))
		return;
	memcpy(text, data, line);
	text[line] = '\0';
	if (modbus_address_parse(text, &address, &fault) != RC_OK ||
		modbus_address_place(&address, data[0] % 2U,
			modbus_orders[length % 4], &fault) != RC_OK)
		return;
	if (address.count == 0 || address.number + address.count > 65536 ||
		address.count > MODBUS_VALUE_REGISTERS_MAX)
		abort();
	if (rest > 0)
		memcpy(registers, end + 1,
			rest < sizeof(registers) ? rest : sizeof(registers));
	if (modbus_is_bits(address.table))
		registers[0] &= 1;
	check_value(&address, registers);
}

static void
check_devices(struct arena *arena, const uint8_t *data, size_t length)
{
	FILE *file = fmemopen((void *)(uintptr_t)data, length, "r");
	struct modbus_devices devices;
	struct fault fault;

	if (file == NULL)
		abort();
	if (modbus_devices_read(arena, file, "d.csv", &devices, &fault) ==
		RC_OK)
		for (size_t i = 0; i < devices.count; i++) {
			const struct modbus_device *device = &devices.items[i];
			struct modbus_limits limits =
				modbus_device_limits(device);

			if (device->name[0] == '\0' || limits.registers == 0 ||
				limits.registers > MODBUS_READ_REGISTERS_MAX ||
				limits.bits > MODBUS_READ_BITS_MAX ||
				device->unit > 255 || device->timeout_ms < 10)
				abort();
		}
	fclose(file);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct arena *arena;

	if (length == 0)
		return 0;
	if (arena == NULL)
		arena = arena_new();
	check_address(data, length);
	check_devices(arena, data, length);
	arena_reset(arena);
	return 0;
}
