/*
 * grant: what a user let a client have: authorization codes and refresh
 * tokens. All that comes from one authorization is one family, which dies
 * together when a code or a refresh token is used twice.
 */
#ifndef FG_MODEL_GRANT_H
#define FG_MODEL_GRANT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/encode.h"
#include "lib/secret.h"

extern const struct stmt grant_stmts[];

struct grant {
	int64_t client_id; /* client.id */
	int64_t user_id;
	uint8_t family[UUID_BYTES];
	uint8_t sid[UUID_BYTES];
	const char *const *scopes; /* NULL-terminated */
	int64_t auth_time_us;
	/* Only of a code. */
	const uint8_t *session_hash;
	const char *redirect_uri;
	bool redirect_uri_sent;
	const char *nonce;     /* NULL = none */
	const char *challenge; /* S256; NULL = none */
	/* Only of a refresh token. */
	int64_t dies_us; /* absolute end, whatever is refreshed */
};

/* A code that works once, for a minute, while its session lives. */
MUST_CHECK enum rc grant_code_create(struct db *db, struct arena *arena,
	const struct grant *grant, const char **code, struct fault *fault);

/*
 * Use a code up.
 * Fails: RC_NOT_FOUND unknown, expired, its session ended; RC_CONFLICT it was
 *        used before: its family is revoked now.
 */
MUST_CHECK enum rc grant_code_use(struct db *db, struct arena *arena,
	const char *code, struct grant *grant, struct fault *fault);

/* A refresh token of the grant's family; at the latest it dies at dies_us. */
MUST_CHECK enum rc grant_refresh_create(struct db *db, struct arena *arena,
	const struct grant *grant, int64_t idle_s, const char **token,
	struct fault *fault);

/*
 * Use a refresh token of this client up; within a transaction it comes back
 * with a rollback. Fails: RC_NOT_FOUND unknown, expired or revoked;
 * RC_CONFLICT it was used before: call grant_revoke with grant->family.
 */
MUST_CHECK enum rc grant_refresh_use(struct db *db, struct arena *arena,
	const char *token, int64_t client_id, struct grant *grant,
	struct fault *fault);

/* Every token of the family is refused from now on. */
MUST_CHECK enum rc grant_revoke(
	struct db *db, const uint8_t family[UUID_BYTES], struct fault *fault);

#endif
