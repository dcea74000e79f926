/* hub_batch: the body of POST /hub/v1/frames, read and checked. */

#include "fcgi/hub_batch_parts.h"

#include <string.h>
#include <strings.h>

#include "fcgi/hub_body.h"
#include "fcgi/hub_catalog.h"
#include "lib/clock.h"

/* --- a frame of either form ------------------------------------------------
 */

static enum rc
check_order(struct batch_reader *reader, const struct frame_head *head)
{
	const struct hub_batch *batch = reader->batch;
	const struct frame_head *last =
		batch->count > 0 ? &batch->rows[batch->count - 1].head : NULL;

	if (batch->count == HUB_BATCH_FRAMES)
		return fault_tell(&reader->req->fault, RC_TOO_LARGE, "TooLarge",
			NULL, "A request may have %d frames.",
			HUB_BATCH_FRAMES);
	if (head->sequence < 1 ||
		(last != NULL && (head->sequence <= last->sequence ||
					 head->spool_id != last->spool_id)))
		return fault_tell(&reader->req->fault, RC_BAD_INPUT,
			"FrameMalformed", "sequence",
			"The frames of a request are of one spool and their "
			"sequences rise from 1.");
	return RC_OK;
}

enum rc
hub_batch_begin(struct batch_reader *reader, const struct frame_head *head)
{
	enum rc rc = check_order(reader, head);

	if (rc != RC_OK)
		return rc;
	return hub_catalog_publish(reader->hub, reader->req, reader->node,
		head->datasource, &reader->datasource_id);
}

void
hub_batch_make_lists(struct batch_reader *reader, size_t alarms, size_t events)
{
	struct arena *arena = reader->req->arena;

	reader->alarm_count = 0;
	reader->event_count = 0;
	reader->alarms = arena_array(arena, alarms, sizeof(*reader->alarms));
	reader->events = arena_array(arena, events, sizeof(*reader->events));
}

/* Another hub, or fieldgridctl, may have made the variable a moment ago. But
 * a node that goes on sending what is not there is not worth more than one
 * look a second. */
static enum rc
read_catalog(struct batch_reader *reader)
{
	struct req *req = reader->req;
	int64_t now_us = clock_steady_us();
	int64_t last_us = atomic_load(&reader->hub->catalog_us);

	if (now_us - last_us < CLOCK_SECOND_US)
		return RC_OK;
	atomic_store(&reader->hub->catalog_us, now_us);
	return hub_catalog_read(reader->hub, req->db, req->arena, &req->fault);
}

bool
hub_batch_look_again(struct batch_reader *reader, enum rc *rc)
{
	if (*rc != RC_UNPROCESSABLE || reader->catalog_read ||
		strcmp(reader->req->fault.code, "UnknownVariable") != 0)
		return false;
	reader->catalog_read = true;
	*rc = read_catalog(reader);
	return *rc == RC_OK;
}

void
hub_batch_add(struct batch_reader *reader, const struct frame_head *head,
	const char *frame)
{
	struct hub_batch *batch = reader->batch;

	batch->samples += head->samples;
	batch->rows[batch->count++] = (struct frame_row){
		.datasource_id = reader->datasource_id,
		.head = *head,
		.body = {frame, head->total_bytes},
		.alarms = reader->alarms,
		.alarm_count = reader->alarm_count,
		.events = reader->events,
		.event_count = reader->event_count,
	};
}

/* --- the body --------------------------------------------------------------
 */

/* The media type without its parameters. */
static bool
is_type(const struct req *req, const char *type)
{
	size_t length = strlen(type);

	return strncasecmp(req->content_type, type, length) == 0 &&
	       strchr("; \t", req->content_type[length]) != NULL;
}

static enum rc
read_any(struct batch_reader *reader)
{
	struct req *req = reader->req;
	bool json = is_type(req, HUB_JSON_TYPE);
	struct bytes body;
	enum rc rc;

	if (!json && !is_type(req, FRAME_MEDIA_TYPE))
		return fault_tell(&req->fault, RC_UNSUPPORTED,
			"UnsupportedMediaType", "Content-Type",
			"Send " FRAME_MEDIA_TYPE " or " HUB_JSON_TYPE ".");
	rc = hub_body_read(req, &body);
	if (rc == RC_OK)
		rc = json ? hub_batch_read_json(reader, body)
			  : hub_batch_read_binary(reader, body);
	if (rc == RC_OK && reader->batch->count == 0)
		rc = fault_tell(&req->fault, RC_BAD_INPUT, "FrameMalformed",
			NULL, "There is no frame in the request.");
	return rc;
}

enum rc
hub_batch_read(struct hub *hub, struct req *req, struct hub_node *node,
	struct hub_batch *batch)
{
	struct batch_reader reader = {
		.hub = hub,
		.req = req,
		.node = node,
		.batch = batch,
		.scratch = arena_new(),
		.latest_us = clock_latest_us() + SAMPLE_TIME_AHEAD_US,
	};
	enum rc rc;

	batch->count = 0;
	batch->samples = 0;
	rc = read_any(&reader);
	arena_free(reader.scratch);
	return rc;
}
