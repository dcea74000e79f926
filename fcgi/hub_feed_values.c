/* hub_feed_values: POST /hub/v1/feed/values: what each variable has now, as
 * frames, for an egress node that shows states. */

#include "fcgi/hub_feed.h"

#include <string.h>

#include "fcgi/hub_body.h"
#include "model/frame.h"

/* Samples of one frame; long texts are the few that do not fit. */
#define FRAME_SAMPLES 1000

struct values_body {
	struct json_object *datasources;
};

static const struct field values_fields[] = {
	{"datasources", FIELD_ANY, offsetof(struct values_body, datasources),
		false, 0, 0, NULL},
	FIELDS_END,
};

static void
copy_sample(struct arena *arena, const struct image_variable *variable,
	struct sample *sample)
{
	*sample = (struct sample){
		.variable_id = variable->meta.id,
		.time_us = variable->time_us,
		.status = variable->status,
		.value = variable->value,
	};
	if (sample->value.kind == VALUE_STRING)
		sample->value.string.data =
			arena_strndup(arena, variable->value.string.data,
				variable->value.string.bytes);
}

/* The next ones of one datasource, as one frame; returns how many ids it
 * took. */
static size_t
take_some(struct hub *hub, struct arena *arena, const int32_t *ids,
	size_t count, struct frame_head *head, struct sample *samples,
	size_t *taken)
{
	int32_t datasource_id = 0;
	size_t at = 0;

	*taken = 0;
	image_read_lock(hub->image);
	for (; at < count && *taken < FRAME_SAMPLES; at++) {
		const struct image_variable *variable =
			image_variable(hub->image, ids[at]);

		if (variable->value.kind == VALUE_NONE)
			continue;
		if (datasource_id == 0) {
			datasource_id = variable->meta.datasource_id;
			memcpy(head->datasource, variable->datasource->uuid,
				sizeof(head->datasource));
		}
		if (variable->meta.datasource_id != datasource_id)
			break;
		copy_sample(arena, variable, &samples[(*taken)++]);
	}
	image_unlock(hub->image);
	return at;
}

static enum rc
add_values(struct hub *hub, struct req *req, const int32_t *ids, size_t count,
	struct buf *frames)
{
	struct sample *samples =
		arena_array(req->arena, FRAME_SAMPLES, sizeof(*samples));
	enum rc rc = RC_OK;

	for (size_t at = 0; rc == RC_OK && at < count;) {
		struct frame_head head = {.sequence = 1};
		struct frame_content content = {.samples = samples};

		at += take_some(hub, req->arena, ids + at, count - at, &head,
			samples, &content.sample_count);
		if (content.sample_count > 0)
			rc = frame_encode(&head, &content, FRAME_ZSTD, frames,
				&req->fault);
	}
	return rc;
}

enum rc
hub_feed_values_post(struct req *req, struct resp *resp)
{
	struct values_body body = {.datasources = NULL};
	struct hub_feed_selection selection;
	struct buf *frames = hub_body_buf(req->arena, 0);
	struct buf *out;
	const int32_t *ids;
	size_t count;
	struct hub *hub;
	enum rc rc = hub_ready(req, &hub);

	if (rc == RC_OK)
		rc = req_json(req, values_fields, &body);
	if (rc == RC_OK)
		rc = hub_feed_select(hub, req, body.datasources,
			POLICY_READ_VALUES, &selection);
	if (rc != RC_OK)
		return rc;
	ids = hub_feed_ids(&selection, &count);
	rc = add_values(hub, req, ids, count, frames);
	if (rc != RC_OK)
		return rc;
	out = resp_body(resp, 200, HUB_FEED_MEDIA_TYPE);
	buf_text(out, "{\"cursor\":null,\"more\":false}\n");
	buf_add(out, frames->data, frames->length);
	return RC_OK;
}
