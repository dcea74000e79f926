/*
 * hub_rights: the policies of callers, kept for a second, so that reading
 * current values needs no database.
 */
#ifndef FG_FCGI_HUB_RIGHTS_H
#define FG_FCGI_HUB_RIGHTS_H

#include "lib/req.h"
#include "model/policy.h"

struct hub_rights;

struct hub_rights *hub_rights_new(void);
void hub_rights_free(struct hub_rights *rights);

/* The caller's policy; valid until req->arena is reset.
 * Fails: RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc hub_rights_get(struct hub_rights *rights, struct req *req,
	const struct policy **policy);

/* Ask the database anew from now on. */
void hub_rights_forget(struct hub_rights *rights);

#endif
