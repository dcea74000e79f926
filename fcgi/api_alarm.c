/* api_alarm: the Alarm Message List. */

#include "fcgi/api_alarm.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fcgi/api.h"
#include "fcgi/cursor.h"
#include "lib/clock.h"
#include "model/alarm.h"
#include "model/alarm_json.h"

#define LIMIT_MAX   10000
#define NUMBERS_MAX 1000
#define AREAS_MAX   100
#define TEXT_BYTES  256

/* The body as it is sent. */
struct query {
	struct api_time time;
	struct texts names;
	struct texts flags;
	struct texts states;
	struct texts areas;
	struct ints classes;
	struct ints groups;
	struct ints priorities;
	const char *text;
	const char *sort;
	const char *after;
	int64_t limit;
};

#define QUERY(member) .offset = offsetof(struct query, member)

static const struct field query_fields[] = {
	{"timeFilter", FIELD_OBJECT, QUERY(time), .fields = api_time_fields},
	{"variableFilter", FIELD_OBJECT, QUERY(names),
		.fields = api_variable_fields},
	{"filterFlags", FIELD_TEXTS, QUERY(flags), .maximum = 16},
	{"states", FIELD_TEXTS, QUERY(states), .maximum = ALARM_STATE_COUNT},
	{"alarmClasses", FIELD_INTS, QUERY(classes), .maximum = NUMBERS_MAX},
	{"alarmGroups", FIELD_INTS, QUERY(groups), .maximum = NUMBERS_MAX},
	{"alarmAreas", FIELD_TEXTS, QUERY(areas), .maximum = AREAS_MAX},
	{"priorities", FIELD_INTS, QUERY(priorities), .maximum = 4},
	{"text", FIELD_TEXT, QUERY(text), .maximum = TEXT_BYTES},
	{"sort", FIELD_TEXT, QUERY(sort), .maximum = 32},
	{"after", FIELD_TEXT, QUERY(after), .maximum = CURSOR_TEXT_BYTES},
	{"limit", FIELD_INT, QUERY(limit), .minimum = 1, .maximum = LIMIT_MAX},
	FIELDS_END,
};

/* --- the filter ------------------------------------------------------------
 */

static enum rc
read_flags(
	struct req *req, const struct texts *flags, struct alarm_filter *filter)
{
	const struct {
		const char *name;
		bool *flag;
	} known[] = {
		{"OnlyActive", &filter->active},
		{"OnlyCleared", &filter->cleared},
		{"OnlyUnacknowledged", &filter->unacknowledged},
	};

	for (size_t i = 0; i < flags->count; i++) {
		bool found = false;

		for (size_t j = 0; j < ARRAY_LENGTH(known); j++)
			if (strcasecmp(flags->items[i], known[j].name) == 0)
				found = *known[j].flag = true;
		if (!found)
			return fault_tell(&req->fault, RC_BAD_INPUT,
				"BadRequest", "filterFlags",
				"The flags are OnlyActive, OnlyCleared and "
				"OnlyUnacknowledged.");
	}
	return RC_OK;
}

static enum rc
read_states(
	struct req *req, const struct texts *names, struct alarm_filter *filter)
{
	int32_t *states =
		arena_array(req->arena, names->count + 1, sizeof(*states));
	enum alarm_state state;

	for (size_t i = 0; i < names->count; i++) {
		if (!alarm_state_parse(names->items[i], &state))
			return fault_tell(&req->fault, RC_BAD_INPUT,
				"BadRequest", "states",
				"The states are Normal, UnacknowledgedActive, "
				"AcknowledgedActive, ReturnedUnacknowledged, "
				"Shelved, SuppressedByDesign and "
				"OutOfService.");
		states[i] = (int32_t)state;
	}
	if (names->items != NULL)
		filter->states = (struct ints){names->count, states};
	return RC_OK;
}

static enum rc
read_sort(struct req *req, const char *sort, struct alarm_filter *filter)
{
	filter->descending = sort[0] == '-';
	if (alarm_sort_parse(sort + filter->descending, &filter->sort))
		return RC_OK;
	return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest", "sort",
		"\"sort\" must be receivedTime, clearedTime, "
		"acknowledgedTime, priority, variableName or alarmClass, with "
		"\"-\" in front for the other direction.");
}

static enum rc
read_time(struct req *req, struct query *query, struct alarm_filter *filter)
{
	enum rc rc;

	filter->from_us = 0;
	filter->to_us = INT64_MAX;
	if (!api_time_given(&query->time))
		return RC_OK;
	rc = api_time_resolve(req, &query->time);
	filter->from_us = query->time.from_us;
	filter->to_us = query->time.to_us;
	return rc;
}

static enum rc
read_query(struct req *req, struct query *query, struct alarm_filter *filter)
{
	enum rc rc = req_json(req, query_fields, query);

	*filter = (struct alarm_filter){
		.classes = query->classes,
		.groups = query->groups,
		.priorities = query->priorities,
		.areas = query->areas.items,
		.area_count = query->areas.count,
		.text = query->text,
		.now_us = clock_now_us(),
		.limit = query->limit != 0 ? query->limit : LIMIT_MAX,
	};
	if (rc == RC_OK)
		rc = read_time(req, query, filter);
	if (rc == RC_OK)
		rc = read_flags(req, &query->flags, filter);
	if (rc == RC_OK)
		rc = read_states(req, &query->states, filter);
	if (rc == RC_OK)
		rc = read_sort(req, query->sort, filter);
	if (rc == RC_OK && query->after != NULL)
		rc = cursor_read(req, query->after, query->sort,
			filter->after_id, &filter->after);
	return rc;
}

/* --- the answer ------------------------------------------------------------
 */

static void
write_page(struct req *req, struct resp *resp, const struct query *query,
	const struct alarm_filter *filter, const struct alarm_page *page)
{
	struct jsonw *json = resp_json(resp, 200);

	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, "alarms");
	for (size_t i = 0; i < page->list.count; i++)
		alarm_write(json, &page->list.items[i], filter->now_us);
	jsonw_close_arr(json);
	jsonw_str(json, "next",
		page->next != NULL
			? cursor_text(req->arena, query->sort,
				  page->list.items[page->list.count - 1].id,
				  page->next)
			: NULL);
	jsonw_close_obj(json);
}

enum rc
api_alarm_query(struct req *req, struct resp *resp)
{
	struct query query = {.time = API_TIME_UNSET, .sort = "receivedTime"};
	struct alarm_filter filter;
	struct alarm_page page;
	struct plant plant;
	enum rc rc = plant_find(req, &plant);

	if (rc == RC_OK)
		rc = read_query(req, &query, &filter);
	if (rc == RC_OK)
		rc = plant_choose(req, &plant, &query.names, POLICY_READ_ALARMS,
			&filter.variables);
	filter.datasource_id = plant.datasource.id;
	if (rc == RC_OK)
		rc = alarm_query(
			req->db, req->arena, &filter, &page, &req->fault);
	/* Who asks for no page does not know of a next one. */
	if (rc == RC_OK && query.limit == 0 && page.next != NULL)
		rc = fault_tell(&req->fault, RC_TOO_LARGE, "TooManyAlarms",
			"timeFilter",
			"More than %d alarms; ask for a shorter time, or for "
			"a page with \"limit\".",
			LIMIT_MAX);
	if (rc == RC_OK)
		write_page(req, resp, &query, &filter, &page);
	return rc;
}
