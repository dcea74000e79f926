/*
 * word: what people and machines write for a truth or a number, in tables,
 * configurations and messages.
 */
#ifndef FG_LIB_WORD_H
#define FG_LIB_WORD_H

#include <stdbool.h>

#include "lib/attr.h"

/* yes, true, on, 1 and no, false, off, 0, without regard to case; false when
 * it is none of them. */
MUST_CHECK bool word_truth(const char *text, bool *truth);

/* A finite number; a spreadsheet that separates by `;` may write 0,5 for 0.5.
 * False when it is none. */
MUST_CHECK bool word_number(const char *text, double *number);

#endif
