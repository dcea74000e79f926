/* outlet_modbus_map: which variable is in which coil or register. */

#include "agents/outlet_modbus_map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/csv_table.h"

#define ITEMS_MAX 10000
#define SERVER    "server/" /* the codec wants a device's name */

enum column { VARIABLE, ADDRESS, VALID, WRITABLE, COLUMNS };

static const char *const column_names[COLUMNS] = {
	[VARIABLE] = "variable",
	[ADDRESS] = "address",
	[VALID] = "valid",
	[WRITABLE] = "writable",
};

/* --- the file ------------------------------------------------------------- */

static enum rc
read_address(const struct csv_table *table, enum column column,
	struct modbus_address *address, struct fault *fault)
{
	const char *text = csv_table_cell(table, column);
	char whole[256];
	struct fault why;

	if (snprintf(whole, sizeof(whole), SERVER "%s", text) >=
		(int)sizeof(whole))
		return csv_table_refuse(table, column, "is too long", fault);
	if (modbus_address_parse(whole, address, &why) != RC_OK ||
		modbus_address_place(address, 0, "abcd", &why) != RC_OK)
		return csv_table_refuse(table, column, why.text, fault);
	return RC_OK;
}

static enum rc
read_valid(const struct csv_table *table, struct modbus_map_item *item,
	struct fault *fault)
{
	enum rc rc;

	item->has_valid = csv_table_cell(table, VALID)[0] != '\0';
	if (!item->has_valid)
		return RC_OK;
	rc = read_address(table, VALID, &item->valid, fault);
	if (rc == RC_OK && item->valid.type != MODBUS_BIT)
		return csv_table_refuse(
			table, VALID, "is not a coil or a bit", fault);
	return rc;
}

static enum rc
read_writable(const struct csv_table *table, struct modbus_map_item *item,
	struct fault *fault)
{
	const char *text = csv_table_cell(table, WRITABLE);
	bool bit_of_register = item->address.type == MODBUS_BIT &&
			       !modbus_is_bits(item->address.table);

	item->writable = strcmp(text, "yes") == 0;
	if (!item->writable && text[0] != '\0' && strcmp(text, "no") != 0)
		return csv_table_refuse(table, WRITABLE, "is yes or no", fault);
	if (item->writable &&
		(!modbus_can_write(item->address.table) || bit_of_register))
		return csv_table_refuse(table, WRITABLE,
			"only whole coils and holding registers can be written",
			fault);
	return RC_OK;
}

static enum rc
read_item(const struct csv_table *table, struct arena *arena,
	struct modbus_map_item *item, struct fault *fault)
{
	const char *variable = csv_table_cell(table, VARIABLE);
	enum rc rc;

	*item = (struct modbus_map_item){.time_us = INT64_MIN};
	if (variable[0] == '\0')
		return csv_table_refuse(table, VARIABLE, "is missing", fault);
	item->variable = arena_strdup(arena, variable);
	rc = read_address(table, ADDRESS, &item->address, fault);
	if (rc == RC_OK)
		rc = read_valid(table, item, fault);
	return rc == RC_OK ? read_writable(table, item, fault) : rc;
}

/* --- nothing twice -------------------------------------------------------- */

static int
compare_items(const void *left, const void *right)
{
	const struct modbus_map_item *one = left;
	const struct modbus_map_item *other = right;

	return strcmp(one->variable, other->variable);
}

/* Which bits of each place are taken; a coil has one. */
static bool
claim(uint16_t *taken[MODBUS_TABLES], const struct modbus_address *address)
{
	bool bit =
		address->type == MODBUS_BIT && !modbus_is_bits(address->table);
	uint16_t mask = bit ? (uint16_t)(1u << address->bit) : UINT16_MAX;

	for (uint32_t i = 0; i < address->count; i++) {
		uint16_t *place = &taken[address->table][address->number + i];

		if ((*place & mask) != 0)
			return false;
		*place |= mask;
	}
	return true;
}

static enum rc
check_items(const struct modbus_map *map, const char *path, struct fault *fault)
{
	struct arena *arena = arena_new();
	uint16_t *taken[MODBUS_TABLES];
	enum rc rc = RC_OK;

	for (size_t i = 0; i < MODBUS_TABLES; i++)
		taken[i] = arena_array(
			arena, MODBUS_MAP_ADDRESSES, sizeof(uint16_t));
	for (size_t i = 0; rc == RC_OK && i < map->count; i++) {
		const struct modbus_map_item *item = &map->items[i];

		if (i > 0 && compare_items(item, item - 1) == 0)
			rc = fault_set(fault, RC_BAD_INPUT,
				"%s: %.100s has two rows", path,
				item->variable);
		else if (!claim(taken, &item->address) ||
			 (item->has_valid && !claim(taken, &item->valid)))
			rc = fault_set(fault, RC_BAD_INPUT,
				"%s: a register of %.100s has another variable "
				"already",
				path, item->variable);
	}
	arena_free(arena);
	return rc;
}

static enum rc
read_items(struct modbus_map *map, struct csv_table *table, struct fault *fault)
{
	enum rc rc = RC_OK;

	map->items = arena_array(map->arena, ITEMS_MAX, sizeof(*map->items));
	while (rc == RC_OK) {
		rc = csv_table_row(table, fault);
		if (rc == RC_OK && map->count == ITEMS_MAX)
			return csv_table_refuse(
				table, VARIABLE, "is one row too many", fault);
		if (rc == RC_OK)
			rc = read_item(table, map->arena,
				&map->items[map->count], fault);
		map->count += rc == RC_OK;
	}
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc
modbus_map_open(struct modbus_map *map, const char *path, struct fault *fault)
{
	FILE *file = fopen(path, "re");
	struct csv_table table;
	enum rc rc;

	*map = (struct modbus_map){.arena = arena_new()};
	for (size_t i = 0; i < 2; i++) {
		map->bits[i] = arena_array(
			map->arena, MODBUS_MAP_ADDRESSES, sizeof(uint8_t));
		map->registers[i] = arena_array(
			map->arena, MODBUS_MAP_ADDRESSES, sizeof(uint16_t));
	}
	if (file == NULL)
		return fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
	rc = csv_table_open(&table, file, path, column_names, COLUMNS, fault);
	if (rc == RC_OK)
		rc = read_items(map, &table, fault);
	csv_table_close(&table);
	fclose(file);
	if (rc != RC_OK)
		return rc;
	qsort(map->items, map->count, sizeof(*map->items), compare_items);
	return check_items(map, path, fault);
}

void
modbus_map_close(struct modbus_map *map)
{
	if (map->arena != NULL)
		arena_free(map->arena);
}

/* --- values --------------------------------------------------------------- */

static void
store(struct modbus_map *map, const struct modbus_address *address,
	const uint16_t *values)
{
	size_t table = address->table;
	uint16_t mask = (uint16_t)(1u << address->bit);

	for (uint32_t i = 0; i < address->count; i++) {
		uint32_t at = address->number + i;
		uint16_t *place;

		if (modbus_is_bits(address->table)) {
			map->bits[table][at] = values[i] != 0;
			continue;
		}
		place = &map->registers[table - MODBUS_INPUT][at];
		if (address->type == MODBUS_BIT)
			*place = (uint16_t)((*place & ~mask) |
					    (values[i] & mask));
		else
			*place = values[i];
	}
}

static void
mark(struct modbus_map *map, const struct modbus_map_item *item, bool good)
{
	const uint16_t all = good ? UINT16_MAX : 0;

	if (item->has_valid)
		store(map, &item->valid, &all);
}

enum rc
modbus_map_put(struct modbus_map *map, const char *variable,
	const struct sample *sample, struct fault *fault)
{
	const struct modbus_map_item key = {.variable = variable};
	struct modbus_map_item *item = bsearch(
		&key, map->items, map->count, sizeof(key), compare_items);
	uint16_t registers[MODBUS_VALUE_REGISTERS_MAX] = {0};
	enum rc rc;

	if (item == NULL || sample->time_us < item->time_us)
		return RC_OK;
	item->time_us = sample->time_us;
	rc = modbus_encode(&item->address, &sample->value, registers, fault);
	if (rc == RC_OK)
		store(map, &item->address, registers);
	mark(map, item, rc == RC_OK && (sample->status & STATUS_BAD) == 0);
	return rc;
}

const struct modbus_map_item *
modbus_map_covered(const struct modbus_map *map, enum modbus_table table,
	uint32_t number, uint32_t count)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct modbus_address *address = &map->items[i].address;

		if (map->items[i].writable && address->table == table &&
			address->number == number && address->count <= count)
			return &map->items[i];
	}
	return NULL;
}
