/*
 * refusals: requests that were answered 401 or 403, for the audit.
 *
 * Outsiders can cause them at will, so equal ones (caller, address, route and
 * reason) within a minute become two rows: the first at once, one with the
 * count of the others when the minute is over. Of unequal ones a bounded
 * number is told apart, the rest is counted in one row: one accept loop writes
 * at most 2 * REFUSALS_MAX + 1 rows a minute and needs no memory besides.
 */
#ifndef FG_FCGI_REFUSALS_H
#define FG_FCGI_REFUSALS_H

#include "lib/req.h"
#include "lib/resp.h"
#include "lib/route.h"

#define REFUSALS_MAX       64
#define REFUSALS_WINDOW_US (60 * CLOCK_SECOND_US)

struct refusals;

/* Lives until refusals_free, which forgets what was not written. */
struct refusals *refusals_new(int64_t window_us);
void refusals_free(struct refusals *refusals);

/*
 * Record the refusal of "req", which was answered with "resp", unless its
 * handler has audited a refusal already. "route" is NULL when none matched.
 * A row that cannot be written is an error in the log; the refusal stands.
 */
void refusals_note(struct refusals *refusals, struct req *req,
	const struct resp *resp, const struct route *route);

/* Write the counts of minutes that are over. */
void refusals_flush(struct refusals *refusals, struct db *db);
/* Write every count, at the end. */
void refusals_flush_all(struct refusals *refusals, struct db *db);

#endif
