/* api_event: the Chronological Event List. */

#include "fcgi/api_event.h"

#include <string.h>

#include "fcgi/api.h"
#include "model/event.h"

#define EVENTS_MAX 10000

/* Rights of a whole list: without any of it there is nothing to filter. */
static enum rc
begin(struct req *req, enum policy_action action, struct plant *plant,
	struct api_filter *filter)
{
	static const char *const all[] = {"*"};
	enum rc rc = plant_find(req, plant);

	if (rc == RC_OK)
		rc = api_filter_read(req, filter);
	if (rc != RC_OK)
		return rc;
	rc = policy_check_list(
		plant->policy, plant->datasource.id, action, &req->fault);
	if (rc != RC_OK)
		return rc;
	if (filter->names.items == NULL)
		filter->names = (struct texts){1, all};
	return RC_OK;
}

static bool
takes_all(const struct texts *patterns)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (strcmp(patterns->items[i], "*") == 0)
			return true;
	return false;
}

/*
 * Only what may be read is looked for, so that neither limits nor times tell
 * of the rest. What is of no variable may tell of any: it needs the right to
 * all of them, which is the right to a name that no variable has.
 */
static enum rc
choose(struct req *req, const struct plant *plant, const struct texts *names,
	struct event_filter *filter)
{
	struct variable_list found;
	int32_t *ids;
	enum rc rc = variable_query(req->db, req->arena, plant->datasource.id,
		names->items, names->count, &found, &req->fault);

	if (rc != RC_OK)
		return rc;
	ids = arena_array(req->arena, found.count, sizeof(*ids));
	for (size_t i = 0; i < found.count; i++)
		if (plant_shows(plant, &found.items[i], POLICY_READ_EVENTS))
			ids[filter->count++] = found.items[i].id;
	filter->variable_ids = ids;
	filter->others = takes_all(names) &&
			 policy_allows(plant->policy, plant->datasource.id, "",
				 POLICY_READ_EVENTS);
	return RC_OK;
}

static void
write_event(struct jsonw *json, const struct event *event)
{
	jsonw_open_obj(json, NULL);
	jsonw_int(json, "id", event->id);
	jsonw_str(json, "variableName", event->variable);
	jsonw_str(json, "value", event->value);
	jsonw_str(json, "text", event->text);
	jsonw_null(json, "comment");
	jsonw_time(json, "receivedTime", event->time_us);
	jsonw_str(json, "computer", event->computer);
	jsonw_str(json, "username", event->username);
	jsonw_null(json, "userFullName");
	jsonw_str(json, "kind", event->kind);
	jsonw_close_obj(json);
}

enum rc
api_event_query(struct req *req, struct resp *resp)
{
	struct event_filter wanted = {.limit = EVENTS_MAX + 1};
	struct api_filter filter;
	struct event_list list;
	struct plant plant;
	struct jsonw *json;
	enum rc rc = begin(req, POLICY_READ_EVENTS, &plant, &filter);

	if (rc == RC_OK)
		rc = choose(req, &plant, &filter.names, &wanted);
	if (rc != RC_OK)
		return rc;
	wanted.datasource_id = plant.datasource.id;
	wanted.from_us = filter.time.from_us;
	wanted.to_us = filter.time.to_us;
	rc = event_query(req->db, req->arena, &wanted, &list, &req->fault);
	if (rc != RC_OK)
		return rc;
	if (list.count > EVENTS_MAX)
		return fault_tell(&req->fault, RC_TOO_LARGE, "TooManyEvents",
			"timeFilter",
			"More than %d events; ask for a shorter time or fewer "
			"variables.",
			EVENTS_MAX);
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, "events");
	for (size_t i = 0; i < list.count; i++)
		write_event(json, &list.items[i]);
	jsonw_close_arr(json);
	jsonw_close_obj(json);
	return RC_OK;
}
