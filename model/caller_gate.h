/*
 * caller_gate: what the files behind model/caller.h share, and nobody else.
 */
#ifndef FG_MODEL_CALLER_GATE_H
#define FG_MODEL_CALLER_GATE_H

#include "lib/jwt.h"
#include "lib/secret.h"
#include "model/caller.h"

enum caller_stmt {
	CALLER_KEYS,
	CALLER_SESSION,
	CALLER_TOUCH,
	CALLER_TOKEN,
	CALLER_CERTIFICATE,
	CALLER_BARRED
};

/* A caller that was found good less than a second ago. */
struct known;

struct caller_gate {
	char *issuer;
	struct jwt_ring *ring;
	int64_t keys_read_us;  /* steady clock; 0 = never */
	int64_t keys_asked_us; /* last time because of an unknown key */
	int64_t forgot_us;     /* what was known up to then is not any more */
	struct known *known;
};

/* Keep a copy of "caller" for a second; "key" is a digest of its proof. */
void caller_remember(struct caller_gate *gate,
	const uint8_t key[SECRET_HASH_BYTES], const struct caller *caller);

/* A copy in "arena"; NULL when there is none or it is too old. */
struct caller *caller_recall(struct caller_gate *gate, struct arena *arena,
	const uint8_t key[SECRET_HASH_BYTES]);

/* Fails: RC_UNAUTHENTICATED InvalidToken, always. */
enum rc caller_refuse(struct fault *fault, const char *why);

/*
 * The token of "Authorization: Bearer ..."; NULL when there is none.
 * Fails: RC_BAD_INPUT InvalidRequest: no b64token (RFC 6750 2.1), or a second
 *        token as a parameter, which alone is no token here.
 */
MUST_CHECK enum rc caller_read_bearer(struct req *req, const char **token);

/* A digest of the token, the certificate of this connection, and what they
 * are to prove: a node is not found again as anybody else. */
void caller_hash_proof(struct req *req, enum need need, const char *token,
	uint8_t key[SECRET_HASH_BYTES]);

/* A token with "cnf" counts only over the connection of that certificate.
 * Fails: RC_UNAUTHENTICATED. */
struct json_object;
MUST_CHECK enum rc caller_check_binding(
	struct req *req, struct json_object *claims);

/*
 * Who holds this access token; "node_id" is that of the client's node or 0.
 * Fails: as jwt_verify; RC_UNAUTHENTICATED revoked, disabled; RC_UNAVAILABLE.
 */
MUST_CHECK enum rc caller_of_token(struct caller_gate *gate, struct req *req,
	const char *token, const char *audience, struct caller *caller,
	int64_t *node_id, struct json_object **claims);

/* The state of client, user and grant behind a token, as it is now. */
MUST_CHECK enum rc caller_find_token(struct db *db, struct arena *arena,
	const struct caller *caller, bool is_user, struct rows **rows,
	struct fault *fault);

/* Certificate, node, and a token bound to both. */
MUST_CHECK enum rc caller_authenticate_node(
	struct caller_gate *gate, struct req *req);

#endif
