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
	{"names", FIELD_TEXTS, offsetof(struct entry, names), false, 0,
		NAMES_MAX, NULL},
	FIELDS_END,
};

struct body {
	struct json_object *lists[LIVE_SUBJECTS];
};

static const char *const list_names[LIVE_SUBJECTS] = {
	[LIVE_VALUES] = "variables",
	[LIVE_ALARMS] = "alarms",
	[LIVE_EVENTS] = "events",
};

#define LIST(name, subject)                                                    \
	{                                                                      \
		name, FIELD_ANY, offsetof(struct body, lists[subject]), false, \
			0, 0, NULL                                             \
	}

static const struct field body_fields[] = {
	LIST("variables", LIVE_VALUES),
	LIST("alarms", LIVE_ALARMS),
	LIST("events", LIVE_EVENTS),
	FIELDS_END,
};

/* What was asked for of one subject, each once: what may be seen, and what may
 * not, of which no more is kept. */
struct selection {
	const struct policy *policy;
	enum policy_action action;
	struct image_variable **variables;
	size_t count;
	struct image_variable **refused;
	size_t refused_count;
	struct image_datasource **whole;
	size_t whole_count;
	struct image_datasource **refused_whole;
	size_t refused_whole_count;
	bool overflow;
};

/* The entries of one subject. */
struct entries {
	struct entry *items;
	size_t count;
};

/* All of a datasource is a stream's worth of alarms and events, but may be more
 * values than anybody meant. */
static enum rc
read_names(struct req *req, enum live_subject subject, size_t index,
	struct entry *entry)
{
	static const char *const all[] = {"*"};
	const char *field = arena_printf(
		req->arena, "%s[%zu].names", list_names[subject], index);

	if (entry->names.items != NULL)
		return RC_OK;
	if (subject == LIVE_VALUES)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			field, "\"%s\" is missing.", field);
	entry->names = (struct texts){1, all};
	return RC_OK;
}

static enum rc
read_list(struct req *req, struct json_object *list, enum live_subject subject,
	struct entries *entries)
{
	const char *name = list_names[subject];
	enum rc rc = RC_OK;

	if (!json_object_is_type(list, json_type_array) ||
		json_object_array_length(list) > ENTRIES_MAX)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest", name,
			"%s is a list of at most %d.", name, ENTRIES_MAX);
	entries->count = json_object_array_length(list);
	entries->items = arena_array(
		req->arena, entries->count, sizeof(*entries->items));
	for (size_t i = 0; i < entries->count && rc == RC_OK; i++) {
		rc = field_read(req->arena, json_object_array_get_idx(list, i),
			entry_fields, &entries->items[i],
			arena_printf(req->arena, "%s[%zu]", name, i),
			&req->fault);
		if (rc == RC_OK)
			rc = read_names(req, subject, i, &entries->items[i]);
	}
	return rc;
}

static enum rc
read_entries(struct req *req, struct entries entries[LIVE_SUBJECTS])
{
	struct body body = {{NULL}};
	bool given = false;
	enum rc rc = req_json(req, body_fields, &body);

	for (int i = 0; i < LIVE_SUBJECTS && rc == RC_OK; i++) {
		given |= body.lists[i] != NULL;
		if (body.lists[i] != NULL)
			rc = read_list(req, body.lists[i], i, &entries[i]);
	}
	if (rc == RC_OK && !given)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"variables",
			"Name at least one of variables, alarms and events.");
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
		    selection->policy, &variable->meta, selection->action)) {
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

/* "*" asks for what is of no variable as well, which takes the right to all. */
static void
select_whole(struct selection *selection, struct image_datasource *datasource,
	const struct texts *names)
{
	bool whole = false;

	for (size_t i = 0; i < names->count; i++)
		whole |= strcmp(names->items[i], "*") == 0;
	for (size_t i = 0; i < selection->whole_count; i++)
		whole &= selection->whole[i] != datasource;
	if (!whole)
		return;
	if (policy_allows(
		    selection->policy, datasource->id, "", selection->action))
		selection->whole[selection->whole_count++] = datasource;
	else
		selection->refused_whole[selection->refused_whole_count++] =
			datasource;
}

/* Needs: the image's lock. */
static void
select_all(struct hub *hub, struct req *req, const struct entries *entries,
	struct selection *selection)
{
	bool **marks = arena_array(req->arena, entries->count, sizeof(*marks));

	for (size_t i = 0; i < entries->count; i++) {
		const struct entry *entry = &entries->items[i];
		struct image_datasource *datasource = NULL;
		uint8_t uuid[UUID_BYTES];

		if (uuid_parse(entry->datasource, uuid))
			datasource = image_datasource_by_uuid(hub->image, uuid);
		if (datasource == NULL)
			continue;
		marks[i] = marks_of(
			req->arena, marks, entries->items, i, datasource);
		select_whole(selection, datasource, &entry->names);
		for (size_t k = 0; k < entry->names.count; k++)
			select_named(selection, datasource,
				entry->names.items[k], marks[i]);
	}
}

static void
write_variable(struct jsonw *json, const struct policy *policy,
	const struct image_variable *variable, size_t ref)
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
	jsonw_bool(json, "writable",
		policy_may(policy, meta, POLICY_WRITE_VALUES));
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
		write_variable(
			json, selection->policy, selection->variables[i], i);
	jsonw_close_arr(json);
	write_datasources(json, selection);
	jsonw_close_obj(json);
}

static struct live_choice
choice_of(const struct selection *selection, enum live_subject subject)
{
	struct live_choice choice = {
		.variables = selection->variables,
		.count = selection->count,
		.refused = selection->refused,
		.refused_count = selection->refused_count,
	};

	if (subject == LIVE_VALUES)
		return choice;
	choice.whole = selection->whole;
	choice.whole_count = selection->whole_count;
	choice.refused_whole = selection->refused_whole;
	choice.refused_whole_count = selection->refused_whole_count;
	return choice;
}

static enum rc
register_stream(struct hub *hub, struct req *req, struct resp *resp,
	const struct selection selections[LIVE_SUBJECTS])
{
	struct live_order order = {.caller = req->caller};
	char id[LIVE_ID_BYTES];
	enum rc rc;

	for (int i = 0; i < LIVE_SUBJECTS; i++)
		order.choices[i] = choice_of(&selections[i], i);
	hub_live_secret(req, order.secret);
	rc = live_register(hub->live, &order, id, &req->fault);
	if (rc != RC_OK)
		return rc;
	image_read_lock(hub->image);
	write_answer(
		resp_json(resp, 200), req->arena, id, &selections[LIVE_VALUES]);
	image_unlock(hub->image);
	return RC_OK;
}

static void
make_room(struct req *req, const struct entries *entries,
	struct selection *selection)
{
	size_t variables = entries->count > 0 ? LIVE_VARIABLES_MAX : 0;
	struct arena *arena = req->arena;

	selection->variables =
		arena_array(arena, variables, sizeof(*selection->variables));
	selection->refused =
		arena_array(arena, variables, sizeof(*selection->refused));
	selection->whole =
		arena_array(arena, entries->count, sizeof(*selection->whole));
	selection->refused_whole = arena_array(
		arena, entries->count, sizeof(*selection->refused_whole));
}

static enum rc
check_overflow(struct req *req, const struct selection *selection,
	enum live_subject subject)
{
	if (!selection->overflow)
		return RC_OK;
	return fault_tell(&req->fault, RC_TOO_LARGE, "TooLarge",
		list_names[subject], "A stream may have %d variables.",
		LIVE_VARIABLES_MAX);
}

enum rc
hub_live_post(struct req *req, struct resp *resp)
{
	struct selection selections[LIVE_SUBJECTS] = {{NULL}};
	struct entries entries[LIVE_SUBJECTS] = {{NULL, 0}};
	const struct policy *policy = NULL;
	struct hub *hub;
	enum rc rc = hub_ready_for(req, &hub, &policy);

	if (rc == RC_OK)
		rc = read_entries(req, entries);
	for (int i = 0; i < LIVE_SUBJECTS && rc == RC_OK; i++) {
		selections[i].policy = policy;
		selections[i].action = live_action(i);
		make_room(req, &entries[i], &selections[i]);
		image_read_lock(hub->image);
		select_all(hub, req, &entries[i], &selections[i]);
		image_unlock(hub->image);
		rc = check_overflow(req, &selections[i], i);
	}
	return rc == RC_OK ? register_stream(hub, req, resp, selections) : rc;
}
