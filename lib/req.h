/*
 * req: one request, whatever brought it.
 *
 * The transport fills it, handlers read it; a test builds one by hand.
 * Everything lives in "arena".
 */
#ifndef FG_LIB_REQ_H
#define FG_LIB_REQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/db.h"
#include "lib/fault.h"

enum method {
	METHOD_GET = 1,
	METHOD_POST = 2,
	METHOD_PUT = 4,
	METHOD_PATCH = 8,
	METHOD_DELETE = 16,
	METHOD_HEAD = 32,
	METHOD_OPTIONS = 64,
};

#define REQ_ARGS_MAX 8

struct pair {
	const char *name;
	const char *value;
};

/* Names and values of a query string or a form, in order, decoded. */
struct pairs {
	size_t count;
	const struct pair *items;
};

struct req {
	enum method method;
	const char
		*path; /* raw, without query and prefix, e.g. /api/v1/a%2Fb */
	const char *query; /* raw, without '?'; "" when there is none */
	struct pair args[REQ_ARGS_MAX]; /* {name} parts of the path, decoded */
	size_t args_count;
	const char *body; /* zero-terminated; "" when there is none */
	size_t body_bytes;
	const char *content_type; /* as sent; "" when there is none */
	const char *address;      /* of the client */
	char id[17];              /* for the log and the X-Request-Id answer */

	struct arena *arena;
	struct db *db;
	const void *app;       /* the program's struct app */
	struct caller *caller; /* who asks (model/caller.h); never NULL */
	struct policy_cache *policies; /* (model/policy_cache.h); NULL = none */
	bool audited;                  /* a refusal is in the audit already */
	struct fault fault;

	/* A FastCGI parameter such as HTTP_COOKIE; NULL when it is not set. */
	const char *(*param)(const struct req *req, const char *name);
	void *transport;
};

/* A part of the path; never NULL for a name that the route's pattern has. */
const char *req_arg(const struct req *req, const char *name);

/* {name} as a UUID. Fails: RC_NOT_FOUND: what is not one names nothing. */
MUST_CHECK enum rc req_arg_uuid(
	struct req *req, const char *name, uint8_t uuid[16]);

/* A request header by its usual name, e.g. "If-None-Match"; NULL = not sent. */
const char *req_header(const struct req *req, const char *name);

/* A cookie by name; NULL = not sent. */
const char *req_cookie(const struct req *req, const char *name);

/*
 * The query string, or the form body, split and percent-decoded.
 * Fails: RC_BAD_INPUT for broken escapes, zero bytes, text that is not UTF-8,
 *        more than 256 pairs; req_form also RC_UNSUPPORTED for another type.
 */
MUST_CHECK enum rc req_query(struct req *req, struct pairs *pairs);
MUST_CHECK enum rc req_form(struct req *req, struct pairs *pairs);

/* The first value of "name"; NULL when there is none. */
const char *pairs_find(const struct pairs *pairs, const char *name);
size_t pairs_count(const struct pairs *pairs, const char *name);

/* Percent-decode in the arena; NULL for a broken escape or a zero byte. */
char *percent_decode(struct arena *arena, const char *text, size_t length,
	bool plus_is_space);
/* Encode everything but the unreserved characters of RFC 3986. */
char *percent_encode(struct arena *arena, const char *text);

#endif
