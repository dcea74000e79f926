/*
 * failure: how often somebody was wrong, and how long they wait for it.
 *
 * The counters are rows that all workers share (login_failure). After some
 * free failures each next one doubles the wait up to a limit; a quarter of an
 * hour without a failure forgets them. A subject should name the address too,
 * so that nobody can keep out somebody at another one.
 */
#ifndef FG_MODEL_FAILURE_H
#define FG_MODEL_FAILURE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/db.h"

extern const struct stmt failure_stmts[];

struct failure_key {
	const char *subject;
	int64_t free;    /* failures that cost nothing */
	int64_t wait_s;  /* the longest wait */
	int64_t first_s; /* the first one, which then doubles */
};

/* "kind:HASH address"; only a digest of "name", in lower case, is kept,
 * because people type passwords there. "address" "" leaves it out. */
const char *failure_subject(struct arena *arena, const char *kind,
	const char *name, const char *address);

/* The longest wait of the subjects in seconds; 0 = try now. */
MUST_CHECK enum rc failure_wait(struct db *db, struct arena *arena,
	const struct failure_key *keys, size_t count, int64_t *wait_s,
	struct fault *fault);

MUST_CHECK enum rc failure_count(struct db *db, const struct failure_key *keys,
	size_t count, struct fault *fault);

/* After a success. */
MUST_CHECK enum rc failure_forget(
	struct db *db, const char *subject, struct fault *fault);

#endif
