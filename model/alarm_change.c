/* alarm_change: what a plant tells of one occurrence of an alarm. */

#include "model/alarm_change.h"

#include <string.h>

static const char *const kind_names[] = {
	[ALARM_CAME] = "came",
	[ALARM_WENT] = "went",
	[ALARM_REACTIVATED] = "reactivated",
	[ALARM_CHANGED] = "changed",
};

const char *
alarm_change_kind_name(enum alarm_change_kind kind)
{
	return kind_names[kind];
}

enum alarm_change_kind
alarm_change_kind_parse(const char *text)
{
	for (int kind = 1; kind <= ALARM_CHANGE_KINDS; kind++)
		if (strcmp(kind_names[kind], text) == 0)
			return (enum alarm_change_kind)kind;
	return 0;
}
