/*
 * audit_verify: was the audit changed behind our back?
 *
 * Computes every hash of the chain anew and holds the chain against the signed
 * checkpoints, those in the table and those of a file that was kept elsewhere.
 * Finds rows that were edited, removed, exchanged, added beside the chain or
 * cut off at the end; a cut-off end only by a checkpoint that lies behind it.
 */
#ifndef FG_MODEL_AUDIT_VERIFY_H
#define FG_MODEL_AUDIT_VERIFY_H

#include "model/audit_checkpoint.h"

#define AUDIT_FINDINGS_MAX 100
/* A row that waits longer for its link is a finding. */
#define AUDIT_LINK_WAIT_S 60

extern const struct stmt audit_verify_stmts[];

struct audit_verify {
	/* NULL = do not look at signatures. */
	const struct audit_verifiers *verifiers;
	/* From a file; read before audit_verify is called. NULL = none. */
	const struct audit_checkpoint_list *copies;
	int64_t rows_max; /* only the last ones; 0 = all */
};

struct audit_report {
	int64_t rows;        /* looked at */
	int64_t position;    /* the end of the chain */
	int64_t checkpoints; /* of the table that fit */
	int64_t copies;      /* of the file that fit */
	int64_t findings;
	const char *texts[AUDIT_FINDINGS_MAX]; /* the first of them */
};

/*
 * Look at one consistent state of the database; audit_chain_stmts and
 * audit_checkpoint_stmts must be in the sets too.
 * Owns:  the texts live in "arena".
 * Fails: as db_query. Findings are no failure.
 */
MUST_CHECK enum rc audit_verify(struct db *db, struct arena *arena,
	const struct audit_verify *what, struct audit_report *report,
	struct fault *fault);

#endif
