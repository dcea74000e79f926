/*
 * hub_live: the thread that holds the streams, HTTP on a unix socket behind
 * nginx.
 */
#ifndef FG_FCGI_HUB_LIVE_H
#define FG_FCGI_HUB_LIVE_H

#include "fcgi/hub.h"

struct hub_live;

/* Open the socket and prepare hub->live; before any other thread.
 * Fails: RC_IO the socket. */
MUST_CHECK enum rc hub_live_open(
	struct hub *hub, struct hub_live **opened, struct fault *fault);
void hub_live_free(struct hub_live *live);

/* Serve until hub_live_stop, from another thread. */
void hub_live_run(struct hub_live *live);
void hub_live_stop(struct hub_live *live);

/* Something changed that streams should hear of; from any thread. */
void hub_live_wake(void *live);

/* The hash of the token or cookie that a request shows, so that a stream can
 * be held to it; zeroes when it shows none. */
void hub_live_secret(const struct req *req, uint8_t secret[32]);

#endif
