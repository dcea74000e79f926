/* egress_follow: the hub's feeds of frames, alarms and events. */

#include "agents/egress_parts.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"

/* RC_CONFLICT when it is told: ask again, to resume. */
static enum rc
tell_restored(struct egress *egress, const char *what, struct fault *fault)
{
	char text[160];
	enum rc rc;

	snprintf(text, sizeof(text),
		"the Data Storage of the grid was restored: %s go on from what "
		"it has and the mirror has not",
		what);
	rc = egress_put_own_event(egress, "feed.restored", text, fault);
	return rc == RC_OK ? RC_CONFLICT : rc;
}

/* --- frames -------------------------------------------------------------- */

static enum rc
take_frames(struct egress *egress, const struct egress_page *page,
	struct fault *fault)
{
	struct egress_position *position = &egress->position;
	bool first = position->frames[0] == '\0';
	bool again = false;
	enum rc rc = egress_put_page(egress, page, &again, fault);

	if (again || page->more)
		egress->due |= EGRESS_VALUES;
	if (rc == RC_OK && !again && page->lost)
		rc = egress_fill_lost(egress, page, fault);
	if (rc != RC_OK || again || page->cursor == NULL ||
		strcmp(position->frames, page->cursor) == 0)
		return rc;
	egress_position_set(&position->frames, page->cursor);
	if (first && egress->conf->since_us != CLOCK_NEVER)
		egress_fill_want(egress, "", egress->conf->since_us,
			page->now_us + CLOCK_DAY_US);
	return egress_commit(egress, fault);
}

static enum rc
follow_frames(struct egress *egress, struct fault *fault)
{
	int64_t bytes = egress->conf->page_kib * 1024;
	const char *cursor = egress->position.frames;
	enum egress_wish wish = egress->conf->since_us != CLOCK_NEVER
					? EGRESS_UNPACKED
					: EGRESS_GO_ON;
	struct egress_page page;
	enum rc rc = egress_feed_frames(
		&egress->feed, cursor, bytes, wish, &page, fault);

	if (rc == RC_CONFLICT && strcmp(fault->code, "FeedRestored") == 0)
		rc = tell_restored(egress, "values", fault);
	if (rc == RC_CONFLICT)
		rc = egress_feed_frames(&egress->feed, cursor, bytes,
			EGRESS_RESUME, &page, fault);
	if (rc != RC_OK)
		return rc;
	rc = take_frames(egress, &page, fault);
	egress_page_close(&page);
	return rc;
}

/* --- alarms and events --------------------------------------------------- */

static unsigned
kind_of(enum outlet_list list)
{
	return list == OUTLET_ALARM ? EGRESS_ALARMS : EGRESS_EVENTS;
}

static bool
wants(const struct mirror *mirror, enum outlet_list list,
	const char *datasource)
{
	return list == OUTLET_ALARM ? mirror_wants_alarms(mirror, datasource)
				    : mirror_wants_events(mirror, datasource);
}

static enum rc
put_record(struct egress *egress, struct outlet_record *record,
	struct fault *fault)
{
	struct json_object *name = NULL;

	json_object_object_get_ex(record->object, "variableName", &name);
	record->prefix = mirror_prefix(egress->feed.mirror, record->datasource,
		name != NULL ? json_object_get_string(name) : NULL);
	return egress->conf->outlet->record(egress->outlet, record, fault);
}

static enum rc
put_group(struct egress *egress, enum outlet_list list,
	struct json_object *group, struct fault *fault)
{
	struct outlet_record record = {.list = list};
	struct json_object *items = NULL;
	struct json_object *datasource = NULL;
	enum rc rc = RC_OK;

	if (!json_object_object_get_ex(group, "items", &items) ||
		!json_object_object_get_ex(group, "datasource", &datasource))
		return fault_set(
			fault, RC_UPSTREAM, "the hub's list is not understood");
	record.datasource = json_object_get_string(datasource);
	if (!wants(egress->feed.mirror, list, record.datasource))
		return RC_OK;
	for (size_t i = 0; rc == RC_OK && i < json_object_array_length(items);
		i++) {
		record.object = json_object_array_get_idx(items, i);
		rc = put_record(egress, &record, fault);
	}
	return rc;
}

/* A cursor that moved over nothing is kept by the next commit. */
static enum rc
take_list(struct egress *egress, enum outlet_list list,
	const struct egress_page *page, struct fault *fault)
{
	struct egress_position *position = &egress->position;
	char **cursor =
		list == OUTLET_ALARM ? &position->alarms : &position->events;
	bool first = (*cursor)[0] == '\0';
	struct json_object *groups = NULL;
	size_t count = 0;
	enum rc rc = RC_OK;

	if (json_object_object_get_ex(page->head, "groups", &groups))
		count = json_object_array_length(groups);
	for (size_t i = 0; rc == RC_OK && i < count; i++)
		rc = put_group(egress, list,
			json_object_array_get_idx(groups, i), fault);
	if (page->more)
		egress->due |= kind_of(list);
	if (rc != RC_OK || page->cursor == NULL)
		return rc;
	egress_position_set(cursor, page->cursor);
	return count > 0 || first || page->more ? egress_commit(egress, fault)
						: RC_OK;
}

static enum rc
follow_list(struct egress *egress, enum outlet_list list, struct fault *fault)
{
	const struct egress_position *position = &egress->position;
	bool alarms = list == OUTLET_ALARM;
	const char *name = alarms ? "alarms" : "events";
	const char *cursor = alarms ? position->alarms : position->events;
	struct egress_page page;
	bool restored;
	enum rc rc;

	if (!wants(egress->feed.mirror, list, NULL))
		return RC_OK;
	rc = egress_feed_list(
		&egress->feed, name, cursor, EGRESS_GO_ON, &page, fault);
	restored =
		rc == RC_CONFLICT && strcmp(fault->code, "FeedRestored") == 0;
	if (restored)
		rc = tell_restored(egress, name, fault);
	if (restored && rc == RC_CONFLICT)
		rc = egress_feed_list(&egress->feed, name, cursor,
			EGRESS_RESUME, &page, fault);
	if (rc != RC_OK)
		return rc;
	rc = take_list(egress, list, &page, fault);
	if (rc == RC_OK && restored)
		rc = egress_commit(egress, fault);
	egress_page_close(&page);
	return rc;
}

/* --- all of them --------------------------------------------------------- */

enum rc
egress_follow(struct egress *egress, struct fault *fault)
{
	unsigned due = egress->due;
	enum rc rc = RC_OK;

	egress->due = 0;
	if ((due & EGRESS_VALUES) != 0 &&
		mirror_wants_values(egress->feed.mirror))
		rc = follow_frames(egress, fault);
	if (rc == RC_OK && (due & EGRESS_ALARMS) != 0)
		rc = follow_list(egress, OUTLET_ALARM, fault);
	if (rc == RC_OK && (due & EGRESS_EVENTS) != 0)
		rc = follow_list(egress, OUTLET_EVENT, fault);
	return rc;
}
