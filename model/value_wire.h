/*
 * value_wire: a value as bytes, the way frames, chunks and saved states have it
 * (doc/FRAME.md): a bool is one byte, a float64 eight, an int64 a zigzag, text
 * its length and its bytes; no value is nothing.
 */
#ifndef FG_MODEL_VALUE_WIRE_H
#define FG_MODEL_VALUE_WIRE_H

#include "lib/buf.h"
#include "model/sample.h"

void value_wire_add(struct buf *out, const struct value *value);

/* The same behind a byte that says which kind it is. */
void value_wire_add_kind(struct buf *out, const struct value *value);

#endif
