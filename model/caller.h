/*
 * caller: who sends a request, proven by a bearer token or a session cookie.
 */
#ifndef FG_MODEL_CALLER_H
#define FG_MODEL_CALLER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/req.h"
#include "lib/route.h"

#define CALLER_COOKIE       "__Host-gridsid"
#define CALLER_AUDIENCE_API "fieldgrid-api"
#define CALLER_AUDIENCE_HUB "fieldgrid-hub"
#define CALLER_SCOPE_HUB    "hub"
#define CALLER_SCOPE_API    "API"

enum caller_kind { CALLER_NOBODY, CALLER_USER, CALLER_CLIENT, CALLER_NODE };

struct caller {
	enum caller_kind kind;
	int64_t id;          /* account.id, client.id or node.id */
	const char *subject; /* the sub claim: a uuid, or the client_id */
	const char *name;    /* for people and logs */
	bool administrator;
	const char *scopes;     /* space-separated; "" for a session */
	const char *csrf;       /* of the session; NULL for a token */
	uint8_t credential[32]; /* SHA-256 of the cookie, or of "token:" + sub:
				 * the same for every request of this caller */
	int64_t expires_us;
	/* Only of a token: what caller_recheck needs. */
	const char *client; /* client_id */
	int64_t client_epoch;
	int64_t user_epoch;
	uint8_t family[16]; /* of the grant it came from */
	bool has_family;
	uint8_t token_id[16]; /* its jti */
	bool has_token_id;
};

/* For db_open of every program that authenticates. */
extern const struct stmt caller_stmts[];

/* What caller_authenticate needs besides the database; one per thread. */
struct caller_gate;

/* "issuer" as in discovery. Lives until caller_gate_free. */
struct caller_gate *caller_gate_new(const char *issuer);
void caller_gate_free(struct caller_gate *gate);

/* Ask the database anew about everybody: rights have changed. */
void caller_gate_forget(struct caller_gate *gate);

/* What says so: every change of sessions, accounts, clients, nodes, rules. */
#define CALLER_CHANNEL "fieldgrid_rights"

/*
 * Find out who sends "req" and check "need"; sets req->caller. For NEED_ADMIN
 * it checks what it does for NEED_API: rights are the policy's business.
 * The database is asked at most once a second per session or token, and again
 * after caller_gate_forget.
 * Fails: RC_UNAUTHENTICATED, RC_DENIED (scope), RC_UNAVAILABLE. A session
 *        cookie counts for anything but GET and HEAD only from our own origin
 *        (Sec-Fetch-Site or Origin).
 */
MUST_CHECK enum rc caller_authenticate(
	struct caller_gate *gate, struct req *req, enum need need);

/*
 * Is a caller of an earlier request still who it was? For streams that live
 * longer than a request: ask at every notification on "fieldgrid_rights" and
 * at least once a minute. An open stream counts as use of its session.
 * Fails: RC_UNAUTHENTICATED logged out, expired, disabled or revoked.
 */
MUST_CHECK enum rc caller_recheck(struct db *db, struct arena *arena,
	const struct caller *caller, struct fault *fault);

/* The same of a node and its certificate. */
MUST_CHECK enum rc caller_recheck_node(struct db *db, struct arena *arena,
	const struct caller *caller, const uint8_t fingerprint[32],
	struct fault *fault);

/* A copy that lives in "arena", with its texts. */
struct caller *caller_copy(struct arena *arena, const struct caller *caller);

/*
 * The node whose certificate secures this connection, without a token; fills
 * kind, id, subject and name.
 * Fails: RC_DENIED NoCertificate, UnknownCertificate or NodeNotAuthorised.
 */
MUST_CHECK enum rc caller_find_node(
	struct req *req, uint8_t fingerprint[32], struct caller *node);

/*
 * What an access token of any audience is good for now: its claims, and the
 * caller as if it had been sent with it, whatever it is bound to.
 * Fails: RC_UNAUTHENTICATED it is not, or no more; RC_UNAVAILABLE.
 */
struct json_object;
MUST_CHECK enum rc caller_inspect(struct caller_gate *gate, struct req *req,
	const char *token, struct caller *caller, struct json_object **claims);

/*
 * The certificate of this connection, when it is one that our listener has
 * checked and that is neither revoked nor that of a blocked node.
 * Fails: RC_DENIED NoCertificate, UnknownCertificate, NodeNotAuthorised.
 */
MUST_CHECK enum rc caller_certificate(
	struct req *req, const char **escaped, uint8_t fingerprint[32]);

bool caller_has_scope(const struct caller *caller, const char *scope);

/* "sent" is the token of the caller's session, from a form or a header.
 * Fails: RC_DENIED. */
MUST_CHECK enum rc caller_check_csrf(
	const struct caller *caller, const char *sent, struct fault *fault);

/* Was the request made by a page of our own origin? */
bool caller_same_origin(const struct req *req);

/*
 * The issuer's public keys, for verifying tokens outside of a request's
 * authentication (id_token_hint). Fails: as jwt_verify; RC_UNAVAILABLE.
 */
struct json_object;
MUST_CHECK enum rc caller_read_token(struct caller_gate *gate, struct req *req,
	const char *token, const char *use, const char *audience,
	bool ignore_expiry, struct json_object **claims);

#endif
