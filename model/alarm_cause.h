/*
 * alarm_cause: the tree of causes that alarms are given, up to five levels.
 *
 * An entry is never deleted, for alarms may have it: it is marked as removed,
 * and then neither it nor what is below can be chosen any more.
 */
#ifndef FG_MODEL_ALARM_CAUSE_H
#define FG_MODEL_ALARM_CAUSE_H

#include "lib/db.h"
#include "model/naming.h"

#define ALARM_CAUSE_MAX    10000 /* of one datasource */
#define ALARM_CAUSE_LEVELS 5

struct alarm_cause {
	const char *id;     /* uuid */
	const char *parent; /* uuid; NULL = on top */
	int64_t level;      /* from 1 */
	const char *name;
	const char *description;
	bool removed;
};

struct alarm_cause_list {
	size_t count;
	struct alarm_cause *items; /* parents before children, by name */
};

extern const struct stmt alarm_cause_stmts[];

MUST_CHECK enum rc alarm_cause_query(struct db *db, struct arena *arena,
	int64_t datasource_id, struct alarm_cause_list *list,
	struct fault *fault);

/* Fails: RC_NOT_FOUND. */
MUST_CHECK enum rc alarm_cause_find(struct db *db, struct arena *arena,
	int64_t datasource_id, const char *id, struct alarm_cause *cause,
	struct fault *fault);

/* RC_BAD_INPUT TooDeep, and RC_TOO_LARGE TooManyCauses, with their words. */
enum rc alarm_cause_too_deep(const char *field, struct fault *fault);
enum rc alarm_cause_too_many(struct fault *fault);

/* Is there room for "more"? Fails: RC_TOO_LARGE. */
MUST_CHECK enum rc alarm_cause_check_room(struct db *db, struct arena *arena,
	int64_t datasource_id, int64_t more, struct fault *fault);

/*
 * Make one of "wanted": name, description and parent.
 * Fails: RC_BAD_INPUT, also when the parent is not there or on the last level;
 *        RC_CONFLICT NameTaken; RC_TOO_LARGE.
 */
MUST_CHECK enum rc alarm_cause_create(struct db *db, struct arena *arena,
	int64_t datasource_id, const struct alarm_cause *wanted,
	struct alarm_cause *made, struct fault *fault);

/* Its name, description and whether it is removed. Fails: as _create. */
MUST_CHECK enum rc alarm_cause_change(struct db *db, int64_t datasource_id,
	const struct alarm_cause *cause, struct fault *fault);

/* One entry as JSON; "children" follow with alarm_cause_write_tree only. */
struct jsonw;
const char *alarm_cause_text(
	struct arena *arena, const struct alarm_cause *cause);
void alarm_cause_write(struct jsonw *json, const struct alarm_cause *cause);

enum alarm_cause_form {
	ALARM_CAUSE_BY_ID,   /* with "id" and "parent" */
	ALARM_CAUSE_BY_NAME, /* without: for a file */
};

/* A list of those on top, each with its "children". */
void alarm_cause_write_tree(struct jsonw *json, const char *key,
	const struct alarm_cause_list *list, enum alarm_cause_form form);

#endif
