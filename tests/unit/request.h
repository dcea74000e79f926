/* request: a request without a socket, for tests of handlers and parsers. */
#ifndef FG_TESTS_UNIT_REQUEST_H
#define FG_TESTS_UNIT_REQUEST_H

#include "lib/req.h"

/* "params" are FastCGI parameters, ended by a NULL name; may be NULL. */
void request_make(struct req *req, struct arena *arena, enum method method,
	const char *uri, const char *content_type, const char *body,
	const struct pair *params);

#endif
