/*
 * alarm_import: alarm histories of other systems into the list.
 *
 * What is imported is history: nobody has to acknowledge it. Each entry gets an
 * id that follows from what it says, so the same file twice changes nothing.
 */
#ifndef FG_MODEL_ALARM_IMPORT_H
#define FG_MODEL_ALARM_IMPORT_H

#include "lib/db.h"
#include "lib/encode.h"

/* One occurrence. */
struct alarm_old {
	const char *variable;
	const char *limit;
	const char *text;
	const char *class_name; /* a number, or a name; "" = class 0 */
	int64_t came_us;
	int64_t went_us; /* CLOCK_NEVER = still active */
};

struct alarm_import_count {
	int64_t added;
	int64_t variables; /* that were made, as bool */
};

extern const struct stmt alarm_import_stmts[];

/*
 * Add those that are not there yet, with their events; classes that are named
 * and not there get the next free numbers. In the open transaction.
 * Fails: RC_BAD_INPUT a name that is too long; RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc alarm_import(struct db *db, struct arena *arena,
	int64_t datasource_id, const struct alarm_old *items, size_t count,
	int64_t priority, struct alarm_import_count *counts,
	struct fault *fault);

#endif
