/* command_value: the value of a command, from what a client wrote. */

#include "model/command_value.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/word.h"

#define INT64_EDGE 9223372036854775808.0     /* 2^63 */
#define JSON_EXACT INT64_C(9007199254740992) /* 2^53 */

static enum rc
refuse(struct fault *fault, const char *field, const char *what)
{
	return fault_tell(fault, RC_BAD_INPUT, "BadValue", field,
		"%s must be %s.", field, what);
}

/* --- one kind each ---------------------------------------------------------
 */

static bool
read_bool(struct json_object *given, bool *truth)
{
	double number;

	switch (json_object_get_type(given)) {
	case json_type_boolean:
		*truth = json_object_get_boolean(given);
		return true;
	case json_type_int:
	case json_type_double:
		number = json_object_get_double(given);
		*truth = number == 1;
		return number == 0 || number == 1;
	case json_type_string:
		return word_truth(json_object_get_string(given), truth);
	default:
		return false;
	}
}

/* Decimal only: strtod by itself takes spaces, "nan" and hexadecimal. */
static bool
looks_decimal(const char *text)
{
	return *text != '\0' && text[strspn(text, "+-.0123456789eE")] == '\0';
}

static bool
read_float_text(const char *text, double *number)
{
	char *end;

	if (!looks_decimal(text))
		return false;
	*number = strtod(text, &end);
	return *end == '\0' && isfinite(*number);
}

static bool
read_float(struct json_object *given, double *number)
{
	switch (json_object_get_type(given)) {
	case json_type_int:
	case json_type_double:
		*number = json_object_get_double(given);
		return isfinite(*number);
	case json_type_string:
		return read_float_text(json_object_get_string(given), number);
	default:
		return false;
	}
}

static bool
whole(double number, int64_t *integer)
{
	if (!(number >= -INT64_EDGE && number < INT64_EDGE) ||
		number != trunc(number))
		return false;
	*integer = (int64_t)number;
	return true;
}

/* "20" exactly, also beyond 2^53; "2e1" and "20.0" as well. */
static bool
read_int_text(const char *text, int64_t *integer)
{
	double number;
	char *end;

	if (!looks_decimal(text))
		return false;
	errno = 0;
	*integer = strtoll(text, &end, 10);
	if (*end == '\0')
		return errno == 0;
	return read_float_text(text, &number) && fabs(number) <= JSON_EXACT &&
	       whole(number, integer);
}

static bool
read_int(struct json_object *given, int64_t *integer)
{
	switch (json_object_get_type(given)) {
	case json_type_int:
		*integer = json_object_get_int64(given);
		/* json-c clamps what does not fit; the lowest number of all
		 * has to be written as text (is_cut). */
		return *integer != INT64_MAX ||
		       read_int_text(json_object_get_string(given), integer);
	case json_type_double:
		return whole(json_object_get_double(given), integer);
	case json_type_string:
		return read_int_text(json_object_get_string(given), integer);
	default:
		return false;
	}
}

static bool
read_string(struct arena *arena, struct json_object *given, struct value *value)
{
	const char *text;

	if (json_object_is_type(given, json_type_null) ||
		json_object_is_type(given, json_type_array) ||
		json_object_is_type(given, json_type_object))
		return false;
	text = json_object_get_string(given);
	value->string.data = arena_strdup(arena, text);
	value->string.bytes = (uint32_t)strlen(text);
	return value->string.bytes <= VALUE_STRING_BYTES_MAX;
}

/* What json-c or a C string would shorten is another value than was written. */
static bool
is_cut(struct json_object *given)
{
	switch (json_object_get_type(given)) {
	case json_type_int:
		return json_object_get_int64(given) == INT64_MIN ||
		       json_object_get_uint64(given) == UINT64_MAX;
	case json_type_string:
		return strlen(json_object_get_string(given)) !=
		       (size_t)json_object_get_string_len(given);
	default:
		return false;
	}
}

enum rc
command_value_read(struct arena *arena, enum value_kind kind,
	struct json_object *given, const char *field, struct value *value,
	struct fault *fault)
{
	*value = (struct value){.kind = kind};
	if (is_cut(given))
		return refuse(fault, field,
			"a number of 64 bits, or text without zero bytes");
	switch (kind) {
	case VALUE_BOOL:
		return read_bool(given, &value->boolean)
			       ? RC_OK
			       : refuse(fault, field,
					 "true or false, 1 or 0, on or off");
	case VALUE_FLOAT:
		return read_float(given, &value->number)
			       ? RC_OK
			       : refuse(fault, field, "a number");
	case VALUE_INT:
		return read_int(given, &value->integer)
			       ? RC_OK
			       : refuse(fault, field,
					 "a whole number of 64 bits");
	case VALUE_STRING:
		return read_string(arena, given, value)
			       ? RC_OK
			       : refuse(fault, field,
					 "text of at most 4096 bytes");
	default:
		return fault_set(fault, RC_BUG, "a variable without a kind");
	}
}

/* --- range, comparing ---------------------------------------------
 */

enum rc
command_value_check(const struct variable *variable, const struct value *value,
	struct fault *fault)
{
	double number = value_number(value);

	if (value->kind == VALUE_BOOL || value->kind == VALUE_STRING)
		return RC_OK;
	/* Comparisons with NaN, no limit, are false. */
	if (number < variable->minimum)
		return fault_tell(fault, RC_BAD_INPUT, "OutOfRange", "value",
			"value is below the minimum %.15g of %.100s.",
			variable->minimum, variable->name);
	if (number > variable->maximum)
		return fault_tell(fault, RC_BAD_INPUT, "OutOfRange", "value",
			"value is above the maximum %.15g of %.100s.",
			variable->maximum, variable->name);
	return RC_OK;
}

bool
command_value_same(
	const struct value *one, const struct value *other, int decimals)
{
	if (one->kind != VALUE_FLOAT || other->kind != VALUE_FLOAT)
		return value_equal(one, other);
	return one->number == other->number ||
	       fabs(one->number - other->number) <= 0.5 * pow(10, -decimals);
}
