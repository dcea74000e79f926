/* api_event: the Chronological Event List. */

#include "fcgi/api_event.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/api.h"
#include "fcgi/cursor.h"
#include "fcgi/plant.h"
#include "lib/clock.h"
#include "lib/wire.h"
#include "model/event.h"
#include "model/event_json.h"

#define LIMIT_MAX   10000
#define NUMBERS_MAX 1000
#define WORDS_MAX   100
#define TEXT_BYTES  256

/* The body as it is sent. */
struct query {
	struct api_time time;
	struct texts names;
	struct texts kinds;
	struct texts users;
	struct ints classes;
	struct ints groups;
	const char *text;
	const char *sort;
	const char *after;
	int64_t limit; /* 0 = not given: all or a refusal */
};

#define QUERY(member) .offset = offsetof(struct query, member)

static const struct field query_fields[] = {
	{"timeFilter", FIELD_OBJECT, QUERY(time), .fields = api_time_fields},
	{"variableFilter", FIELD_OBJECT, QUERY(names),
		.fields = api_variable_fields},
	{"kinds", FIELD_TEXTS, QUERY(kinds), .maximum = WORDS_MAX},
	{"users", FIELD_TEXTS, QUERY(users), .maximum = WORDS_MAX},
	{"eventClasses", FIELD_INTS, QUERY(classes), .maximum = NUMBERS_MAX},
	{"eventGroups", FIELD_INTS, QUERY(groups), .maximum = NUMBERS_MAX},
	{"text", FIELD_TEXT, QUERY(text), .maximum = TEXT_BYTES},
	{"sort", FIELD_TEXT, QUERY(sort), .maximum = 32},
	{"after", FIELD_TEXT, QUERY(after), .maximum = CURSOR_TEXT_BYTES},
	{"limit", FIELD_INT, QUERY(limit), .minimum = 1, .maximum = LIMIT_MAX},
	FIELDS_END,
};

/* --- the place of a page -------------------------------------------------- */

/* Ids of cursors have 16 bytes; an event's takes the first eight. */
static const char *
next_text(struct req *req, const char *sort, const struct event *last)
{
	uint8_t id[UUID_BYTES] = {0};

	wire_put_u64(id, (uint64_t)last->id);
	return cursor_text(req->arena, sort, id,
		arena_printf(req->arena, "%" PRId64, last->time_us));
}

static enum rc
read_after(
	struct req *req, const struct query *query, struct event_filter *filter)
{
	uint8_t id[UUID_BYTES];
	const char *place;
	char *end;
	enum rc rc = cursor_read(req, query->after, query->sort, id, &place);

	if (rc != RC_OK)
		return rc;
	filter->after_us = strtoll(place, &end, 10);
	filter->after_id = (int64_t)wire_u64(id);
	if (end != place && *end == '\0' && filter->after_id > 0)
		return RC_OK;
	return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest", "after",
		"\"after\" must be the \"next\" of an answer.");
}

/* --- the filter ----------------------------------------------------------- */

static enum rc
read_sort(struct req *req, const char *sort, struct event_filter *filter)
{
	filter->descending = sort[0] == '-';
	if (strcmp(sort + filter->descending, "receivedTime") == 0)
		return RC_OK;
	return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest", "sort",
		"\"sort\" must be receivedTime, or -receivedTime for the "
		"newest first.");
}

static enum rc
read_query(struct req *req, struct query *query, struct event_filter *filter)
{
	enum rc rc = req_json(req, query_fields, query);

	if (rc == RC_OK && api_time_given(&query->time))
		rc = api_time_resolve(req, &query->time);
	else
		query->time = (struct api_time){.to_us = INT64_MAX};
	*filter = (struct event_filter){
		.from_us = query->time.from_us,
		.to_us = query->time.to_us,
		.grid = true,
		.kinds = query->kinds,
		.users = query->users,
		.classes = query->classes,
		.groups = query->groups,
		.text = query->text,
		.limit = query->limit > 0 ? query->limit : LIMIT_MAX,
	};
	if (rc == RC_OK)
		rc = read_sort(req, query->sort, filter);
	if (rc == RC_OK && query->after != NULL)
		rc = read_after(req, query, filter);
	return rc;
}

/*
 * Only what may be read is looked for, so that neither limits nor times tell
 * of the rest. What is of no variable may tell of any: it needs the right to
 * all of them, which is the right to a name that no variable has.
 */
static enum rc
choose(struct req *req, const struct plant *plant, const struct query *query,
	struct event_filter *filter)
{
	filter->datasource_id = plant->datasource.id;
	filter->others = plant_takes_all(&query->names) &&
			 policy_allows(plant->policy, plant->datasource.id, "",
				 POLICY_READ_EVENTS);
	return plant_choose(req, plant, &query->names, POLICY_READ_EVENTS,
		&filter->variables);
}

/* --- the answer ----------------------------------------------------------- */

static enum rc
write_page(struct req *req, struct resp *resp, const struct query *query,
	const struct event_page *page)
{
	const struct event_list *list = &page->list;
	struct jsonw *json;

	if (page->more && query->limit == 0)
		return fault_tell(&req->fault, RC_TOO_LARGE, "TooManyEvents",
			"limit",
			"More than %d events; ask for a page with \"limit\", "
			"for a shorter time or for fewer variables.",
			LIMIT_MAX);
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, "events");
	for (size_t i = 0; i < list->count; i++)
		event_tell(json, &list->items[i]);
	jsonw_close_arr(json);
	jsonw_str(json, "next",
		page->more ? next_text(req, query->sort,
				     &list->items[list->count - 1])
			   : NULL);
	jsonw_close_obj(json);
	return RC_OK;
}

enum rc
api_event_query(struct req *req, struct resp *resp)
{
	struct query query = {.time = API_TIME_UNSET, .sort = "receivedTime"};
	struct event_filter filter;
	struct event_page page;
	struct plant plant;
	enum rc rc = plant_find(req, &plant);

	if (rc == RC_OK)
		rc = read_query(req, &query, &filter);
	if (rc == RC_OK)
		rc = choose(req, &plant, &query, &filter);
	if (rc == RC_OK)
		rc = event_query(
			req->db, req->arena, &filter, &page, &req->fault);
	return rc == RC_OK ? write_page(req, resp, &query, &page) : rc;
}
