/* frame_json: frames as JSON, columnar. */

#include "model/frame_json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/frame_read.h"

/* --- columns ------------------------------------------------------------ */

static enum rc
open_column(struct frame_reader *reader, struct buf *column)
{
	buf_clear(column);
	if (jsonr_next(&reader->json) != JSONR_ARRAY)
		return frame_malformed(reader, "an array");
	return RC_OK;
}

static enum rc
read_integers(struct frame_reader *reader, struct buf *column)
{
	enum jsonr_token token;
	enum rc rc = open_column(reader, column);

	if (rc != RC_OK)
		return rc;
	while ((token = jsonr_next(&reader->json)) == JSONR_INT)
		buf_add(column, &reader->json.integer, sizeof(int64_t));
	if (token != JSONR_ARRAY_END)
		return frame_malformed(reader, "an integer");
	return column->overflow
		       ? frame_too_large(reader, "samples", FRAME_SAMPLES_MAX)
		       : RC_OK;
}

static enum rc
read_shared(struct frame_reader *reader, void *target)
{
	(void)target;
	reader->has_shared = true;
	return read_integers(reader, &reader->shared);
}

static enum rc
read_statuses(struct frame_reader *reader, void *target)
{
	*(bool *)target = true;
	return read_integers(reader, &reader->statuses);
}

static enum rc
read_times(struct frame_reader *reader, void *target)
{
	*(bool *)target = true;
	return read_integers(reader, &reader->times);
}

static enum rc
read_values(struct frame_reader *reader, void *target)
{
	enum jsonr_token token;
	struct value value;
	enum rc rc = open_column(reader, &reader->values);

	*(bool *)target = true;
	if (rc != RC_OK)
		return rc;
	while (frame_take_value(
		reader, token = jsonr_next(&reader->json), &value))
		buf_add(&reader->values, &value, sizeof(value));
	if (token != JSONR_ARRAY_END)
		return frame_malformed(reader, "a value");
	return reader->values.overflow
		       ? frame_too_large(reader, "samples", FRAME_SAMPLES_MAX)
		       : RC_OK;
}

/* --- one series --------------------------------------------------------- */

struct series_head {
	const char *name;
	bool has_times;
	bool has_values;
	bool has_statuses;
};

static const struct frame_member series_members[] = {
	{"name", frame_read_text, offsetof(struct series_head, name)},
	{"time", read_times, offsetof(struct series_head, has_times)},
	{"value", read_values, offsetof(struct series_head, has_values)},
	{"status", read_statuses, offsetof(struct series_head, has_statuses)},
	{NULL, NULL, 0},
};

static size_t
count_of(const struct buf *column, size_t bytes)
{
	return column->length / bytes;
}

static void
add_samples(struct frame_reader *reader, const struct series_head *head,
	size_t count)
{
	const struct value *values = (const void *)reader->values.data;
	const int64_t *times = (const void *)reader->times.data;
	const uint64_t *statuses = (const void *)reader->statuses.data;
	struct sample *samples =
		buf_reserve(&reader->samples, count * sizeof(*samples));

	if (samples == NULL)
		return;
	for (size_t i = 0; i < count; i++)
		samples[i] = (struct sample){
			.time_us = head->has_times ? times[i] : 0,
			.status = head->has_statuses ? statuses[i] : 0,
			.value = values[i],
		};
	reader->samples.length += count * sizeof(*samples);
}

static enum rc
read_series(struct frame_reader *reader, void *target)
{
	struct series_head head = {.name = NULL};
	struct frame_json_series series;
	size_t count;
	enum rc rc = frame_read_members(reader, series_members, &head);

	(void)target;
	if (rc != RC_OK)
		return rc;
	if (head.name == NULL || !head.has_values)
		return frame_malformed(reader, "name and value in a series");
	count = count_of(&reader->values, sizeof(struct value));
	if ((head.has_times &&
		    count_of(&reader->times, sizeof(int64_t)) != count) ||
		(head.has_statuses &&
			count_of(&reader->statuses, sizeof(uint64_t)) != count))
		return frame_malformed(
			reader, "columns of the same length before");
	series = (struct frame_json_series){
		.name = head.name,
		.first = count_of(&reader->samples, sizeof(struct sample)),
		.count = count,
		.shared = !head.has_times,
	};
	add_samples(reader, &head, count);
	buf_add(&reader->series, &series, sizeof(series));
	if (reader->samples.overflow)
		return frame_too_large(reader, "samples", FRAME_SAMPLES_MAX);
	return reader->series.overflow ? frame_too_large(reader, "series",
						 FRAME_JSON_SERIES_MAX)
				       : RC_OK;
}

static enum rc
read_all_series(struct frame_reader *reader, void *target)
{
	return frame_read_objects(reader, read_series, target);
}

/* --- one event ---------------------------------------------------------- */

static const struct frame_member event_members[] = {
	{"time", frame_read_int,
		offsetof(struct frame_json_event, event.time_us)},
	{"kind", frame_read_text,
		offsetof(struct frame_json_event, event.kind)},
	{"text", frame_read_text,
		offsetof(struct frame_json_event, event.text)},
	{"value", frame_read_any,
		offsetof(struct frame_json_event, event.value)},
	{"oldValue", frame_read_any,
		offsetof(struct frame_json_event, event.old_value)},
	{"username", frame_read_maybe_text,
		offsetof(struct frame_json_event, event.username)},
	{"computer", frame_read_maybe_text,
		offsetof(struct frame_json_event, event.computer)},
	{"comment", frame_read_maybe_text,
		offsetof(struct frame_json_event, event.comment)},
	{"variable", frame_read_maybe_text,
		offsetof(struct frame_json_event, variable)},
	{NULL, NULL, 0},
};

static enum rc
read_event(struct frame_reader *reader, void *target)
{
	struct frame_json_event event = {.variable = NULL};
	enum rc rc = frame_read_members(reader, event_members, &event);

	(void)target;
	if (rc != RC_OK)
		return rc;
	if (event.event.kind == NULL || event.event.text == NULL)
		return frame_malformed(
			reader, "time, kind and text in an event");
	buf_add(&reader->events, &event, sizeof(event));
	return reader->events.overflow
		       ? frame_too_large(reader, "events", FRAME_EVENTS_MAX)
		       : RC_OK;
}

static enum rc
read_alarms(struct frame_reader *reader, void *target)
{
	return frame_read_objects(reader, frame_read_alarm, target);
}

static enum rc
read_events(struct frame_reader *reader, void *target)
{
	return frame_read_objects(reader, read_event, target);
}

/* --- one frame ---------------------------------------------------------- */

static const struct frame_member frame_members[] = {
	{"datasource", frame_read_uuid,
		offsetof(struct frame_head, datasource)},
	{"spool", frame_read_spool, offsetof(struct frame_head, spool_id)},
	{"sequence", frame_read_int, offsetof(struct frame_head, sequence)},
	{"time", read_shared, 0},
	{"series", read_all_series, 0},
	{"alarms", read_alarms, 0},
	{"events", read_events, 0},
	{NULL, NULL, 0},
};

static enum rc
share_times(struct frame_reader *reader, struct frame_json *frame)
{
	const int64_t *times = (const void *)reader->shared.data;
	size_t count = reader->has_shared
			       ? count_of(&reader->shared, sizeof(int64_t))
			       : 0;

	for (size_t i = 0; i < frame->series_count; i++) {
		const struct frame_json_series *series = &frame->series[i];

		if (!series->shared)
			continue;
		if (series->count != count)
			return frame_malformed(reader,
				"as many times as values in every series");
		for (size_t k = 0; k < count; k++)
			frame->samples[series->first + k].time_us = times[k];
	}
	return RC_OK;
}

struct visit {
	frame_json_fn *call;
	void *context;
};

static enum rc
read_frame(struct frame_reader *reader, void *target)
{
	const struct visit *visit = target;
	struct frame_json frame;
	enum rc rc;

	memset(&frame, 0, sizeof(frame));
	buf_clear(&reader->samples);
	buf_clear(&reader->series);
	buf_clear(&reader->alarms);
	buf_clear(&reader->events);
	reader->has_shared = false;
	rc = frame_read_members(reader, frame_members, &frame.head);
	if (rc != RC_OK)
		return rc;
	frame.series = (void *)reader->series.data;
	frame.series_count =
		count_of(&reader->series, sizeof(struct frame_json_series));
	frame.samples = (void *)reader->samples.data;
	frame.samples_count = count_of(&reader->samples, sizeof(struct sample));
	frame.alarms = (void *)reader->alarms.data;
	frame.alarms_count =
		count_of(&reader->alarms, sizeof(struct frame_json_alarm));
	frame.events = (void *)reader->events.data;
	frame.events_count =
		count_of(&reader->events, sizeof(struct frame_json_event));
	rc = share_times(reader, &frame);
	return rc != RC_OK ? rc
			   : visit->call(visit->context, &frame, reader->fault);
}

static enum rc
read_frames(struct frame_reader *reader, void *target)
{
	return frame_read_objects(reader, read_frame, target);
}

static const struct frame_member body_members[] = {
	{"frames", read_frames, 0},
	{NULL, NULL, 0},
};

static enum rc
read_body(struct frame_reader *reader, struct visit *visit)
{
	enum rc rc;

	if (jsonr_next(&reader->json) != JSONR_OBJECT)
		return frame_malformed(reader, "an object");
	rc = frame_read_members(reader, body_members, visit);
	if (rc == RC_OK && jsonr_next(&reader->json) != JSONR_END)
		rc = frame_malformed(reader, "the end");
	return rc;
}

enum rc
frame_json_each(const char *text, size_t length, struct arena *arena,
	frame_json_fn *visit, void *context, struct fault *fault)
{
	struct frame_reader reader = {.arena = arena, .fault = fault};
	struct visit target = {visit, context};
	enum rc rc;

	jsonr_init(&reader.json, text, length);
	buf_init(&reader.samples, FRAME_SAMPLES_MAX * sizeof(struct sample));
	buf_init(&reader.series,
		FRAME_JSON_SERIES_MAX * sizeof(struct frame_json_series));
	buf_init(&reader.alarms,
		FRAME_ALARMS_MAX * sizeof(struct frame_json_alarm));
	buf_init(&reader.events,
		FRAME_EVENTS_MAX * sizeof(struct frame_json_event));
	buf_init(&reader.shared, FRAME_SAMPLES_MAX * sizeof(int64_t));
	buf_init(&reader.times, FRAME_SAMPLES_MAX * sizeof(int64_t));
	buf_init(&reader.values, FRAME_SAMPLES_MAX * sizeof(struct value));
	buf_init(&reader.statuses, FRAME_SAMPLES_MAX * sizeof(uint64_t));
	rc = read_body(&reader, &target);
	buf_free(&reader.statuses);
	buf_free(&reader.values);
	buf_free(&reader.times);
	buf_free(&reader.shared);
	buf_free(&reader.events);
	buf_free(&reader.alarms);
	buf_free(&reader.series);
	buf_free(&reader.samples);
	jsonr_free(&reader.json);
	return rc;
}

static bool
text_to_int(const struct value *value, int64_t *integer)
{
	const char *text = value->string.data;
	char *end;
	long long number;

	if (text[0] != '-' && (text[0] < '0' || text[0] > '9'))
		return false;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno != 0 || end != text + value->string.bytes || end == text)
		return false;
	*integer = number;
	return true;
}

bool
frame_json_convert(struct value *value, enum value_kind kind)
{
	int64_t integer;

	if (value->kind == kind)
		return kind != VALUE_STRING ||
		       value->string.bytes <= VALUE_STRING_BYTES_MAX;
	if (kind == VALUE_FLOAT &&
		(value->kind == VALUE_INT || value->kind == VALUE_NONE)) {
		double number =
			value->kind == VALUE_INT ? (double)value->integer : NAN;

		*value = (struct value){.kind = kind, .number = number};
		return true;
	}
	if (kind == VALUE_INT && value->kind == VALUE_STRING &&
		text_to_int(value, &integer)) {
		*value = (struct value){.kind = kind, .integer = integer};
		return true;
	}
	return false;
}
