/*
 * alarm: one entry of the Alarm Message List: one occurrence of a violated
 * limit.
 *
 * What the plant says of an occurrence comes as changes (model/alarm_change.h)
 * and is merged by alarm_apply; what people do with it (model/alarm_act.h)
 * stands beside it in the same row.
 */
#ifndef FG_MODEL_ALARM_H
#define FG_MODEL_ALARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/encode.h"
#include "lib/field.h"
#include "model/alarm_change.h"
#include "model/alarm_state.h"
#include "model/feed_cursor.h"
#include "model/variable.h"

/* What holds the limit of an alarm back, whatever occurrence. */
struct alarm_hold {
	int64_t since_us; /* CLOCK_NEVER = it is not held */
	int64_t until_us; /* of shelving; else CLOCK_NEVER */
	const char *reason;
	const char *username;
};

/* Times that have not come are CLOCK_NEVER, texts that are not there NULL. */
struct alarm {
	uint8_t id[UUID_BYTES];
	int64_t datasource_id;
	int32_t variable_id;
	const char *variable;
	const char *unit;
	const char *description; /* of the variable */
	enum variable_access access;
	const char *limit;
	const char *text;
	const char *value; /* as JSON */
	uint64_t status;   /* of the value */
	uint32_t flags;    /* enum alarm_flags */
	int64_t came_us;
	int64_t changed_us;  /* at the plant */
	int64_t modified_us; /* here */
	int64_t reactivated_us;
	int64_t reactivations;
	struct alarm_facts facts;
	bool comment_required;
	bool cause_required;
	int64_t class_number;
	const char *class_name;
	const char *class_colour;
	int64_t group_number;
	const char *group_name;
	int64_t priority;     /* 1 urgent … 4 */
	const char **areas;   /* NULL at the end */
	const char *username; /* who acknowledged */
	const char *full_name;
	const char *computer;
	const char *comment;
	const char **cause; /* from the top down, NULL at the end */
	struct alarm_hold shelved;
	struct alarm_hold suppressed; /* by hand */
	struct alarm_hold out_of_service;
	int64_t xid; /* of its last writer */
};

struct alarm_list {
	size_t count;
	struct alarm *items;
};

extern const struct stmt alarm_stmts[];

/*
 * Whose turn it is to write a plant's alarms, until the transaction ends ($1 is
 * the datasource). What people do is of a limit, and so of several alarms: they
 * take turns. What plants report need not wait for other plants' agents, but
 * must not come between a limit that is being shelved and its alarms.
 */
#define ALARM_TURN        "1634492781, $1" /* of advisory locks; any number */
#define ALARM_TURN_ALONE  "SELECT pg_advisory_xact_lock(" ALARM_TURN ")"
#define ALARM_TURN_SHARED "SELECT pg_advisory_xact_lock_shared(" ALARM_TURN ")"

extern const struct stmt alarm_apply_stmts[];

/*
 * Merge changes that a plant or the hub's own evaluation reports, in their
 * order, into the list, and note each step that is new as an event
 * (alarm.came, alarm.went, alarm.reactivated); in the open transaction, in two
 * round trips. Each change carries everything that the plant knows, so that a
 * lost one heals with the next. Which of two is newer is decided by the number
 * of reactivations, then by whether it went, then by arrival; clocks may jump.
 * A reactivation that arrives after the occurrence was acknowledged begins a
 * new one, with an id of its own: the plant, which knows of no acknowledgement,
 * counts on under the old id, and alarm.part_of and .base tell which part of
 * that a row is.
 * "variable_id" must be one of the datasource: the caller has checked it.
 * Fails: RC_BAD_INPUT AlarmMalformed; RC_UNAVAILABLE, RC_DB, RC_RETRY.
 */
MUST_CHECK enum rc alarm_apply(struct db *db, struct arena *arena,
	int64_t datasource_id, const struct alarm_change *changes, size_t count,
	struct fault *fault);

/* --- finding ---------------------------------------------------------------
 */

enum alarm_sort {
	ALARM_SORT_RECEIVED, /* walks an index, however long the list is */
	ALARM_SORT_CLEARED,  /* these sort what the filters leave */
	ALARM_SORT_ACKNOWLEDGED,
	ALARM_SORT_PRIORITY,
	ALARM_SORT_VARIABLE,
	ALARM_SORT_CLASS,
	ALARM_SORTS,
};

/* "receivedTime"; false when there is no such order. */
bool alarm_sort_parse(const char *name, enum alarm_sort *sort);

struct alarm_filter {
	int64_t datasource_id;
	int64_t from_us; /* came; both inclusive */
	int64_t to_us;
	struct ints variables; /* of these and all below: NULL = not filtered */
	bool active;           /* these three: only such */
	bool cleared;
	bool unacknowledged;
	struct ints classes;
	struct ints groups;
	struct ints priorities;
	struct ints states;
	const char *const *areas; /* any of them; NULL = not filtered */
	size_t area_count;
	const char *text; /* with "*" and "?", without regard to case; NULL */
	int64_t now_us;   /* decides what is shelved */
	enum alarm_sort sort;
	bool descending;
	const char *after; /* place of the last one seen; NULL = start */
	uint8_t after_id[UUID_BYTES];
	int64_t limit;
};

struct alarm_page {
	struct alarm_list list;
	const char *next; /* place of the last one; NULL = there are no more */
};

/*
 * One page of the alarms of variables that the outside may see at all
 * (variable.access); rights are the caller's business.
 * Owns:  everything lives in "arena".  Fails: RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc alarm_query(struct db *db, struct arena *arena,
	const struct alarm_filter *filter, struct alarm_page *page,
	struct fault *fault);

/* Those of the ids that are in the datasource, by id. */
MUST_CHECK enum rc alarm_find(struct db *db, struct arena *arena,
	int64_t datasource_id, const struct bytes *ids, size_t count,
	struct alarm_list *list, struct fault *fault);

/* The same, locked until the end of the transaction; nobody else changes
 * alarms of the datasource in the meantime. */
MUST_CHECK enum rc alarm_lock(struct db *db, struct arena *arena,
	int64_t datasource_id, const struct bytes *ids, size_t count,
	struct alarm_list *list, struct fault *fault);

/*
 * What changed within "look", in the order of writing, at most "limit"; *now is
 * the snapshot of this call. Without look->since only *now is told.
 * "datasources" NULL is every one. Owns: lives in "arena".  Fails:
 * RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc alarm_follow(struct db *db, struct arena *arena,
	const struct feed_look *look, const int32_t *datasources, size_t count,
	int64_t limit, struct alarm_list *list, const char **now,
	struct fault *fault);

#endif
