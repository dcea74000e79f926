/* hub_batch_json: frames as JSON, which has names where frames have ids. */

#include "fcgi/hub_batch_parts.h"

#include "fcgi/hub_body.h"
#include "model/frame_json.h"

static const struct image_variable *
find_variable(const struct batch_reader *reader, const char *name)
{
	return image_find(
		image_datasource(reader->hub->image, reader->datasource_id),
		name);
}

static enum rc
name_series(const struct batch_reader *reader, struct frame_json *frame,
	const struct frame_json_series *series, struct fault *fault)
{
	const struct image_variable *variable =
		find_variable(reader, series->name);

	if (variable == NULL)
		return hub_batch_tell_unknown(fault, series->name, 0);
	for (size_t i = 0; i < series->count; i++) {
		struct sample *sample = &frame->samples[series->first + i];
		enum rc rc;

		sample->variable_id = variable->meta.id;
		if (!frame_json_convert(&sample->value, variable->meta.kind))
			return hub_batch_tell_type(fault, &variable->meta);
		rc = hub_batch_check_time(reader, sample->time_us, fault);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc
name_alarm(struct batch_reader *reader, const struct frame_json_alarm *alarm,
	struct fault *fault)
{
	struct alarm_change *out = &reader->alarms[reader->alarm_count++];
	const struct image_variable *variable =
		find_variable(reader, alarm->variable);

	*out = alarm->change;
	if (variable == NULL)
		return hub_batch_tell_unknown(fault, alarm->variable, 0);
	out->variable_id = variable->meta.id;
	if (out->value.kind != VALUE_NONE &&
		!frame_json_convert(&out->value, variable->meta.kind))
		return hub_batch_tell_type(fault, &variable->meta);
	return hub_batch_check_alarm(reader, out, variable, fault);
}

static enum rc
name_event(struct batch_reader *reader, const struct frame_json_event *event,
	struct fault *fault)
{
	struct frame_event *out = &reader->events[reader->event_count++];

	*out = event->event;
	if (event->variable != NULL) {
		const struct image_variable *variable =
			find_variable(reader, event->variable);

		if (variable == NULL)
			return hub_batch_tell_unknown(
				fault, event->variable, 0);
		out->variable_id = variable->meta.id;
	}
	return hub_batch_check_event(reader, out, fault);
}

/* Names to ids, values to the kinds of their variables. */
static enum rc
name_all(struct batch_reader *reader, struct frame_json *frame,
	struct fault *fault)
{
	enum rc rc = RC_OK;

	hub_batch_make_lists(reader, frame->alarms_count, frame->events_count);
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
encode_frame(struct batch_reader *reader, const struct frame_json *frame,
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
		hub_batch_add(reader, &head, NULL);
	return rc;
}

static enum rc
take_json_frame(void *context, struct frame_json *frame, struct fault *fault)
{
	struct batch_reader *reader = context;
	enum rc rc = hub_batch_begin(reader, &frame->head);

	if (rc != RC_OK)
		return rc;
	rc = name_all(reader, frame, fault);
	if (hub_batch_look_again(reader, &rc))
		rc = name_all(reader, frame, fault);
	return rc == RC_OK ? encode_frame(reader, frame, fault) : rc;
}

enum rc
hub_batch_read_json(struct batch_reader *reader, struct bytes body)
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
