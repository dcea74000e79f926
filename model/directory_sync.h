/*
 * directory_sync: what directories say of their people, between logins.
 *
 * Everybody who has logged in once is asked about again, sync_s after the last
 * time, some hundred people a search. Who has vanished or is disabled there
 * loses sessions, tokens and groups; groups of the others are as they are
 * there now. Who could not be asked about for max_age_s is lost as well.
 */
#ifndef FG_MODEL_DIRECTORY_SYNC_H
#define FG_MODEL_DIRECTORY_SYNC_H

#include "model/directory.h"

extern const struct stmt directory_sync_stmts[];

struct directory_counts {
	int64_t asked;
	int64_t lost;
	bool more; /* some are due still: come again */
};

/*
 * One portion of those that are due, of every directory. Several keepers may
 * do it at once: a portion is claimed for a minute, which is also when one
 * that failed is tried again. A directory that fails stops no other.
 * Fails:  as db_query; what directories do is in the log and in sync_fault.
 * Blocks: as directory_log_in, for each directory.
 */
MUST_CHECK enum rc directory_sync(struct db *db, struct arena *arena,
	struct directory_gate *gate, struct directory_counts *counts,
	struct fault *fault);

#endif
