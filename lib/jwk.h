/*
 * jwk: public keys as JSON (RFC 7517), written and read.
 *
 * Only what signs tokens here: RSA of 2048 to 4096 bits with RS256, and EC
 * P-256 with ES256. PEM is SubjectPublicKeyInfo.
 */
#ifndef FG_LIB_JWK_H
#define FG_LIB_JWK_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/arena.h"
#include "lib/fault.h"

#define JWK_SET_BYTES_MAX ((size_t)256 * 1024)
#define JWK_SET_KEYS_MAX  64 /* of any kind */
#define JWK_USABLE_MAX    16 /* that a ring of lib/jwt.h can hold */
#define JWK_KID_BYTES_MAX 127

/* Big numbers are base64url. */
struct jwk {
	bool elliptic;      /* kty EC with crv P-256; else RSA */
	const char *first;  /* n, or x */
	const char *second; /* e, or y */
	const char *kid;    /* RFC 7638 thumbprint */
};

/* Fails: RC_BAD_INPUT not a public key of one of the two kinds. */
MUST_CHECK enum rc jwk_read(struct arena *arena, const char *public_pem,
	struct jwk *jwk, struct fault *fault);

/*
 * The PEM of "first" and "second"; kid is not looked at.
 * Fails: RC_BAD_INPUT numbers that make no key: not base64url, RSA of another
 *        size or with an even exponent or 1, a point that is not on P-256.
 */
MUST_CHECK enum rc jwk_pem(struct arena *arena, const struct jwk *jwk,
	const char **public_pem, struct fault *fault);

/* A key that somebody else published, ready for jwt_ring_add. */
struct jwk_usable {
	const char *kid;       /* theirs */
	const char *algorithm; /* RS256 or ES256 */
	const char *public_pem;
};

struct jwk_set {
	size_t count;
	size_t ignored; /* keys for another use, of another kind, or unnamed */
	struct jwk_usable items[JWK_USABLE_MAX];
};

/*
 * The keys of a JWK set that can verify tokens. Others are passed over: a set
 * may hold any kind of key. A kid that comes twice means the first.
 * Fails: RC_BAD_INPUT not a JWK set; RC_TOO_LARGE past one of the limits.
 */
MUST_CHECK enum rc jwk_set_read(struct arena *arena, const char *text,
	size_t length, struct jwk_set *set, struct fault *fault);

#endif
