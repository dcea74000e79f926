/* hub_evaluate_limits: which limits the hub evaluates, and where it was. */

#include <stdlib.h>
#include <string.h>

#include "fcgi/hub_evaluate_parts.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "model/alarm_evaluation.h"
#include "model/alarm_limit_find.h"

void
hub_evaluate_forget(struct evaluator *evaluator)
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

	evaluator->plants = memory_grow(evaluator->plants, evaluator->count + 1,
		sizeof(*evaluator->plants));
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
make_target(const struct image *image, struct arena *arena,
	const struct alarm_limit_row *row, struct alarm_target *target,
	int32_t *datasource_id)
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
		.unit = arena_strdup(arena, variable->meta.unit),
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
		memory_new(2 * count, sizeof(*plant->variable_ids));
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
		listing.count += make_target(image, evaluator->arena,
			&rows->items[i], &listing.targets[listing.count],
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

enum rc
hub_evaluate_limits(struct evaluator *evaluator)
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
