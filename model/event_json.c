/* event_json: an event as the API, the live streams and the feeds tell it. */

#include "model/event_json.h"

#include <string.h>

#include "lib/encode.h"

static void
write_number(struct jsonw *json, const char *key, int64_t number)
{
	if (number != 0)
		jsonw_int(json, key, number);
	else
		jsonw_null(json, key);
}

/* The alarm or the command that it is about, by the first word of its kind. */
static void
write_about(struct jsonw *json, const struct event *event)
{
	char uuid[UUID_TEXT_BYTES];
	bool alarm = strncmp(event->kind, "alarm.", 6) == 0;
	bool command = strncmp(event->kind, "command.", 8) == 0;

	if (event->about != NULL)
		uuid_format(uuid, event->about);
	jsonw_str(json, "alarmId", alarm && event->about != NULL ? uuid : NULL);
	jsonw_str(json, "commandId",
		command && event->about != NULL ? uuid : NULL);
}

void
event_tell(struct jsonw *json, const struct event *event)
{
	jsonw_open_obj(json, NULL);
	jsonw_int(json, "id", event->id);
	jsonw_str(json, "variableName", event->variable);
	jsonw_str(json, "value", event->value);
	jsonw_str(json, "oldValue", event->old_value);
	jsonw_str(json, "text", event->text);
	jsonw_str(json, "comment", event->comment);
	jsonw_time(json, "receivedTime", event->time_us);
	jsonw_str(json, "computer", event->computer);
	jsonw_str(json, "username", event->username);
	jsonw_str(json, "userFullName", event->full_name);
	jsonw_str(json, "kind", event->kind);
	write_number(json, "eventClass", event->class_number);
	write_number(json, "eventGroup", event->group_number);
	jsonw_bool(json, "grid", event->datasource_id == 0);
	write_about(json, event);
	jsonw_close_obj(json);
}
