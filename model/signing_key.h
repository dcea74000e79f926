/*
 * signing_key: the keys that sign our tokens, and their life.
 *
 * pending (published, so that verifiers know it before it is used) -> active
 * (signs) -> retiring (still verifies) -> removed. The private half is stored
 * sealed with XChaCha20-Poly1305 under a key that is only in a file; the key
 * id is the RFC 7638 thumbprint.
 */
#ifndef FG_MODEL_SIGNING_KEY_H
#define FG_MODEL_SIGNING_KEY_H

#include <stdint.h>

#include "lib/db.h"
#include "lib/jsonw.h"
#include "lib/seal.h"

#define SIGNING_KEY_ALGORITHM "RS256"

extern const struct stmt signing_key_stmts[];

struct signing_key {
	const char *kid;
	const char *algorithm;
	const char *private_pem;
};

/*
 * Do what is due: make the first key, publish the next one a day before the
 * active one is 90 days old, change over, remove those that no token needs.
 * Safe to call by several workers at once.
 */
MUST_CHECK enum rc signing_key_rotate(struct db *db, struct arena *arena,
	const struct seal *seal, struct fault *fault);

/*
 * The emergency: a new key signs from now on, all others and every token made
 * with them are refused. Needs the rights of the database's owner.
 */
MUST_CHECK enum rc signing_key_replace(struct db *db, struct arena *arena,
	const struct seal *seal, struct fault *fault);

/* The key that signs. Fails: RC_NOT_FOUND; RC_BUG it is sealed otherwise. */
MUST_CHECK enum rc signing_key_active(struct db *db, struct arena *arena,
	const struct seal *seal, struct signing_key *key, struct fault *fault);

/* The JWK set (RFC 7517) of all keys that verify. */
MUST_CHECK enum rc signing_key_write_set(struct db *db, struct arena *arena,
	struct jsonw *json, struct fault *fault);

#endif
