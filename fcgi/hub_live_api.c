/* hub_live_api: POST /api/v1/live, where streams are registered. */

#include "fcgi/hub.h"

#include <json-c/json.h>
#include <string.h>
#include <strings.h>

#include "fcgi/hub_live.h"
#include "lib/encode.h"
#include "lib/field.h"
#include "model/policy.h"

#define ENTRIES_MAX 256
#define NAMES_MAX   LIVE_VARIABLES_MAX

/* One entry of the body's list. */
struct entry {
	const char *datasource;
	struct texts names;
};

static const struct field entry_fields[] = {
	{"datasource", FIELD_TEXT, offsetof(struct entry, datasource), true, 0,
		36, NULL},
	{"names", FIELD_TEXTS, offsetof(struct entry, names), true, 0,
		NAMES_MAX, NULL},
	FIELDS_END,
};

struct body {
	struct json_object *variables;
};

static const struct field body_fields[] = {
	{"variables", FIELD_ANY, offsetof(struct body, variables), true, 0, 0,
		NULL},
	FIELDS_END,
};

/* The variables that were asked for, each once: those that may be seen, and
 * those that may not, of which no more are kept. */
struct selection {
	const struct policy *policy;
	struct image_variable **variables;
	size_t count;
	struct image_variable **refused;
	size_t refused_count;
	bool overflow;
};

static enum rc
read_entries(struct req *req, struct entry **entries, size_t *count)
{
	struct body body;
	enum rc rc = req_json(req, body_fields, &body);

	if (rc != RC_OK)
		return rc;
	if (!json_object_is_type(body.variables, json_type_array) ||
		json_object_array_length(body.variables) > ENTRIES_MAX)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"variables", "variables is a list of at most %d.",
			ENTRIES_MAX);
	*count = json_object_array_length(body.variables);
	*entries = arena_array(req->arena, *count, sizeof(**entries));
	for (size_t i = 0; i < *count && rc == RC_OK; i++)
		rc = field_read(req->arena,
			json_object_array_get_idx(body.variables, i),
			entry_fields, &(*entries)[i],
			arena_printf(req->arena, "variables[%zu].", i),
			&req->fault);
	return rc;
}

static void
select_one(struct selection *selection, struct image_variable *variable,
	bool *taken)
{
	if (*taken)
		return;
	*taken = true;
	if (!policy_may(
		    selection->policy, &variable->meta, POLICY_READ_VALUES)) {
		if (selection->refused_count < LIVE_VARIABLES_MAX)
			selection->refused[selection->refused_count++] =
				variable;
		return;
	}
	if (selection->count == LIVE_VARIABLES_MAX)
		selection->overflow = true;
	else
		selection->variables[selection->count++] = variable;
}

static void
select_named(struct selection *selection,
	const struct image_datasource *datasource, const char *name,
	bool *taken)
{
	if (strpbrk(name, "*?") == NULL) {
		size_t at = image_find_index(datasource, name);

		if (at < datasource->count)
			select_one(selection, datasource->variables[at],
				&taken[at]);
		return;
	}
	for (size_t i = 0; i < datasource->count; i++)
		if (policy_matches(name, datasource->variables[i]->meta.name))
			select_one(
				selection, datasource->variables[i], &taken[i]);
}

/* Two entries of one datasource share its marks. */
static bool *
marks_of(struct arena *arena, bool **marks, const struct entry *entries,
	size_t index, const struct image_datasource *datasource)
{
	for (size_t i = 0; i < index; i++)
		if (marks[i] != NULL && strcasecmp(entries[i].datasource,
						entries[index].datasource) == 0)
			return marks[i];
	return arena_array(arena, datasource->count, sizeof(bool));
}

/* Needs: the image's lock. */
static void
select_all(struct hub *hub, struct req *req, const struct entry *entries,
	size_t count, struct selection *selection)
{
	bool **marks = arena_array(req->arena, count, sizeof(*marks));

	for (size_t i = 0; i < count; i++) {
		const struct image_datasource *datasource = NULL;
		uint8_t uuid[UUID_BYTES];

		if (uuid_parse(entries[i].datasource, uuid))
			datasource = image_datasource_by_uuid(hub->image, uuid);
		if (datasource == NULL)
			continue;
		marks[i] = marks_of(req->arena, marks, entries, i, datasource);
		for (size_t k = 0; k < entries[i].names.count; k++)
			select_named(selection, datasource,
				entries[i].names.items[k], marks[i]);
	}
}

static void
write_variable(
	struct jsonw *json, const struct image_variable *variable, size_t ref)
{
	const struct variable *meta = &variable->meta;
	char uuid[UUID_TEXT_BYTES];

	uuid_format(uuid, variable->datasource->uuid);
	jsonw_open_obj(json, NULL);
	jsonw_uint(json, "ref", ref);
	jsonw_str(json, "datasource", uuid);
	jsonw_str(json, "name", meta->name);
	jsonw_str(json, "type", variable_kind_name(meta->kind));
	jsonw_str(json, "unit", meta->unit);
	jsonw_int(json, "decimals", meta->decimals);
	jsonw_num(json, "minimum", meta->minimum);
	jsonw_num(json, "maximum", meta->maximum);
	jsonw_bool(json, "stepped", meta->stepped);
	jsonw_close_obj(json);
}

/* True when no variable before "index" is of the same datasource. */
static bool
is_first(const struct selection *selection, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (selection->variables[i]->datasource ==
			selection->variables[index]->datasource)
			return false;
	return true;
}

/* Variables come grouped by datasource, so looking back is short. */
static void
write_datasources(struct jsonw *json, const struct selection *selection)
{
	const struct image_datasource *last = NULL;

	jsonw_open_arr(json, "datasources");
	for (size_t i = 0; i < selection->count; i++) {
		const struct image_datasource *datasource =
			selection->variables[i]->datasource;
		char uuid[UUID_TEXT_BYTES];

		if (datasource == last || !is_first(selection, i))
			continue;
		last = datasource;
		uuid_format(uuid, datasource->uuid);
		jsonw_open_obj(json, NULL);
		jsonw_str(json, "id", uuid);
		jsonw_str(json, "name", datasource->name);
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
}

static void
write_answer(struct jsonw *json, struct arena *arena, const char *id,
	const struct selection *selection)
{
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "id", id);
	jsonw_str(json, "url", arena_printf(arena, "/live/%s", id));
	jsonw_open_arr(json, "variables");
	for (size_t i = 0; i < selection->count; i++)
		write_variable(json, selection->variables[i], i);
	jsonw_close_arr(json);
	write_datasources(json, selection);
	jsonw_close_obj(json);
}

static enum rc
register_stream(struct hub *hub, struct req *req, struct resp *resp,
	const struct selection *selection)
{
	struct live_order order = {
		.caller = req->caller,
		.variables = selection->variables,
		.count = selection->count,
		.refused = selection->refused,
		.refused_count = selection->refused_count,
	};
	char id[LIVE_ID_BYTES];
	enum rc rc;

	hub_live_secret(req, order.secret);
	rc = live_register(hub->live, &order, id, &req->fault);
	if (rc != RC_OK)
		return rc;
	image_read_lock(hub->image);
	write_answer(resp_json(resp, 200), req->arena, id, selection);
	image_unlock(hub->image);
	return RC_OK;
}

enum rc
hub_live_post(struct req *req, struct resp *resp)
{
	struct selection selection = {.count = 0};
	struct entry *entries = NULL;
	struct hub *hub;
	size_t count = 0;
	enum rc rc = hub_ready(req, &hub);

	if (rc == RC_OK)
		rc = policy_of(req, &selection.policy);
	if (rc == RC_OK)
		rc = read_entries(req, &entries, &count);
	if (rc != RC_OK)
		return rc;
	selection.variables = arena_array(
		req->arena, LIVE_VARIABLES_MAX, sizeof(*selection.variables));
	selection.refused = arena_array(
		req->arena, LIVE_VARIABLES_MAX, sizeof(*selection.refused));
	image_read_lock(hub->image);
	select_all(hub, req, entries, count, &selection);
	image_unlock(hub->image);
	if (selection.overflow)
		return fault_tell(&req->fault, RC_TOO_LARGE, "TooLarge",
			"variables", "A stream may have %d variables.",
			LIVE_VARIABLES_MAX);
	return register_stream(hub, req, resp, &selection);
}
