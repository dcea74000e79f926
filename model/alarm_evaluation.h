/*
 * alarm_evaluation: how far the hub has come with evaluating alarms.
 *
 * One hub of several evaluates: who holds the lock. State and position are
 * moved from what was read, so an evaluator that was replaced without knowing
 * it changes nothing.
 */
#ifndef FG_MODEL_ALARM_EVALUATION_H
#define FG_MODEL_ALARM_EVALUATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/db.h"

extern const struct stmt alarm_evaluation_stmts[];

/* Be the evaluator, if nobody else is, until this connection ends. Asked again
 * the owner stays the owner. Fails: as db_query. */
MUST_CHECK enum rc alarm_evaluation_own(
	struct db *db, struct arena *arena, bool *owner, struct fault *fault);

/* A node whose frames are evaluated. */
struct alarm_position {
	int32_t node_id;
	int64_t done; /* evaluated up to here */
	int64_t last; /* stored up to here */
};

/*
 * The nodes that may publish one of these datasources. One that was not among
 * them before begins behind its last frame; one that is not any more is
 * forgotten. Fails: as db_query.
 */
MUST_CHECK enum rc alarm_evaluation_nodes(struct db *db, struct arena *arena,
	const int32_t *datasource_ids, size_t datasource_count,
	struct alarm_position **positions, size_t *count, struct fault *fault);

/* Those that are known, without looking for others. */
MUST_CHECK enum rc alarm_evaluation_positions(struct db *db,
	struct arena *arena, struct alarm_position **positions, size_t *count,
	struct fault *fault);

/* Fails: RC_CONFLICT somebody else has moved it. */
MUST_CHECK enum rc alarm_evaluation_move(struct db *db, int32_t node_id,
	int64_t from, int64_t to, struct fault *fault);

/* The state of a datasource; version 0 and no bytes when there is none. */
MUST_CHECK enum rc alarm_evaluation_load(struct db *db, struct arena *arena,
	int32_t datasource_id, int64_t *version, struct bytes *state,
	struct fault *fault);

/* Datasources that have a state. */
MUST_CHECK enum rc alarm_evaluation_list(struct db *db, struct arena *arena,
	int32_t **datasource_ids, size_t *count, struct fault *fault);

/* Forget the state of a datasource. Fails: as alarm_evaluation_save. */
MUST_CHECK enum rc alarm_evaluation_end(struct db *db, int32_t datasource_id,
	int64_t version, struct fault *fault);

/* *version counts up. Fails: RC_CONFLICT somebody else has saved one. */
MUST_CHECK enum rc alarm_evaluation_save(struct db *db, int32_t datasource_id,
	int64_t *version, const struct buf *state, struct fault *fault);

#endif
