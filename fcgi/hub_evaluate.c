/* hub_evaluate: the thread that evaluates limits at the hub. */

#include "fcgi/hub_evaluate_parts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "model/alarm.h"
#include "model/alarm_engine.h"
#include "model/alarm_evaluation.h"
#include "model/frame_store.h"

#define ROUND_US      250000
#define NODES_US      (5 * CLOCK_SECOND_US)
#define COMPLAIN_US   (60 * CLOCK_SECOND_US)
#define CHANGES_BATCH 1000 /* in one statement */

/* --- what came of it --------------------------------------------------------
 */

static enum rc
apply_changes(struct evaluator *evaluator, struct plant *plant)
{
	const struct alarm_change *changes;
	size_t count = alarm_engine_changes(plant->engine, &changes);
	enum rc rc = RC_OK;

	for (size_t i = 0; i < count && rc == RC_OK; i += CHANGES_BATCH)
		rc = alarm_apply(evaluator->db, evaluator->arena, plant->id,
			changes + i,
			count - i < CHANGES_BATCH ? count - i : CHANGES_BATCH,
			&evaluator->fault);
	return rc;
}

static enum rc
save_plant(struct evaluator *evaluator, struct plant *plant, int64_t *version)
{
	const struct alarm_change *changes;
	enum rc rc = apply_changes(evaluator, plant);

	*version = plant->version;
	if (rc != RC_OK)
		return rc;
	if (!plant->wanted)
		return alarm_evaluation_end(evaluator->db, plant->id,
			plant->version, &evaluator->fault);
	if (alarm_engine_version(plant->engine) == plant->saved &&
		plant->version != 0)
		return RC_OK;
	buf_clear(&evaluator->state);
	alarm_engine_save(plant->engine,
		alarm_engine_changes(plant->engine, &changes),
		&evaluator->state);
	return alarm_evaluation_save(evaluator->db, plant->id, version,
		&evaluator->state, &evaluator->fault);
}

static bool
has_news(const struct evaluator *evaluator)
{
	for (size_t i = 0; i < evaluator->count; i++) {
		const struct plant *plant = &evaluator->plants[i];

		if (!plant->wanted || plant->version == 0 ||
			alarm_engine_version(plant->engine) != plant->saved)
			return true;
	}
	return false;
}

/* It is committed. */
static void
note_saved(struct evaluator *evaluator, const int64_t *versions)
{
	const struct alarm_change *changes;
	size_t kept = 0;

	for (size_t i = 0; i < evaluator->count; i++) {
		struct plant *plant = &evaluator->plants[i];

		alarm_engine_taken(plant->engine,
			alarm_engine_changes(plant->engine, &changes));
		plant->saved = alarm_engine_version(plant->engine);
		plant->version = versions[i];
		if (plant->wanted) {
			evaluator->plants[kept++] = *plant;
			continue;
		}
		alarm_engine_free(plant->engine);
		free(plant->variable_ids);
	}
	evaluator->count = kept;
}

/* Alarms, states and, when frames of a node were evaluated, its position. */
static enum rc
store(struct evaluator *evaluator, const struct alarm_position *position,
	int64_t sequence)
{
	int64_t *versions = arena_array(
		evaluator->arena, evaluator->count, sizeof(*versions));
	enum rc rc;

	if (position == NULL && !has_news(evaluator))
		return RC_OK;
	rc = db_begin(evaluator->db, DB_READ_COMMITTED, &evaluator->fault);
	for (size_t i = 0; i < evaluator->count && rc == RC_OK; i++)
		rc = save_plant(evaluator, &evaluator->plants[i], &versions[i]);
	if (rc == RC_OK && position != NULL)
		rc = alarm_evaluation_move(evaluator->db, position->node_id,
			position->done, sequence, &evaluator->fault);
	if (rc == RC_OK)
		rc = db_commit(evaluator->db, &evaluator->fault);
	if (rc != RC_OK) {
		db_rollback(evaluator->db);
		return rc;
	}
	note_saved(evaluator, versions);
	return RC_OK;
}

/* --- frames -----------------------------------------------------------------
 */

struct target {
	struct alarm_engine *engine;
	int64_t steady_us;
};

static enum rc
put_samples(void *context, const struct sample *samples, size_t count,
	struct fault *fault)
{
	const struct target *target = context;

	(void)fault;
	for (size_t i = 0; i < count; i++)
		alarm_engine_put(
			target->engine, &samples[i], target->steady_us);
	return RC_OK;
}

/* A frame that does not decode stays for the keeper to complain about. */
static void
evaluate_frame(struct evaluator *evaluator, struct bytes frame)
{
	struct frame_head head;
	struct target target = {.steady_us = clock_steady_us()};
	struct frame_visitor visitor = {
		.samples = put_samples,
		.context = &target,
	};
	struct fault fault;
	enum rc rc = frame_peek(frame.data, frame.length, &head, &fault);

	for (size_t i = 0; i < evaluator->count && rc == RC_OK; i++) {
		const struct plant *plant = &evaluator->plants[i];

		if (memcmp(plant->uuid, head.datasource, UUID_BYTES) != 0)
			continue;
		target.engine = plant->engine;
		visitor.variable_ids = plant->variable_ids;
		visitor.variable_count = plant->variable_count;
		rc = frame_each(frame.data, frame.length, evaluator->arena,
			&visitor, &fault);
	}
	if (rc != RC_OK)
		log_error(NULL, "a frame cannot be evaluated: %s", fault.text);
}

static enum rc
evaluate_some(struct evaluator *evaluator, struct alarm_position *position)
{
	struct frame_stored *frames;
	int64_t sequence = position->last;
	size_t count;
	enum rc rc =
		frame_replay(evaluator->db, evaluator->arena, position->node_id,
			position->done, &frames, &count, &evaluator->fault);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < count; i++)
		evaluate_frame(evaluator, frames[i].body);
	if (count > 0)
		sequence = frames[count - 1].sequence;
	rc = store(evaluator, position, sequence);
	if (rc == RC_OK)
		position->done = sequence;
	arena_reset(evaluator->arena); /* there may be millions of frames */
	return rc;
}

static enum rc
read_nodes(struct evaluator *evaluator, struct alarm_position **positions,
	size_t *count)
{
	int32_t *ids =
		arena_array(evaluator->round, evaluator->count, sizeof(*ids));
	enum rc rc;

	if (clock_steady_us() < evaluator->nodes_due_us)
		return alarm_evaluation_positions(evaluator->db,
			evaluator->round, positions, count, &evaluator->fault);
	for (size_t i = 0; i < evaluator->count; i++)
		ids[i] = evaluator->plants[i].id;
	rc = alarm_evaluation_nodes(evaluator->db, evaluator->round, ids,
		evaluator->count, positions, count, &evaluator->fault);
	if (rc == RC_OK)
		evaluator->nodes_due_us = clock_steady_us() + NODES_US;
	return rc;
}

static enum rc
follow_frames(struct evaluator *evaluator)
{
	struct alarm_position *positions;
	size_t count;
	enum rc rc = read_nodes(evaluator, &positions, &count);

	for (size_t i = 0; i < count && rc == RC_OK; i++)
		while (rc == RC_OK && positions[i].done < positions[i].last &&
			!atomic_load(&evaluator->hub->stopping))
			rc = evaluate_some(evaluator, &positions[i]);
	return rc;
}

/* --- running ----------------------------------------------------------------
 */

static enum rc
own(struct evaluator *evaluator)
{
	bool was = evaluator->owner;
	enum rc rc = alarm_evaluation_own(evaluator->db, evaluator->arena,
		&evaluator->owner, &evaluator->fault);

	if (evaluator->owner && !was)
		log_info(NULL, "this hub evaluates alarms");
	if (!evaluator->owner)
		hub_evaluate_forget(evaluator);
	return rc;
}

static enum rc
run_round(struct evaluator *evaluator)
{
	enum rc rc = own(evaluator);

	if (rc != RC_OK || !evaluator->owner)
		return rc;
	rc = hub_evaluate_limits(evaluator);
	if (rc == RC_OK)
		rc = store(evaluator, NULL, 0);
	if (rc == RC_OK)
		rc = follow_frames(evaluator);
	for (size_t i = 0; i < evaluator->count && rc == RC_OK; i++)
		alarm_engine_tick(
			evaluator->plants[i].engine, clock_steady_us());
	if (rc == RC_OK)
		rc = store(evaluator, NULL, 0);
	return rc;
}

/* The connection may be another one, and what is in memory may be ahead of
 * what is in the database: begin again from there. */
static void
start_over(struct evaluator *evaluator, enum rc rc)
{
	int64_t now_us = clock_steady_us();

	hub_evaluate_forget(evaluator);
	evaluator->owner = false;
	if (rc == RC_RETRY || now_us < evaluator->complain_us)
		return;
	evaluator->complain_us = now_us + COMPLAIN_US;
	log_warn(NULL, "alarms are not evaluated: %s", evaluator->fault.text);
}

static void
run(struct evaluator *evaluator)
{
	while (!atomic_load(&evaluator->hub->stopping)) {
		if (atomic_load(&evaluator->hub->ready)) {
			enum rc rc = run_round(evaluator);

			if (rc != RC_OK)
				start_over(evaluator, rc);
			arena_reset(evaluator->arena);
			arena_reset(evaluator->round);
		}
		usleep(ROUND_US);
	}
}

void
hub_evaluate_run(struct hub *hub)
{
	struct evaluator evaluator = {
		.hub = hub, .arena = arena_new(), .round = arena_new()};

	if (db_open(&hub->conf.database, "fieldgrid-hub alarms", hub->stmts,
		    &evaluator.db, &evaluator.fault) != RC_OK) {
		log_error(NULL, "%s", evaluator.fault.text);
		_exit(1); /* a statement is wrong: the supervisor tells */
	}
	buf_init(&evaluator.state, 0);
	run(&evaluator);
	hub_evaluate_forget(&evaluator);
	buf_free(&evaluator.state);
	db_close(evaluator.db);
	arena_free(evaluator.round);
	arena_free(evaluator.arena);
}
