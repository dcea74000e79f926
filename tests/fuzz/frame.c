/* fuzz/frame: any bytes as a frame whose length and checksum fit. */

#include <stdlib.h>
#include <string.h>

#include "lib/crc32c.h"
#include "lib/wire.h"
#include "model/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* Without this hardly any input would pass the checksum. */
static uint8_t *
seal(struct arena *arena, const uint8_t *data, size_t length)
{
	uint8_t *frame = arena_memdup(arena, data, length);

	if (length < FRAME_HEAD_BYTES_1)
		return frame;
	wire_put_u32(frame + 8, (uint32_t)length);
	wire_put_u32(frame + 12,
		crc32c(crc32c(0, frame, 12), frame + 16, length - 16));
	return frame;
}

struct seen {
	const struct sample *next;
	size_t alarms;
	size_t events;
};

static enum rc
compare(void *context, const struct sample *samples, size_t count,
	struct fault *fault)
{
	struct seen *seen = context;

	(void)fault;
	for (size_t i = 0; i < count; i++, seen->next++)
		if (samples[i].variable_id != seen->next->variable_id ||
			samples[i].time_us != seen->next->time_us ||
			samples[i].status != seen->next->status ||
			!value_equal(&samples[i].value, &seen->next->value))
			abort();
	return RC_OK;
}

static enum rc
count_alarm(
	void *context, const struct alarm_change *change, struct fault *fault)
{
	struct seen *seen = context;

	(void)fault;
	if (change->variable_id < 1 || change->limit[0] == '\0' ||
		(change->flags & ~(uint32_t)ALARM_FLAGS) != 0)
		abort();
	seen->alarms++;
	return RC_OK;
}

static enum rc
count_event(void *context, const struct frame_event *event, struct fault *fault)
{
	struct seen *seen = context;

	(void)fault;
	if (event->kind[0] == '\0')
		abort();
	seen->events++;
	return RC_OK;
}

/* Both ways to decode agree. */
static void
check_walk(struct arena *arena, const void *frame, size_t length,
	const struct frame_head *head, const struct frame_content *content)
{
	struct seen seen = {content->samples, 0, 0};
	const struct frame_visitor visitor = {
		NULL, 0, compare, count_alarm, count_event, &seen};
	struct fault fault;

	if (frame_each(frame, length, arena, &visitor, &fault) != RC_OK ||
		seen.next != content->samples + head->samples ||
		seen.alarms != head->alarms || seen.events != head->events)
		abort();
}

/* What was decoded can be sent again and is the same then. */
static void
check_again(struct arena *arena, const struct frame_head *head,
	const struct frame_content *content)
{
	struct frame_head again;
	struct buf out;
	struct fault fault;

	buf_init(&out, 0);
	switch (frame_encode(head, content, FRAME_PLAIN, &out, &fault)) {
	case RC_TOO_LARGE: /* the same times were told shorter */
		break;
	case RC_OK:
		if (frame_peek(out.data, out.length, &again, &fault) != RC_OK)
			abort();
		check_walk(arena, out.data, out.length, &again, content);
		break;
	default:
		abort();
	}
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct arena *arena;
	struct frame_head head;
	struct frame_content content;
	struct fault fault;
	uint8_t *frame;

	if (arena == NULL)
		arena = arena_new();
	frame = seal(arena, data, length);
	if (frame_decode(frame, length, arena, &head, &content, &fault) ==
		RC_OK) {
		check_walk(arena, frame, length, &head, &content);
		check_again(arena, &head, &content);
	}
	arena_reset(arena);
	return 0;
}
