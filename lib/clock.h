/*
 * clock: points in time as int64 microseconds since 1970-01-01 UTC.
 */
#ifndef FG_LIB_CLOCK_H
#define FG_LIB_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_NEVER      INT64_MIN
#define CLOCK_SECOND_US  INT64_C(1000000)
#define CLOCK_MINUTE_US  (60 * CLOCK_SECOND_US)
#define CLOCK_HOUR_US    (60 * CLOCK_MINUTE_US)
#define CLOCK_DAY_US     (24 * CLOCK_HOUR_US)
#define CLOCK_TEXT_BYTES 40

/* Wall clock; for stamps. */
int64_t clock_now_us(void);
/* The same, but when somebody sets it back this one goes on as before; for
 * limits on what may come. */
int64_t clock_latest_us(void);
/* Never jumps; for waiting and measuring. */
int64_t clock_steady_us(void);
/* As clock_steady_us, counted from the start of the machine, and on while it
 * sleeps. */
int64_t clock_boot_us(void);

/* "2026-11-21T10:00:00.000Z"; six digits when the microseconds need them. */
void clock_format(char text[CLOCK_TEXT_BYTES], int64_t time_us);

/*
 * Read an ISO 8601 / RFC 3339 time with seconds (fraction optional) and a zone
 * (Z or +hh:mm). Years 1970 to 2261 only. False when "text" is anything else.
 */
bool clock_parse(const char *text, int64_t *time_us);

#endif
