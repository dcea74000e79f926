/* modbus_device: the devices that one agent reads, as their CSV names them. */

#include "agents/modbus_device.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/csv_table.h"

#define CONNECTION_BYTES_MAX 255
#define DEFAULT_PORT         "502"

const char *const modbus_orders[] = {"abcd", "badc", "cdab", "dcba", NULL};

static const char *const parities[] = {"none", "even", "odd", NULL};
static const char *const write_words[] = {"single", "multiple", NULL};
static const char *const bit_words[] = {"auto", "mask", "modify", NULL};
static const char *const confirm_words[] = {"read", "reply", NULL};

/* A column: a number from minimum to maximum, or the index of a word. */
struct column {
	const char *name;
	size_t offset; /* in struct modbus_device */
	int64_t fallback;
	int64_t minimum;
	int64_t maximum;
	const char *const *words;
};

#define FIELD(field) offsetof(struct modbus_device, field)

enum { COLUMN_NAME, COLUMN_CONNECTION, COLUMN_UNIT };

static const struct column columns[] = {
	[COLUMN_NAME] = {"name", FIELD(name), 0, 0, 0, NULL},
	[COLUMN_CONNECTION] = {"connection", FIELD(connection), 0, 0, 0, NULL},
	[COLUMN_UNIT] = {"unit", FIELD(unit), 1, 0, 255, NULL},
	{"baud", FIELD(baud), 19200, 300, 4000000, NULL},
	{"parity", FIELD(parity), MODBUS_PARITY_EVEN, 0, 0, parities},
	{"stop_bits", FIELD(stop_bits), 1, 1, 2, NULL},
	{"period_ms", FIELD(period_ms), 0, 10, 86400000, NULL},
	{"timeout_ms", FIELD(timeout_ms), 1000, 10, 60000, NULL},
	{"retries", FIELD(retries), 1, 0, 10, NULL},
	{"back_off_s", FIELD(back_off_s), 30, 1, 3600, NULL},
	{"pause_ms", FIELD(pause_ms), 0, 0, 10000, NULL},
	{"gap", FIELD(gap), 8, 0, 124, NULL},
	{"max_registers", FIELD(max_registers), MODBUS_READ_REGISTERS_MAX, 1,
		MODBUS_READ_REGISTERS_MAX, NULL},
	{"max_bits", FIELD(max_bits), MODBUS_READ_BITS_MAX, 1,
		MODBUS_READ_BITS_MAX, NULL},
	{"first", FIELD(first), 0, 0, 1, NULL},
	{"order", FIELD(order), 0, 0, 0, modbus_orders},
	{"write", FIELD(always_multiple), 0, 0, 0, write_words},
	{"bit_write", FIELD(bit_write), MODBUS_BIT_AUTO, 0, 0, bit_words},
	{"confirm", FIELD(confirm_by_reply), 0, 0, 0, confirm_words},
};

#define COLUMNS ARRAY_LENGTH(columns)

struct load {
	struct arena *arena;
	struct csv_table table;
	struct modbus_devices *devices;
	struct fault *fault;
};

/* --- cells --------------------------------------------------------------- */

static const char *
cell(const struct load *load, size_t column)
{
	return csv_table_cell(&load->table, column);
}

static enum rc
refuse(struct load *load, size_t column, const char *why)
{
	return csv_table_refuse(&load->table, column, why, load->fault);
}

static enum rc
take_word(struct load *load, size_t column, int64_t *number)
{
	const char *const *words = columns[column].words;
	char why[80] = "must be";

	for (*number = 0; words[*number] != NULL; (*number)++) {
		size_t length = strlen(why);

		if (strcasecmp(cell(load, column), words[*number]) == 0)
			return RC_OK;
		snprintf(why + length, sizeof(why) - length, " %s%s",
			words[*number], words[*number + 1] == NULL ? "" : ",");
	}
	return refuse(load, column, why);
}

static enum rc
take_number(struct load *load, size_t column, int64_t *number)
{
	const struct column *wanted = &columns[column];
	char why[80];
	char *end;

	if (cell(load, column)[0] == '\0') {
		*number = wanted->fallback;
		return RC_OK;
	}
	if (wanted->words != NULL)
		return take_word(load, column, number);
	errno = 0;
	*number = strtoll(cell(load, column), &end, 10);
	if (errno == 0 && end != cell(load, column) && *end == '\0' &&
		*number >= wanted->minimum && *number <= wanted->maximum)
		return RC_OK;
	snprintf(why, sizeof(why), "must be a whole number from %lld to %lld",
		(long long)wanted->minimum, (long long)wanted->maximum);
	return refuse(load, column, why);
}

/* --- a row --------------------------------------------------------------- */

static enum rc
take_name(struct load *load, struct modbus_device *device)
{
	const char *name = cell(load, COLUMN_NAME);
	size_t length = strlen(name);

	if (length == 0 || length > MODBUS_NAME_BYTES_MAX)
		return refuse(load, COLUMN_NAME, "must have 1 to 64 bytes");
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f ||
			name[i] == '/' || name[i] == '*')
			return refuse(load, COLUMN_NAME,
				"holds a /, a * or a control character");
	if (modbus_device_find(load->devices, name) != NULL)
		return refuse(load, COLUMN_NAME, "is given twice");
	device->name = arena_strdup(load->arena, name);
	return RC_OK;
}

static bool
is_port(const char *text)
{
	char *end;
	long number = strtol(text, &end, 10);

	return text[0] >= '0' && text[0] <= '9' && *end == '\0' &&
	       number >= 1 && number <= 65535;
}

/* "host", "host:port", "[v6]" or "[v6]:port", cut in place. */
static bool
split_host(char *text, struct modbus_device *device)
{
	char *rest = text[0] == '[' ? strchr(text, ']') : text;

	if (rest == NULL)
		return false;
	if (text[0] == '[') {
		*rest++ = '\0';
		text++;
	}
	device->host = text;
	device->port = DEFAULT_PORT;
	rest += strcspn(rest, ":");
	if (*rest == ':') {
		*rest = '\0';
		device->port = rest + 1;
	} else if (*rest != '\0') {
		return false;
	}
	return text[0] != '\0' && is_port(device->port) &&
	       strpbrk(text, " \t/") == NULL;
}

static enum rc
take_connection(struct load *load, struct modbus_device *device)
{
	const char *text = cell(load, COLUMN_CONNECTION);
	bool serial = text[0] == '/';

	device->connection = arena_strdup(load->arena, text);
	if (text[0] == '\0' || strlen(text) > CONNECTION_BYTES_MAX ||
		(!serial &&
			!split_host(arena_strdup(load->arena, text), device)))
		return refuse(load, COLUMN_CONNECTION,
			"must be HOST, HOST:PORT or the path of a serial port");
	if (serial && (device->unit < 1 || device->unit > 247))
		return refuse(
			load, COLUMN_UNIT, "must be 1 to 247 on a serial line");
	if (!serial && device->unit > 247 && device->unit < 255)
		return refuse(load, COLUMN_UNIT, "must be 0 to 247 or 255");
	return RC_OK;
}

/* Devices on one serial line hear each other. */
static enum rc
check_line(struct load *load, const struct modbus_device *device)
{
	for (size_t i = 0; i < load->devices->count; i++) {
		const struct modbus_device *other = &load->devices->items[i];

		if (device->host != NULL ||
			strcmp(other->connection, device->connection) != 0)
			continue;
		if (other->baud != device->baud ||
			other->parity != device->parity ||
			other->stop_bits != device->stop_bits)
			return refuse(load, COLUMN_CONNECTION,
				"baud, parity and stop_bits must be those of "
				"the other devices there");
	}
	return RC_OK;
}

static enum rc
take_row(struct load *load)
{
	struct modbus_devices *devices = load->devices;
	struct modbus_device *device = &devices->items[devices->count];
	enum rc rc = take_name(load, device);

	for (size_t i = COLUMN_UNIT; rc == RC_OK && i < COLUMNS; i++)
		rc = take_number(load, i,
			(int64_t *)(void *)((char *)device +
					    columns[i].offset));
	if (rc == RC_OK)
		rc = take_connection(load, device);
	if (rc == RC_OK)
		rc = check_line(load, device);
	device->line = csv_table_field(&load->table, COLUMN_NAME)->line;
	return rc;
}

/* --- the file ------------------------------------------------------------ */

static enum rc
take_rows(struct load *load)
{
	enum rc rc;

	while ((rc = csv_table_row(&load->table, load->fault)) == RC_OK) {
		if (load->devices->count == MODBUS_DEVICES_MAX)
			return refuse(load, COLUMN_NAME,
				"one agent reads at most 500 devices");
		rc = take_row(load);
		if (rc != RC_OK)
			return rc;
		load->devices->count++;
	}
	if (rc != RC_NOT_FOUND)
		return rc;
	load->fault->rc = RC_OK;
	return RC_OK;
}

static enum rc
take_table(struct load *load, FILE *file, const char *path)
{
	const char *names[COLUMNS];
	enum rc rc;

	for (size_t i = 0; i < COLUMNS; i++)
		names[i] = columns[i].name;
	rc = csv_table_open(
		&load->table, file, path, names, COLUMNS, load->fault);
	if (rc == RC_OK &&
		(!csv_table_has(&load->table, COLUMN_NAME) ||
			!csv_table_has(&load->table, COLUMN_CONNECTION)))
		rc = csv_fault(&load->table.csv, 0, load->fault,
			"the columns name and connection are required");
	if (rc == RC_OK)
		rc = take_rows(load);
	csv_table_close(&load->table);
	return rc;
}

enum rc
modbus_devices_read(struct arena *arena, FILE *file, const char *path,
	struct modbus_devices *devices, struct fault *fault)
{
	struct load load = {.arena = arena, .devices = devices, .fault = fault};
	enum rc rc;

	devices->count = 0;
	devices->items =
		arena_array(arena, MODBUS_DEVICES_MAX, sizeof(*devices->items));
	rc = take_table(&load, file, path);
	if (rc == RC_OK && devices->count == 0)
		rc = fault_set(
			fault, RC_BAD_INPUT, "%s:1:1: names no device", path);
	return rc;
}

enum rc
modbus_devices_load(struct arena *arena, const char *path,
	struct modbus_devices *devices, struct fault *fault)
{
	FILE *file = fopen(path, "re");
	enum rc rc;

	if (file == NULL)
		return fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
	rc = modbus_devices_read(arena, file, path, devices, fault);
	fclose(file);
	return rc;
}

const struct modbus_device *
modbus_device_find(const struct modbus_devices *devices, const char *name)
{
	for (size_t i = 0; i < devices->count; i++)
		if (strcmp(devices->items[i].name, name) == 0)
			return &devices->items[i];
	return NULL;
}

struct modbus_limits
modbus_device_limits(const struct modbus_device *device)
{
	return (struct modbus_limits){
		.gap_registers = (uint16_t)device->gap,
		.gap_bits = (uint16_t)(device->gap * 16),
		.registers = (uint16_t)device->max_registers,
		.bits = (uint16_t)device->max_bits,
	};
}
