/* hub_feed_history: POST /hub/v1/feed/history: what is packed of a stretch of
 * time as frames, for an egress node that fills what the feed does not have. */

#include "fcgi/hub_feed.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "fcgi/hub_body.h"
#include "model/frame.h"
#include "model/history.h"

/* Variables asked for at once, and samples of each. Together they fit into one
 * frame, and so does what comes from one page. */
#define GROUP_VARIABLES 16
#define GROUP_SAMPLES   4000
#define PAGE_SAMPLES    50000

struct history_body {
	const char *cursor;
	int64_t from_us;
	int64_t to_us;
	struct json_object *datasources;
};

#define BODY(name, kind, member, required, low, high)                          \
	{                                                                      \
		name, kind, offsetof(struct history_body, member), required,   \
			low, high, NULL                                        \
	}

static const struct field history_fields[] = {
	BODY("cursor", FIELD_TEXT, cursor, false, 0, 64),
	BODY("fromUs", FIELD_INT, from_us, true, 0, INT64_MAX),
	BODY("toUs", FIELD_INT, to_us, true, 0, INT64_MAX),
	BODY("datasources", FIELD_ANY, datasources, false, 0, 0),
	FIELDS_END,
};

/* From this variable and this time on. */
struct place {
	int32_t variable_id;
	int64_t time_us;
};

struct reading {
	struct req *req;
	struct hub *hub;
	const struct history_body *body;
	struct place next;
	bool ended;
	/* Of one group, by variable. */
	struct sample *samples;
	size_t count;
	struct buf *frames;
	size_t frame_count;
	size_t sample_count;
	struct arena *scratch;
};

static enum rc
read_place(struct req *req, const struct history_body *body, struct place *at)
{
	int end = 0;

	*at = (struct place){0, body->from_us};
	if (body->cursor == NULL)
		return RC_OK;
	if (sscanf(body->cursor, "h1.%9" SCNd32 ".%19" SCNd64 "%n",
		    &at->variable_id, &at->time_us, &end) != 2 ||
		body->cursor[end] != '\0' || at->variable_id < 0 ||
		at->time_us < body->from_us || at->time_us > body->to_us)
		return fault_tell(&req->fault, RC_BAD_INPUT, "CursorInvalid",
			"cursor", "The cursor is not one of this endpoint.");
	return RC_OK;
}

/* Strings are good during the call only. */
static enum rc
take_sample(void *context, const struct sample *sample, struct fault *fault)
{
	struct reading *reading = context;
	struct sample *kept = &reading->samples[reading->count++];

	(void)fault;
	*kept = *sample;
	if (sample->value.kind == VALUE_STRING)
		kept->value.string.data = arena_strndup(reading->scratch,
			sample->value.string.data, sample->value.string.bytes);
	return RC_OK;
}

/*
 * A variable that has reached its limit may have more: stop within it. Its
 * samples of the last time are left for the next page, as there may be more of
 * the same time.
 */
static void
cut_short(struct reading *reading, const int32_t *ids, size_t count)
{
	size_t begin = 0;

	for (size_t i = 0; i < count; i++) {
		size_t end = begin;
		int64_t last_us;

		while (end < reading->count &&
			reading->samples[end].variable_id == ids[i])
			end++;
		if (end - begin < GROUP_SAMPLES) {
			begin = end;
			continue;
		}
		last_us = reading->samples[end - 1].time_us;
		reading->next = (struct place){ids[i], last_us};
		if (reading->samples[begin].time_us == last_us)
			reading->next.time_us = last_us + 1;
		else
			while (reading->samples[end - 1].time_us == last_us)
				end--;
		reading->count = end;
		return;
	}
}

/* Into one frame, or several when long texts do not fit into one. */
static enum rc
add_frame(struct reading *reading, const struct frame_head *head,
	const struct sample *samples, size_t count)
{
	const struct frame_content content = {
		.samples = samples, .sample_count = count};
	size_t length = reading->frames->length;
	enum rc rc = frame_encode(head, &content, FRAME_ZSTD, reading->frames,
		&reading->req->fault);

	if (rc != RC_TOO_LARGE || count == 1) {
		reading->frame_count += rc == RC_OK;
		return rc;
	}
	reading->frames->length = length;
	rc = add_frame(reading, head, samples, count / 2);
	return rc == RC_OK ? add_frame(reading, head, samples + count / 2,
				     count - count / 2)
			   : rc;
}

/* A frame is of one datasource. */
static enum rc
add_frames(struct reading *reading)
{
	struct image *image = reading->hub->image;
	size_t begin = 0;
	enum rc rc = RC_OK;

	for (size_t i = 1; rc == RC_OK && i <= reading->count; i++) {
		struct frame_head head = {.sequence = 1};
		const struct image_variable *variable;
		const struct sample *first = &reading->samples[begin];
		int32_t datasource_id;

		image_read_lock(image);
		variable = image_variable(image, first->variable_id);
		datasource_id = variable->meta.datasource_id;
		memcpy(head.datasource, variable->datasource->uuid,
			sizeof(head.datasource));
		if (i < reading->count)
			variable = image_variable(
				image, reading->samples[i].variable_id);
		image_unlock(image);
		if (i < reading->count &&
			variable->meta.datasource_id == datasource_id)
			continue;
		rc = add_frame(reading, &head, first, i - begin);
		begin = i;
	}
	reading->sample_count += reading->count;
	return rc;
}

/* One group of variables, from reading->next on. */
static enum rc
read_group(struct reading *reading, const int32_t *ids, size_t count)
{
	const struct history_query query = {
		.variable_ids = ids,
		.count = count,
		.from_us = reading->next.time_us,
		.to_us = reading->body->to_us + 1,
		.order = HISTORY_BY_VARIABLE,
		.limit = GROUP_SAMPLES,
		.packed = true, /* the rest comes by the feed of frames */
	};
	const struct history_visitor visitor = {take_sample, reading};
	struct req *req = reading->req;
	enum rc rc;

	reading->count = 0;
	arena_reset(reading->scratch);
	rc = history_read(
		req->db, reading->scratch, &query, &visitor, &req->fault);
	if (rc != RC_OK)
		return rc;
	reading->next =
		(struct place){ids[count - 1] + 1, reading->body->from_us};
	cut_short(reading, ids, count);
	return add_frames(reading);
}

static enum rc
read_page(struct reading *reading, const int32_t *ids, size_t count)
{
	size_t at = 0;
	enum rc rc = RC_OK;

	while (rc == RC_OK && reading->sample_count < PAGE_SAMPLES) {
		size_t group = 1;

		while (at < count && ids[at] < reading->next.variable_id)
			at++;
		if (at == count)
			break;
		/* Within a variable its time is not that of the others. */
		if (reading->next.time_us == reading->body->from_us)
			group = count - at < GROUP_VARIABLES ? count - at
							     : GROUP_VARIABLES;
		rc = read_group(reading, ids + at, group);
	}
	reading->ended =
		count == 0 || reading->next.variable_id > ids[count - 1];
	return rc;
}

static void
write_page(const struct reading *reading, struct resp *resp)
{
	struct jsonw *json = jsonw_in(reading->req->arena);
	struct buf *out = resp_body(resp, 200, HUB_FEED_MEDIA_TYPE);

	jsonw_open_obj(json, NULL);
	jsonw_str(json, "cursor",
		reading->ended ? NULL
			       : arena_printf(reading->req->arena,
					 "h1.%" PRId32 ".%" PRId64,
					 reading->next.variable_id,
					 reading->next.time_us));
	jsonw_bool(json, "more", !reading->ended);
	jsonw_uint(json, "frames", reading->frame_count);
	jsonw_uint(json, "samples", reading->sample_count);
	jsonw_close_obj(json);
	buf_add(out, json->out->data, json->out->length);
	buf_char(out, '\n');
	buf_add(out, reading->frames->data, reading->frames->length);
}

static enum rc
read_and_write(struct reading *reading, struct hub_feed_selection *selection,
	struct resp *resp)
{
	size_t count;
	const int32_t *ids = hub_feed_ids(selection, &count);
	enum rc rc = read_place(reading->req, reading->body, &reading->next);

	reading->samples = arena_array(reading->req->arena,
		GROUP_VARIABLES * GROUP_SAMPLES, sizeof(*reading->samples));
	reading->frames = hub_body_buf(reading->req->arena, 0);
	reading->scratch = arena_new();
	if (rc == RC_OK)
		rc = read_page(reading, ids, count);
	if (rc == RC_OK)
		write_page(reading, resp);
	arena_free(reading->scratch);
	return rc;
}

enum rc
hub_feed_history_post(struct req *req, struct resp *resp)
{
	struct history_body body = {.cursor = NULL};
	struct hub_feed_selection selection;
	struct reading reading = {.req = req, .body = &body};
	enum rc rc = hub_ready(req, &reading.hub);

	if (rc == RC_OK)
		rc = req_json(req, history_fields, &body);
	if (rc == RC_OK && body.from_us > body.to_us)
		rc = fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"fromUs", "fromUs is after toUs.");
	if (rc == RC_OK)
		rc = hub_feed_select(reading.hub, req, body.datasources,
			POLICY_READ_HISTORY, &selection);
	return rc == RC_OK ? read_and_write(&reading, &selection, resp) : rc;
}
