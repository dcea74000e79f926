/* command_order: a command as the hub's stream carries it, and its result. */

#include "agents/command_order.h"

#include <json-c/json.h>
#include <string.h>

#include "agents/plant_clock.h"
#include "lib/clock.h"
#include "lib/field.h"
#include "model/command_value.h"
#include "model/value_json.h"

struct order_text {
	const char *id;
	const char *datasource;
	const char *variable;
	struct json_object *value;
	struct json_object *expected;
	const char *boot;
	int64_t sent_us;
	int64_t expires_us;
};

#define ORDER(name, kind, member, required, maximum)                           \
	{                                                                      \
		name, kind, offsetof(struct order_text, member), required, 0,  \
			maximum, NULL                                          \
	}

static const struct field order_fields[] = {
	ORDER("id", FIELD_TEXT, id, true, 36),
	ORDER("datasource", FIELD_TEXT, datasource, true, 36),
	ORDER("variable", FIELD_TEXT, variable, true, INPUT_NAME_BYTES_MAX),
	ORDER("value", FIELD_ANY, value, true, 0),
	ORDER("expected", FIELD_ANY, expected, false, 0),
	ORDER("boot", FIELD_TEXT, boot, true, 36),
	ORDER("sent", FIELD_INT, sent_us, true, INT64_MAX),
	ORDER("expires", FIELD_INT, expires_us, true, INT64_MAX),
	FIELDS_END,
};

enum rc
command_order_read(struct arena *arena, const char *text, size_t length,
	struct command_order *order, struct fault *fault)
{
	struct order_text read = {.id = NULL};
	struct json_object *object = NULL;
	enum rc rc = json_parse(arena, text, length, &object, fault);

	if (rc == RC_OK)
		rc = field_read(arena, object, order_fields, &read, "", fault);
	if (rc != RC_OK)
		return rc;
	*order = (struct command_order){.sent_us = read.sent_us,
		.expires_us = read.expires_us,
		.variable = read.variable,
		.value = read.value,
		.expected = read.expected};
	if (!uuid_parse(read.id, order->id) ||
		!uuid_parse(read.boot, order->boot) ||
		!uuid_parse(read.datasource, order->datasource))
		return fault_set(fault, RC_BAD_INPUT,
			"a command with a name that is not a UUID");
	return RC_OK;
}

void
command_outcome_write(struct buf *out, const uint8_t id[UUID_BYTES],
	const struct command_outcome *outcome)
{
	char text[UUID_TEXT_BYTES];
	struct jsonw json;

	uuid_format(text, id);
	jsonw_init(&json, out);
	jsonw_open_obj(&json, NULL);
	jsonw_str(&json, "id", text);
	jsonw_str(&json, "state", outcome->state);
	jsonw_str(&json, "code", outcome->code);
	jsonw_str(&json, "message", outcome->message);
	if (outcome->old_value.kind != VALUE_NONE)
		value_write(&json, "oldValue", &outcome->old_value);
	if (outcome->value.kind != VALUE_NONE) {
		value_write(&json, "value", &outcome->value);
		jsonw_int(&json, "status", (int64_t)outcome->status);
	}
	jsonw_time(&json, "time", outcome->time_us);
	jsonw_close_obj(&json);
}

struct command_outcome
command_outcome_of(const struct sampler_result *result)
{
	static const struct {
		enum rc rc;
		bool begun;
		const char *state;
		const char *code;
	} table[] = {
		{RC_OK, true, "confirmed", ""},
		{RC_OK, false, "confirmed", ""},
		{RC_CONFLICT, false, "refused", "OldValueDiffers"},
		{RC_CONFLICT, true, "failed", "ValueDiffers"},
		{RC_DENIED, false, "refused", "NotWritable"},
		{RC_UNPROCESSABLE, false, "refused", "ValueRefused"},
		{RC_UPSTREAM, false, "refused", "DeviceRefused"},
		{RC_UNAVAILABLE, false, "failed", "DeviceOffline"},
		{RC_TOO_MANY, false, "refused", "Busy"},
	};
	struct command_outcome outcome = {.state = "failed",
		.code = "Unconfirmed",
		.message = result->why,
		.time_us = plant_clock_us()};

	for (size_t i = 0; i < ARRAY_LENGTH(table); i++)
		if (table[i].rc == result->rc &&
			table[i].begun == result->begun) {
			outcome.state = table[i].state;
			outcome.code = table[i].code;
		}
	if (result->rc == RC_CONFLICT && !result->begun)
		outcome.old_value = result->value;
	else if (result->rc == RC_CONFLICT || result->rc == RC_OK)
		outcome.value = result->value;
	outcome.status = result->status;
	return outcome;
}
