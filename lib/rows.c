/* rows: typed values out of a result. */

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/db_wire.h"
#include "lib/log.h"

/* Reading a column as what it is not is a bug of the statement's noun. */
NO_RETURN static void
die_of_type(const struct db_cell *cell)
{
	log_error(NULL, "column %s has type %u, which its reader does not take",
		cell->column, cell->type);
	abort();
}

static struct db_cell
cell_of(const struct rows *rows, size_t row, int column, unsigned type)
{
	struct db_cell cell = db_cell(rows, row, column);

	if (cell.type != type)
		die_of_type(&cell);
	return cell;
}

static uint64_t
get_uint64(const char *data)
{
	uint64_t big;

	memcpy(&big, data, sizeof(big));
	return be64toh(big);
}

static uint32_t
get_uint32(const char *data)
{
	uint32_t big;

	memcpy(&big, data, sizeof(big));
	return be32toh(big);
}

static uint16_t
get_uint16(const char *data)
{
	uint16_t big;

	memcpy(&big, data, sizeof(big));
	return be16toh(big);
}

int64_t
rows_int(const struct rows *rows, size_t row, int column)
{
	struct db_cell cell = db_cell(rows, row, column);

	if (cell.null)
		return 0;
	switch (cell.type) {
	case OID_INT8:
		return (int64_t)get_uint64(cell.data);
	case OID_INT4:
		return (int32_t)get_uint32(cell.data);
	case OID_INT2:
		return (int16_t)get_uint16(cell.data);
	default:
		die_of_type(&cell);
	}
}

bool
rows_bool(const struct rows *rows, size_t row, int column)
{
	struct db_cell cell = cell_of(rows, row, column, OID_BOOL);

	return !cell.null && cell.data[0] != 0;
}

double
rows_num(const struct rows *rows, size_t row, int column)
{
	struct db_cell cell = db_cell(rows, row, column);
	uint64_t bits;
	uint32_t half;
	double number;
	float narrow;

	if (cell.null)
		return (double)NAN;
	switch (cell.type) {
	case OID_FLOAT8:
		bits = get_uint64(cell.data);
		memcpy(&number, &bits, sizeof(number));
		return number;
	case OID_FLOAT4:
		half = get_uint32(cell.data);
		memcpy(&narrow, &half, sizeof(narrow));
		return (double)narrow;
	default:
		die_of_type(&cell);
	}
}

const char *
rows_text(const struct rows *rows, size_t row, int column)
{
	struct db_cell cell = db_cell(rows, row, column);

	return cell.null ? NULL : cell.data;
}

struct bytes
rows_bytes(const struct rows *rows, size_t row, int column)
{
	struct db_cell cell = db_cell(rows, row, column);

	return cell.null ? (struct bytes){NULL, 0}
			 : (struct bytes){cell.data, cell.length};
}

int64_t
rows_time(const struct rows *rows, size_t row, int column)
{
	struct db_cell cell = cell_of(rows, row, column, OID_TIMESTAMPTZ);

	return cell.null ? CLOCK_NEVER
			 : (int64_t)get_uint64(cell.data) + DB_WIRE_EPOCH_US;
}

const uint8_t *
rows_uuid(const struct rows *rows, size_t row, int column)
{
	struct db_cell cell = cell_of(rows, row, column, OID_UUID);

	return cell.null ? NULL : (const uint8_t *)cell.data;
}

const char **
rows_texts(const struct rows *rows, struct arena *arena, size_t row, int column)
{
	struct db_cell cell = cell_of(rows, row, column, OID_TEXT_ARRAY);
	const char *data = cell.data;
	size_t count = 0;
	const char **list;

	if (!cell.null && get_uint32(data) == 1)
		count = get_uint32(data + 12);
	list = arena_array(arena, count + 1, sizeof(*list));
	data += 20; /* behind the header that db_wire_encode writes */
	for (size_t i = 0; i < count; i++) {
		int32_t length = (int32_t)get_uint32(data);

		data += 4;
		list[i] = arena_strndup(
			arena, data, length < 0 ? 0 : (size_t)length);
		data += length < 0 ? 0 : length;
	}
	return list;
}
