/*
 * audit_chain: what makes the audit tamper-evident.
 *
 * Services only add rows, without a lock. One process at a time links what
 * has been committed into a chain of hashes, in batches; a row's place in the
 * chain is the order in which it was seen.
 */
#ifndef FG_MODEL_AUDIT_CHAIN_H
#define FG_MODEL_AUDIT_CHAIN_H

#include <stdint.h>

#include "lib/db.h"
#include "lib/secret.h"

/* Rows linked in one transaction at most. */
#define AUDIT_CHAIN_BATCH 1000

extern const struct stmt audit_chain_stmts[];

/* Where the chain ends. */
struct audit_tip {
	int64_t position; /* 0 = there is no row yet */
	uint8_t hash[SECRET_HASH_BYTES];
};

/*
 * Link the next batch of rows; "linked" says how many there were. When another
 * process is at it, nothing is done.
 * Fails: as db_query; nothing is linked then.
 */
MUST_CHECK enum rc audit_chain_link(struct db *db, struct arena *arena,
	int64_t *linked, struct fault *fault);

MUST_CHECK enum rc audit_chain_tip(struct db *db, struct arena *arena,
	struct audit_tip *tip, struct fault *fault);

#endif
