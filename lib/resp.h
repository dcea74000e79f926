/*
 * resp: the answer to a request, kept whole until the handler has succeeded.
 */
#ifndef FG_LIB_RESP_H
#define FG_LIB_RESP_H

#include "lib/buf.h"
#include "lib/jsonw.h"
#include "lib/req.h"

#define RESP_HEADERS_MAX 24

struct resp {
	int status;
	struct pair headers[RESP_HEADERS_MAX];
	size_t headers_count;
	struct buf body;
	struct jsonw json;
	/* Of the transport, for resp_flush; NULL = it keeps everything. */
	bool (*send)(struct resp *resp);
	void *transport;
	bool started;      /* something has been sent: no way back */
	size_t sent_bytes; /* before what is in the body now */
};

void resp_init(struct resp *resp);
void resp_free(struct resp *resp);
/* Forget everything but the memory. */
void resp_clear(struct resp *resp);

/* Set or replace a header; both texts must outlive the request (literals or
 * the request's arena) and hold no line break, else the header is dropped. */
void resp_header(struct resp *resp, const char *name, const char *value);
/* Add one more of the same name, e.g. Set-Cookie. */
void resp_header_add(struct resp *resp, const char *name, const char *value);

/* Start a JSON answer and return its writer. */
struct jsonw *resp_json(struct resp *resp, int status);
/* Start a text/html; charset=utf-8 answer and return its buffer. */
struct buf *resp_html(struct resp *resp, int status);
/* Start an answer of any other type. */
struct buf *resp_body(struct resp *resp, int status, const char *type);
/* 303 See Other: the next request is a GET. */
void resp_redirect(struct resp *resp, const char *location);
void resp_empty(struct resp *resp, int status);

/*
 * Send what the body holds and empty it, for answers that are too large to
 * keep. From then on the status stands, and a fault can only break the answer
 * off. False when the client has gone: stop.
 */
MUST_CHECK bool resp_flush(struct resp *resp);

/* The JSON error envelope {"errorCode","errorMessage",...} for a fault. */
void resp_fault(struct resp *resp, const struct fault *fault);

#endif
