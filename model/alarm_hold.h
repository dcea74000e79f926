/*
 * alarm_hold: what holds limits back, whatever occurrence: shelving,
 * suppression by hand, being out of service.
 *
 * It stands in the table alarm_hold and, so that a list needs no join, in the
 * open rows of the list. Needs: the plant's turn (model/alarm.h), in an open
 * transaction.
 */
#ifndef FG_MODEL_ALARM_HOLD_H
#define FG_MODEL_ALARM_HOLD_H

#include "model/alarm.h"

enum alarm_hold_kind {
	ALARM_SHELVED,
	ALARM_SUPPRESSED_BY_HAND,
	ALARM_OUT_OF_SERVICE,
};

/* Limits of one plant. */
struct alarm_hold_limits {
	int32_t *variables;
	const char **names;
	size_t count;
};

extern const struct stmt alarm_hold_stmts[];

/* Hold them back, since when and by whom the hold says. Those that are held so
 * already, with this reason until then, stay as they are.
 * Fails: RC_UNAVAILABLE, RC_DB, RC_RETRY. */
MUST_CHECK enum rc alarm_hold_begin(struct db *db, enum alarm_hold_kind kind,
	const struct alarm_hold_limits *limits, const struct alarm_hold *hold,
	struct fault *fault);

/* Fails: the same. */
MUST_CHECK enum rc alarm_hold_end(struct db *db, enum alarm_hold_kind kind,
	const struct alarm_hold_limits *limits, struct fault *fault);

/*
 * Shelving that has come to its end: take it away, with its events, a plant at
 * a time, in transactions of its own. For the keeper. *ended limits.
 * Fails: RC_UNAVAILABLE, RC_DB, RC_RETRY.
 */
MUST_CHECK enum rc alarm_unshelve_due(struct db *db, struct arena *arena,
	int64_t now_us, size_t *ended, struct fault *fault);

#endif
