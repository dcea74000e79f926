/*
 * modbus_device: the devices that one agent reads, as their CSV names them.
 *
 * doc/AGENT.md describes the columns. The file is refused as a whole, with
 * file, line and column, when any of it is not understood.
 */
#ifndef FG_AGENTS_MODBUS_DEVICE_H
#define FG_AGENTS_MODBUS_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "agents/modbus_plan.h"
#include "lib/arena.h"
#include "lib/fault.h"

#define MODBUS_DEVICES_MAX 500

enum modbus_parity {
	MODBUS_PARITY_NONE,
	MODBUS_PARITY_EVEN,
	MODBUS_PARITY_ODD
};

/* How one bit of a register is set. */
enum modbus_bit_write {
	MODBUS_BIT_AUTO,   /* by mask, unless the device does not know that */
	MODBUS_BIT_MASK,   /* function 22 */
	MODBUS_BIT_MODIFY, /* read, change, write */
};

struct modbus_device {
	const char *name;
	const char
		*connection; /* HOST, HOST:PORT or the path of a serial port */
	const char *host;    /* NULL: serial */
	const char *port;
	int64_t baud;
	int64_t parity; /* enum modbus_parity */
	int64_t stop_bits;
	int64_t unit;
	int64_t period_ms; /* 0: the agent's */
	int64_t timeout_ms;
	int64_t retries;
	int64_t back_off_s; /* longest pause after failures */
	int64_t pause_ms;   /* between two requests */
	int64_t gap;        /* registers */
	int64_t max_registers;
	int64_t max_bits;
	int64_t first;            /* its manual counts from 0 or 1 */
	int64_t order;            /* index into modbus_orders */
	int64_t always_multiple;  /* never functions 5 and 6 */
	int64_t bit_write;        /* enum modbus_bit_write */
	int64_t confirm_by_reply; /* do not read back */
	int line;
};

extern const char *const modbus_orders[]; /* NULL at the end */

struct modbus_devices {
	size_t count;
	struct modbus_device *items;
};

/*
 * Read the table at "path"; everything lives in "arena".
 * Fails: RC_IO, or RC_BAD_INPUT with "path:line:column: why".
 */
MUST_CHECK enum rc modbus_devices_load(struct arena *arena, const char *path,
	struct modbus_devices *devices, struct fault *fault);

/* The same from an open file; "path" is for messages. */
MUST_CHECK enum rc modbus_devices_read(struct arena *arena, FILE *file,
	const char *path, struct modbus_devices *devices, struct fault *fault);

/* NULL when there is none of that name. */
const struct modbus_device *modbus_device_find(
	const struct modbus_devices *devices, const char *name);

struct modbus_limits modbus_device_limits(const struct modbus_device *device);

#endif
