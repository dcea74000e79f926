/*
 * hub_clock: the hub's steady clock as nodes see it.
 *
 * It counts microseconds since this machine was started, asleep or not, and
 * no one can set it. "boot" tells one start of the machine from the next, so a
 * restart of the hub changes neither. Expiry of commands is counted on it.
 */
#ifndef FG_FCGI_HUB_CLOCK_H
#define FG_FCGI_HUB_CLOCK_H

#include "lib/encode.h"
#include "lib/jsonw.h"
#include "lib/route.h"

/* The same 16 bytes until the machine is started again. */
const uint8_t *hub_clock_boot(void);

/* The members "boot", "steady" and "time". */
void hub_clock_write(struct jsonw *json);

/* GET /hub/v1/clock: for a node that measures where our clock is. */
handler_fn hub_clock_get;

#endif
