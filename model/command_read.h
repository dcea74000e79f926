/*
 * command_read: the history of commands, page by page.
 */
#ifndef FG_MODEL_COMMAND_READ_H
#define FG_MODEL_COMMAND_READ_H

#include "lib/slice.h"
#include "model/command.h"

/* For db_open together with command_stmts. */
extern const struct stmt command_read_stmts[];

/* The states, for filters; NULL at the end. */
extern const char *const command_states[];

struct command_filter {
	int64_t datasource_id;
	/* Commands to these, or own ones to those. */
	const int32_t *readable;
	size_t readable_count;
	const int32_t *matching;
	size_t matching_count;
	const char *subject; /* whose own */
	/* NULL or CLOCK_NEVER = any. */
	const char *state;
	const char *username;
	int64_t from_us; /* when it was asked for, inclusive */
	int64_t to_us;   /* exclusive */
};

/* In the order they were asked for. Fails: RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc command_slice(struct db *db, struct arena *arena,
	const struct command_filter *filter, struct slice *slice,
	struct command_list *list, struct fault *fault);

#endif
