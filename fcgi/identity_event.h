/*
 * identity_event: log-ins as events of the grid, for the Chronological Event
 * List; the audit has them as well, with what only auditors need.
 */
#ifndef FG_FCGI_IDENTITY_EVENT_H
#define FG_FCGI_IDENTITY_EVENT_H

#include "lib/req.h"

#define IDENTITY_EVENT_OK      "login.ok"
#define IDENTITY_EVENT_REFUSED "login.refused"
#define IDENTITY_EVENT_ENDED   "login.ended"

/* In the open transaction, if there is one; "name" is the person's, or what
 * was typed, or NULL. Fails: as event_write. */
MUST_CHECK enum rc identity_event(
	struct req *req, const char *kind, const char *name, const char *text);

#endif
