/*
 * login_step: somebody who has shown who they are, but is not let in yet: a
 * code, a new password or a second factor is missing. Known by a cookie of its
 * own for ten minutes.
 */
#ifndef FG_MODEL_LOGIN_STEP_H
#define FG_MODEL_LOGIN_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/secret.h"

extern const struct stmt login_step_stmts[];

struct login_step {
	const char *cookie; /* only from login_step_create */
	uint8_t hash[SECRET_HASH_BYTES];
	int64_t user_id;
	const char *csrf;
	const char *const *amr; /* what was shown so far (RFC 8176) */
	const char *issuer;
	const char *next; /* where to go in the end */
};

/* Needs: user_id, amr, issuer and next of "step"; fills the rest. */
MUST_CHECK enum rc login_step_create(struct db *db, struct arena *arena,
	struct login_step *step, struct fault *fault);

/* Fails: RC_NOT_FOUND unknown or expired. */
MUST_CHECK enum rc login_step_find(struct db *db, struct arena *arena,
	const char *cookie, struct login_step *step, struct fault *fault);

MUST_CHECK enum rc login_step_end(
	struct db *db, const struct login_step *step, struct fault *fault);

/* What an account asks for at its log-in. */
struct login_needs {
	bool new_password; /* the one it has is an initial one */
	bool factor;       /* it has a second factor */
};

MUST_CHECK enum rc login_needs_find(struct db *db, struct arena *arena,
	int64_t user_id, struct login_needs *needs, struct fault *fault);

#endif
