/*
 * hub_held: requests that the live thread holds for handlers.
 *
 * A handler that would have to wait answers with a redirect that only nginx
 * follows (X-Accel-Redirect), to HUB_HELD_PATH. So the request leaves its
 * worker at once and waits in the event loop, where thousands fit.
 */
#ifndef FG_FCGI_HUB_HELD_H
#define FG_FCGI_HUB_HELD_H

#include <stdbool.h>

#include "fcgi/hub.h"
#include "lib/resp.h"

/* "internal" in nginx, so that no client gets there by itself. */
#define HUB_HELD_PATH "/.fieldgrid/held/"

struct event_base;
struct evhttp_request;
struct hub_held;

/* Before any thread; freed after the live thread has ended. */
void hub_held_open(struct hub *hub, struct event_base *base);
void hub_held_free(struct hub *hub);

/* Something that is held has news; from any thread. */
void hub_held_wake(struct hub *hub);

/* --- for the live thread ----------------------------------------------------
 */

/* True when the request was one of these and is taken care of. */
bool hub_held_take(struct hub *hub, struct evhttp_request *request);

/* End all of them now. */
void hub_held_close_all(struct hub *hub);

/* --- for handlers -----------------------------------------------------------
 */

/* Hand the request over to "kind", "id". */
void hub_held_redirect(
	struct req *req, struct resp *resp, const char *kind, const char *id);

#endif
