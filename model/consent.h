/*
 * consent: which scopes a person let a client have. What was allowed once is
 * not asked for again; model/application.h takes it back.
 */
#ifndef FG_MODEL_CONSENT_H
#define FG_MODEL_CONSENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"

extern const struct stmt consent_stmts[];

/* Were all of "scopes" allowed before? */
MUST_CHECK enum rc consent_covers(struct db *db, struct arena *arena,
	int64_t user_id, int64_t client_id, const char *const *scopes,
	bool *covered, struct fault *fault);

/* Allow "scopes" too. */
MUST_CHECK enum rc consent_give(struct db *db, int64_t user_id,
	int64_t client_id, const char *const *scopes, struct fault *fault);

#endif
