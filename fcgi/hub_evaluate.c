/* hub_evaluate: the thread that evaluates limits at the hub. */

#include "fcgi/hub_evaluate.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "model/alarm.h"
#include "model/alarm_engine.h"
#include "model/alarm_evaluation.h"
#include "model/alarm_limit_store.h"
#include "model/frame_store.h"

#define ROUND_US      250000
#define NODES_US      (5 * CLOCK_SECOND_US)
#define COMPLAIN_US   (60 * CLOCK_SECOND_US)
#define CHANGES_BATCH 1000 /* in one statement */

/* A datasource with limits of the hub. */
struct plant {
	int32_t id;
	uint8_t uuid[UUID_BYTES];
	struct alarm_engine *engine;
	int64_t version;       /* of the state in the database; 0 = none */
	uint64_t saved;        /* version of the engine then */
	int32_t *variable_ids; /* rising: those that the engine looks at */
	size_t variable_count;
	bool wanted; /* it still has limits */
};

struct evaluator {
	struct hub *hub;
	struct db *db;
	struct arena *arena; /* of one round */
	struct fault fault;
	bool owner;
	struct plant *plants;
	size_t count;
	int64_t limits_version; /* hub->limits_version that was read */
	struct buf state;
	int64_t nodes_due_us; /* steady: look for nodes that are new */
	int64_t complain_us;  /* steady: not before */
};

static void
forget(struct evaluator *evaluator)
{
	for (size_t i = 0; i < evaluator->count; i++) {
		alarm_engine_free(evaluator->plants[i].engine);
		free(evaluator->plants[i].variable_ids);
	}
	free(evaluator->plants);
	evaluator->plants = NULL;
	evaluator->count = 0;
	evaluator->limits_version = 0;
}

/* --- limits ----------------------------------------------------------------
 */

static struct plant *
find_plant(struct evaluator *evaluator, int32_t id)
{
	for (size_t i = 0; i < evaluator->count; i++)
		if (evaluator->plants[i].id == id)
			return &evaluator->plants[i];
	return NULL;
}

struct finding {
	struct hub *hub;
	int32_t datasource_id;
};

static int32_t
find_variable(const void *context, const char *name)
{
	const struct finding *finding = context;
	const struct image_datasource *datasource;
	const struct image_variable *variable = NULL;

	image_read_lock(finding->hub->image);
	datasource =
		image_datasource(finding->hub->image, finding->datasource_id);
	if (datasource != NULL)
		variable = image_find(datasource, name);
	image_unlock(finding->hub->image);
	return variable != NULL ? variable->meta.id : 0;
}

static enum rc
add_plant(struct evaluator *evaluator, int32_t id, struct plant **added)
{
	const struct image_datasource *datasource;
	struct plant *plant;

	evaluator->plants = realloc(evaluator->plants,
		(evaluator->count + 1) * sizeof(*evaluator->plants));
	if (evaluator->plants == NULL)
		abort();
	plant = &evaluator->plants[evaluator->count];
	memset(plant, 0, sizeof(*plant));
	plant->id = id;
	image_read_lock(evaluator->hub->image);
	datasource = image_datasource(evaluator->hub->image, id);
	if (datasource != NULL)
		memcpy(plant->uuid, datasource->uuid, sizeof(plant->uuid));
	image_unlock(evaluator->hub->image);
	if (datasource == NULL)
		return fault_set(&evaluator->fault, RC_RETRY,
			"datasource %d is not known yet", (int)id);
	plant->engine = alarm_engine_new();
	evaluator->count++;
	*added = plant;
	return RC_OK;
}

/* What was saved goes into limits that are set. */
static enum rc
load_state(struct evaluator *evaluator, struct plant *plant)
{
	const struct finding finding = {evaluator->hub, plant->id};
	struct bytes state;
	enum rc rc = alarm_evaluation_load(evaluator->db, evaluator->arena,
		plant->id, &plant->version, &state, &evaluator->fault);

	if (rc == RC_OK && state.length > 0 &&
		alarm_engine_load(plant->engine, state.data, state.length,
			find_variable, &finding, clock_now_us(),
			&evaluator->fault) != RC_OK)
		log_error(NULL, "datasource %d: %s", (int)plant->id,
			evaluator->fault.text);
	plant->saved = alarm_engine_version(plant->engine);
	return rc;
}

/* The lock is held. False: the image does not have the variable yet. */
static bool
make_target(const struct image *image, const struct alarm_limit_row *row,
	struct alarm_target *target, int32_t *datasource_id)
{
	const struct image_variable *variable =
		image_variable(image, row->variable_id);
	const struct image_variable *suppressor = NULL;

	if (variable == NULL)
		return false;
	if (row->limit.suppressed_by[0] != '\0')
		suppressor = image_find(
			variable->datasource, row->limit.suppressed_by);
	*datasource_id = variable->meta.datasource_id;
	*target = (struct alarm_target){.limit = &row->limit,
		.variable_id = row->variable_id,
		.kind = variable->meta.kind,
		.unit = variable->meta.unit,
		.decimals = variable->meta.decimals,
		.suppressor_id = suppressor != NULL ? suppressor->meta.id : 0};
	return true;
}

static int
compare_ids(const void *left, const void *right)
{
	int32_t a = *(const int32_t *)left;
	int32_t b = *(const int32_t *)right;

	return (a > b) - (a < b);
}

static void
list_variables(
	struct plant *plant, const struct alarm_target *targets, size_t count)
{
	size_t kept = 0;

	free(plant->variable_ids);
	plant->variable_ids =
		calloc(2 * count + 1, sizeof(*plant->variable_ids));
	if (plant->variable_ids == NULL)
		abort();
	for (size_t i = 0; i < count; i++) {
		plant->variable_ids[2 * i] = targets[i].variable_id;
		plant->variable_ids[2 * i + 1] =
			targets[i].suppressor_id != 0 ? targets[i].suppressor_id
						      : targets[i].variable_id;
	}
	qsort(plant->variable_ids, 2 * count, sizeof(*plant->variable_ids),
		compare_ids);
	for (size_t i = 0; i < 2 * count; i++)
		if (kept == 0 ||
			plant->variable_ids[kept - 1] != plant->variable_ids[i])
			plant->variable_ids[kept++] = plant->variable_ids[i];
	plant->variable_count = kept;
}

static enum rc
set_plant(struct evaluator *evaluator, int32_t datasource_id,
	const struct alarm_target *targets, size_t count)
{
	struct plant *plant = find_plant(evaluator, datasource_id);
	bool fresh = plant == NULL;
	enum rc rc = RC_OK;

	if (fresh)
		rc = add_plant(evaluator, datasource_id, &plant);
	if (rc != RC_OK)
		return rc;
	plant->wanted = count > 0;
	alarm_engine_set(plant->engine, targets, count, clock_now_us());
	list_variables(plant, targets, count);
	return fresh ? load_state(evaluator, plant) : RC_OK;
}

/* Limits by datasource, as they are read. */
struct listing {
	struct alarm_target *targets;
	int32_t *datasource_ids;
	size_t count;
};

static enum rc
set_plants(struct evaluator *evaluator, const struct listing *listing)
{
	size_t begin = 0;
	enum rc rc = RC_OK;

	for (size_t i = 1; i <= listing->count && rc == RC_OK; i++) {
		int32_t id = listing->datasource_ids[begin];

		if (i < listing->count && listing->datasource_ids[i] == id)
			continue;
		rc = set_plant(
			evaluator, id, listing->targets + begin, i - begin);
		begin = i;
	}
	return rc;
}

/* Datasources that have no limits any more: their alarms go. */
static enum rc
end_others(struct evaluator *evaluator)
{
	int32_t *ids;
	size_t count;
	enum rc rc = alarm_evaluation_list(evaluator->db, evaluator->arena,
		&ids, &count, &evaluator->fault);

	for (size_t i = 0; i < count && rc == RC_OK; i++) {
		const struct plant *plant = find_plant(evaluator, ids[i]);

		if (plant == NULL || !plant->wanted)
			rc = set_plant(evaluator, ids[i], NULL, 0);
	}
	return rc;
}

static enum rc
take_rows(struct evaluator *evaluator, const struct alarm_limit_rows *rows)
{
	struct image *image = evaluator->hub->image;
	struct listing listing = {
		.targets = arena_array(evaluator->arena, rows->count,
			sizeof(*listing.targets)),
		.datasource_ids = arena_array(evaluator->arena, rows->count,
			sizeof(*listing.datasource_ids)),
	};
	enum rc rc;

	image_read_lock(image);
	for (size_t i = 0; i < rows->count; i++)
		listing.count += make_target(image, &rows->items[i],
			&listing.targets[listing.count],
			&listing.datasource_ids[listing.count]);
	image_unlock(image);
	for (size_t i = 0; i < evaluator->count; i++)
		evaluator->plants[i].wanted = false;
	rc = set_plants(evaluator, &listing);
	if (rc == RC_OK)
		rc = end_others(evaluator);
	if (rc == RC_OK && listing.count < rows->count)
		evaluator->limits_version = 0; /* look again */
	return rc;
}

static enum rc
read_limits(struct evaluator *evaluator)
{
	int64_t version = atomic_load(&evaluator->hub->limits_version);
	struct alarm_limit_rows rows;
	enum rc rc;

	if (version == evaluator->limits_version)
		return RC_OK;
	rc = alarm_limit_query(evaluator->db, evaluator->arena, 0, ALARM_BY_HUB,
		&rows, &evaluator->fault);
	if (rc != RC_OK)
		return rc;
	evaluator->limits_version = version;
	evaluator->nodes_due_us = 0;
	return take_rows(evaluator, &rows);
}

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
	return rc;
}

static enum rc
read_nodes(struct evaluator *evaluator, struct alarm_position **positions,
	size_t *count)
{
	int32_t *ids =
		arena_array(evaluator->arena, evaluator->count, sizeof(*ids));
	enum rc rc;

	if (clock_steady_us() < evaluator->nodes_due_us)
		return alarm_evaluation_positions(evaluator->db,
			evaluator->arena, positions, count, &evaluator->fault);
	for (size_t i = 0; i < evaluator->count; i++)
		ids[i] = evaluator->plants[i].id;
	rc = alarm_evaluation_nodes(evaluator->db, evaluator->arena, ids,
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
		forget(evaluator);
	return rc;
}

static enum rc
run_round(struct evaluator *evaluator)
{
	enum rc rc = own(evaluator);

	if (rc != RC_OK || !evaluator->owner)
		return rc;
	rc = read_limits(evaluator);
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

	forget(evaluator);
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
		}
		usleep(ROUND_US);
	}
}

void
hub_evaluate_run(struct hub *hub)
{
	struct evaluator evaluator = {.hub = hub, .arena = arena_new()};

	if (db_open(&hub->conf.database, "fieldgrid-hub alarms", hub->stmts,
		    &evaluator.db, &evaluator.fault) != RC_OK) {
		log_error(NULL, "%s", evaluator.fault.text);
		_exit(1); /* a statement is wrong: the supervisor tells */
	}
	buf_init(&evaluator.state, 0);
	run(&evaluator);
	forget(&evaluator);
	buf_free(&evaluator.state);
	db_close(evaluator.db);
	arena_free(evaluator.arena);
}
