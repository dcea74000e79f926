/* history_cache: what frames say of some variables, read once. */

#include <stdlib.h>
#include <string.h>

#include "model/history_part.h"

/* Samples kept at most, 48 bytes each. */
#define CACHE_SAMPLES ((size_t)256 * 1024)

/* The samples of one variable, in the order in which they came. */
struct column {
	int32_t variable_id; /* first: history_compare_ids looks there */
	struct sample *samples;
	size_t count;
	size_t room;
};

struct history_cache {
	struct arena *arena;
	struct column *columns; /* rising ids */
	size_t count;
	size_t samples;
};

static struct column *
column_of(const struct history_cache *cache, int32_t variable_id)
{
	return bsearch(&variable_id, cache->columns, cache->count,
		sizeof(*cache->columns), history_compare_ids);
}

static void
make_room(struct arena *arena, struct column *column, size_t count)
{
	size_t room = 2 * column->room + count;
	struct sample *samples;

	if (column->room - column->count >= count)
		return;
	samples = arena_array(arena, room, sizeof(*samples));
	if (column->count > 0)
		memcpy(samples, column->samples,
			column->count * sizeof(*samples));
	column->samples = samples;
	column->room = room;
}

static enum rc
keep(void *context, const struct sample *samples, size_t count,
	struct fault *fault)
{
	struct history_cache *cache = context;
	struct column *column = column_of(cache, samples[0].variable_id);

	cache->samples += count;
	if (cache->samples > CACHE_SAMPLES)
		return fault_set(fault, RC_TOO_LARGE, "many samples in frames");
	make_room(cache->arena, column, count);
	for (size_t i = 0; i < count; i++) {
		struct value value = samples[i].value;

		if (value.kind == VALUE_STRING)
			value.string.data = arena_strndup(cache->arena,
				value.string.data, value.string.bytes);
		column->samples[column->count] = samples[i];
		column->samples[column->count++].value = value;
	}
	return RC_OK;
}

enum rc
history_cache_fill(const struct history_part *part, struct arena *arena,
	const struct history_cache **filled)
{
	struct history_cache *cache = arena_alloc(arena, sizeof(*cache));
	enum rc rc;

	cache->arena = arena;
	cache->count = part->count;
	cache->columns =
		arena_array(arena, part->count, sizeof(*cache->columns));
	for (size_t i = 0; i < part->count; i++)
		cache->columns[i].variable_id = part->ids[i];
	rc = history_frames(part, keep, cache);
	*filled = rc == RC_OK ? cache : NULL;
	return rc == RC_TOO_LARGE ? RC_OK : rc;
}

enum rc
history_cache_visit(const struct history_part *part,
	enum rc (*visit)(void *context, const struct sample *samples,
		size_t count, struct fault *fault),
	void *context)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < part->count; i++) {
		const struct column *column =
			column_of(part->cache, part->ids[i]);

		if (column != NULL && column->count > 0)
			rc = visit(context, column->samples, column->count,
				part->fault);
	}
	return rc;
}
