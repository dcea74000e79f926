/*
 * event: one entry of the Chronological Event List; append-only.
 */
#ifndef FG_MODEL_EVENT_H
#define FG_MODEL_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/db.h"

struct event {
	int64_t id;
	int64_t time_us;      /* at the plant */
	int32_t variable_id;  /* 0 = of no variable */
	const char *variable; /* NULL = of no variable */
	const char *kind;
	const char *text;
	const char *value;    /* NULL = none */
	const char *username; /* NULL = nobody */
	const char *computer; /* NULL = unknown */
};

struct event_list {
	size_t count;
	const struct event *items; /* the oldest first */
};

struct event_filter {
	int64_t datasource_id;
	int64_t from_us;             /* inclusive */
	int64_t to_us;               /* inclusive */
	const int32_t *variable_ids; /* of these */
	size_t count;
	bool others; /* and those of no variable */
	int64_t limit;
};

extern const struct stmt event_stmts[];

/* Owns: lives in "arena".  Fails: RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc event_query(struct db *db, struct arena *arena,
	const struct event_filter *filter, struct event_list *list,
	struct fault *fault);

/*
 * Append the events of one frame; those that are there already (same node,
 * sequence and ordinal, which is the place in "events") are left alone.
 * variable_id 0 is none. Fails: RC_UNAVAILABLE, RC_DB, RC_RETRY.
 */
MUST_CHECK enum rc event_append(struct db *db, struct arena *arena,
	int64_t datasource_id, int64_t node_id, int64_t sequence,
	const struct event *events, size_t count, struct fault *fault);

#endif
