/* frame_news: alarm changes and events in a frame, written and read. */

#include <string.h>

#include "lib/clock.h"
#include "model/frame_layout.h"
#include "model/value_wire.h"

/* --- writing -------------------------------------------------------------- */

static enum rc
put_text(struct buf *out, const char *field, const char *text, size_t least,
	size_t most, struct fault *fault)
{
	size_t bytes = text == NULL ? 0 : strlen(text);

	if (bytes < least || bytes > most ||
		(bytes > 0 && !frame_text_valid(text, bytes)))
		return fault_tell(fault, RC_BAD_INPUT, "FrameMalformed", field,
			"The member %s must be UTF-8 of %zu to %zu bytes.",
			field, least, most);
	wire_add_varint(out, bytes);
	if (bytes > 0)
		buf_add(out, text, bytes);
	return RC_OK;
}

static enum rc
tell_no_variable(struct fault *fault, int32_t variable_id)
{
	return fault_tell(fault, RC_BAD_INPUT, "FrameMalformed", "variable",
		"%d is not the id of a variable.", (int)variable_id);
}

/* Differences of times are taken modulo 2^64, so none can overflow. */
static void
put_since(struct buf *out, int64_t time_us, int64_t since_us)
{
	wire_add_zigzag(out, (int64_t)((uint64_t)time_us - (uint64_t)since_us));
}

static enum rc
check_alarm(const struct alarm_change *change, struct fault *fault)
{
	const struct value *value = &change->value;

	if (change->variable_id < 1)
		return tell_no_variable(fault, change->variable_id);
	if (change->kind < 1 || change->kind > ALARM_CHANGE_KINDS ||
		(change->flags & ~(uint32_t)ALARM_FLAGS) != 0)
		return fault_tell(fault, RC_BAD_INPUT, "FrameMalformed", "kind",
			"The kind or a flag of an alarm change is not known.");
	if (value->kind == VALUE_STRING &&
		(value->string.bytes > VALUE_STRING_BYTES_MAX ||
			!frame_text_valid(
				value->string.data, value->string.bytes)))
		return fault_tell(fault, RC_BAD_INPUT, "FrameMalformed",
			"value",
			"A string must be UTF-8 without a zero byte, of at "
			"most %d bytes.",
			VALUE_STRING_BYTES_MAX);
	return RC_OK;
}

static void
put_alarm_times(struct buf *out, const struct alarm_change *change)
{
	unsigned parts = 0;

	if (change->came_us != CLOCK_NEVER)
		parts |= FRAME_ALARM_CAME;
	if (change->went_us != CLOCK_NEVER)
		parts |= FRAME_ALARM_WENT;
	if (change->reactivated_us != CLOCK_NEVER)
		parts |= FRAME_ALARM_REACTIVATED;
	wire_add_u8(out, parts);
	if (parts & FRAME_ALARM_CAME)
		put_since(out, change->came_us, change->time_us);
	if (parts & FRAME_ALARM_WENT)
		put_since(out, change->went_us, change->time_us);
	if (parts & FRAME_ALARM_REACTIVATED)
		put_since(out, change->reactivated_us, change->time_us);
}

enum rc
frame_put_alarm(struct buf *out, int64_t first_us,
	const struct alarm_change *change, struct fault *fault)
{
	enum rc rc = check_alarm(change, fault);

	if (rc != RC_OK)
		return rc;
	buf_add(out, change->id, sizeof(change->id));
	wire_add_varint(out, (uint64_t)change->variable_id);
	rc = put_text(out, "limit", change->limit, 1, ALARM_LIMIT_BYTES, fault);
	if (rc != RC_OK)
		return rc;
	wire_add_u8(out, change->kind);
	wire_add_varint(out, (uint64_t)change->time_us - (uint64_t)first_us);
	put_alarm_times(out, change);
	wire_add_varint(out, change->reactivations);
	wire_add_varint(out, change->flags);
	wire_add_varint(out, change->status);
	value_wire_add_kind(out, &change->value);
	return put_text(out, "text", change->text, 0, ALARM_TEXT_BYTES, fault);
}

/* The texts of an event that may be missing, in their order. */
struct part {
	unsigned bit;
	const char *field;
	size_t offset;
	size_t most;
};

static const struct part event_parts[] = {
	{FRAME_EVENT_VALUE, "value", offsetof(struct frame_event, value),
		FRAME_EVENT_TEXT_BYTES},
	{FRAME_EVENT_OLD_VALUE, "oldValue",
		offsetof(struct frame_event, old_value),
		FRAME_EVENT_TEXT_BYTES},
	{FRAME_EVENT_USERNAME, "username",
		offsetof(struct frame_event, username), FRAME_EVENT_NAME_BYTES},
	{FRAME_EVENT_COMPUTER, "computer",
		offsetof(struct frame_event, computer), FRAME_EVENT_NAME_BYTES},
	{FRAME_EVENT_COMMENT, "comment", offsetof(struct frame_event, comment),
		FRAME_EVENT_TEXT_BYTES},
};

#define PART_COUNT (sizeof(event_parts) / sizeof(event_parts[0]))

static enum rc
put_parts(struct buf *out, const struct frame_event *event, struct fault *fault)
{
	const char *texts[PART_COUNT];
	unsigned present = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < PART_COUNT; i++) {
		memcpy(&texts[i], (const char *)event + event_parts[i].offset,
			sizeof(texts[i]));
		if (texts[i] != NULL)
			present |= event_parts[i].bit;
	}
	wire_add_u8(out, present);
	for (size_t i = 0; i < PART_COUNT && rc == RC_OK; i++)
		if (texts[i] != NULL)
			rc = put_text(out, event_parts[i].field, texts[i], 0,
				event_parts[i].most, fault);
	return rc;
}

enum rc
frame_put_event(struct buf *out, int64_t first_us,
	const struct frame_event *event, struct fault *fault)
{
	enum rc rc;

	if (event->variable_id < 0)
		return tell_no_variable(fault, event->variable_id);
	wire_add_varint(out, (uint64_t)event->time_us - (uint64_t)first_us);
	wire_add_varint(out, (uint64_t)event->variable_id);
	rc = put_text(
		out, "kind", event->kind, 1, FRAME_EVENT_KIND_BYTES, fault);
	if (rc == RC_OK)
		rc = put_text(out, "text", event->text, 0,
			FRAME_EVENT_TEXT_BYTES, fault);
	return rc == RC_OK ? put_parts(out, event, fault) : rc;
}

/* --- reading -------------------------------------------------------------- */

/* A time after the head's first one; false beyond its last. */
static bool
take_time(struct frame_walk *walk, int64_t *time_us)
{
	uint64_t offset = wire_take_varint(&walk->in);

	*time_us = (int64_t)((uint64_t)walk->head.first_us + offset);
	return *time_us >= walk->head.first_us &&
	       *time_us <= walk->head.last_us;
}

static bool
take_variable(struct frame_walk *walk, int32_t least, int32_t *variable_id)
{
	uint64_t id = wire_take_varint(&walk->in);

	*variable_id = (int32_t)id;
	return id <= INT32_MAX && *variable_id >= least;
}

static bool
take_value(struct frame_walk *walk, struct value *value)
{
	struct wire_reader *in = &walk->in;
	unsigned boolean;
	uint64_t bits;

	memset(value, 0, sizeof(*value));
	value->kind = (enum value_kind)wire_take_u8(in);
	switch (value->kind) {
	case VALUE_NONE:
		return true;
	case VALUE_BOOL:
		boolean = wire_take_u8(in);
		value->boolean = boolean == 1;
		return boolean <= 1;
	case VALUE_FLOAT:
		bits = wire_take_u64(in);
		memcpy(&value->number, &bits, sizeof(bits));
		return true;
	case VALUE_INT:
		value->integer = wire_take_zigzag(in);
		return true;
	case VALUE_STRING:
		return frame_take_text(walk, in, 0, VALUE_STRING_BYTES_MAX,
			&value->string.data, &value->string.bytes);
	}
	return false;
}

static int64_t
take_since(struct wire_reader *in, unsigned present, int64_t since_us)
{
	return present ? (int64_t)((uint64_t)since_us +
				   (uint64_t)wire_take_zigzag(in))
		       : CLOCK_NEVER;
}

static bool
take_alarm_times(struct wire_reader *in, struct alarm_change *change)
{
	unsigned parts = wire_take_u8(in);
	int64_t time_us = change->time_us;

	change->came_us = take_since(in, parts & FRAME_ALARM_CAME, time_us);
	change->went_us = take_since(in, parts & FRAME_ALARM_WENT, time_us);
	change->reactivated_us =
		take_since(in, parts & FRAME_ALARM_REACTIVATED, time_us);
	return parts <= FRAME_ALARM_PARTS;
}

static bool
take_alarm_state(struct wire_reader *in, struct alarm_change *change)
{
	uint64_t reactivations = wire_take_varint(in);
	uint64_t flags = wire_take_varint(in);

	change->reactivations = (uint32_t)reactivations;
	change->flags = (uint32_t)flags;
	change->status = wire_take_varint(in);
	return reactivations <= UINT32_MAX &&
	       (flags & ~(uint64_t)ALARM_FLAGS) == 0;
}

enum rc
frame_take_alarm(struct frame_walk *walk, struct alarm_change *change)
{
	struct wire_reader *in = &walk->in;
	const uint8_t *id = wire_take(in, sizeof(change->id));
	uint32_t bytes;

	if (id == NULL)
		return frame_walk_malformed(walk, "it ends within an alarm");
	memcpy(change->id, id, sizeof(change->id));
	if (!take_variable(walk, 1, &change->variable_id) ||
		!frame_take_text(
			walk, in, 1, ALARM_LIMIT_BYTES, &change->limit, &bytes))
		return frame_walk_malformed(
			walk, "variable or limit of an alarm");
	change->kind = (enum alarm_change_kind)wire_take_u8(in);
	if (change->kind < 1 || change->kind > ALARM_CHANGE_KINDS ||
		!take_time(walk, &change->time_us) ||
		!take_alarm_times(in, change))
		return frame_walk_malformed(walk, "kind or times of an alarm");
	if (!take_alarm_state(in, change) ||
		!take_value(walk, &change->value) ||
		!frame_take_text(
			walk, in, 0, ALARM_TEXT_BYTES, &change->text, &bytes) ||
		in->failed)
		return frame_walk_malformed(walk, "state of an alarm");
	return RC_OK;
}

static bool
take_parts(struct frame_walk *walk, struct frame_event *event)
{
	unsigned present = wire_take_u8(&walk->in);
	unsigned known =
		walk->head.version == 1 ? FRAME_EVENT_VALUE : FRAME_EVENT_PARTS;
	uint32_t bytes;

	if (walk->in.failed || (present & ~known) != 0)
		return false;
	for (size_t i = 0; i < PART_COUNT; i++) {
		const char *text = NULL;

		if ((present & event_parts[i].bit) != 0 &&
			!frame_take_text(walk, &walk->in, 0,
				event_parts[i].most, &text, &bytes))
			return false;
		memcpy((char *)event + event_parts[i].offset, &text,
			sizeof(text));
	}
	return true;
}

enum rc
frame_take_event(struct frame_walk *walk, struct frame_event *event)
{
	struct wire_reader *in = &walk->in;
	uint32_t bytes;

	if (!take_time(walk, &event->time_us) ||
		!take_variable(walk, 0, &event->variable_id))
		return frame_walk_malformed(
			walk, "time or variable of an event");
	if (!frame_take_text(walk, in, 1, FRAME_EVENT_KIND_BYTES, &event->kind,
		    &bytes) ||
		!frame_take_text(walk, in, 0, FRAME_EVENT_TEXT_BYTES,
			&event->text, &bytes))
		return frame_walk_malformed(walk, "words of an event");
	return take_parts(walk, event)
		       ? RC_OK
		       : frame_walk_malformed(walk, "value of an event");
}
