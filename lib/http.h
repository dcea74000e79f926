/*
 * http: requests to one service over TLS, one at a time, kept alive.
 *
 * Only https, HTTP/1.1, TLS 1.2 or newer; a redirect is an answer and is not
 * followed; no proxy of the environment. The only file that knows libcurl.
 */
#ifndef FG_LIB_HTTP_H
#define FG_LIB_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/fault.h"

struct http;

struct http_options {
	const char *ca;     /* PEM file of who may have signed the server */
	const char *ca_pem; /* the same as text; neither = the system's list */
	bool unverified;    /* any server: only for what is checked otherwise */
	const char *certificate; /* PEM file of the client; NULL = none */
	const char *key;
	int64_t connect_timeout_ms;
	int64_t timeout_ms; /* of the whole request */
	size_t response_bytes_max;
	/* When it turns true a running request ends at once; may be NULL. */
	const atomic_bool *stop;
};

struct http_call {
	const char *method;
	const char *url;
	const char *bearer; /* NULL = no such header */
	const char *user;   /* basic authentication; NULL = none */
	const char *password;
	const char *accept;       /* NULL = anything */
	const char *place;        /* header Fieldgrid-Place; NULL = none */
	const char *content_type; /* NULL = no body */
	const void *body;
	size_t body_bytes;
};

struct http_reply {
	int status;
	int64_t retry_after_s; /* 0 = the answer does not say */
	struct buf
		body; /* the caller inits and frees it; cleared by each call */
};

/* Who takes an answer that never ends, piece by piece. */
struct http_stream {
	void (*take)(void *context, const char *data, size_t length);
	void *context;
	int64_t silence_ms; /* end it when nothing came for so long */
};

/* Fails: RC_IO a certificate or key file cannot be read. */
MUST_CHECK enum rc http_open(const struct http_options *options,
	struct http **http, struct fault *fault);
void http_close(struct http *http);

/*
 * RC_OK for any whole answer, whatever its status.
 * Fails:  RC_UNAVAILABLE no connection, or cut, or too slow; RC_UPSTREAM TLS
 *         was refused by either side; RC_TOO_LARGE the answer is too long.
 * Blocks: at most options.timeout_ms.
 */
MUST_CHECK enum rc http_send(struct http *http, const struct http_call *call,
	struct http_reply *reply, struct fault *fault);

/*
 * As http_send, but the body of an answer 200 goes to "stream" as it comes,
 * for as long as it lasts; options.timeout_ms does not count.
 * Fails: as http_send; RC_UNAVAILABLE also after stream->silence_ms.
 */
MUST_CHECK enum rc http_follow(struct http *http, const struct http_call *call,
	const struct http_stream *stream, struct http_reply *reply,
	struct fault *fault);

#endif
