/*
 * hub_evaluate: the thread that evaluates the limits of variables which no
 * agent evaluates.
 *
 * It follows the stored frames by their numbers, off the way on which they are
 * stored. Alarms, state and position are one transaction. After any failure it
 * forgets what it has in memory and goes on from what is in the database.
 */
#ifndef FG_FCGI_HUB_EVALUATE_H
#define FG_FCGI_HUB_EVALUATE_H

#include "fcgi/hub.h"

/* Run until hub->stopping. */
void hub_evaluate_run(struct hub *hub);

#endif
