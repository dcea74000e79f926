/*
 * jwt: signed tokens (RFC 7519), checked with libjwt 1.10.2.
 *
 * The only file that knows libjwt. That version takes an HS256 token made with
 * an RSA public key for a good one, takes any token when it has no key, looks
 * at neither times nor "crit", and ignores letters behind the signature. So
 * everything is decided here before it sees a token: the key id picks the key,
 * the key alone decides the algorithm, the form must be canonical, and all
 * claims are read and checked afterwards from our own parse of the payload.
 *
 * It also writes and accepts no header "typ" but "JWT", so the "at+jwt" of
 * RFC 9068 cannot be used: a claim "token_use" (access, id) and the audience
 * tell the kinds of tokens apart instead.
 *
 * libjwt reads the PEM anew for every token; a ring therefore remembers the
 * signatures that it has verified, and tokens are made with OpenSSL alone
 * (jwt_sign.c): reading the private key costs twice as much as to sign.
 */
#ifndef FG_LIB_JWT_H
#define FG_LIB_JWT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/fault.h"

#define JWT_TOKEN_BYTES_MAX 8192
#define JWT_SKEW_S          60

struct json_object;

/* Public keys by key id, and the signatures verified with them; one thread. */
struct jwt_ring;

struct jwt_ring *jwt_ring_new(void);
void jwt_ring_free(struct jwt_ring *ring);
/* Forget all keys and all verified signatures. */
void jwt_ring_clear(struct jwt_ring *ring);

bool jwt_ring_has(const struct jwt_ring *ring, const char *kid);
size_t jwt_ring_count(const struct jwt_ring *ring);

/* Fails: RC_BAD_INPUT "algorithm" is neither RS256 nor ES256;
 *        RC_CONFLICT the key id is there already; RC_TOO_LARGE > 16 keys. */
MUST_CHECK enum rc jwt_ring_add(struct jwt_ring *ring, const char *kid,
	const char *algorithm, const char *public_pem, struct fault *fault);

/* What a token must say to be accepted. */
struct jwt_expect {
	const char *issuer;
	const char *audience; /* one of the token's; NULL = any */
	const char *use;      /* claim token_use: "access", "id" or, for tokens
				 of others, NULL = not looked at */
	size_t bytes_max;     /* 0 = JWT_TOKEN_BYTES_MAX */
	int64_t now_us;
	bool ignore_expiry; /* for id_token_hint, which may be old */
};

/*
 * Check form, key, signature, times, issuer, audience and use of "token".
 * Owns:  *claims, the payload, lives in "arena".
 * Fails: RC_UNAUTHENTICATED, errorCode InvalidToken, with words that the
 *        client may read; RC_NOT_FOUND a well-formed token of an unknown key
 *        id: read the keys again, then it is RC_UNAUTHENTICATED too.
 */
MUST_CHECK enum rc jwt_verify(struct jwt_ring *ring, struct arena *arena,
	const char *token, const struct jwt_expect *expect,
	struct json_object **claims, struct fault *fault);

/* A private key that signs; parsed once, used often, by one thread. */
struct jwt_signer;

/*
 * "kid" is written into every token: letters that need no escape in JSON.
 * Owns:  the caller frees *signer; NULL when it fails.
 * Fails: RC_BAD_INPUT no private key, or not one for RS256 or ES256.
 */
MUST_CHECK enum rc jwt_signer_new(const char *kid, const char *algorithm,
	const char *private_pem, struct jwt_signer **signer,
	struct fault *fault);
void jwt_signer_free(struct jwt_signer *signer);
const char *jwt_signer_kid(const struct jwt_signer *signer);

/* Sign the JSON object "claims". Fails: RC_BUG the key does not sign. */
MUST_CHECK enum rc jwt_sign(struct arena *arena,
	const struct jwt_signer *signer, const char *claims, const char **token,
	struct fault *fault);

/* With another "typ" than JWT: for others to read, jwt_verify refuses it. */
MUST_CHECK enum rc jwt_sign_as(struct arena *arena,
	const struct jwt_signer *signer, const char *type, const char *claims,
	const char **token, struct fault *fault);

/* Text or whole number of a claim; NULL or false when it is anything else. */
const char *jwt_claim_text(struct json_object *claims, const char *name);
bool jwt_claim_int(
	struct json_object *claims, const char *name, int64_t *number);

#endif
