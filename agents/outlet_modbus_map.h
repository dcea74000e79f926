/*
 * outlet_modbus_map: which variable is in which coil or register of our server,
 * and what these hold.
 */
#ifndef FG_AGENTS_OUTLET_MODBUS_MAP_H
#define FG_AGENTS_OUTLET_MODBUS_MAP_H

#include "agents/modbus_value.h"
#include "lib/arena.h"
#include "model/sample.h"

#define MODBUS_MAP_ADDRESSES 65536

/* One row of the CSV file. */
struct modbus_map_item {
	const char *variable; /* its name at this side */
	struct modbus_address address;
	struct modbus_address
		valid; /* a bit that is 1 while the value is good */
	bool has_valid;
	bool writable;
	int64_t time_us; /* of the value that it holds */
};

struct modbus_map {
	struct arena *arena;
	struct modbus_map_item *items; /* by variable */
	size_t count;
	/* What the tables hold, by enum modbus_table: coils 0 or 1. */
	uint8_t *bits[2];       /* MODBUS_COIL, MODBUS_DISCRETE */
	uint16_t *registers[2]; /* MODBUS_INPUT, MODBUS_HOLDING */
};

/* Fails: RC_IO; RC_BAD_INPUT with place: also two rows for one register. */
MUST_CHECK enum rc modbus_map_open(
	struct modbus_map *map, const char *path, struct fault *fault);
void modbus_map_close(struct modbus_map *map);

/* Put a value in, unless a newer one is there. Fails: RC_UNPROCESSABLE its
 * type cannot hold it: it is told as not valid. */
MUST_CHECK enum rc modbus_map_put(struct modbus_map *map, const char *variable,
	const struct sample *sample, struct fault *fault);

/*
 * The item that a write of "count" coils or registers from "number" on covers
 * first; NULL when there is none that may be written, or only a part is.
 */
const struct modbus_map_item *modbus_map_covered(const struct modbus_map *map,
	enum modbus_table table, uint32_t number, uint32_t count);

#endif
