/* alarm_json: an alarm as the API, the live streams and the feeds tell it. */

#include "model/alarm_json.h"

#include "lib/clock.h"
#include "lib/encode.h"

static void
write_texts(struct jsonw *json, const char *key, const char *const *texts)
{
	jsonw_open_arr(json, key);
	for (size_t i = 0; texts[i] != NULL; i++)
		jsonw_str(json, NULL, texts[i]);
	jsonw_close_arr(json);
}

static void
write_hold(struct jsonw *json, const char *key, const struct alarm_hold *hold)
{
	if (hold->since_us == CLOCK_NEVER) {
		jsonw_null(json, key);
		return;
	}
	jsonw_open_obj(json, key);
	jsonw_time(json, "since", hold->since_us);
	jsonw_time(json, "until", hold->until_us);
	jsonw_str(json, "reason", hold->reason);
	jsonw_str(json, "username", hold->username);
	jsonw_close_obj(json);
}

/* The names that clients of the original product read. */
static void
write_known(struct jsonw *json, const struct alarm *alarm)
{
	char id[UUID_TEXT_BYTES];

	uuid_format(id, alarm->id);
	jsonw_str(json, "id", id);
	jsonw_str(json, "variableName", alarm->variable);
	if (alarm->value != NULL)
		jsonw_raw(json, "value", alarm->value);
	else
		jsonw_null(json, "value");
	jsonw_str(json, "text", alarm->text);
	jsonw_str(json, "comment", alarm->comment);
	jsonw_time(json, "receivedTime", alarm->came_us);
	jsonw_time(json, "clearedTime", alarm->facts.went_us);
	jsonw_time(json, "acknowledgedTime", alarm->facts.acknowledged_us);
	jsonw_str(json, "computer", alarm->computer);
	jsonw_str(json, "username", alarm->username);
	jsonw_str(json, "userFullName", alarm->full_name);
}

static void
write_times(struct jsonw *json, const struct alarm *alarm, int64_t now_us)
{
	int64_t end_us = alarm->facts.went_us != CLOCK_NEVER
				 ? alarm->facts.went_us
				 : now_us;

	jsonw_int(json, "activeMs",
		end_us > alarm->came_us ? (end_us - alarm->came_us) / 1000 : 0);
	jsonw_time(json, "reactivatedTime", alarm->reactivated_us);
	jsonw_int(json, "reactivatedCount", alarm->reactivations);
	jsonw_time(json, "changedTime", alarm->changed_us);
	jsonw_time(json, "modifiedTime", alarm->modified_us);
}

static void
write_kind(struct jsonw *json, const struct alarm *alarm)
{
	jsonw_str(json, "limit", alarm->limit);
	jsonw_str(json, "identification", alarm->description);
	jsonw_str(json, "unit", alarm->unit);
	jsonw_int(json, "alarmClass", alarm->class_number);
	jsonw_str(json, "alarmClassName", alarm->class_name);
	jsonw_str(json, "alarmClassColour",
		alarm->class_colour != NULL && alarm->class_colour[0] != '\0'
			? alarm->class_colour
			: NULL);
	jsonw_int(json, "alarmGroup", alarm->group_number);
	jsonw_str(json, "alarmGroupName", alarm->group_name);
	write_texts(json, "alarmAreas", alarm->areas);
	jsonw_int(json, "priority", alarm->priority);
	jsonw_bool(json, "mustAcknowledge", alarm->facts.must_acknowledge);
	jsonw_bool(json, "commentRequired", alarm->comment_required);
	jsonw_bool(json, "causeRequired", alarm->cause_required);
}

void
alarm_write(struct jsonw *json, const struct alarm *alarm, int64_t now_us)
{
	jsonw_open_obj(json, NULL);
	write_known(json, alarm);
	jsonw_str(json, "state",
		alarm_state_name(alarm_state(&alarm->facts, now_us)));
	jsonw_str(json, "alarmStatus", alarm_status_name(&alarm->facts));
	jsonw_uint(json, "status", alarm->status);
	jsonw_bool(json, "uncertain", (alarm->flags & ALARM_UNCERTAIN) != 0);
	jsonw_bool(json, "chattering", (alarm->flags & ALARM_CHATTERING) != 0);
	write_times(json, alarm, now_us);
	write_kind(json, alarm);
	write_texts(json, "alarmCause", alarm->cause);
	write_hold(json, "shelved", &alarm->shelved);
	write_hold(json, "suppressed", &alarm->suppressed);
	write_hold(json, "outOfService", &alarm->out_of_service);
	jsonw_close_obj(json);
}
