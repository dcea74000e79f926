/*
 * alarm_summary: what wants attention now, in one look: how many alarms of
 * each priority, and the most urgent one that nobody has acknowledged.
 */
#ifndef FG_MODEL_ALARM_SUMMARY_H
#define FG_MODEL_ALARM_SUMMARY_H

#include "model/alarm.h"

#define ALARM_PRIORITIES 4
/* Of a datasource with more that stand, the newest ones are looked at. */
#define ALARM_SUMMARY_MAX 10000

/* Counts by priority; the first one is not used. */
struct alarm_summary {
	int64_t unacknowledged[ALARM_PRIORITIES + 1];
	int64_t active[ALARM_PRIORITIES + 1];
	struct alarm top; /* only with unacknowledged ones */
};

extern const struct stmt alarm_summary_stmts[];

/*
 * Of one datasource; shelved, suppressed and out of service do not count.
 * "variables" as in struct alarm_filter. Needs alarm_stmts too.
 * Fails: RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc alarm_summary(struct db *db, struct arena *arena,
	int64_t datasource_id, const struct ints *variables, int64_t now_us,
	struct alarm_summary *summary, struct fault *fault);

#endif
