/* naming: the name and the description that somebody gives to something. */

#include "model/naming.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/utf8.h"

enum rc
naming_check_name(const char *name, const char *path, struct fault *fault)
{
	const bool nested = path[0] != '\0';
	char field[sizeof(fault->field)];

	if (utf8_is_name(name, NAMING_NAME_BYTES))
		return RC_OK;
	snprintf(field, sizeof(field), "%.50s%sname", path, nested ? "." : "");
	return fault_tell(fault, RC_BAD_INPUT, "BadName", field,
		"%s%sA name has 1 to %d bytes, no control characters and no "
		"space at an end.",
		path, nested ? ": " : "", NAMING_NAME_BYTES);
}

enum rc
naming_check(const char *name, const char *description, struct fault *fault)
{
	enum rc rc = naming_check_name(name, "", fault);

	if (rc != RC_OK)
		return rc;
	if (strlen(description) > NAMING_DESCRIPTION_BYTES)
		return fault_tell(fault, RC_BAD_INPUT, "TooLong", "description",
			"A description has at most %d bytes.",
			NAMING_DESCRIPTION_BYTES);
	return RC_OK;
}

enum rc
naming_taken(
	enum rc rc, const char *kind, const char *name, struct fault *fault)
{
	if (rc != RC_CONFLICT)
		return rc;
	return fault_tell(fault, RC_CONFLICT, "NameTaken", "name",
		"There is a %s \"%s\" already.", kind, name);
}
