/* hub_batch_binary: frames as agents send them. */

#include "fcgi/hub_batch_parts.h"

/* NULL: the datasource of the frame has no such variable. */
static const struct image_variable *
own_variable(const struct batch_reader *reader, int32_t id)
{
	const struct image_variable *variable =
		image_variable(reader->hub->image, id);

	if (variable != NULL &&
		variable->meta.datasource_id == reader->datasource_id)
		return variable;
	return NULL;
}

static enum rc
check_samples(void *context, const struct sample *samples, size_t count,
	struct fault *fault)
{
	const struct batch_reader *reader = context;
	const struct image_variable *variable =
		own_variable(reader, samples[0].variable_id);

	if (variable == NULL)
		return hub_batch_tell_unknown(
			fault, NULL, samples[0].variable_id);
	for (size_t i = 0; i < count; i++) {
		enum rc rc;

		if (samples[i].value.kind != variable->meta.kind)
			return hub_batch_tell_type(fault, &variable->meta);
		rc = hub_batch_check_time(reader, samples[i].time_us, fault);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc
take_alarm(
	void *context, const struct alarm_change *change, struct fault *fault)
{
	struct batch_reader *reader = context;
	struct arena *arena = reader->req->arena;
	const struct image_variable *variable =
		own_variable(reader, change->variable_id);
	struct alarm_change *kept;

	if (variable == NULL)
		return hub_batch_tell_unknown(fault, NULL, change->variable_id);
	kept = &reader->alarms[reader->alarm_count++];
	*kept = *change;
	kept->limit = arena_strdup(arena, change->limit);
	kept->text = arena_strdup(arena, change->text);
	if (change->value.kind == VALUE_STRING)
		kept->value.string.data = arena_strndup(arena,
			change->value.string.data, change->value.string.bytes);
	return hub_batch_check_alarm(reader, change, variable, fault);
}

static enum rc
take_event(void *context, const struct frame_event *event, struct fault *fault)
{
	struct batch_reader *reader = context;
	struct arena *arena = reader->req->arena;
	const struct image_variable *variable =
		own_variable(reader, event->variable_id);

	if (variable == NULL && event->variable_id != 0)
		return hub_batch_tell_unknown(fault, NULL, event->variable_id);
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
	return hub_batch_check_event(reader, event, fault);
}

/* Walk a frame, check it and take its alarm changes and events. */
static enum rc
check_content(struct batch_reader *reader, const struct frame_head *head,
	const char *frame)
{
	struct frame_visitor visitor = {
		.samples = check_samples,
		.alarm = take_alarm,
		.event = take_event,
		.context = reader,
	};
	enum rc rc;

	hub_batch_make_lists(reader, head->alarms, head->events);
	image_read_lock(reader->hub->image);
	rc = frame_each(frame, head->total_bytes, reader->scratch, &visitor,
		&reader->req->fault);
	image_unlock(reader->hub->image);
	arena_reset(reader->scratch);
	return rc;
}

static enum rc
read_binary_frame(struct batch_reader *reader, const char *data, size_t length,
	size_t *used)
{
	struct frame_head head;
	enum rc rc = frame_peek(data, length, &head, &reader->req->fault);

	if (rc == RC_OK)
		rc = hub_batch_begin(reader, &head);
	if (rc != RC_OK)
		return rc;
	rc = check_content(reader, &head, data);
	if (hub_batch_look_again(reader, &rc))
		rc = check_content(reader, &head, data);
	if (rc == RC_OK)
		hub_batch_add(reader, &head, data);
	*used = head.total_bytes;
	return rc;
}

enum rc
hub_batch_read_binary(struct batch_reader *reader, struct bytes body)
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
