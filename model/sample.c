/* sample: a value of a variable at a time, with its status. */

#include "model/sample.h"

#include <math.h>
#include <string.h>

double
value_number(const struct value *value)
{
	switch (value->kind) {
	case VALUE_BOOL:
		return value->boolean ? 1 : 0;
	case VALUE_FLOAT:
		return value->number;
	case VALUE_INT:
		return (double)value->integer;
	case VALUE_NONE:
	case VALUE_STRING:
		break;
	}
	return NAN;
}

bool
value_equal(const struct value *left, const struct value *right)
{
	if (left->kind != right->kind)
		return false;
	switch (left->kind) {
	case VALUE_BOOL:
		return left->boolean == right->boolean;
	case VALUE_FLOAT: /* by bits: NaN is itself, and -0.0 is not 0.0 */
		return memcmp(&left->number, &right->number,
			       sizeof(left->number)) == 0;
	case VALUE_INT:
		return left->integer == right->integer;
	case VALUE_STRING:
		return left->string.bytes == right->string.bytes &&
			memcmp(left->string.data, right->string.data,
				left->string.bytes) == 0;
	case VALUE_NONE:
		break;
	}
	return true;
}
