/*
 * route: which handler answers which method and path.
 *
 * Patterns are matched segment by segment on the raw path, each segment
 * decoded after the split, so that %2F stays inside a name. "{name}" takes one
 * segment, "text-{name}" one that begins with that text; "{name...}" as the
 * last one takes all that is left, slashes included. Empty segments (a double
 * slash) are ignored.
 */
#ifndef FG_LIB_ROUTE_H
#define FG_LIB_ROUTE_H

#include "lib/req.h"
#include "lib/resp.h"

typedef enum rc handler_fn(struct req *req, struct resp *resp);

/* What a caller must be to get in; a route without one is refused at start. */
enum need {
	NEED_UNSET,
	NEED_NONE,  /* public */
	NEED_LOGIN, /* a user's session or bearer token; pages redirect to log
		       in */
	NEED_API,   /* bearer token with a scope of the API, or a session */
	NEED_ADMIN, /* as NEED_API, and the right to administer
		       (model/policy.h); the program's statements include
		       policy_stmts */
	NEED_NODE,  /* mutual TLS and a token bound to that certificate */
};

struct route {
	enum method method;
	const char *pattern;
	handler_fn *handler;
	enum need need;
	size_t body_max_bytes; /* 0 = no body allowed */
	const char *summary;   /* for --routes and the OpenAPI check */
};

#define ROUTES_END                                                             \
	{                                                                      \
		.pattern = NULL                                                \
	}

/* Check a table at start: patterns well formed, needs set, no duplicates. */
MUST_CHECK enum rc route_check(const struct route *routes, struct fault *fault);

/*
 * Find the route for req->method and req->path and set req->args.
 * HEAD is answered by the GET route. Fails: RC_NOT_FOUND; RC_METHOD with the
 * methods that would match in *allowed; RC_BAD_INPUT for a broken escape.
 */
MUST_CHECK enum rc route_match(const struct route *routes, struct req *req,
	const struct route **route, unsigned *allowed);

const char *method_name(enum method method);
/* 0 for a method that nobody here knows. */
enum method method_parse(const char *name);

#endif
