/* hub_feed_list: POST /hub/v1/feed/alarms and /hub/v1/feed/events. */

#include <inttypes.h>
#include <string.h>

#include "fcgi/hub_feed.h"
#include "lib/clock.h"
#include "lib/encode.h"
#include "model/alarm.h"
#include "model/alarm_json.h"
#include "model/event_follow.h"
#include "model/event_json.h"
#include "model/feed_era.h"

#define LIMIT_DEFAULT 1000
#define LIMIT_MAX     5000

struct list_body {
	const char *cursor;
	int64_t limit;
	bool resume;
	struct json_object *datasources;
};

static const struct field list_fields[] = {
	{"cursor", FIELD_TEXT, offsetof(struct list_body, cursor), false, 0,
		FEED_CURSOR_BYTES_MAX, NULL},
	{"limit", FIELD_INT, offsetof(struct list_body, limit), false, 1,
		LIMIT_MAX, NULL},
	{"resume", FIELD_BOOL, offsetof(struct list_body, resume), false, 0, 0,
		NULL},
	{"datasources", FIELD_ANY, offsetof(struct list_body, datasources),
		false, 0, 0, NULL},
	FIELDS_END,
};

/* A request for either list. */
struct listing {
	struct req *req;
	struct list_body body;
	struct hub_feed_selection selection;
	struct feed_look look;
	int32_t *datasources;
	const char *now;
	struct jsonw *json;
	int32_t open; /* the datasource that is being written; 0 = none */
};

/* As it was given out by this feed, cut off when a restore lies between. */
static enum rc
read_look(struct listing *listing, struct hub *hub, const char *none)
{
	struct req *req = listing->req;
	const char *text = NULL;
	int64_t era = 0;
	bool cut = false;
	enum rc rc = hub_feed_era(hub, listing->body.cursor,
		listing->body.resume, &text, &era, &cut, &req->fault);

	if (rc == RC_OK)
		rc = feed_look_read(
			req->arena, text, &listing->look, &req->fault);
	if (rc == RC_OK && (strchr(listing->look.id, '-') != NULL) !=
				   (strchr(none, '-') != NULL))
		rc = fault_tell(&req->fault, RC_BAD_INPUT, "CursorInvalid",
			"cursor", "The cursor is that of another feed.");
	return rc == RC_OK && cut ? feed_era_cut_look(req->db, req->arena, era,
					    none, &listing->look, &req->fault)
				  : rc;
}

static enum rc
read_list(struct listing *listing, enum policy_action action, const char *none)
{
	struct req *req = listing->req;
	struct hub *hub;
	enum rc rc = hub_ready(req, &hub);

	listing->body.limit = LIMIT_DEFAULT;
	if (rc == RC_OK)
		rc = req_json(req, list_fields, &listing->body);
	listing->look = (struct feed_look){
		.since = NULL, .until = "", .xid = "0", .id = none};
	if (rc == RC_OK && listing->body.cursor != NULL)
		rc = read_look(listing, hub, none);
	if (rc == RC_OK)
		rc = hub_feed_select(hub, req, listing->body.datasources,
			action, &listing->selection);
	if (rc != RC_OK)
		return rc;
	listing->datasources = arena_array(req->arena, listing->selection.count,
		sizeof(*listing->datasources));
	for (size_t i = 0; i < listing->selection.count; i++)
		listing->datasources[i] =
			listing->selection.wishes[i].datasource_id;
	return RC_OK;
}

/* What is of no variable is for those who may read all of the datasource. */
static bool
is_shown(struct listing *listing, int64_t datasource_id, int32_t variable_id)
{
	struct hub_feed_selection *selection = &listing->selection;

	return variable_id != 0 ? hub_feed_permits(selection, variable_id)
				: policy_allows(selection->policy,
					  datasource_id, "", selection->action);
}

/* --- writing -------------------------------------------------------------- */

static const char *
uuid_of(const struct listing *listing, int32_t datasource_id)
{
	char *text = arena_alloc(listing->req->arena, UUID_TEXT_BYTES);

	for (size_t i = 0; i < listing->selection.count; i++)
		if (listing->selection.wishes[i].datasource_id == datasource_id)
			uuid_format(text, listing->selection.wishes[i].uuid);
	return text;
}

static void
close_group(struct listing *listing)
{
	if (listing->open == 0)
		return;
	jsonw_close_arr(listing->json);
	jsonw_close_obj(listing->json);
	listing->open = 0;
}

/* Items stand in groups, as long as they are of one datasource. */
static void
open_group(struct listing *listing, int32_t datasource_id)
{
	if (listing->open == datasource_id)
		return;
	close_group(listing);
	jsonw_open_obj(listing->json, NULL);
	jsonw_str(listing->json, "datasource", uuid_of(listing, datasource_id));
	jsonw_open_arr(listing->json, "items");
	listing->open = datasource_id;
}

static void
open_list(struct listing *listing, struct resp *resp)
{
	listing->json = resp_json(resp, 200);
	jsonw_open_obj(listing->json, NULL);
	jsonw_open_arr(listing->json, "groups");
}

/* A full page goes on behind its last row. */
static void
close_list(struct listing *listing, bool full, const char *xid, const char *id,
	const char *none)
{
	const struct feed_look *look = &listing->look;
	const char *until = look->until[0] != '\0' ? look->until : listing->now;
	const struct feed_look next =
		full ? (struct feed_look){look->since, until, xid, id}
		     : (struct feed_look){until, "", "0", none};

	close_group(listing);
	jsonw_close_arr(listing->json);
	jsonw_str(listing->json, "cursor",
		hub_feed_cursor(listing->selection.hub, listing->req->arena,
			feed_look_write(listing->req->arena, &next)));
	jsonw_bool(listing->json, "more", full);
	jsonw_close_obj(listing->json);
}

/* --- events --------------------------------------------------------------- */

enum rc
hub_feed_events_post(struct req *req, struct resp *resp)
{
	struct listing listing = {.req = req};
	struct event_seen *events = NULL;
	struct event_seen last = {.xid = "0"};
	size_t found = 0;
	enum rc rc = read_list(&listing, POLICY_READ_EVENTS, FEED_NO_EVENT);

	if (rc == RC_OK)
		rc = event_follow(req->db, req->arena, &listing.look,
			listing.datasources, listing.selection.count,
			listing.body.limit, &events, &found, &listing.now,
			&req->fault);
	if (rc != RC_OK)
		return rc;
	open_list(&listing, resp);
	for (size_t i = 0; i < found; i++) {
		const struct event *event = &events[i].event;

		last = events[i];
		if (!is_shown(
			    &listing, event->datasource_id, event->variable_id))
			continue;
		open_group(&listing, (int32_t)event->datasource_id);
		event_tell(listing.json, event);
	}
	close_list(&listing, (int64_t)found == listing.body.limit, last.xid,
		arena_printf(req->arena, "%" PRId64, last.event.id),
		FEED_NO_EVENT);
	return RC_OK;
}

/* --- alarms --------------------------------------------------------------- */

enum rc
hub_feed_alarms_post(struct req *req, struct resp *resp)
{
	struct listing listing = {.req = req};
	struct alarm_list list = {0, NULL};
	int64_t now_us = clock_now_us();
	char last_id[UUID_TEXT_BYTES] = FEED_NO_ALARM;
	int64_t last_xid = 0;
	enum rc rc = read_list(&listing, POLICY_READ_ALARMS, FEED_NO_ALARM);

	if (rc == RC_OK)
		rc = alarm_follow(req->db, req->arena, &listing.look,
			listing.datasources, listing.selection.count,
			listing.body.limit, &list, &listing.now, &req->fault);
	if (rc != RC_OK)
		return rc;
	open_list(&listing, resp);
	for (size_t i = 0; i < list.count; i++) {
		const struct alarm *alarm = &list.items[i];

		uuid_format(last_id, alarm->id);
		last_xid = alarm->xid;
		if (!is_shown(
			    &listing, alarm->datasource_id, alarm->variable_id))
			continue;
		open_group(&listing, (int32_t)alarm->datasource_id);
		alarm_write(listing.json, alarm, now_us);
	}
	close_list(&listing, (int64_t)list.count == listing.body.limit,
		arena_printf(req->arena, "%" PRId64, last_xid),
		arena_strdup(req->arena, last_id), FEED_NO_ALARM);
	return RC_OK;
}
