/*
 * alarm_limit_csv: limits as a table, one row each.
 *
 * Written and read by agents and by the hub alike. The first row names the
 * columns, in any order; variable, name and condition are required. The file
 * is refused as a whole, with file, line and column, when any of it is not
 * understood.
 */
#ifndef FG_MODEL_ALARM_LIMIT_CSV_H
#define FG_MODEL_ALARM_LIMIT_CSV_H

#include <stdio.h>

#include "model/alarm_limit.h"

/* The kind of a variable; VALUE_NONE when there is none of that name. */
typedef enum value_kind alarm_limit_kind_fn(
	const void *context, const char *variable);

/*
 * Read the table; "path" is for messages. Every limit is settled.
 * Owns:  the limits live in "arena".
 * Fails: RC_BAD_INPUT with "path:line:column: why"; RC_IO.
 */
MUST_CHECK enum rc alarm_limit_csv_read(struct arena *arena, FILE *file,
	const char *path, alarm_limit_kind_fn *kind, const void *context,
	struct alarm_limit_list *list, struct fault *fault);

/* The header row and one row per limit; all columns. */
void alarm_limit_csv_write(
	struct buf *out, const struct alarm_limit *limits, size_t count);

#endif
