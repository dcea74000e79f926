/*
 * alarm_limit_find: limits of a datasource as they are stored, and who
 * evaluates them.
 */
#ifndef FG_MODEL_ALARM_LIMIT_FIND_H
#define FG_MODEL_ALARM_LIMIT_FIND_H

#include "lib/db.h"
#include "lib/encode.h"
#include "lib/slice.h"
#include "model/alarm_limit.h"
#include "model/variable.h"

/* A limit as it is stored. */
struct alarm_limit_row {
	const char *id; /* uuid */
	int32_t variable_id;
	enum value_kind kind; /* of the variable */
	enum variable_access access;
	struct alarm_limit limit;
	enum alarm_evaluator evaluator; /* who does evaluate it: resolved */
	int64_t created_us;
	int64_t changed_us;
};

struct alarm_limit_rows {
	size_t count;
	struct alarm_limit_row *items;
};

/* Texts that are NULL filter nothing. */
struct alarm_limit_filter {
	const char *variable; /* a pattern with "*" and "?" */
	const char *search;   /* within names and texts */
	const char *origin;   /* "agent" or "hub" */
	const char *evaluator;
	struct ints variables; /* of these; NULL items = any */
};

extern const struct stmt alarm_limit_find_stmts[];

/* One page, by "variable" (and name) or "changed". */
MUST_CHECK enum rc alarm_limit_slice(struct db *db, struct arena *arena,
	int64_t datasource_id, const struct alarm_limit_filter *filter,
	struct slice *slice, struct alarm_limit_rows *rows,
	struct fault *fault);

/* All limits, by variable and name; of one evaluator, or ALARM_BY_DEFAULT for
 * all. "datasource_id" 0 is every one. */
MUST_CHECK enum rc alarm_limit_query(struct db *db, struct arena *arena,
	int64_t datasource_id, enum alarm_evaluator evaluator,
	struct alarm_limit_rows *rows, struct fault *fault);

/* Fails: RC_NOT_FOUND. */
MUST_CHECK enum rc alarm_limit_find(struct db *db, struct arena *arena,
	int64_t datasource_id, const char *id, struct alarm_limit_row *row,
	struct fault *fault);

/* The limit of that name, or none. */
MUST_CHECK enum rc alarm_limit_named(struct db *db, struct arena *arena,
	int64_t datasource_id, const char *variable, const char *name,
	struct alarm_limit_rows *rows, struct fault *fault);

#endif
