/*
 * est: certificates over EST (RFC 7030), as a machine asks for them.
 *
 * "url" is https://HOST:PORT without a path. All fail with RC_UNAVAILABLE when
 * nobody answers, RC_UPSTREAM when TLS is refused or the answer is not
 * understood, and with what the grid said: RC_UNAUTHENTICATED, RC_DENIED,
 * RC_CONFLICT, RC_TOO_MANY, else RC_BAD_INPUT; the fault has its code and
 * words.
 */
#ifndef FG_AGENTS_EST_H
#define FG_AGENTS_EST_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/http.h"

/* Any other request to the grid: the body of a 200 answer in "arena". */
MUST_CHECK enum rc est_call(struct http *http, struct arena *arena,
	const struct http_call *call, const char **body, struct fault *fault);

/* The certificates that the grid says are to be trusted, as PEM. */
MUST_CHECK enum rc est_bundle(struct http *http, struct arena *arena,
	const char *url, const char **pem, struct fault *fault);

struct est_request {
	const char *url;
	const char *user;     /* NULL = by certificate: a renewal */
	const char *password; /* the enrolment token */
	const char *csr;      /* base64 */
};

struct est_answer {
	bool pending; /* an administrator has to look at it first */
	int64_t retry_s;
	const char *pem;
};

MUST_CHECK enum rc est_certificate(struct http *http, struct arena *arena,
	const struct est_request *request, struct est_answer *answer,
	struct fault *fault);

#endif
