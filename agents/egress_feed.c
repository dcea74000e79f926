/* egress_feed: the hub's feeds, as an egress agent asks for them. */

#include "agents/egress_feed.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "lib/jsonw.h"

/* --- asking -------------------------------------------------------------- */

static void
begin_of(struct egress_feed *feed, const char *of, struct jsonw *json)
{
	struct buf datasources;

	buf_clear(&feed->body);
	jsonw_init(json, &feed->body);
	jsonw_open_obj(json, NULL);
	buf_init(&datasources, 0);
	mirror_write_datasources(feed->mirror, of, &datasources);
	jsonw_raw(json, "datasources", datasources.data);
	buf_free(&datasources);
}

static void
begin(struct egress_feed *feed, struct jsonw *json)
{
	begin_of(feed, "", json);
}

static void
add_cursor(struct jsonw *json, const char *cursor)
{
	if (cursor[0] != '\0')
		jsonw_str(json, "cursor", cursor);
}

/* --- understanding ------------------------------------------------------- */

void
egress_page_close(struct egress_page *page)
{
	json_object_put(page->head);
	page->head = NULL;
}

static int64_t
number_of(struct json_object *object, const char *name)
{
	struct json_object *member;

	return json_object_object_get_ex(object, name, &member)
		       ? json_object_get_int64(member)
		       : 0;
}

/* The hub tells one at a time. */
static void
read_lost(struct egress_page *page)
{
	struct json_object *list;
	struct json_object *first;

	if (!json_object_object_get_ex(page->head, "lost", &list) ||
		!json_object_is_type(list, json_type_array) ||
		json_object_array_length(list) == 0)
		return;
	first = json_object_array_get_idx(list, 0);
	page->lost = true;
	page->lost_from_us = number_of(first, "firstUs");
	page->lost_to_us = number_of(first, "lastUs");
	json_object_object_get_ex(first, "datasources", &page->lost_of);
}

/* A line of JSON, then the frames; or only JSON. */
static enum rc
read_page(const char *path, const struct buf *answer, struct egress_page *page,
	struct fault *fault)
{
	const char *line = answer->length > 0
				   ? memchr(answer->data, '\n', answer->length)
				   : NULL;
	const char *end = line != NULL ? line : answer->data + answer->length;
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *member = NULL;

	*page = (struct egress_page){.frames = NULL};
	if (answer->length > 0)
		page->head = json_tokener_parse_ex(
			tokener, answer->data, (int)(end - answer->data));
	json_tokener_free(tokener);
	if (!json_object_object_get_ex(page->head, "cursor", &member)) {
		egress_page_close(page);
		return fault_set(fault, RC_UPSTREAM,
			"%s: the hub's answer is not understood", path);
	}
	page->cursor = json_object_get_string(member);
	page->more = json_object_object_get_ex(page->head, "more", &member) &&
		     json_object_get_boolean(member);
	page->now_us = number_of(page->head, "nowUs");
	read_lost(page);
	if (line != NULL) {
		page->frames = line + 1;
		page->frames_bytes =
			answer->length - (size_t)(line + 1 - answer->data);
	}
	return RC_OK;
}

static enum rc
fetch(struct egress_feed *feed, const char *path, struct jsonw *json,
	struct egress_page *page, struct fault *fault)
{
	const struct buf *answer;
	enum rc rc;

	jsonw_close_obj(json);
	rc = hub_post(feed->hub, path, &feed->body, &answer, fault);
	return rc == RC_OK ? read_page(path, answer, page, fault) : rc;
}

/* --- the feeds ----------------------------------------------------------- */

enum rc
egress_feed_variables(struct egress_feed *feed, struct fault *fault)
{
	int64_t after = 0;
	enum rc rc = RC_OK;

	do {
		const struct buf *answer;
		struct jsonw json;

		begin(feed, &json);
		jsonw_int(&json, "after", after);
		jsonw_close_obj(&json);
		rc = hub_post(feed->hub, "/hub/v1/feed/variables", &feed->body,
			&answer, fault);
		if (rc == RC_OK)
			rc = mirror_learn(feed->mirror, answer, &after, fault);
	} while (rc == RC_OK && after > 0);
	return rc;
}

enum rc
egress_feed_frames(struct egress_feed *feed, const char *cursor, int64_t bytes,
	enum egress_wish wish, struct egress_page *page, struct fault *fault)
{
	struct jsonw json;

	begin(feed, &json);
	add_cursor(&json, cursor);
	jsonw_int(&json, "bytes", bytes);
	jsonw_bool(&json, "resume", wish == EGRESS_RESUME);
	jsonw_bool(&json, "unpacked", wish == EGRESS_UNPACKED);
	return fetch(feed, "/hub/v1/feed/frames", &json, page, fault);
}

enum rc
egress_feed_history(struct egress_feed *feed,
	const struct egress_position *position, struct egress_page *page,
	struct fault *fault)
{
	struct jsonw json;

	begin_of(feed, position->fill_of, &json);
	add_cursor(&json, position->fill);
	jsonw_int(&json, "fromUs", position->fill_from_us);
	jsonw_int(&json, "toUs", position->fill_to_us);
	return fetch(feed, "/hub/v1/feed/history", &json, page, fault);
}

enum rc
egress_feed_list(struct egress_feed *feed, const char *list, const char *cursor,
	enum egress_wish wish, struct egress_page *page, struct fault *fault)
{
	char path[64];
	struct jsonw json;

	snprintf(path, sizeof(path), "/hub/v1/feed/%s", list);
	begin(feed, &json);
	add_cursor(&json, cursor);
	jsonw_bool(&json, "resume", wish == EGRESS_RESUME);
	return fetch(feed, path, &json, page, fault);
}

enum rc
egress_feed_values(
	struct egress_feed *feed, struct egress_page *page, struct fault *fault)
{
	struct jsonw json;

	begin(feed, &json);
	return fetch(feed, "/hub/v1/feed/values", &json, page, fault);
}
