/* value_json: a value as JSON: true, a number, or text. */
#ifndef FG_MODEL_VALUE_JSON_H
#define FG_MODEL_VALUE_JSON_H

#include "lib/jsonw.h"
#include "model/sample.h"

/* No value, NaN and infinities are null; an integer beyond 2^53, which many
 * readers would round, is text. */
void value_write(
	struct jsonw *json, const char *key, const struct value *value);

/* The same as text in "arena"; NULL for no value. */
const char *value_json(struct arena *arena, const struct value *value);

#endif
