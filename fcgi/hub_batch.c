/* hub_batch: the body of POST /hub/v1/frames, read and checked. */

#include "fcgi/hub_batch.h"

#include <string.h>
#include <strings.h>

#include "fcgi/hub_body.h"
#include "fcgi/hub_catalog.h"
#include "lib/clock.h"
#include "model/event_kind.h"
#include "model/frame_json.h"

/* What the checks of one body need. */
struct reader {
	struct hub *hub;
	struct req *req;
	struct hub_node *node;
	struct hub_batch *batch;
	struct arena *scratch; /* reset after every frame */
	struct buf *encoded;   /* frames made from JSON */
	int64_t latest_us;     /* a sample may be as late as this */
	int32_t datasource_id; /* of the frame at hand */
	struct alarm_change *alarms;
	size_t alarm_count;
	struct frame_event *events;
	size_t event_count;
	bool catalog_read; /* anew, because of an unknown variable */
};

/* --- one frame ---------------------------------------------------------- */

static enum rc
check_datasource(struct reader *reader, const uint8_t uuid[16])
{
	return hub_catalog_publish(reader->hub, reader->req, reader->node, uuid,
		&reader->datasource_id);
}

static enum rc
check_order(struct reader *reader, const struct frame_head *head)
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

static enum rc
check_time(int64_t time_us, int64_t latest_us, struct fault *fault)
{
	char text[CLOCK_TEXT_BYTES];

	if (time_us >= SAMPLE_TIME_MIN_US && time_us <= latest_us)
		return RC_OK;
	/* What cannot be a date is told as a number. */
	if (time_us < -SAMPLE_TIME_MIN_US * 10 ||
		time_us > SAMPLE_TIME_MIN_US * 100)
		return fault_tell(fault, RC_UNPROCESSABLE, "TimeOutOfRange",
			"time", "The time %lld us is out of range.",
			(long long)time_us);
	clock_format(text, time_us);
	return fault_tell(fault, RC_UNPROCESSABLE, "TimeOutOfRange", "time",
		"The time %s is before 2000 or more than ten minutes ahead.",
		text);
}

static enum rc
tell_unknown(struct fault *fault, const char *name, int32_t id)
{
	if (name != NULL)
		return fault_tell(fault, RC_UNPROCESSABLE, "UnknownVariable",
			"name", "The datasource has no variable \"%.150s\".",
			name);
	return fault_tell(fault, RC_UNPROCESSABLE, "UnknownVariable",
		"variable", "The datasource has no variable with id %d.", id);
}

static enum rc
tell_wrong_type(struct fault *fault, const struct variable *variable)
{
	return fault_tell(fault, RC_UNPROCESSABLE, "WrongType", "value",
		"\"%.150s\" takes values of type %s.", variable->name,
		variable_kind_name(variable->kind));
}

static enum rc
check_samples(void *context, const struct sample *samples, size_t count,
	struct fault *fault)
{
	const struct reader *reader = context;
	const struct image_variable *variable =
		image_variable(reader->hub->image, samples[0].variable_id);

	if (variable == NULL ||
		variable->meta.datasource_id != reader->datasource_id)
		return tell_unknown(fault, NULL, samples[0].variable_id);
	for (size_t i = 0; i < count; i++) {
		enum rc rc;

		if (samples[i].value.kind != variable->meta.kind)
			return tell_wrong_type(fault, &variable->meta);
		rc = check_time(samples[i].time_us, reader->latest_us, fault);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

/* The times of the occurrence may lie ahead of this change: the plant's clock
 * may have been set back since. */
static enum rc
check_alarm_times(const struct alarm_change *change, int64_t latest_us,
	struct fault *fault)
{
	const int64_t times[] = {
		change->came_us, change->went_us, change->reactivated_us};
	enum rc rc = check_time(change->time_us, latest_us, fault);

	for (size_t i = 0; i < ARRAY_LENGTH(times) && rc == RC_OK; i++)
		if (times[i] != CLOCK_NEVER)
			rc = check_time(
				times[i], latest_us + CLOCK_DAY_US, fault);
	return rc;
}

static enum rc
check_alarm(const struct reader *reader, const struct alarm_change *change,
	const struct image_variable *variable, struct fault *fault)
{
	if (change->value.kind != VALUE_NONE &&
		change->value.kind != variable->meta.kind)
		return tell_wrong_type(fault, &variable->meta);
	return check_alarm_times(change, reader->latest_us, fault);
}

static enum rc
take_alarm(
	void *context, const struct alarm_change *change, struct fault *fault)
{
	struct reader *reader = context;
	struct arena *arena = reader->req->arena;
	const struct image_variable *variable =
		image_variable(reader->hub->image, change->variable_id);
	struct alarm_change *kept;

	if (variable == NULL ||
		variable->meta.datasource_id != reader->datasource_id)
		return tell_unknown(fault, NULL, change->variable_id);
	kept = &reader->alarms[reader->alarm_count++];
	*kept = *change;
	kept->limit = arena_strdup(arena, change->limit);
	kept->text = arena_strdup(arena, change->text);
	if (change->value.kind == VALUE_STRING)
		kept->value.string.data = arena_strndup(arena,
			change->value.string.data, change->value.string.bytes);
	return check_alarm(reader, change, variable, fault);
}

/* What people and commands did is told by the server alone. */
static enum rc
check_event(const struct reader *reader, const struct frame_event *event,
	struct fault *fault)
{
	if (event_kind_is_known(event->kind))
		return fault_tell(fault, RC_UNPROCESSABLE, "KindReserved",
			"kind",
			"Events of the kind %s are the server's own: name "
			"yours otherwise.",
			event->kind);
	return check_time(event->time_us, reader->latest_us, fault);
}

static enum rc
take_event(void *context, const struct frame_event *event, struct fault *fault)
{
	struct reader *reader = context;
	struct arena *arena = reader->req->arena;
	const struct image_variable *variable =
		image_variable(reader->hub->image, event->variable_id);

	if (event->variable_id != 0 &&
		(variable == NULL ||
			variable->meta.datasource_id != reader->datasource_id))
		return tell_unknown(fault, NULL, event->variable_id);
	reader->events[reader->event_count++] = (struct frame_event){
		.time_us = event->time_us,
		.variable_id = event->variable_id,
		.kind = arena_strdup(arena, event->kind),
		.text = arena_strdup(arena, event->text),
		.value = arena_strdup(arena, event->value),
		.old_value = arena_strdup(arena, event->old_value),
		.username = arena_strdup(arena, event->username),
		.computer = arena_strdup(arena, event->computer),
		.comment = arena_strdup(arena, event->comment),
	};
	return check_event(reader, event, fault);
}

static void
make_lists(struct reader *reader, size_t alarms, size_t events)
{
	struct arena *arena = reader->req->arena;

	reader->alarm_count = 0;
	reader->event_count = 0;
	reader->alarms = arena_array(arena, alarms, sizeof(*reader->alarms));
	reader->events = arena_array(arena, events, sizeof(*reader->events));
}

/* Walk a frame, check it and take its alarm changes and events. */
static enum rc
check_content(
	struct reader *reader, const struct frame_head *head, const char *frame)
{
	struct frame_visitor visitor = {
		.samples = check_samples,
		.alarm = take_alarm,
		.event = take_event,
		.context = reader,
	};
	enum rc rc;

	make_lists(reader, head->alarms, head->events);
	image_read_lock(reader->hub->image);
	rc = frame_each(frame, head->total_bytes, reader->scratch, &visitor,
		&reader->req->fault);
	image_unlock(reader->hub->image);
	arena_reset(reader->scratch);
	return rc;
}

static bool
is_unknown_variable(const struct reader *reader, enum rc rc)
{
	return rc == RC_UNPROCESSABLE && !reader->catalog_read &&
	       strcmp(reader->req->fault.code, "UnknownVariable") == 0;
}

/* Another hub, or fieldgridctl, may have made the variable a moment ago. But
 * a node that goes on sending what is not there is not worth more than one
 * look a second. */
static enum rc
read_catalog_once(struct reader *reader)
{
	struct req *req = reader->req;
	int64_t now_us = clock_steady_us();
	int64_t last_us = atomic_load(&reader->hub->catalog_us);

	reader->catalog_read = true;
	if (now_us - last_us < CLOCK_SECOND_US)
		return RC_OK;
	atomic_store(&reader->hub->catalog_us, now_us);
	return hub_catalog_read(reader->hub, req->db, req->arena, &req->fault);
}

static void
add_row(struct reader *reader, const struct frame_head *head, const char *frame)
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

/* --- binary ------------------------------------------------------------- */

static enum rc
read_binary_frame(
	struct reader *reader, const char *data, size_t length, size_t *used)
{
	struct frame_head head;
	enum rc rc = frame_peek(data, length, &head, &reader->req->fault);

	if (rc == RC_OK)
		rc = check_order(reader, &head);
	if (rc == RC_OK)
		rc = check_datasource(reader, head.datasource);
	if (rc != RC_OK)
		return rc;
	rc = check_content(reader, &head, data);
	if (is_unknown_variable(reader, rc)) {
		rc = read_catalog_once(reader);
		if (rc == RC_OK)
			rc = check_content(reader, &head, data);
	}
	if (rc == RC_OK)
		add_row(reader, &head, data);
	*used = head.total_bytes;
	return rc;
}

static enum rc
read_binary(struct reader *reader, struct bytes body)
{
	const char *at = body.data;
	size_t left = body.length;

	while (left > 0) {
		size_t used;
		enum rc rc = read_binary_frame(reader, at, left, &used);

		if (rc != RC_OK)
			return rc;
		at += used;
		left -= used;
	}
	return RC_OK;
}

/* --- JSON --------------------------------------------------------------- */

static enum rc
name_series(const struct reader *reader, struct frame_json *frame,
	const struct frame_json_series *series, struct fault *fault)
{
	const struct image_variable *variable = image_find(
		image_datasource(reader->hub->image, reader->datasource_id),
		series->name);

	if (variable == NULL)
		return tell_unknown(fault, series->name, 0);
	for (size_t i = 0; i < series->count; i++) {
		struct sample *sample = &frame->samples[series->first + i];
		enum rc rc;

		sample->variable_id = variable->meta.id;
		if (!frame_json_convert(&sample->value, variable->meta.kind))
			return tell_wrong_type(fault, &variable->meta);
		rc = check_time(sample->time_us, reader->latest_us, fault);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc
name_alarm(struct reader *reader, const struct frame_json_alarm *alarm,
	struct fault *fault)
{
	struct alarm_change *out = &reader->alarms[reader->alarm_count++];
	const struct image_variable *variable = image_find(
		image_datasource(reader->hub->image, reader->datasource_id),
		alarm->variable);

	*out = alarm->change;
	if (variable == NULL)
		return tell_unknown(fault, alarm->variable, 0);
	out->variable_id = variable->meta.id;
	if (out->value.kind != VALUE_NONE &&
		!frame_json_convert(&out->value, variable->meta.kind))
		return tell_wrong_type(fault, &variable->meta);
	return check_alarm(reader, out, variable, fault);
}

static enum rc
name_event(struct reader *reader, const struct frame_json_event *event,
	struct fault *fault)
{
	struct frame_event *out = &reader->events[reader->event_count++];

	*out = event->event;
	if (event->variable != NULL) {
		const struct image_variable *variable =
			image_find(image_datasource(reader->hub->image,
					   reader->datasource_id),
				event->variable);

		if (variable == NULL)
			return tell_unknown(fault, event->variable, 0);
		out->variable_id = variable->meta.id;
	}
	return check_event(reader, out, fault);
}

/* Names to ids, values to the kinds of their variables. */
static enum rc
name_all(struct reader *reader, struct frame_json *frame, struct fault *fault)
{
	enum rc rc = RC_OK;

	make_lists(reader, frame->alarms_count, frame->events_count);
	image_read_lock(reader->hub->image);
	for (size_t i = 0; i < frame->series_count && rc == RC_OK; i++)
		rc = name_series(reader, frame, &frame->series[i], fault);
	for (size_t i = 0; i < frame->alarms_count && rc == RC_OK; i++)
		rc = name_alarm(reader, &frame->alarms[i], fault);
	for (size_t i = 0; i < frame->events_count && rc == RC_OK; i++)
		rc = name_event(reader, &frame->events[i], fault);
	image_unlock(reader->hub->image);
	return rc;
}

/* Frames are stored in one form: encode what came as JSON. */
static enum rc
encode_frame(struct reader *reader, const struct frame_json *frame,
	struct fault *fault)
{
	const struct frame_content content = {
		.samples = frame->samples,
		.sample_count = frame->samples_count,
		.alarms = reader->alarms,
		.alarm_count = reader->alarm_count,
		.events = reader->events,
		.event_count = reader->event_count,
	};
	struct frame_head head;
	size_t start = reader->encoded->length;
	enum rc rc = frame_encode(
		&frame->head, &content, FRAME_ZSTD, reader->encoded, fault);

	if (rc == RC_OK)
		rc = frame_peek(reader->encoded->data + start,
			reader->encoded->length - start, &head, fault);
	if (rc == RC_OK)
		add_row(reader, &head, NULL);
	return rc;
}

static enum rc
take_json_frame(void *context, struct frame_json *frame, struct fault *fault)
{
	struct reader *reader = context;
	enum rc rc = check_order(reader, &frame->head);

	if (rc == RC_OK)
		rc = check_datasource(reader, frame->head.datasource);
	if (rc != RC_OK)
		return rc;
	rc = name_all(reader, frame, fault);
	if (is_unknown_variable(reader, rc)) {
		rc = read_catalog_once(reader);
		if (rc == RC_OK)
			rc = name_all(reader, frame, fault);
	}
	return rc == RC_OK ? encode_frame(reader, frame, fault) : rc;
}

static enum rc
read_json(struct reader *reader, struct bytes body)
{
	const char *at;
	enum rc rc;

	reader->encoded = hub_body_buf(reader->req->arena, HUB_BODY_BYTES);
	rc = frame_json_each(body.data, body.length, reader->req->arena,
		take_json_frame, reader, &reader->req->fault);
	at = reader->encoded->data;
	/* Only now does the buffer stay where it is. */
	for (size_t i = 0; rc == RC_OK && i < reader->batch->count; i++) {
		reader->batch->rows[i].body.data = at;
		at += reader->batch->rows[i].body.length;
	}
	return rc;
}

/* --- the body ----------------------------------------------------------- */

/* The media type without its parameters. */
static bool
is_type(const struct req *req, const char *type)
{
	size_t length = strlen(type);

	return strncasecmp(req->content_type, type, length) == 0 &&
	       strchr("; \t", req->content_type[length]) != NULL;
}

static enum rc
read_any(struct reader *reader)
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
		rc = json ? read_json(reader, body) : read_binary(reader, body);
	if (rc == RC_OK && reader->batch->count == 0)
		rc = fault_tell(&req->fault, RC_BAD_INPUT, "FrameMalformed",
			NULL, "There is no frame in the request.");
	return rc;
}

enum rc
hub_batch_read(struct hub *hub, struct req *req, struct hub_node *node,
	struct hub_batch *batch)
{
	struct reader reader = {
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
