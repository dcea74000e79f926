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

#define SIGNING_KEY_RS256 "RS256"
#define SIGNING_KEY_ES256 "ES256"

/* What tokens are signed with, NULL-terminated; the first is the default. */
extern const char *const signing_key_algorithms[];

extern const struct stmt signing_key_stmts[];

struct signing_key {
	const char *kid;
	const char *algorithm;
	const char *private_pem;
};

/* What anybody may know about a key. */
struct signing_key_facts {
	const char *kid;
	const char *algorithm;
	const char *state; /* pending, active, retiring, removed */
	int64_t created_us;
	int64_t changed_us; /* when it came into this state */
};

struct signing_key_list {
	size_t count;
	struct signing_key_facts *items;
};

/*
 * Do what is due for each algorithm: make the first key, publish the next one
 * a day before the active one is 90 days old, change over to one that has been
 * published for a day, remove those that no token needs.
 * Safe to call by several workers at once.
 */
MUST_CHECK enum rc signing_key_rotate(struct db *db, struct arena *arena,
	const struct seal *seal, struct fault *fault);

/* The same, and the next keys are published now, to sign in a day. */
MUST_CHECK enum rc signing_key_begin(struct db *db, struct arena *arena,
	const struct seal *seal, struct fault *fault);

/*
 * The emergency: new keys sign from now on, all others and every token made
 * with them are refused.
 */
MUST_CHECK enum rc signing_key_replace(struct db *db, struct arena *arena,
	const struct seal *seal, struct fault *fault);

/* The latest 200, the newest first. */
MUST_CHECK enum rc signing_key_list(struct db *db, struct arena *arena,
	struct signing_key_list *list, struct fault *fault);

/* The key that signs. Fails: RC_NOT_FOUND; RC_BUG it is sealed otherwise. */
MUST_CHECK enum rc signing_key_active(struct db *db, struct arena *arena,
	const struct seal *seal, const char *algorithm, struct signing_key *key,
	struct fault *fault);

/* The JWK set (RFC 7517) of all keys that verify. */
MUST_CHECK enum rc signing_key_write_set(struct db *db, struct arena *arena,
	struct jsonw *json, struct fault *fault);

#endif
