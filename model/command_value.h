/*
 * command_value: the value of a command, from what a client wrote.
 *
 * Clients in the field write numbers and truth as text ("20", "on"), so text
 * is taken for every kind. What does not fit exactly is refused, never rounded.
 */
#ifndef FG_MODEL_COMMAND_VALUE_H
#define FG_MODEL_COMMAND_VALUE_H

#include "lib/arena.h"
#include "lib/fault.h"
#include "model/variable.h"

struct json_object;

/*
 * "given" as a value of the variable's kind; text lives in "arena".
 *   bool    true, false, 1, 0, and text: true false on off yes no 1 0
 *   float   a finite number, or text of one
 *   int     a number without fraction, or text of one, within 64 bits
 *   string  text; numbers and truth as JSON writes them
 * Fails: RC_BAD_INPUT BadValue; "field" is the fault's field.
 */
MUST_CHECK enum rc command_value_read(struct arena *arena, enum value_kind kind,
	struct json_object *given, const char *field, struct value *value,
	struct fault *fault);

/* Within the variable's range? Fails: RC_BAD_INPUT OutOfRange. */
MUST_CHECK enum rc command_value_check(const struct variable *variable,
	const struct value *value, struct fault *fault);

/* The same to the eye: floats count as they are shown, to "decimals". */
bool command_value_same(
	const struct value *one, const struct value *other, int decimals);

#endif
