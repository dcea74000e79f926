/* challenge: what a refusal says about access tokens (RFC 6750, section 3). */
#ifndef FG_FCGI_CHALLENGE_H
#define FG_FCGI_CHALLENGE_H

#include "lib/resp.h"
#include "lib/route.h"

/*
 * Set WWW-Authenticate when "fault" is about the token or its absence, unless
 * the handler has set it: realm alone when there was none, else with error,
 * error_description and, when a scope is missing, the scope that "need" wants.
 */
void challenge_add(struct req *req, struct resp *resp,
	const struct fault *fault, enum need need);

#endif
