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
	const char *const *amr; /* how the user logged in; NULL = unknown */
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

/* Store a refresh token of the grant's family; at the latest it dies at
 * dies_us. */
MUST_CHECK enum rc grant_refresh_create(struct db *db,
	const struct grant *grant, int64_t idle_s, const char *token,
	struct fault *fault);

/*
 * Use a refresh token of this client up; within a transaction it comes back
 * with a rollback. Fails: RC_NOT_FOUND unknown, expired or revoked;
 * RC_CONFLICT it was used before: call grant_revoke with grant->family.
 */
MUST_CHECK enum rc grant_refresh_use(struct db *db, struct arena *arena,
	const char *token, int64_t client_id, struct grant *grant,
	struct fault *fault);

/*
 * Use a refresh token that does not rotate once more: its idle time begins
 * anew. Fails: RC_NOT_FOUND.
 */
MUST_CHECK enum rc grant_refresh_keep(struct db *db, struct arena *arena,
	const char *token, int64_t client_id, int64_t idle_s,
	struct grant *grant, struct fault *fault);

/*
 * A refresh token that was used up less than "grace_s" ago, and "successor",
 * which was given for it, has not been used: the answer was lost, or two tabs
 * asked at once. Fails: RC_NOT_FOUND.
 */
MUST_CHECK enum rc grant_refresh_again(struct db *db, struct arena *arena,
	const char *token, int64_t client_id, int64_t grace_s,
	const char *successor, struct grant *grant, struct fault *fault);

/* What a refresh token is good for now, without using it.
 * Fails: RC_NOT_FOUND unknown, used, expired, revoked, of another client. */
struct grant_facts {
	uint8_t family[UUID_BYTES];
	uint8_t sid[UUID_BYTES];
	const char **scopes;
	const uint8_t *user; /* account.uuid */
	const char *user_name;
	int64_t issued_us;
	int64_t expires_us;
};
MUST_CHECK enum rc grant_refresh_find(struct db *db, struct arena *arena,
	const char *token, int64_t client_id, struct grant_facts *facts,
	struct fault *fault);

/* One access token is refused from now on, until it expires by itself. */
MUST_CHECK enum rc grant_revoke_token(struct db *db,
	const uint8_t jti[UUID_BYTES], int64_t expires_us, struct fault *fault);

/* Every token of the family is refused from now on. */
MUST_CHECK enum rc grant_revoke(
	struct db *db, const uint8_t family[UUID_BYTES], struct fault *fault);

#endif
