/*
 * alarm_act: what people do with alarms: acknowledge, comment, give a cause,
 * shelve, suppress, take out of service, and back.
 *
 * Acknowledgement, comment and cause are of one occurrence. Shelving,
 * suppression and being out of service are of the limit behind it: they hold
 * for its other open occurrences and for those to come as well. Doing what is
 * done already changes nothing and leaves no event.
 */
#ifndef FG_MODEL_ALARM_ACT_H
#define FG_MODEL_ALARM_ACT_H

#include "lib/field.h"
#include "model/alarm.h"

#define ALARM_CAUSE_LEVELS  5
#define ALARM_CAUSE_BYTES   128
#define ALARM_ACT_MAX       1000 /* alarms at once */
#define ALARM_SHELVE_MAX_US (366 * CLOCK_DAY_US)
#define ALARM_CHANNEL       "fieldgrid_alarms" /* payload: the datasource */

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

struct alarm_actor {
	const char *username;
	const char *computer;
	int64_t account_id; /* 0 = no person */
};

/* One alarm, and what became of the wish. */
struct alarm_act {
	struct alarm *alarm;
	struct fault fault; /* .rc not RC_OK: it is refused, for this reason */
	bool changed;
};

extern const struct stmt alarm_act_stmts[];

/*
 * Is the wish sensible by itself: something is wished, not a thing and its
 * opposite, with reasons and comments of good length, an end of shelving that
 * lies ahead, a cause that is in the tree of the datasource and not removed?
 * Fails: RC_BAD_INPUT; RC_UNPROCESSABLE CauseUnknown, CauseRemoved;
 *        RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc alarm_wish_check(struct db *db, struct arena *arena,
	int64_t datasource_id, const struct alarm_wish *wish, int64_t now_us,
	struct fault *fault);

/*
 * Do it to every alarm that is not refused yet; those alarms must be locked
 * (alarm_lock). Refuses to acknowledge without a comment or a cause where the
 * alarm demands them: CommentRequired, CauseRequired. Each thing done is an
 * event; whoever listens to ALARM_CHANNEL is told.
 * Fails: RC_UNAVAILABLE, RC_DB, RC_RETRY.
 */
MUST_CHECK enum rc alarm_act(struct db *db, struct arena *arena,
	int64_t datasource_id, const struct alarm_wish *wish,
	const struct alarm_actor *actor, int64_t now_us, struct alarm_act *acts,
	size_t count, struct fault *fault);

/*
 * Shelving that has come to its end: take it away, with its events. For the
 * keeper. *ended limits. Fails: RC_UNAVAILABLE, RC_DB, RC_RETRY.
 */
MUST_CHECK enum rc alarm_unshelve_due(struct db *db, struct arena *arena,
	int64_t now_us, size_t *ended, struct fault *fault);

#endif
