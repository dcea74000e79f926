/*
 * caller: who sends a request, proven by a bearer token or a session cookie.
 */
#ifndef FG_MODEL_CALLER_H
#define FG_MODEL_CALLER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/req.h"
#include "lib/route.h"

enum caller_kind { CALLER_NOBODY, CALLER_USER, CALLER_CLIENT, CALLER_NODE };

struct caller {
	enum caller_kind kind;
	int64_t id;          /* account.id, client.id or node.id */
	const char *subject; /* the sub claim: a uuid, or the client_id */
	const char *name;    /* for people and logs */
	bool administrator;
	const char *scopes;  /* space-separated; "" for a session */
	const char *csrf;    /* of the session; NULL for a token */
	uint8_t credential[32]; /* SHA-256 of the cookie, or of "token:" + sub:
				 * the same for every request of this caller */
	int64_t expires_us;
};

/* What caller_authenticate needs besides the database; one per thread. */
struct caller_gate;

/* "issuer" as in discovery. Lives until caller_gate_free. */
struct caller_gate *caller_gate_new(const char *issuer);
void caller_gate_free(struct caller_gate *gate);

/*
 * Find out who sends "req" and check "need"; sets req->caller.
 * The database is asked at most once a second per session or token.
 * Fails: RC_UNAUTHENTICATED, RC_DENIED (scope), RC_UNAVAILABLE. A session
 *        cookie counts for anything but GET and HEAD only from our own origin
 *        (Sec-Fetch-Site or Origin).
 */
MUST_CHECK enum rc caller_authenticate(
	struct caller_gate *gate, struct req *req, enum need need);

#endif
