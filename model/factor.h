/*
 * factor: the second factor of an account: an authenticator app (TOTP) and
 * recovery codes for the day it is lost.
 *
 * The secret is stored sealed; recovery codes only as hashes.
 */
#ifndef FG_MODEL_FACTOR_H
#define FG_MODEL_FACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/seal.h"

#define FACTOR_RECOVERY_CODES 10

extern const struct stmt factor_stmts[];

struct factor {
	int64_t user_id;
	const char *secret; /* base32; NULL = there is none */
	int64_t last_step;
	int64_t recovery_codes; /* not used yet */
	int64_t created_us;
};

/* Fails: RC_BUG it was sealed with another key. A user without one is no
 * failure: "secret" is NULL. */
MUST_CHECK enum rc factor_find(struct db *db, struct arena *arena,
	const struct seal *seal, int64_t user_id, struct factor *factor,
	struct fault *fault);

/*
 * The first code proves that the app has the secret of "factor": from now on
 * it is asked for. *codes are FACTOR_RECOVERY_CODES recovery codes, ended by
 * NULL, to be shown once.
 * Fails: RC_UNAUTHENTICATED the code does not fit; RC_CONFLICT the account has
 *        a second factor already.
 */
MUST_CHECK enum rc factor_confirm(struct db *db, struct arena *arena,
	const struct seal *seal, const struct factor *factor, const char *code,
	const char *const **codes, struct fault *fault);

/* New recovery codes; the old ones are worth nothing. */
MUST_CHECK enum rc factor_renew_codes(struct db *db, struct arena *arena,
	int64_t user_id, const char *const **codes, struct fault *fault);

/*
 * Use a code of the app or a recovery code up: each works once.
 * Fails: RC_UNAUTHENTICATED it is neither, or was used before.
 */
MUST_CHECK enum rc factor_use(struct db *db, const struct factor *factor,
	const char *code, struct fault *fault);

/* Nothing is left of it. */
MUST_CHECK enum rc factor_remove(
	struct db *db, int64_t user_id, struct fault *fault);

#endif
