/*
 * egress_parts: what egress_*.c of one running agent share, and nobody else.
 */
#ifndef FG_AGENTS_EGRESS_PARTS_H
#define FG_AGENTS_EGRESS_PARTS_H

#include "agents/egress_run.h"

/* --- egress_put: from pages to the outlet ----------------------------------
 */

/*
 * Put the values of a page. *again: it holds variables that were not known;
 * they are now, the page is not valid any more and nothing was put.
 */
MUST_CHECK enum rc egress_put_page(struct egress *egress,
	const struct egress_page *page, bool *again, struct fault *fault);

/* The value that each variable has, for an outlet that shows states. */
MUST_CHECK enum rc egress_put_current(
	struct egress *egress, struct fault *fault);

/* An event of the mirror itself, among those of the plants. */
MUST_CHECK enum rc egress_put_own_event(struct egress *egress, const char *kind,
	const char *text, struct fault *fault);

/* Until this holds, a failure makes everything be put again. */
MUST_CHECK enum rc egress_commit(struct egress *egress, struct fault *fault);

/* --- egress_fill: gaps from history ----------------------------------------
 */

/* "of": UUIDs of datasources; "" = all. */
void egress_fill_want(
	struct egress *egress, const char *of, int64_t from_us, int64_t to_us);

/* Tell that frames were dropped unread, and want them from history. */
MUST_CHECK enum rc egress_fill_lost(struct egress *egress,
	const struct egress_page *page, struct fault *fault);

/* The next page of what is wanted. */
MUST_CHECK enum rc egress_fill_next(struct egress *egress, struct fault *fault);

/* --- egress_follow: the feeds ----------------------------------------------
 */

/* The next page of each of egress->due; what has more stays due. */
MUST_CHECK enum rc egress_follow(struct egress *egress, struct fault *fault);

#endif
