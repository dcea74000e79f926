/* command_json: a command as clients see it. */

#include "fcgi/command_json.h"

#include <string.h>

#include "lib/clock.h"

#define MULTI_STATUS 207

int
command_status(const struct command *command)
{
	static const struct {
		const char *state;
		const char *code; /* NULL = any */
		int status;
	} table[] = {
		{COMMAND_SENT, NULL, 202},
		{COMMAND_CONFIRMED, NULL, 200},
		{COMMAND_EXPIRED, NULL, 504},
		{COMMAND_FAILED, "DeviceOffline", 503},
		{COMMAND_FAILED, NULL, 502},
		{COMMAND_REFUSED, "OldValueDiffers", 409},
		{COMMAND_REFUSED, "PlantOffline", 503},
		{COMMAND_REFUSED, NULL, 422},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(table); i++)
		if (strcmp(table[i].state, command->state) == 0 &&
			(table[i].code == NULL ||
				strcmp(table[i].code, command->code) == 0))
			return table[i].status;
	return 500;
}

static void
write_json(struct jsonw *json, const char *key, const char *value)
{
	if (value != NULL)
		jsonw_raw(json, key, value);
	else
		jsonw_null(json, key);
}

/* What the device has since, by its own word. An agent that confirms without
 * a value means the one that was asked for. */
static void
write_feedback(struct jsonw *json, const struct command *command)
{
	bool confirmed = strcmp(command->state, COMMAND_CONFIRMED) == 0;
	bool told = command->new_value != NULL;

	if (!told && !confirmed)
		return;
	jsonw_open_obj(json, "feedback");
	jsonw_raw(json, "value", told ? command->new_value : command->value);
	jsonw_time(json, "time",
		command->new_us != CLOCK_NEVER ? command->new_us
					       : command->changed_us);
	jsonw_int(json, "status",
		(int64_t)(told ? command->new_status : STATUS_SPONT));
	jsonw_close_obj(json);
}

static void
write_members(struct jsonw *json, const struct command *command)
{
	char id[UUID_TEXT_BYTES];

	uuid_format(id, command->id);
	if (command->code[0] != '\0') {
		jsonw_str(json, "errorCode", command->code);
		jsonw_str(json, "errorMessage", command->message);
	}
	jsonw_str(json, "id", id);
	jsonw_str(json, "variable", command->variable);
	jsonw_str(json, "state", command->state);
	write_json(json, "value", command->value);
	write_json(json, "expected", command->expected);
	write_json(json, "oldValue", command->old_value);
	write_feedback(json, command);
	jsonw_str(json, "comment", command->comment);
	jsonw_str(json, "username", command->actor);
	jsonw_str(json, "computer", command->address);
	jsonw_str(json, "node", command->node);
	jsonw_int(json, "expires_ms", command->expires_ms);
	jsonw_time(json, "created", command->created_us);
	jsonw_time(json, "changed", command->changed_us);
	if (command->late_state != NULL)
		jsonw_str(json, "lateState", command->late_state);
}

void
command_write(
	struct jsonw *json, const char *key, const struct command *command)
{
	jsonw_open_obj(json, key);
	write_members(json, command);
	jsonw_close_obj(json);
}

void
command_answer(struct resp *resp, const struct command *command)
{
	command_write(resp_json(resp, command_status(command)), NULL, command);
}

void
command_answer_many(
	struct resp *resp, const struct command *commands, size_t count)
{
	int status = command_status(&commands[0]);
	struct jsonw *json;

	for (size_t i = 1; i < count; i++)
		if (command_status(&commands[i]) != status)
			status = MULTI_STATUS;
	json = resp_json(resp, status);
	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, "commands");
	for (size_t i = 0; i < count; i++) {
		jsonw_open_obj(json, NULL);
		jsonw_int(json, "status", command_status(&commands[i]));
		write_members(json, &commands[i]);
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
	jsonw_close_obj(json);
}
