/* identity_consent: what a person is told about a client and its scopes. */
#ifndef FG_FCGI_IDENTITY_CONSENT_H
#define FG_FCGI_IDENTITY_CONSENT_H

#include "lib/req.h"
#include "model/client.h"

struct json_object;

/* Name, address and scopes, in words, for the pages consent and device. */
void consent_describe(struct json_object *view, const struct client *client,
	const char *const *scopes);

#endif
