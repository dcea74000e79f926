/* frame_json_alarm: alarm changes in the JSON form of frames. */

#include <string.h>

#include "lib/clock.h"
#include "model/frame_json.h"
#include "model/frame_read.h"

static enum rc
read_kind(struct frame_reader *reader, void *target)
{
	enum alarm_change_kind *kind = target;

	*kind = 0;
	if (jsonr_next(&reader->json) == JSONR_STRING)
		*kind = alarm_change_kind_parse(reader->json.text.data);
	return *kind != 0 ? RC_OK
			  : frame_malformed(reader,
				    "came, went, reactivated or changed");
}

/* null: it has not. */
static enum rc
read_time(struct frame_reader *reader, void *target)
{
	enum jsonr_token token = jsonr_next(&reader->json);

	if (token != JSONR_INT && token != JSONR_NULL)
		return frame_malformed(reader, "an integer");
	*(int64_t *)target =
		token == JSONR_INT ? reader->json.integer : CLOCK_NEVER;
	return RC_OK;
}

static enum rc
read_count(struct frame_reader *reader, void *target)
{
	if (jsonr_next(&reader->json) != JSONR_INT ||
		reader->json.integer < 0 || reader->json.integer > UINT32_MAX)
		return frame_malformed(reader, "a count");
	*(uint32_t *)target = (uint32_t)reader->json.integer;
	return RC_OK;
}

static enum rc
read_status(struct frame_reader *reader, void *target)
{
	if (jsonr_next(&reader->json) != JSONR_INT)
		return frame_malformed(reader, "an integer");
	*(uint64_t *)target = (uint64_t)reader->json.integer;
	return RC_OK;
}

static uint32_t
flag_of(const char *name)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} flags[] = {
		{"uncertain", ALARM_UNCERTAIN},
		{"chattering", ALARM_CHATTERING},
		{"suppressed", ALARM_SUPPRESSED},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(flags); i++)
		if (strcmp(flags[i].name, name) == 0)
			return flags[i].flag;
	return 0;
}

static enum rc
read_flags(struct frame_reader *reader, void *target)
{
	uint32_t *flags = target;
	enum jsonr_token token;

	*flags = 0;
	if (jsonr_next(&reader->json) != JSONR_ARRAY)
		return frame_malformed(reader, "an array");
	while ((token = jsonr_next(&reader->json)) == JSONR_STRING) {
		uint32_t flag = flag_of(reader->json.text.data);

		if (flag == 0)
			break;
		*flags |= flag;
	}
	return token == JSONR_ARRAY_END
		       ? RC_OK
		       : frame_malformed(
				 reader, "uncertain, chattering or suppressed");
}

#define MEMBER(name, read, member)                                             \
	{                                                                      \
		name, read, offsetof(struct frame_json_alarm, member)          \
	}

static const struct frame_member alarm_members[] = {
	MEMBER("id", frame_read_uuid, change.id),
	MEMBER("variable", frame_read_text, variable),
	MEMBER("limit", frame_read_text, change.limit),
	MEMBER("kind", read_kind, change.kind),
	MEMBER("time", frame_read_int, change.time_us),
	MEMBER("came", read_time, change.came_us),
	MEMBER("went", read_time, change.went_us),
	MEMBER("reactivated", read_time, change.reactivated_us),
	MEMBER("reactivations", read_count, change.reactivations),
	MEMBER("flags", read_flags, change.flags),
	MEMBER("status", read_status, change.status),
	MEMBER("value", frame_read_value, change.value),
	MEMBER("text", frame_read_text, change.text),
	{NULL, NULL, 0},
};

static bool
is_whole(const struct frame_json_alarm *alarm)
{
	static const uint8_t none[UUID_BYTES];

	return memcmp(alarm->change.id, none, sizeof(none)) != 0 &&
	       alarm->variable != NULL && alarm->change.limit != NULL &&
	       alarm->change.kind != 0 && alarm->change.time_us != CLOCK_NEVER;
}

enum rc
frame_read_alarm(struct frame_reader *reader, void *target)
{
	struct frame_json_alarm alarm = {.change = {.time_us = CLOCK_NEVER,
						 .came_us = CLOCK_NEVER,
						 .went_us = CLOCK_NEVER,
						 .reactivated_us = CLOCK_NEVER,
						 .text = ""}};
	enum rc rc = frame_read_members(reader, alarm_members, &alarm);

	(void)target;
	if (rc != RC_OK)
		return rc;
	if (!is_whole(&alarm))
		return frame_malformed(reader,
			"id, variable, limit, kind and time in an alarm");
	buf_add(&reader->alarms, &alarm, sizeof(alarm));
	return reader->alarms.overflow
		       ? frame_too_large(
				 reader, "alarm changes", FRAME_ALARMS_MAX)
		       : RC_OK;
}
