/* outlet_text: values, alarms and events as lines of JSON or CSV. */

#include <inttypes.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "agents/outlet.h"
#include "lib/clock.h"

/* --- JSON ---------------------------------------------------------------- */

static void
write_value(struct jsonw *json, const char *key, const struct value *value)
{
	switch (value->kind) {
	case VALUE_BOOL:
		jsonw_bool(json, key, value->boolean);
		break;
	case VALUE_FLOAT:
		jsonw_num(json, key, value->number);
		break;
	case VALUE_INT:
		jsonw_int(json, key, value->integer);
		break;
	case VALUE_STRING:
		jsonw_strn(json, key, value->string.data, value->string.bytes);
		break;
	case VALUE_NONE:
		jsonw_null(json, key);
		break;
	}
}

void
outlet_json_bare(struct buf *out, const struct value *value)
{
	struct jsonw json;

	jsonw_init(&json, out);
	write_value(&json, NULL, value);
}

void
outlet_json_value(struct buf *out, const struct mirror_variable *variable,
	const struct sample *sample)
{
	struct jsonw json;

	jsonw_init(&json, out);
	jsonw_open_obj(&json, NULL);
	jsonw_time(&json, "time", sample->time_us);
	jsonw_str(&json, "datasource", variable->datasource);
	jsonw_str(&json, "variable", variable->shown);
	write_value(&json, "value", &sample->value);
	jsonw_uint(&json, "status", sample->status);
	jsonw_close_obj(&json);
}

static bool
is_name(const char *key)
{
	return strcmp(key, "variableName") == 0;
}

static void
write_member(struct jsonw *json, const struct outlet_record *record,
	const char *key, struct json_object *member)
{
	char shown[MIRROR_PREFIX_BYTES + 300];

	if (is_name(key) && json_object_is_type(member, json_type_string)) {
		snprintf(shown, sizeof(shown), "%s%s", record->prefix,
			json_object_get_string(member));
		jsonw_str(json, key, shown);
	} else {
		jsonw_raw(json, key,
			json_object_to_json_string_ext(member,
				JSON_C_TO_STRING_PLAIN |
					JSON_C_TO_STRING_NOSLASHESCAPE));
	}
}

void
outlet_json_record(struct buf *out, const struct outlet_record *record)
{
	struct jsonw json;

	jsonw_init(&json, out);
	jsonw_open_obj(&json, NULL);
	jsonw_str(&json, "datasource", record->datasource);
	json_object_object_foreach(record->object, key, member)
	{
		write_member(&json, record, key, member);
	}
	jsonw_close_obj(&json);
}

/* --- CSV (RFC 4180) ------------------------------------------------------ */

static void
add_cell(struct buf *out, const char *text, size_t length)
{
	if (memchr(text, '"', length) == NULL &&
		memchr(text, ',', length) == NULL &&
		memchr(text, '\n', length) == NULL &&
		memchr(text, '\r', length) == NULL) {
		buf_add(out, text, length);
		return;
	}
	buf_char(out, '"');
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '"')
			buf_char(out, '"');
		buf_char(out, text[i]);
	}
	buf_char(out, '"');
}

static void
add_number(struct buf *out, double number)
{
	struct jsonw json;

	jsonw_init(&json, out);
	if (isfinite(number))
		jsonw_num(&json, NULL, number);
	else
		buf_text(out, isnan(number) ? "NaN"
			      : number > 0  ? "Infinity"
					    : "-Infinity");
}

static void
add_value(struct buf *out, const struct value *value)
{
	switch (value->kind) {
	case VALUE_BOOL:
		buf_text(out, value->boolean ? "true" : "false");
		break;
	case VALUE_FLOAT:
		add_number(out, value->number);
		break;
	case VALUE_INT:
		buf_printf(out, "%" PRId64, value->integer);
		break;
	case VALUE_STRING:
		add_cell(out, value->string.data, value->string.bytes);
		break;
	case VALUE_NONE:
		break;
	}
}

void
outlet_bare_value(struct buf *out, const struct value *value)
{
	if (value->kind == VALUE_STRING)
		buf_add(out, value->string.data, value->string.bytes);
	else
		add_value(out, value);
}

const char *
outlet_csv_value_head(void)
{
	return "time,datasource,variable,value,status";
}

void
outlet_csv_value(struct buf *out, const struct mirror_variable *variable,
	const struct sample *sample)
{
	char time[CLOCK_TEXT_BYTES];

	clock_format(time, sample->time_us);
	buf_text(out, time);
	buf_char(out, ',');
	buf_text(out, variable->datasource);
	buf_char(out, ',');
	add_cell(out, variable->shown, strlen(variable->shown));
	buf_char(out, ',');
	add_value(out, &sample->value);
	buf_printf(out, ",%" PRIu64, sample->status);
}

static const char *const alarm_columns[] = {"id", "variableName", "limit",
	"text", "value", "status", "receivedTime", "reactivatedTime",
	"reactivatedCount", "clearedTime", "acknowledgedTime", "modifiedTime",
	"state", "alarmStatus", "uncertain", "chattering", "alarmClass",
	"alarmGroup", "priority", "username", "computer", "comment", NULL};
static const char *const event_columns[] = {"id", "receivedTime",
	"variableName", "kind", "text", "value", "oldValue", "username",
	"computer", "comment", NULL};

static const char *const *
columns_of(enum outlet_list list)
{
	return list == OUTLET_ALARM ? alarm_columns : event_columns;
}

void
outlet_csv_record_head(struct buf *out, enum outlet_list list)
{
	const char *const *columns = columns_of(list);

	buf_text(out, "datasource");
	for (size_t i = 0; columns[i] != NULL; i++) {
		buf_char(out, ',');
		buf_text(out, columns[i]);
	}
}

void
outlet_csv_record(struct buf *out, const struct outlet_record *record)
{
	const char *const *columns = columns_of(record->list);

	buf_text(out, record->datasource);
	for (size_t i = 0; columns[i] != NULL; i++) {
		struct json_object *member = NULL;
		const char *text;

		buf_char(out, ',');
		if (!json_object_object_get_ex(
			    record->object, columns[i], &member) ||
			member == NULL)
			continue;
		if (is_name(columns[i]))
			buf_text(out, record->prefix);
		text = json_object_get_string(member);
		add_cell(out, text, strlen(text));
	}
}
