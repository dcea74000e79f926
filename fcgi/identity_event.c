/* identity_event: log-ins as events of the grid. */

#include "fcgi/identity_event.h"

#include "lib/clock.h"
#include "model/event.h"

enum rc
identity_event(
	struct req *req, const char *kind, const char *name, const char *text)
{
	const struct event_new event = {
		.time_us = CLOCK_NEVER,
		.kind = kind,
		.text = text,
		.username = name,
		.computer = req->address,
	};

	return event_write(req->db, req->arena, &event, 1, &req->fault);
}
