/*
 * jwt: signed tokens (RFC 7519), RS256 and ES256.
 *
 * The only file that knows libjwt. Its version 1.10.2 takes an HS256 token made
 * with an RSA public key for a good one, takes any token when it has no key,
 * looks at neither times nor "crit", ignores letters behind the signature, and
 * reads the PEM anew for every token, which costs ten times what OpenSSL needs
 * to verify (doc/ARCHITECTURE.md has the figures). So the key id picks the key,
 * which is parsed once, the key alone decides the algorithm, OpenSSL verifies,
 * the form must be canonical, and all claims are checked afterwards. libjwt is
 * the second reader: what it reads differently is refused.
 *
 * It writes and accepts no header "typ" but "JWT", so the "at+jwt" of RFC 9068
 * cannot be used: a claim "token_use" (access, id) and the audience tell the
 * kinds of tokens apart instead.
 *
 * A ring remembers the signatures that it has verified.
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

/* Fails: RC_BAD_INPUT "algorithm" is neither RS256 nor ES256, or the PEM is no
 *        key for it: RSA of 2048 to 4096 bits, or P-256;
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
