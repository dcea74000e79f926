/* hub_feed: POST /hub/v1/feed/frames and /hub/v1/feed/variables. */

#include "fcgi/hub_feed.h"

#include <json-c/json.h>

#include "fcgi/hub_body.h"
#include "fcgi/hub_nodes.h"
#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/log.h"
#include "model/feed.h"
#include "model/feed_era.h"
#include "model/frame.h"
#include "model/node_link.h"

#define PAGE_BYTES_DEFAULT ((int64_t)1024 * 1024)
#define PAGE_BYTES_MAX     ((int64_t)8 * 1024 * 1024)
#define VARIABLES_MAX      10000
#define NOTE_US            (2 * CLOCK_SECOND_US)

/* --- eras ----------------------------------------------------------------- */

enum rc
hub_feed_era(struct hub *hub, const char *text, bool resume,
	const char **cursor, int64_t *era, bool *cut, struct fault *fault)
{
	enum rc rc = feed_era_read(text, era, cursor, fault);

	*cut = rc == RC_OK && *era != atomic_load(&hub->era);
	if (!*cut || resume)
		return rc;
	return fault_tell(fault, RC_CONFLICT, "FeedRestored", "cursor",
		"The Data Storage was restored since this cursor was given "
		"out; send \"resume\": true to go on from what it has in "
		"common with the one before.");
}

const char *
hub_feed_cursor(struct hub *hub, struct arena *arena, const char *cursor)
{
	return feed_era_write(arena, atomic_load(&hub->era), cursor);
}

/* --- frames: what the body says ----------------------------------------- */

struct frames_body {
	const char *cursor; /* NULL = from now on */
	int64_t bytes;
	bool resume;
	bool unpacked; /* without a cursor: begin with what is not packed */
	struct json_object *datasources;
};

#define BODY(name, kind, member, low, high)                                    \
	{                                                                      \
		name, kind, offsetof(struct frames_body, member), false, low,  \
			high, NULL                                             \
	}

static const struct field frames_fields[] = {
	BODY("cursor", FIELD_TEXT, cursor, 0, FEED_CURSOR_BYTES_MAX),
	BODY("bytes", FIELD_INT, bytes, 1, PAGE_BYTES_MAX),
	BODY("resume", FIELD_BOOL, resume, 0, 0),
	BODY("unpacked", FIELD_BOOL, unpacked, 0, 0),
	BODY("datasources", FIELD_ANY, datasources, 0, 0),
	FIELDS_END,
};

/* --- frames: what the node may have of them ------------------------------ */

/* A page on its way out. */
struct sending {
	struct req *req;
	struct hub_feed_selection selection;
	struct buf *frames;
	size_t count;
	size_t samples;
};

/* The samples that the node may have, in front. */
static size_t
keep_permitted(struct hub_feed_selection *selection, struct sample *samples,
	size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (hub_feed_permits(selection, samples[i].variable_id))
			samples[kept++] = samples[i];
	return kept;
}

/* As it is stored, unless something has to be left out. Alarms and events have
 * feeds of their own. */
static enum rc
add_frame(struct sending *sending, const struct feed_frame *frame,
	struct arena *scratch)
{
	struct fault *fault = &sending->req->fault;
	struct frame_head head;
	struct frame_content content;
	struct frame_content kept = {.samples = NULL};
	struct sample *samples;
	enum rc rc = frame_decode(frame->body.data, frame->body.length, scratch,
		&head, &content, fault);

	if (rc != RC_OK) {
		log_error(NULL, "frame %lld of node %d is left out: %s",
			(long long)frame->sequence, (int)frame->node_id,
			fault->text);
		return RC_OK;
	}
	if (content.sample_count == 0)
		return RC_OK;
	samples = arena_memdup(scratch, content.samples,
		content.sample_count * sizeof(*samples));
	kept.samples = samples;
	kept.sample_count = keep_permitted(
		&sending->selection, samples, content.sample_count);
	if (kept.sample_count == 0)
		return RC_OK;
	sending->count++;
	sending->samples += kept.sample_count;
	if (kept.sample_count < content.sample_count ||
		content.alarm_count + content.event_count > 0)
		return frame_encode(
			&head, &kept, FRAME_ZSTD, sending->frames, fault);
	buf_add(sending->frames, frame->body.data, frame->body.length);
	return RC_OK;
}

static enum rc
add_frames(struct sending *sending, const struct feed_page *page)
{
	struct arena *scratch = arena_new();
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < page->count; i++) {
		if (page->frames[i].body.data == NULL)
			continue; /* of another datasource */
		rc = add_frame(sending, &page->frames[i], scratch);
		arena_reset(scratch);
	}
	arena_free(scratch);
	return rc;
}

static void
write_uuid(struct hub *hub, struct jsonw *json, int32_t datasource_id)
{
	const struct image_datasource *datasource;
	char uuid[UUID_TEXT_BYTES] = "";

	image_read_lock(hub->image);
	datasource = image_datasource(hub->image, datasource_id);
	if (datasource != NULL)
		uuid_format(uuid, datasource->uuid);
	image_unlock(hub->image);
	if (uuid[0] != '\0')
		jsonw_str(json, NULL, uuid);
}

/* Whose history fills it: the others have no gap. */
static enum rc
write_datasources(
	const struct sending *sending, struct jsonw *json, int32_t node_id)
{
	struct req *req = sending->req;
	struct node_link *links;
	size_t count;
	enum rc rc = node_links(
		req->db, req->arena, &node_id, 1, &links, &count, &req->fault);

	if (rc != RC_OK)
		return rc;
	jsonw_open_arr(json, "datasources");
	for (size_t i = 0; i < count; i++)
		write_uuid(
			sending->selection.hub, json, links[i].datasource_id);
	jsonw_close_arr(json);
	return RC_OK;
}

static enum rc
write_lost(const struct sending *sending, struct jsonw *json,
	const struct feed_page *page)
{
	enum rc rc = RC_OK;

	if (page->lost_count == 0)
		return RC_OK;
	jsonw_open_arr(json, "lost");
	for (size_t i = 0; rc == RC_OK && i < page->lost_count; i++) {
		jsonw_open_obj(json, NULL);
		jsonw_int(json, "firstUs", page->lost[i].first_us);
		jsonw_int(json, "lastUs", page->lost[i].last_us);
		rc = write_datasources(sending, json, page->lost[i].node_id);
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
	return rc;
}

static enum rc
write_page(const struct sending *sending, const struct feed_cursor *cursor,
	const struct feed_page *page, struct resp *resp)
{
	struct jsonw *json = jsonw_in(sending->req->arena);
	struct buf *out = resp_body(resp, 200, HUB_FEED_MEDIA_TYPE);
	enum rc rc;

	jsonw_open_obj(json, NULL);
	jsonw_str(json, "cursor",
		hub_feed_cursor(sending->selection.hub, sending->req->arena,
			feed_cursor_write(sending->req->arena, cursor)));
	jsonw_bool(json, "more", page->more);
	jsonw_uint(json, "frames", sending->count);
	jsonw_uint(json, "samples", sending->samples);
	jsonw_int(json, "nowUs", clock_now_us());
	rc = write_lost(sending, json, page);
	jsonw_close_obj(json);
	buf_add(out, json->out->data, json->out->length);
	buf_char(out, '\n');
	if (sending->frames != NULL)
		buf_add(out, sending->frames->data, sending->frames->length);
	return rc;
}

/* --- frames: from the cursor on ------------------------------------------ */

/* What the node has shown to hold is not kept for it any longer. */
static enum rc
note_taken(struct hub *hub, struct req *req, const struct feed_cursor *cursor)
{
	struct hub_node *node = hub_nodes_get(hub->nodes, req->caller->id);
	int64_t now_us = clock_steady_us();

	if (now_us - atomic_load(&node->noted_us) < NOTE_US)
		return RC_OK;
	atomic_store(&node->noted_us, now_us);
	return feed_note(
		req->db, req->arena, req->caller->id, cursor, &req->fault);
}

static enum rc
start(struct req *req, enum feed_from from, struct feed_cursor *cursor)
{
	enum rc rc = feed_start(req->db, req->arena, req->caller->id, from,
		cursor, &req->fault);

	return rc == RC_OK ? feed_note(req->db, req->arena, req->caller->id,
				     cursor, &req->fault)
			   : rc;
}

static enum rc
go_on(struct hub *hub, struct req *req, const struct frames_body *body,
	struct feed_cursor *cursor, struct feed_page *page)
{
	struct feed_cursor shown;
	const char *text = NULL;
	int64_t era = 0;
	bool cut = false;
	enum rc rc = hub_feed_era(hub, body->cursor, body->resume, &text, &era,
		&cut, &req->fault);

	if (rc == RC_OK)
		rc = feed_cursor_read(req->arena, text, cursor, &req->fault);
	if (rc == RC_OK && cut)
		rc = feed_era_cut_cursor(
			req->db, req->arena, era, cursor, &req->fault);
	if (rc != RC_OK)
		return rc;
	shown = *cursor;
	rc = feed_read(req->db, req->arena, req->caller->id, cursor,
		body->bytes, body->resume, page, &req->fault);
	if (rc != RC_OK)
		return rc;
	if (page->lost_count > 0)
		return feed_note(req->db, req->arena, req->caller->id, cursor,
			&req->fault);
	return note_taken(hub, req, &shown);
}

enum rc
hub_feed_frames_post(struct req *req, struct resp *resp)
{
	struct frames_body body = {.bytes = PAGE_BYTES_DEFAULT};
	struct feed_page page = {.frames = NULL};
	struct sending sending = {.req = req};
	struct feed_cursor cursor;
	struct hub *hub;
	enum rc rc = hub_ready(req, &hub);

	if (rc == RC_OK)
		rc = req_json(req, frames_fields, &body);
	if (rc == RC_OK)
		rc = hub_feed_select(hub, req, body.datasources,
			POLICY_READ_VALUES, &sending.selection);
	if (rc == RC_OK)
		rc = body.cursor == NULL
			     ? start(req,
				       body.unpacked ? FEED_FROM_UNPACKED
						     : FEED_FROM_NOW,
				       &cursor)
			     : go_on(hub, req, &body, &cursor, &page);
	if (rc != RC_OK)
		return rc;
	sending.frames = hub_body_buf(req->arena, 0);
	rc = add_frames(&sending, &page);
	return rc == RC_OK ? write_page(&sending, &cursor, &page, resp) : rc;
}

/* --- variables ----------------------------------------------------------- */

struct variables_body {
	int64_t after;
	int64_t limit;
	struct json_object *datasources;
};

static const struct field variables_fields[] = {
	{"after", FIELD_INT, offsetof(struct variables_body, after), false, 0,
		INT32_MAX, NULL},
	{"limit", FIELD_INT, offsetof(struct variables_body, limit), false, 1,
		VARIABLES_MAX, NULL},
	{"datasources", FIELD_ANY, offsetof(struct variables_body, datasources),
		false, 0, 0, NULL},
	FIELDS_END,
};

static void
write_variable(struct jsonw *json, const struct image_variable *variable)
{
	const struct variable *meta = &variable->meta;
	char uuid[UUID_TEXT_BYTES];

	uuid_format(uuid, variable->datasource->uuid);
	jsonw_open_obj(json, NULL);
	jsonw_int(json, "id", meta->id);
	jsonw_str(json, "datasource", uuid);
	jsonw_str(json, "name", meta->name);
	jsonw_str(json, "type", variable_kind_name(meta->kind));
	jsonw_str(json, "unit", meta->unit);
	jsonw_str(json, "access", variable_access_name(meta->access));
	jsonw_close_obj(json);
}

static void
write_variables(struct hub *hub, struct jsonw *json, const int32_t *ids,
	size_t count, const struct variables_body *body)
{
	size_t at = 0;
	int64_t written = 0;

	while (at < count && ids[at] <= body->after)
		at++;
	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, "variables");
	image_read_lock(hub->image);
	for (; at < count && written < body->limit; at++, written++)
		write_variable(json, image_variable(hub->image, ids[at]));
	image_unlock(hub->image);
	jsonw_close_arr(json);
	if (at < count)
		jsonw_int(json, "next", ids[at - 1]);
	else
		jsonw_null(json, "next");
	jsonw_close_obj(json);
}

enum rc
hub_feed_variables_post(struct req *req, struct resp *resp)
{
	struct variables_body body = {.limit = VARIABLES_MAX};
	struct hub_feed_selection selection;
	const int32_t *ids;
	size_t count;
	struct hub *hub;
	enum rc rc = hub_ready(req, &hub);

	if (rc == RC_OK)
		rc = req_json(req, variables_fields, &body);
	if (rc == RC_OK)
		rc = hub_feed_select(hub, req, body.datasources,
			POLICY_READ_VALUES, &selection);
	if (rc != RC_OK)
		return rc;
	ids = hub_feed_ids(&selection, &count);
	write_variables(hub, resp_json(resp, 200), ids, count, &body);
	return RC_OK;
}
