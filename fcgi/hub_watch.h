/*
 * hub_watch: the thread that follows the database: it rebuilds the image at
 * start, then checks streams, variables and nodes, and writes checkpoints.
 */
#ifndef FG_FCGI_HUB_WATCH_H
#define FG_FCGI_HUB_WATCH_H

#include "fcgi/hub.h"

struct hub_live;

struct hub_watch {
	struct hub *hub;
	struct hub_live *live;
};

/* Run until hub->stopping, then write a last checkpoint. */
void hub_watch_run(const struct hub_watch *watch);

#endif
