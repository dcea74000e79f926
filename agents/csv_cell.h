/* csv_cell: what a cell of a data file means. */
#ifndef FG_AGENTS_CSV_CELL_H
#define FG_AGENTS_CSV_CELL_H

#include "agents/input.h"

/*
 * A time by "format": iso, epoch_s, epoch_ms or a strptime format, behind
 * whose end a fraction of a second may stand. A time without a zone is in the
 * process's time zone. False: it is no such time.
 */
bool csv_cell_time(const char *text, const char *format, int64_t *time_us);

/* A value as the input's type wants it; a string lives as long as the text. */
bool csv_cell_value(const char *text, const struct input *input,
	bool decimal_comma, struct value *value);

#endif
