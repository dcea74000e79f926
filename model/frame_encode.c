/* frame_encode: samples, alarm changes and events into bytes. */

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "lib/wire.h"
#include "model/frame.h"
#include "model/frame_layout.h"

#define ZSTD_LEVEL 3

/* What is written, beside the bytes. */
struct writer {
	struct buf *out; /* the payload */
	int64_t first_us;
	int64_t last_us;
	struct frame_group timed; /* the last group that has its own times */
	int32_t variable_id;      /* of the group before */
	uint32_t groups;
};

/* --- order ---------------------------------------------------------------- */

static bool
is_ordered(const struct sample *samples, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (samples[i - 1].variable_id > samples[i].variable_id)
			return false;
	return true;
}

/* One pass of a stable radix sort, by eight bits of the variable's id. */
static void
order_pass(const struct sample *samples, size_t count, unsigned shift,
	const uint32_t *from, uint32_t *to)
{
	size_t starts[257] = {0};

	for (size_t i = 0; i < count; i++)
		starts[((uint32_t)samples[i].variable_id >> shift & 255) + 1]++;
	for (size_t i = 1; i < 257; i++)
		starts[i] += starts[i - 1];
	for (size_t i = 0; i < count; i++) {
		uint32_t id = (uint32_t)samples[from[i]].variable_id;

		to[starts[id >> shift & 255]++] = from[i];
	}
}

/* Leave in "order" the indexes of the samples by variable. */
static void
order_samples(const struct sample *samples, size_t count, uint32_t *order)
{
	uint32_t *spare = order + count;

	for (size_t i = 0; i < count; i++)
		order[i] = (uint32_t)i;
	if (is_ordered(samples, count))
		return;
	order_pass(samples, count, 0, order, spare);
	order_pass(samples, count, 8, spare, order);
	order_pass(samples, count, 16, order, spare);
	order_pass(samples, count, 24, spare, order);
}

/* --- groups --------------------------------------------------------------- */

static uint64_t
delta_us(const struct frame_group *group, size_t index)
{
	return (uint64_t)frame_member_of(group, index)->time_us -
	       (uint64_t)frame_member_of(group, index - 1)->time_us;
}

static enum frame_times
choose_times(const struct frame_group *group, const struct frame_group *timed)
{
	bool same = timed->count == group->count;

	for (size_t i = 0; same && i < group->count; i++)
		same = frame_member_of(group, i)->time_us ==
		       frame_member_of(timed, i)->time_us;
	if (same)
		return FRAME_TIMES_SAME;
	for (size_t i = 2; i < group->count; i++)
		if (delta_us(group, i) != delta_us(group, 1))
			return FRAME_TIMES_DELTA;
	return FRAME_TIMES_REGULAR;
}

static void
add_times(struct writer *writer, const struct frame_group *group)
{
	enum frame_times times = choose_times(group, &writer->timed);
	uint64_t step = 0;

	wire_add_u8(writer->out, times);
	if (times == FRAME_TIMES_SAME)
		return;
	writer->timed = *group;
	wire_add_varint(
		writer->out, (uint64_t)frame_member_of(group, 0)->time_us -
				     (uint64_t)writer->first_us);
	if (times == FRAME_TIMES_REGULAR) {
		if (group->count > 1)
			step = delta_us(group, 1);
		wire_add_zigzag(writer->out, (int64_t)step);
		return;
	}
	for (size_t i = 1; i < group->count; i++) {
		uint64_t delta = delta_us(group, i);

		wire_add_zigzag(writer->out, (int64_t)(delta - step));
		step = delta;
	}
}

static void
add_statuses(struct buf *out, const struct frame_group *group)
{
	size_t begin = 0;

	for (size_t i = 1; i <= group->count; i++) {
		uint64_t status = frame_member_of(group, begin)->status;

		if (i < group->count &&
			frame_member_of(group, i)->status == status)
			continue;
		wire_add_varint(out, i - begin);
		wire_add_varint(out, status);
		begin = i;
	}
}

static void
add_booleans(struct buf *out, const struct frame_group *group)
{
	for (size_t i = 0; i < group->count; i += 8) {
		unsigned bits = 0;

		for (size_t k = i; k < i + 8 && k < group->count; k++)
			if (frame_member_of(group, k)->value.boolean)
				bits |= 1u << (k - i);
		wire_add_u8(out, bits);
	}
}

static void
add_integers(struct buf *out, const struct frame_group *group)
{
	uint64_t before = 0;

	for (size_t i = 0; i < group->count; i++) {
		uint64_t integer =
			(uint64_t)frame_member_of(group, i)->value.integer;

		wire_add_zigzag(out, (int64_t)(integer - before));
		before = integer;
	}
}

static enum rc
add_strings(
	struct buf *out, const struct frame_group *group, struct fault *fault)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct value *value = &frame_member_of(group, i)->value;

		if (value->string.bytes > VALUE_STRING_BYTES_MAX ||
			!frame_text_valid(
				value->string.data, value->string.bytes))
			return fault_tell(fault, RC_BAD_INPUT, "FrameMalformed",
				"value",
				"A string must be UTF-8 without a zero byte, "
				"of at most %d bytes.",
				VALUE_STRING_BYTES_MAX);
		wire_add_varint(out, value->string.bytes);
		buf_add(out, value->string.data, value->string.bytes);
	}
	return RC_OK;
}

static enum rc
add_values(
	struct buf *out, const struct frame_group *group, struct fault *fault)
{
	switch (frame_member_of(group, 0)->value.kind) {
	case VALUE_BOOL:
		add_booleans(out, group);
		return RC_OK;
	case VALUE_FLOAT:
		frame_put_floats(out, group);
		return RC_OK;
	case VALUE_INT:
		add_integers(out, group);
		return RC_OK;
	case VALUE_STRING:
		return add_strings(out, group, fault);
	case VALUE_NONE:
		break;
	}
	return fault_tell(fault, RC_BAD_INPUT, "FrameMalformed", "value",
		"A sample without a value cannot be sent.");
}

static enum rc
check_group(const struct frame_group *group, struct fault *fault)
{
	enum value_kind kind = frame_member_of(group, 0)->value.kind;
	int32_t variable_id = frame_member_of(group, 0)->variable_id;

	if (variable_id < 1)
		return fault_tell(fault, RC_BAD_INPUT, "FrameMalformed", NULL,
			"%d is not the id of a variable.", (int)variable_id);
	for (size_t i = 1; i < group->count; i++)
		if (frame_member_of(group, i)->value.kind != kind)
			return fault_tell(fault, RC_BAD_INPUT, "FrameMalformed",
				NULL, "Variable %d has values of two types.",
				(int)variable_id);
	return RC_OK;
}

/* The length of the body stands before it, so it is written aside first. */
static enum rc
add_group(struct writer *writer, const struct frame_group *group,
	struct fault *fault)
{
	struct buf *out = writer->out;
	const struct sample *first = frame_member_of(group, 0);
	struct buf body;
	enum rc rc = check_group(group, fault);

	if (rc != RC_OK)
		return rc;
	buf_init(&body, FRAME_PAYLOAD_MAX);
	writer->out = &body;
	add_times(writer, group);
	writer->out = out;
	add_statuses(&body, group);
	rc = add_values(&body, group, fault);
	wire_add_varint(
		out, (uint64_t)(first->variable_id - writer->variable_id));
	wire_add_u8(out, first->value.kind);
	wire_add_varint(out, group->count);
	wire_add_varint(out, body.length);
	if (body.overflow)
		out->overflow = true;
	else
		buf_add(out, body.data, body.length);
	buf_free(&body);
	writer->variable_id = first->variable_id;
	writer->groups++;
	return rc;
}

static enum rc
add_groups(struct writer *writer, const struct sample *samples, size_t count,
	const uint32_t *order, struct fault *fault)
{
	size_t begin = 0;

	for (size_t i = 1; i <= count; i++) {
		struct frame_group group = {samples, order + begin, i - begin};
		enum rc rc;

		if (i < count && samples[order[i]].variable_id ==
					 samples[order[begin]].variable_id)
			continue;
		rc = add_group(writer, &group, fault);
		if (rc != RC_OK)
			return rc;
		begin = i;
	}
	return RC_OK;
}

/* --- the frame ------------------------------------------------------------ */

static void
include_time(struct writer *writer, int64_t time_us)
{
	if (time_us < writer->first_us)
		writer->first_us = time_us;
	if (time_us > writer->last_us)
		writer->last_us = time_us;
}

static void
find_times(struct writer *writer, const struct frame_content *content)
{
	writer->first_us = INT64_MAX;
	writer->last_us = INT64_MIN;
	for (size_t i = 0; i < content->sample_count; i++)
		include_time(writer, content->samples[i].time_us);
	for (size_t i = 0; i < content->alarm_count; i++)
		include_time(writer, content->alarms[i].time_us);
	for (size_t i = 0; i < content->event_count; i++)
		include_time(writer, content->events[i].time_us);
}

static enum rc
add_samples(struct writer *writer, const struct sample *samples, size_t count,
	struct fault *fault)
{
	struct buf order;
	uint32_t *indexes;
	enum rc rc;

	if (count == 0)
		return RC_OK;
	buf_init(&order, 0);
	indexes = buf_reserve(&order, 2 * count * sizeof(*indexes));
	order_samples(samples, count, indexes);
	rc = add_groups(writer, samples, count, indexes, fault);
	buf_free(&order);
	return rc;
}

static enum rc
add_payload(struct writer *writer, const struct frame_content *content,
	struct fault *fault)
{
	enum rc rc = add_samples(
		writer, content->samples, content->sample_count, fault);

	for (size_t i = 0; rc == RC_OK && i < content->alarm_count; i++)
		rc = frame_put_alarm(writer->out, writer->first_us,
			&content->alarms[i], fault);
	for (size_t i = 0; rc == RC_OK && i < content->event_count; i++)
		rc = frame_put_event(writer->out, writer->first_us,
			&content->events[i], fault);
	if (rc == RC_OK && writer->out->overflow)
		return fault_tell(fault, RC_TOO_LARGE, "TooLarge", NULL,
			"A frame may hold %d bytes; send two.",
			FRAME_PAYLOAD_MAX);
	return rc;
}

/* Append the payload, compressed if that is asked for and smaller. */
static enum frame_flags
add_packed(struct buf *out, const struct buf *payload, enum frame_flags flags)
{
	size_t room = ZSTD_compressBound(payload->length);
	void *at = flags == FRAME_ZSTD ? buf_reserve(out, room) : NULL;
	size_t bytes;

	if (at != NULL) {
		bytes = ZSTD_compress(
			at, room, payload->data, payload->length, ZSTD_LEVEL);
		if (!ZSTD_isError(bytes) && bytes < payload->length) {
			out->length += bytes;
			return FRAME_ZSTD;
		}
	}
	buf_add(out, payload->data, payload->length);
	return FRAME_PLAIN;
}

static void
put_head(uint8_t *at, const struct frame_head *head, size_t payload_bytes,
	const struct writer *writer, enum frame_flags flags)
{
	wire_put_u32(at + FRAME_AT_MAGIC, FRAME_MAGIC);
	at[FRAME_AT_VERSION] = FRAME_VERSION;
	at[FRAME_AT_FLAGS] = (uint8_t)flags;
	wire_put_u16(at + FRAME_AT_HEAD_BYTES, FRAME_HEAD_BYTES);
	wire_put_u32(at + FRAME_AT_TOTAL_BYTES, (uint32_t)head->total_bytes);
	memcpy(at + FRAME_AT_DATASOURCE, head->datasource,
		sizeof(head->datasource));
	wire_put_u64(at + FRAME_AT_SPOOL, head->spool_id);
	wire_put_u64(at + FRAME_AT_SEQUENCE, (uint64_t)head->sequence);
	wire_put_u64(at + FRAME_AT_FIRST, (uint64_t)writer->first_us);
	wire_put_u64(at + FRAME_AT_LAST, (uint64_t)writer->last_us);
	wire_put_u32(at + FRAME_AT_SAMPLES, head->samples);
	wire_put_u32(at + FRAME_AT_EVENTS, head->events);
	wire_put_u32(at + FRAME_AT_PAYLOAD_BYTES, (uint32_t)payload_bytes);
	wire_put_u32(at + FRAME_AT_GROUPS, writer->groups);
	wire_put_u32(at + FRAME_AT_ALARMS, head->alarms);
}

static enum rc
finish(const struct frame_head *head, const struct buf *payload,
	const struct writer *writer, enum frame_flags flags, struct buf *out,
	struct fault *fault)
{
	static const uint8_t blank[FRAME_HEAD_BYTES];
	struct frame_head made = *head;
	size_t begin = out->length;
	uint8_t *at;

	buf_add(out, blank, sizeof(blank));
	flags = add_packed(out, payload, flags);
	if (out->overflow)
		return fault_set(fault, RC_TOO_LARGE, "no room for the frame");
	at = (uint8_t *)out->data + begin;
	made.total_bytes = out->length - begin;
	put_head(at, &made, payload->length, writer, flags);
	wire_put_u32(at + FRAME_AT_CRC, frame_crc(at, made.total_bytes));
	out->data[out->length] = '\0';
	return RC_OK;
}

static enum rc
check_counts(const struct frame_content *content, struct fault *fault)
{
	if (content->sample_count + content->alarm_count +
			content->event_count ==
		0)
		return fault_tell(fault, RC_BAD_INPUT, "FrameMalformed", NULL,
			"A frame needs a sample, an alarm change or an event.");
	if (content->sample_count > FRAME_SAMPLES_MAX ||
		content->alarm_count > FRAME_ALARMS_MAX ||
		content->event_count > FRAME_EVENTS_MAX)
		return fault_tell(fault, RC_TOO_LARGE, "TooLarge", NULL,
			"A frame may hold %d samples, %d alarm changes and %d "
			"events.",
			FRAME_SAMPLES_MAX, FRAME_ALARMS_MAX, FRAME_EVENTS_MAX);
	return RC_OK;
}

enum rc
frame_encode(const struct frame_head *head, const struct frame_content *content,
	enum frame_flags flags, struct buf *out, struct fault *fault)
{
	struct frame_head made = *head;
	struct buf payload;
	struct writer writer = {.out = &payload};
	enum rc rc = check_counts(content, fault);

	if (rc != RC_OK)
		return rc;
	made.samples = (uint32_t)content->sample_count;
	made.alarms = (uint32_t)content->alarm_count;
	made.events = (uint32_t)content->event_count;
	buf_init(&payload, FRAME_PAYLOAD_MAX);
	find_times(&writer, content);
	rc = add_payload(&writer, content, fault);
	if (rc == RC_OK)
		rc = finish(&made, &payload, &writer, flags, out, fault);
	buf_free(&payload);
	return rc;
}
