/* naming: the name and the description that somebody gives to a group, a role,
 * a class of alarms, a cause. */
#ifndef FG_MODEL_NAMING_H
#define FG_MODEL_NAMING_H

#include "lib/fault.h"

#define NAMING_NAME_BYTES        128
#define NAMING_DESCRIPTION_BYTES 500

/* "path" is where in a document the name stands ("causes[2]"), or "".
 * Fails: RC_BAD_INPUT. */
MUST_CHECK enum rc naming_check_name(
	const char *name, const char *path, struct fault *fault);

/* Fails: RC_BAD_INPUT names the field and its limit. */
MUST_CHECK enum rc naming_check(
	const char *name, const char *description, struct fault *fault);

/* RC_CONFLICT with words: there is a "kind" of that name. Any other "rc" stays
 * as it is. */
MUST_CHECK enum rc naming_taken(
	enum rc rc, const char *kind, const char *name, struct fault *fault);

#endif
