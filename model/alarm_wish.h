/*
 * alarm_wish: what somebody wants to be done with alarms, and whether that is
 * sensible by itself.
 */
#ifndef FG_MODEL_ALARM_WISH_H
#define FG_MODEL_ALARM_WISH_H

#include "lib/clock.h"
#include "lib/db.h"
#include "lib/field.h"

#define ALARM_CAUSE_LEVELS  5
#define ALARM_COMMENT_BYTES 4096
#define ALARM_REASON_BYTES  512
#define ALARM_SHELVE_MAX_US (366 * CLOCK_DAY_US)

/* Texts are NULL for what is not wished. */
struct alarm_wish {
	bool acknowledge;
	const char *comment;
	struct texts cause; /* from the top down; items NULL = leave it */
	const char *shelve; /* these three: the reason */
	int64_t shelve_until_us;
	const char *suppress;
	const char *out_of_service;
	bool unshelve;
	bool release; /* from suppression */
	bool in_service;
};

extern const struct stmt alarm_wish_stmts[];

/*
 * Something is wished, not a thing and its opposite, with reasons and comments
 * of good length, an end of shelving that lies ahead, a cause that is in the
 * tree of the datasource and not removed?
 * Fails: RC_BAD_INPUT; RC_UNPROCESSABLE CauseUnknown, CauseRemoved;
 *        RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc alarm_wish_check(struct db *db, struct arena *arena,
	int64_t datasource_id, const struct alarm_wish *wish, int64_t now_us,
	struct fault *fault);

#endif
