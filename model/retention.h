/*
 * retention: alarms, events and commands go when they are old enough.
 *
 * A pass goes through all datasources step by step; a step is one statement
 * that looks at few rows, so nobody waits for it. A record goes when it is from
 * before the period and was written here before it, so an imported history
 * stays for a whole period, and never within the time for which egress nodes
 * may be away. Alarms must be over and wait for nobody, commands have ended.
 * The audit is never touched.
 */
#ifndef FG_MODEL_RETENTION_H
#define FG_MODEL_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"

enum retention_kind {
	RETENTION_ALARMS,
	RETENTION_EVENTS,
	RETENTION_COMMANDS,
	RETENTION_KINDS,
};

struct retention {
	int64_t days[RETENTION_KINDS];    /* 0 = for ever */
	int64_t hold_us;                  /* an egress node may be away */
	int64_t deleted[RETENTION_KINDS]; /* in this pass */
	enum retention_kind kind;         /* where the pass is */
	int64_t datasource_id;            /* 0 = the grid itself */
	int64_t after_us;
	char after[40]; /* "" = from the start */
};

extern const struct stmt retention_stmts[];

/*
 * The next step of a pass; *over tells that it was the last one, and the next
 * call begins anew.
 * Fails: RC_UNAVAILABLE, RC_DB; the same step comes again.
 */
MUST_CHECK enum rc retention_step(struct db *db, struct arena *arena,
	struct retention *retention, int64_t now_us, bool *over,
	struct fault *fault);

#endif
