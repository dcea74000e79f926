/* frame_decode: bytes into samples, alarm changes and events, believing
 * nothing. */

#include <string.h>
#include <zstd.h>

#include "lib/wire.h"
#include "model/frame.h"
#include "model/frame_layout.h"

/* One group, its body not yet read. */
struct group {
	int32_t variable_id;
	enum value_kind kind;
	size_t count;
	struct wire_reader body;
};

enum rc
frame_walk_malformed(struct frame_walk *walk, const char *what)
{
	return fault_tell(walk->fault, RC_BAD_INPUT, "FrameMalformed", NULL,
		"The frame's payload is wrong: %s.", what);
}

/* --- payload -------------------------------------------------------------- */

static enum rc
unpack(struct frame_walk *walk, const uint8_t *data)
{
	size_t head_bytes = frame_head_bytes(walk->head.version);
	const uint8_t *packed = data + head_bytes;
	size_t packed_bytes = walk->head.total_bytes - head_bytes;
	size_t bytes = wire_u32(data + FRAME_AT_PAYLOAD_BYTES);
	void *payload;

	if (data[FRAME_AT_FLAGS] == FRAME_PLAIN) {
		walk->in = wire_reader(packed, packed_bytes);
		return RC_OK;
	}
	payload = arena_alloc(walk->arena, bytes);
	if (ZSTD_decompress(payload, bytes, packed, packed_bytes) != bytes)
		return frame_walk_malformed(walk, "it does not decompress");
	walk->in = wire_reader(payload, bytes);
	return RC_OK;
}

static enum rc
open_walk(struct frame_walk *walk, const void *data, size_t length)
{
	enum rc rc = frame_peek(data, length, &walk->head, walk->fault);

	return rc != RC_OK ? rc : unpack(walk, data);
}

/* --- columns of a group --------------------------------------------------- */

static bool
times_in_range(const struct frame_walk *walk, const struct sample *samples,
	size_t count)
{
	bool inside = true;

	for (size_t i = 0; i < count; i++)
		inside &= samples[i].time_us >= walk->head.first_us &&
			  samples[i].time_us <= walk->head.last_us;
	return inside;
}

static bool
read_times(struct frame_walk *walk, struct wire_reader *in,
	struct sample *samples, size_t count)
{
	uint64_t time = (uint64_t)walk->head.first_us;
	uint64_t step = 0;
	unsigned mode = wire_take_u8(in);

	time += wire_take_varint(in);
	if (mode == FRAME_TIMES_REGULAR) {
		step = (uint64_t)wire_take_zigzag(in);
		for (size_t i = 0; i < count; i++, time += step)
			samples[i].time_us = (int64_t)time;
	} else if (mode == FRAME_TIMES_DELTA) {
		samples[0].time_us = (int64_t)time;
		for (size_t i = 1; i < count; i++) {
			step += (uint64_t)wire_take_zigzag(in);
			time += step;
			samples[i].time_us = (int64_t)time;
		}
	} else {
		return false;
	}
	return !in->failed && times_in_range(walk, samples, count);
}

/* Times of the group, or those of the last group that has its own. */
static bool
read_group_times(
	struct frame_walk *walk, struct group *group, struct sample *samples)
{
	struct wire_reader again = walk->times;

	if (wire_left(&group->body) == 0)
		return false;
	if (*group->body.at != FRAME_TIMES_SAME)
		return read_times(walk, &group->body, samples, group->count);
	group->body.at++;
	return group->count == walk->times_count &&
	       read_times(walk, &again, samples, group->count);
}

static bool
read_statuses(struct wire_reader *in, struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count;) {
		uint64_t run = wire_take_varint(in);
		uint64_t status = wire_take_varint(in);

		if (run == 0 || run > count - i)
			return false;
		for (; run > 0; run--)
			samples[i++].status = status;
	}
	return !in->failed;
}

static bool
read_booleans(struct wire_reader *in, struct sample *samples, size_t count)
{
	const uint8_t *bits = wire_take(in, (count + 7) / 8);

	if (bits == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		samples[i].value.kind = VALUE_BOOL;
		samples[i].value.boolean = bits[i / 8] >> i % 8 & 1;
	}
	return count % 8 == 0 || bits[count / 8] >> count % 8 == 0;
}

/* Version 1 has one form only. */
static bool
read_numbers(struct wire_reader *in, struct sample *samples, size_t count)
{
	const uint8_t *at = wire_take(in, count * sizeof(uint64_t));

	if (at == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		uint64_t bits = wire_u64(at + i * sizeof(bits));

		samples[i].value.kind = VALUE_FLOAT;
		memcpy(&samples[i].value.number, &bits, sizeof(bits));
	}
	return true;
}

static bool
read_integers(struct wire_reader *in, struct sample *samples, size_t count)
{
	uint64_t integer = 0;

	for (size_t i = 0; i < count; i++) {
		integer += (uint64_t)wire_take_zigzag(in);
		samples[i].value.kind = VALUE_INT;
		samples[i].value.integer = (int64_t)integer;
	}
	return !in->failed;
}

/* The bytes are not zero-terminated in the payload, so each is copied. */
bool
frame_take_text(struct frame_walk *walk, struct wire_reader *in, size_t least,
	size_t most, const char **text, uint32_t *bytes)
{
	uint64_t length = wire_take_varint(in);
	const uint8_t *data;

	if (length < least || length > most)
		return false;
	data = wire_take(in, (size_t)length);
	if (data == NULL ||
		!frame_text_valid((const char *)data, (size_t)length))
		return false;
	*text = arena_strndup(walk->arena, (const char *)data, (size_t)length);
	*bytes = (uint32_t)length;
	return true;
}

static bool
read_strings(struct frame_walk *walk, struct wire_reader *in,
	struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct value *value = &samples[i].value;

		value->kind = VALUE_STRING;
		if (!frame_take_text(walk, in, 0, VALUE_STRING_BYTES_MAX,
			    &value->string.data, &value->string.bytes))
			return false;
	}
	return true;
}

static bool
read_values(
	struct frame_walk *walk, struct group *group, struct sample *samples)
{
	switch (group->kind) {
	case VALUE_BOOL:
		return read_booleans(&group->body, samples, group->count);
	case VALUE_FLOAT:
		return walk->head.version == 1 ? read_numbers(&group->body,
							 samples, group->count)
					       : frame_take_floats(&group->body,
							 samples, group->count);
	case VALUE_INT:
		return read_integers(&group->body, samples, group->count);
	case VALUE_STRING:
		return read_strings(walk, &group->body, samples, group->count);
	case VALUE_NONE:
		break;
	}
	return false;
}

/* --- groups --------------------------------------------------------------- */

/* Each sample takes at least a bit, so no count can exceed its bytes. */
static enum rc
next_group(struct frame_walk *walk, struct group *group, size_t samples_left)
{
	uint64_t step = wire_take_varint(&walk->in);
	unsigned kind = wire_take_u8(&walk->in);
	uint64_t count = wire_take_varint(&walk->in);
	uint64_t bytes = wire_take_varint(&walk->in);
	const uint8_t *body;

	if (walk->in.failed || bytes > wire_left(&walk->in))
		return frame_walk_malformed(walk, "it ends within a group");
	if (step == 0 || step > (uint64_t)(INT32_MAX - group->variable_id))
		return frame_walk_malformed(walk, "variable ids do not rise");
	if (kind < VALUE_BOOL || kind > VALUE_STRING)
		return frame_walk_malformed(walk, "unknown type of value");
	if (count == 0 || count > samples_left || count > bytes * 8)
		return frame_walk_malformed(walk, "count of samples");
	body = wire_take(&walk->in, (size_t)bytes);
	group->variable_id += (int32_t)step;
	group->kind = (enum value_kind)kind;
	group->count = (size_t)count;
	group->body = wire_reader(body, (size_t)bytes);
	return RC_OK;
}

/* Groups after this one may refer to its times. */
static void
remember_times(struct frame_walk *walk, const struct group *group)
{
	if (wire_left(&group->body) == 0 || *group->body.at == FRAME_TIMES_SAME)
		return;
	walk->times = group->body;
	walk->times_count = group->count;
}

static enum rc
read_group(struct frame_walk *walk, struct group *group, struct sample *samples)
{
	for (size_t i = 0; i < group->count; i++)
		samples[i].variable_id = group->variable_id;
	if (!read_group_times(walk, group, samples))
		return frame_walk_malformed(walk, "times");
	if (!read_statuses(&group->body, samples, group->count))
		return frame_walk_malformed(walk, "statuses");
	if (!read_values(walk, group, samples))
		return frame_walk_malformed(walk, "values");
	return wire_left(&group->body) == 0
		       ? RC_OK
		       : frame_walk_malformed(
				 walk, "bytes are left in a group");
}

static enum rc
close_walk(struct frame_walk *walk)
{
	return wire_left(&walk->in) == 0 ? RC_OK
					 : frame_walk_malformed(walk,
						   "bytes are left at its end");
}

/* --- all at once ---------------------------------------------------------- */

static enum rc
decode_samples(struct frame_walk *walk, uint32_t groups, struct sample *samples)
{
	struct group group = {0};
	size_t done = 0;
	enum rc rc = RC_OK;

	for (; rc == RC_OK && groups > 0; groups--) {
		rc = next_group(walk, &group, walk->head.samples - done);
		if (rc != RC_OK)
			return rc;
		remember_times(walk, &group);
		rc = read_group(walk, &group, samples + done);
		done += group.count;
	}
	if (rc == RC_OK && done != walk->head.samples)
		rc = frame_walk_malformed(
			walk, "fewer samples than the head says");
	return rc;
}

enum rc
frame_decode(const void *data, size_t length, struct arena *arena,
	struct frame_head *head, struct frame_content *content,
	struct fault *fault)
{
	struct frame_walk walk = {.arena = arena, .fault = fault};
	struct sample *samples;
	struct alarm_change *alarms;
	struct frame_event *events;
	enum rc rc = open_walk(&walk, data, length);

	if (rc != RC_OK)
		return rc;
	*head = walk.head;
	samples = arena_array(arena, head->samples, sizeof(*samples));
	alarms = arena_array(arena, head->alarms, sizeof(*alarms));
	events = arena_array(arena, head->events, sizeof(*events));
	*content = (struct frame_content){samples, head->samples, alarms,
		head->alarms, events, head->events};
	rc = decode_samples(&walk,
		wire_u32((const uint8_t *)data + FRAME_AT_GROUPS), samples);
	for (uint32_t i = 0; rc == RC_OK && i < head->alarms; i++)
		rc = frame_take_alarm(&walk, &alarms[i]);
	for (uint32_t i = 0; rc == RC_OK && i < head->events; i++)
		rc = frame_take_event(&walk, &events[i]);
	return rc != RC_OK ? rc : close_walk(&walk);
}

/* --- one after the other -------------------------------------------------- */

/* Whether the visitor asks for a variable; ids rise, so "next" only goes on. */
static bool
is_wanted(const struct frame_visitor *visitor, size_t *next, int32_t id)
{
	if (visitor->samples == NULL)
		return false;
	if (visitor->variable_ids == NULL)
		return true;
	while (*next < visitor->variable_count &&
		visitor->variable_ids[*next] < id)
		(*next)++;
	return *next < visitor->variable_count &&
	       visitor->variable_ids[*next] == id;
}

static enum rc
visit_group(struct frame_walk *walk, struct group *group,
	const struct frame_visitor *visitor, struct sample **room,
	size_t *room_count)
{
	enum rc rc;

	if (group->count > *room_count) {
		*room = arena_array(walk->arena, group->count, sizeof(**room));
		*room_count = group->count;
	}
	rc = read_group(walk, group, *room);
	return rc != RC_OK ? rc
			   : visitor->samples(visitor->context, *room,
				     group->count, walk->fault);
}

static enum rc
visit_groups(struct frame_walk *walk, uint32_t groups,
	const struct frame_visitor *visitor)
{
	struct group group = {0};
	struct sample *room = NULL;
	size_t room_count = 0;
	size_t left = walk->head.samples;
	size_t next = 0;

	for (; groups > 0; groups--) {
		enum rc rc = next_group(walk, &group, left);

		if (rc != RC_OK)
			return rc;
		left -= group.count;
		remember_times(walk, &group);
		if (!is_wanted(visitor, &next, group.variable_id))
			continue;
		rc = visit_group(walk, &group, visitor, &room, &room_count);
		if (rc != RC_OK)
			return rc;
	}
	return left == 0 ? RC_OK
			 : frame_walk_malformed(
				   walk, "fewer samples than the head says");
}

/* Alarm changes stand before events, so they are read to get at those. */
static enum rc
visit_alarms(struct frame_walk *walk, const struct frame_visitor *visitor)
{
	struct alarm_change change;
	enum rc rc = RC_OK;

	for (uint32_t i = 0; rc == RC_OK && i < walk->head.alarms; i++) {
		rc = frame_take_alarm(walk, &change);
		if (rc == RC_OK && visitor->alarm != NULL)
			rc = visitor->alarm(
				visitor->context, &change, walk->fault);
	}
	return rc;
}

static enum rc
visit_events(struct frame_walk *walk, const struct frame_visitor *visitor)
{
	struct frame_event event;
	enum rc rc = RC_OK;

	for (uint32_t i = 0; rc == RC_OK && i < walk->head.events; i++) {
		rc = frame_take_event(walk, &event);
		if (rc == RC_OK && visitor->event != NULL)
			rc = visitor->event(
				visitor->context, &event, walk->fault);
	}
	return rc != RC_OK ? rc : close_walk(walk);
}

enum rc
frame_each(const void *data, size_t length, struct arena *scratch,
	const struct frame_visitor *visitor, struct fault *fault)
{
	struct frame_walk walk = {.arena = scratch, .fault = fault};
	enum rc rc = open_walk(&walk, data, length);

	if (rc == RC_OK)
		rc = visit_groups(&walk,
			wire_u32((const uint8_t *)data + FRAME_AT_GROUPS),
			visitor);
	if (rc != RC_OK || (visitor->alarm == NULL && visitor->event == NULL))
		return rc;
	rc = visit_alarms(&walk, visitor);
	return rc != RC_OK ? rc : visit_events(&walk, visitor);
}
