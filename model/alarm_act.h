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

#include "model/alarm.h"
#include "model/alarm_wish.h"

#define ALARM_ACT_MAX 1000 /* alarms at once */

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
 * Do it to every alarm that is not refused yet; those alarms must be locked
 * (alarm_lock). Refuses to acknowledge without a comment or a cause where the
 * alarm demands them: CommentRequired, CauseRequired. Each thing done is an
 * event.
 * Fails: RC_UNAVAILABLE, RC_DB, RC_RETRY.
 */
MUST_CHECK enum rc alarm_act(struct db *db, struct arena *arena,
	const struct alarm_wish *wish, const struct alarm_actor *actor,
	int64_t now_us, struct alarm_act *acts, size_t count,
	struct fault *fault);

#endif
