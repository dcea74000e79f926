/*
 * alarm_limit_store: the limits of a datasource, engineered at the hub or
 * declared by agents.
 *
 * A limit is known by its variable and its name. What an agent declared is the
 * plant's to change: nobody else overwrites it, and it overwrites nothing that
 * was engineered here. Every change notifies "fieldgrid_catalog".
 */
#ifndef FG_MODEL_ALARM_LIMIT_STORE_H
#define FG_MODEL_ALARM_LIMIT_STORE_H

#include "lib/db.h"
#include "model/alarm_limit.h"

struct alarm_limit_count {
	int64_t added;
	int64_t changed;
	int64_t removed;
	int64_t refused; /* of a declaration: engineered at the hub */
};

enum alarm_limit_mode {
	ALARM_LIMIT_MERGE,   /* what is not given stays */
	ALARM_LIMIT_REPLACE, /* other limits engineered at the hub go */
};

extern const struct stmt alarm_limit_store_stmts[];

/*
 * It is our turn to change limits of the datasource, until the transaction
 * ends: whoever changes what it has read takes it before, and all that put do
 * by themselves, or two of them would wait for each other in circles.
 * Fails: RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc alarm_limit_turn(
	struct db *db, int64_t datasource_id, struct fault *fault);

/*
 * Make or change limits that are settled, all or none. Areas that are new get
 * a name of their own.
 * Fails: RC_CONFLICT DeclaredByAgent, RC_NOT_FOUND a variable is not there,
 *        RC_BAD_INPUT one is given twice; RC_TOO_LARGE more than
 *        ALARM_LIMITS_MAX in the end.
 */
MUST_CHECK enum rc alarm_limit_put(struct db *db, struct arena *arena,
	int64_t datasource_id, const struct alarm_limit *limits, size_t count,
	enum alarm_limit_mode mode, struct alarm_limit_count *counts,
	struct fault *fault);

/* Fails: RC_NOT_FOUND; RC_CONFLICT DeclaredByAgent. */
MUST_CHECK enum rc alarm_limit_delete(struct db *db, struct arena *arena,
	int64_t datasource_id, const char *id, struct fault *fault);

/*
 * What an agent says of the limits of "variables", the names of all that it
 * evaluates: others that it declared for them before are gone, and from now on
 * it is the evaluator of these variables.
 * Fails: as alarm_limit_put.
 */
MUST_CHECK enum rc alarm_limit_declare(struct db *db, struct arena *arena,
	int64_t datasource_id, int64_t node_id, const struct texts *variables,
	const struct alarm_limit *limits, size_t count,
	struct alarm_limit_count *counts, struct fault *fault);

#endif
