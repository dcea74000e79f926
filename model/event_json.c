/* event_json: an event as the API and the feeds tell it. */

#include "model/event_json.h"

#include "lib/encode.h"

static void
write_number(struct jsonw *json, const char *key, int64_t number)
{
	if (number > 0)
		jsonw_int(json, key, number);
	else
		jsonw_null(json, key);
}

void
event_tell(struct jsonw *json, const struct event *event)
{
	char about[UUID_TEXT_BYTES];

	if (event->about != NULL)
		uuid_format(about, event->about);
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
	write_number(json, "alarmClass", event->class_number);
	write_number(json, "alarmGroup", event->group_number);
	jsonw_str(json, "about", event->about != NULL ? about : NULL);
	jsonw_close_obj(json);
}
