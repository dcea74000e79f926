/* value_wire: a value as bytes. */

#include "model/value_wire.h"

#include <string.h>

#include "lib/wire.h"

void
value_wire_add(struct buf *out, const struct value *value)
{
	uint64_t bits;

	switch (value->kind) {
	case VALUE_BOOL:
		wire_add_u8(out, value->boolean);
		break;
	case VALUE_FLOAT:
		memcpy(&bits, &value->number, sizeof(bits));
		wire_add_u64(out, bits);
		break;
	case VALUE_INT:
		wire_add_zigzag(out, value->integer);
		break;
	case VALUE_STRING:
		wire_add_varint(out, value->string.bytes);
		buf_add(out, value->string.data, value->string.bytes);
		break;
	case VALUE_NONE:
		break;
	}
}

void
value_wire_add_kind(struct buf *out, const struct value *value)
{
	wire_add_u8(out, value->kind);
	value_wire_add(out, value);
}
