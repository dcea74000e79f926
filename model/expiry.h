/* expiry: rows of the identity service that nobody can use any more. */
#ifndef FG_MODEL_EXPIRY_H
#define FG_MODEL_EXPIRY_H

#include <stdint.h>

#include "lib/db.h"

extern const struct stmt expiry_stmts[];

/*
 * Delete sessions, codes, refresh tokens, revocations and login failures whose
 * time is over. Used codes and tokens stay while a second use would tell of a
 * theft. *deleted counts rows. Fails: as db_exec.
 */
MUST_CHECK enum rc expiry_prune(
	struct db *db, int64_t *deleted, struct fault *fault);

#endif
