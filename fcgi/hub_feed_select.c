/* hub_feed_select: which variables an egress node wishes and may read. */

#include "fcgi/hub_feed.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "lib/encode.h"
#include "model/feed.h"

enum mark { UNKNOWN, PERMITTED, REFUSED };

struct entry {
	const char *id;
	struct texts variables;
};

static const struct field entry_fields[] = {
	{"id", FIELD_TEXT, offsetof(struct entry, id), true, 0, 36, NULL},
	{"variables", FIELD_TEXTS, offsetof(struct entry, variables), false, 0,
		HUB_FEED_PATTERNS_MAX, NULL},
	FIELDS_END,
};

static bool
is_among(const int32_t *ids, size_t count, int32_t id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static int32_t
find_datasource(struct hub *hub, const uint8_t uuid[UUID_BYTES])
{
	const struct image_datasource *datasource;
	int32_t id;

	image_read_lock(hub->image);
	datasource = image_datasource_by_uuid(hub->image, uuid);
	id = datasource != NULL ? datasource->id : 0;
	image_unlock(hub->image);
	return id;
}

static enum rc
read_entry(struct hub *hub, struct req *req, struct json_object *object,
	size_t index, const int32_t *ids, size_t count,
	struct hub_feed_wish *wish)
{
	const char *path = arena_printf(req->arena, "datasources[%zu]", index);
	uint8_t *uuid = arena_alloc(req->arena, UUID_BYTES);
	struct entry entry = {.id = ""};
	enum rc rc = field_read(
		req->arena, object, entry_fields, &entry, path, &req->fault);

	if (rc != RC_OK)
		return rc;
	if (!uuid_parse(entry.id, uuid))
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest", "id",
			"\"%s.id\" must be a UUID.", path);
	*wish = (struct hub_feed_wish){
		find_datasource(hub, uuid), uuid, entry.variables};
	if (wish->datasource_id == 0 ||
		!is_among(ids, count, wish->datasource_id))
		return fault_tell(&req->fault, RC_DENIED,
			"DatasourceNotAllowed", "id",
			"This node does not subscribe to the datasource %s.",
			entry.id);
	return RC_OK;
}

static enum rc
read_entries(struct hub *hub, struct req *req, struct json_object *array,
	const int32_t *ids, size_t count, struct hub_feed_selection *selection)
{
	enum rc rc = RC_OK;

	if (!json_object_is_type(array, json_type_array) ||
		json_object_array_length(array) > HUB_FEED_DATASOURCES_MAX)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"datasources", "datasources is a list of at most %d.",
			HUB_FEED_DATASOURCES_MAX);
	selection->count = json_object_array_length(array);
	selection->wishes = arena_array(
		req->arena, selection->count, sizeof(*selection->wishes));
	for (size_t i = 0; rc == RC_OK && i < selection->count; i++)
		rc = read_entry(hub, req, json_object_array_get_idx(array, i),
			i, ids, count, &selection->wishes[i]);
	return rc;
}

static void
take_all(struct hub *hub, struct arena *arena, const int32_t *ids, size_t count,
	struct hub_feed_selection *selection)
{
	selection->wishes =
		arena_array(arena, count, sizeof(*selection->wishes));
	image_read_lock(hub->image);
	for (size_t i = 0; i < count; i++) {
		const struct image_datasource *datasource =
			image_datasource(hub->image, ids[i]);

		if (datasource == NULL)
			continue;
		selection->wishes[selection->count].datasource_id = ids[i];
		selection->wishes[selection->count++].uuid =
			arena_memdup(arena, datasource->uuid, UUID_BYTES);
	}
	image_unlock(hub->image);
}

enum rc
hub_feed_select(struct hub *hub, struct req *req,
	struct json_object *datasources, enum policy_action action,
	struct hub_feed_selection *selection)
{
	int32_t *ids = NULL;
	size_t count = 0;
	enum rc rc;

	*selection = (struct hub_feed_selection){
		.hub = hub, .arena = req->arena, .action = action};
	rc = policy_of(req, &selection->policy);
	if (rc == RC_OK)
		rc = feed_datasources(req->db, req->arena, req->caller->id,
			&ids, &count, &req->fault);
	if (rc != RC_OK)
		return rc;
	if (datasources != NULL)
		return read_entries(
			hub, req, datasources, ids, count, selection);
	take_all(hub, req->arena, ids, count, selection);
	return RC_OK;
}

/* --- variables ----------------------------------------------------------- */

static bool
is_wished(const struct hub_feed_selection *selection,
	const struct variable *variable)
{
	for (size_t i = 0; i < selection->count; i++) {
		const struct hub_feed_wish *wish = &selection->wishes[i];

		if (wish->datasource_id != variable->datasource_id)
			continue;
		if (wish->patterns.count == 0)
			return true;
		for (size_t k = 0; k < wish->patterns.count; k++)
			if (policy_matches(
				    wish->patterns.items[k], variable->name))
				return true;
	}
	return false;
}

static bool
is_permitted(const struct hub_feed_selection *selection,
	const struct variable *variable)
{
	return is_wished(selection, variable) &&
	       policy_may(selection->policy, variable, selection->action);
}

static void
grow(struct hub_feed_selection *selection, size_t count)
{
	uint8_t *marks = arena_alloc(selection->arena, count);

	if (selection->marks_count > 0)
		memcpy(marks, selection->marks, selection->marks_count);
	selection->marks = marks;
	selection->marks_count = count;
}

bool
hub_feed_permits(struct hub_feed_selection *selection, int32_t id)
{
	struct image *image = selection->hub->image;
	const struct image_variable *variable;
	size_t at = (size_t)id;

	if (at >= selection->marks_count)
		grow(selection, at + at / 2 + 1024);
	if (selection->marks[at] == UNKNOWN) {
		image_read_lock(image);
		variable = image_variable(image, id);
		selection->marks[at] =
			variable != NULL &&
					is_permitted(selection, &variable->meta)
				? PERMITTED
				: REFUSED;
		image_unlock(image);
	}
	return selection->marks[at] == PERMITTED;
}

static int
compare_ids(const void *left, const void *right)
{
	int32_t one = *(const int32_t *)left;
	int32_t other = *(const int32_t *)right;

	return (one > other) - (one < other);
}

const int32_t *
hub_feed_ids(struct hub_feed_selection *selection, size_t *count)
{
	struct image *image = selection->hub->image;
	int32_t *ids = NULL;
	size_t room = 0;

	*count = 0;
	image_read_lock(image);
	for (size_t i = 0; i < selection->count; i++) {
		const struct image_datasource *datasource = image_datasource(
			image, selection->wishes[i].datasource_id);

		room += datasource != NULL ? datasource->count : 0;
	}
	ids = arena_array(selection->arena, room, sizeof(*ids));
	for (size_t i = 0; i < selection->count; i++) {
		const struct image_datasource *datasource = image_datasource(
			image, selection->wishes[i].datasource_id);

		for (size_t k = 0; datasource != NULL && k < datasource->count;
			k++)
			if (is_permitted(
				    selection, &datasource->variables[k]->meta))
				ids[(*count)++] =
					datasource->variables[k]->meta.id;
	}
	image_unlock(image);
	qsort(ids, *count, sizeof(*ids), compare_ids);
	return ids;
}
