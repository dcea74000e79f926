/* alarm_text: what an alarm says, from the text of its limit. */
#ifndef FG_MODEL_ALARM_TEXT_H
#define FG_MODEL_ALARM_TEXT_H

#include "model/alarm_limit.h"

/*
 * The limit's text with {value}, {unit} and {limit} filled in; the name when
 * there is no text. Other braces stay. Long strings are cut.
 */
const char *alarm_text(struct arena *arena, const struct alarm_limit *limit,
	const char *unit, int decimals, const struct value *value);

#endif
