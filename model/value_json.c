/* value_json: a value as JSON. */

#include "model/value_json.h"

#include <inttypes.h>
#include <stdio.h>

#define EXACT_MAX (INT64_C(1) << 53)

static void
write_integer(struct jsonw *json, const char *key, int64_t integer)
{
	char text[24];

	if (integer >= -EXACT_MAX && integer <= EXACT_MAX) {
		jsonw_int(json, key, integer);
		return;
	}
	snprintf(text, sizeof(text), "%" PRId64, integer);
	jsonw_str(json, key, text);
}

void
value_write(struct jsonw *json, const char *key, const struct value *value)
{
	switch (value->kind) {
	case VALUE_BOOL:
		jsonw_bool(json, key, value->boolean);
		break;
	case VALUE_FLOAT:
		jsonw_num(json, key, value->number);
		break;
	case VALUE_INT:
		write_integer(json, key, value->integer);
		break;
	case VALUE_STRING:
		jsonw_strn(json, key, value->string.data, value->string.bytes);
		break;
	case VALUE_NONE:
		jsonw_null(json, key);
		break;
	}
}

const char *
value_json(struct arena *arena, const struct value *value)
{
	struct jsonw *json;

	if (value->kind == VALUE_NONE)
		return NULL;
	json = jsonw_in(arena);
	value_write(json, NULL, value);
	return json->out->data;
}
