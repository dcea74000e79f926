/* db_wire: values in PostgreSQL's binary form. */

#include "lib/db_wire.h"

#include <ctype.h>
#include <endian.h>
#include <string.h>

#include "lib/clock.h"

unsigned
db_wire_type(char letter)
{
	switch (letter) {
	case 'i':
		return OID_INT8;
	case 'n':
		return OID_INT4;
	case 'o':
		return OID_BOOL;
	case 'd':
		return OID_FLOAT8;
	case 't':
		return OID_TEXT;
	case 'b':
		return OID_BYTEA;
	case 'u':
		return OID_UUID;
	case 'z':
		return OID_TIMESTAMPTZ;
	case 'I':
		return OID_INT8_ARRAY;
	case 'N':
		return OID_INT4_ARRAY;
	case 'D':
		return OID_FLOAT8_ARRAY;
	case 'T':
		return OID_TEXT_ARRAY;
	case 'B':
		return OID_BYTEA_ARRAY;
	default:
		return 0;
	}
}

static void
put_int32(struct buf *out, int64_t value)
{
	uint32_t big = htobe32((uint32_t)value);

	buf_add(out, &big, sizeof(big));
}

static void
put_int64(struct buf *out, int64_t value)
{
	uint64_t big = htobe64((uint64_t)value);

	buf_add(out, &big, sizeof(big));
}

static void
put_double(struct buf *out, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	put_int64(out, (int64_t)bits);
}

/* The length word -1 is NULL in an array. */
static void
put_item(struct buf *out, const void *data, size_t bytes)
{
	put_int32(out, data == NULL ? -1 : (int64_t)bytes);
	if (data != NULL)
		buf_add(out, data, bytes);
}

static unsigned
element_type(char letter)
{
	return db_wire_type((char)(letter == 'N' ? 'n' : tolower(letter)));
}

/* array_recv's form: dimensions, has-null, element type, length, lower bound.
 */
static void
put_array(struct buf *out, const struct param *param)
{
	put_int32(out, param->count == 0 ? 0 : 1);
	put_int32(out, 1);
	put_int32(out, element_type(param->type));
	if (param->count == 0)
		return;
	put_int32(out, (int64_t)param->count);
	put_int32(out, 1);
	for (size_t i = 0; i < param->count; i++) {
		switch (param->type) {
		case 'I':
			put_int32(out, 8);
			put_int64(out, param->integers[i]);
			break;
		case 'N':
			put_int32(out, 4);
			put_int32(out, param->shorts[i]);
			break;
		case 'D':
			put_int32(out, 8);
			put_double(out, param->numbers[i]);
			break;
		case 'T':
			put_item(out, param->texts[i],
				param->texts[i] ? strlen(param->texts[i]) : 0);
			break;
		default:
			put_item(out, param->many[i].data,
				param->many[i].length);
		}
	}
}

static void
put_scalar(struct buf *out, const struct param *param)
{
	switch (param->type) {
	case 'i':
		put_int64(out, param->integer);
		break;
	case 'n':
		put_int32(out, param->integer);
		break;
	case 'o':
		buf_char(out, param->integer != 0);
		break;
	case 'd':
		put_double(out, param->number);
		break;
	case 'z':
		put_int64(out, param->integer - DB_WIRE_EPOCH_US);
		break;
	default:
		put_array(out, param);
	}
}

static bool
is_null(const struct param *param)
{
	return param->null || (param->type == 't' && param->text == NULL) ||
	       ((param->type == 'b' || param->type == 'u') &&
		       param->bytes.data == NULL) ||
	       (param->type == 'z' && param->integer == CLOCK_NEVER);
}

/* Offsets become pointers once the buffer no longer moves. */
enum rc
db_wire_encode(const struct stmt *stmt, struct params params, struct buf *out,
	struct db_wire *wire, struct fault *fault)
{
	size_t offsets[DB_WIRE_PARAMS_MAX];

	if (params.count != strlen(stmt->types))
		return fault_set(fault, RC_BUG, "%s: %zu parameters given",
			stmt->name, params.count);
	for (size_t i = 0; i < params.count; i++) {
		const struct param *param = &params.items[i];

		if (param->type != stmt->types[i])
			return fault_set(fault, RC_BUG,
				"%s: parameter %zu is not of type %c",
				stmt->name, i + 1, stmt->types[i]);
		wire->formats[i] = 1;
		offsets[i] = out->length;
		if (!is_null(param) && strchr("tbu", param->type) == NULL)
			put_scalar(out, param);
		wire->lengths[i] = (int)(out->length - offsets[i]);
	}
	for (size_t i = 0; i < params.count; i++) {
		const struct param *param = &params.items[i];

		wire->values[i] = out->data + offsets[i];
		if (is_null(param)) {
			wire->values[i] = NULL;
		} else if (param->type == 't') {
			wire->values[i] = param->text;
			wire->lengths[i] = (int)strlen(param->text);
		} else if (param->type == 'b' || param->type == 'u') {
			wire->values[i] = param->bytes.data;
			wire->lengths[i] = (int)param->bytes.length;
		}
	}
	return out->overflow ? fault_set(fault, RC_TOO_LARGE,
				       "%s: parameters too large", stmt->name)
			     : RC_OK;
}
