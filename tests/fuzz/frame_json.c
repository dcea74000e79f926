/* fuzz/frame_json: any bytes as the JSON form of frames. */

#include <stdlib.h>
#include <string.h>

#include "model/frame_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static enum rc
encode(struct frame_json *frame, struct buf *out, struct fault *fault)
{
	static struct alarm_change alarms[FRAME_ALARMS_MAX];
	static struct frame_event events[FRAME_EVENTS_MAX];
	const struct frame_content content = {frame->samples,
		frame->samples_count, alarms, frame->alarms_count, events,
		frame->events_count};

	for (size_t i = 0; i < frame->alarms_count; i++) {
		alarms[i] = frame->alarms[i].change;
		alarms[i].variable_id = 1;
		if (frame->alarms[i].variable == NULL ||
			alarms[i].limit == NULL || alarms[i].kind == 0)
			abort();
	}
	for (size_t i = 0; i < frame->events_count; i++)
		events[i] = frame->events[i].event;
	return frame_encode(&frame->head, &content, FRAME_PLAIN, out, fault);
}

/* What was read must fit together, and encode or be refused in words. */
static enum rc
visit(void *context, struct frame_json *frame, struct fault *fault)
{
	struct buf *out = context;
	size_t next = 0;

	for (size_t i = 0; i < frame->series_count; i++) {
		const struct frame_json_series *series = &frame->series[i];

		if (series->first != next || series->name == NULL)
			abort();
		next += series->count;
		for (size_t k = 0; k < series->count; k++) {
			struct sample *sample =
				&frame->samples[series->first + k];

			sample->variable_id = (int32_t)i + 1;
			if (!frame_json_convert(&sample->value, VALUE_FLOAT))
				return RC_UNPROCESSABLE;
		}
	}
	if (next != frame->samples_count)
		abort();
	buf_clear(out);
	return encode(frame, out, fault);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct arena *arena;
	struct fault fault;
	struct buf out;
	char *text;

	if (arena == NULL)
		arena = arena_new();
	buf_init(&out, 0);
	text = arena_strndup(arena, (const char *)data, length);
	if (frame_json_each(text, length, arena, visit, &out, &fault) ==
			RC_BAD_INPUT &&
		fault.client[0] == '\0')
		abort();
	buf_free(&out);
	arena_reset(arena);
	return 0;
}
