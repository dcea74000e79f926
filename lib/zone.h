/*
 * zone: local time of a place in the IANA time zone database.
 *
 * The zone is one of the whole process (libc has no other way), so only for
 * programs that serve one request at a time. Leave it with zone_use("UTC").
 */
#ifndef FG_LIB_ZONE_H
#define FG_LIB_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

#define ZONE_TEXT_BYTES 48

/* False when there is no zone of that name; then UTC is used. */
MUST_CHECK bool zone_use(const char *name);

/* "2026-10-25T02:30:00.000+02:00"; six digits when microseconds need them. */
void zone_format(char text[ZONE_TEXT_BYTES], int64_t time_us);

#endif
