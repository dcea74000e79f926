/*
 * db_wire: values in PostgreSQL's binary form; between lib/db.c and its parts.
 */
#ifndef FG_LIB_DB_WIRE_H
#define FG_LIB_DB_WIRE_H

#include "lib/buf.h"
#include "lib/db.h"

#define DB_WIRE_PARAMS_MAX 32
/* PostgreSQL counts timestamps from 2000-01-01. */
#define DB_WIRE_EPOCH_US INT64_C(946684800000000)

/* Type OIDs of PostgreSQL's catalogue (pg_type.dat); fixed for ever. */
enum {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_FLOAT4 = 700,
	OID_FLOAT8 = 701,
	OID_BYTEA_ARRAY = 1001,
	OID_INT4_ARRAY = 1007,
	OID_TEXT_ARRAY = 1009,
	OID_INT8_ARRAY = 1016,
	OID_FLOAT8_ARRAY = 1022,
	OID_TIMESTAMPTZ = 1184,
	OID_UUID = 2950,
};

/* One call's parameters as libpq wants them. */
struct db_wire {
	const char *values[DB_WIRE_PARAMS_MAX];
	int lengths[DB_WIRE_PARAMS_MAX];
	int formats[DB_WIRE_PARAMS_MAX];
};

/* The type of a letter of struct stmt; 0 for any other letter. */
unsigned db_wire_type(char letter);

/*
 * Fill "wire"; its values point into "out" and into "params", so both must
 * stay while it is used. Fails: RC_BUG wrong count or type; RC_TOO_LARGE.
 */
MUST_CHECK enum rc db_wire_encode(const struct stmt *stmt, struct params params,
	struct buf *out, struct db_wire *wire, struct fault *fault);

/* One value of a result. */
struct db_cell {
	const char *data; /* zero-terminated */
	size_t length;
	unsigned type;
	const char *column;
	bool null;
};

/* Implemented by lib/db.c. */
struct db_cell db_cell(const struct rows *rows, size_t row, int column);

#endif
