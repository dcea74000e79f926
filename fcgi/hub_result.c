/* hub_result: what became of commands, by the plant's word or the clock's. */

#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "fcgi/hub_command.h"
#include "fcgi/hub_nodes.h"
#include "fcgi/hub_order.h"
#include "fcgi/hub_relay.h"
#include "lib/clock.h"
#include "lib/field.h"
#include "lib/log.h"
#include "model/command_value.h"

#define LOOK_US  (5 * CLOCK_SECOND_US) /* for what is on record alone */
#define RETRY_US CLOCK_SECOND_US       /* after a fault */

/* --- the plant -------------------------------------------------------------
 */

#define RESULTS_MAX 256

struct result_text {
	const char *id;
	const char *state;
	const char *code;
	const char *message;
	struct json_object *old_value;
	struct json_object *value;
	int64_t status;
	int64_t time_us;
};

#define RESULT(name, kind, member, required, maximum)                          \
	{                                                                      \
		name, kind, offsetof(struct result_text, member), required, 0, \
			maximum, NULL                                          \
	}

static const struct field result_fields[] = {
	RESULT("id", FIELD_TEXT, id, true, 36),
	RESULT("state", FIELD_TEXT, state, true, 16),
	RESULT("code", FIELD_TEXT, code, false, 48),
	RESULT("message", FIELD_TEXT, message, false, 256),
	RESULT("oldValue", FIELD_ANY, old_value, false, 0),
	RESULT("value", FIELD_ANY, value, false, 0),
	RESULT("status", FIELD_INT, status, false, INT64_MAX),
	RESULT("time", FIELD_TIME, time_us, false, 0),
	FIELDS_END,
};

struct results_text {
	struct json_object *results;
};

static const struct field results_fields[] = {
	{"results", FIELD_ANY, offsetof(struct results_text, results), true, 0,
		0, NULL},
	FIELDS_END,
};

/* One result on its way. */
struct arrival {
	struct command_result result;
	struct command command;
	struct fault fault; /* why it was not taken */
};

/* What a variable may have; json-c reads NaN and Infinity, too, which would
 * make no JSON when they are told. What is none is left out. */
static bool
is_value(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_boolean:
	case json_type_int:
		return true;
	case json_type_double:
		return isfinite(json_object_get_double(value));
	case json_type_string:
		return json_object_get_string_len(value) <=
		       VALUE_STRING_BYTES_MAX;
	default:
		return false;
	}
}

/* NULL: it is none. */
static const char *
value_text(struct json_object *value)
{
	if (value == NULL || !is_value(value))
		return NULL;
	return json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
}

static enum rc
read_result(struct req *req, struct json_object *object, size_t index,
	struct arrival *arrival)
{
	static const char *const states[] = {COMMAND_CONFIRMED, COMMAND_FAILED,
		COMMAND_REFUSED, COMMAND_EXPIRED};
	struct result_text text = {
		.code = "", .message = "", .time_us = CLOCK_NEVER};
	struct command_result *result = &arrival->result;
	const char *path = arena_printf(req->arena, "results[%zu]", index);
	enum rc rc = field_read(
		req->arena, object, result_fields, &text, path, &req->fault);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < ARRAY_LENGTH(states); i++)
		if (strcmp(text.state, states[i]) == 0)
			result->state = states[i];
	if (result->state == NULL || !uuid_parse(text.id, result->id))
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"results",
			"A result has the id of a command, and the state "
			"confirmed, failed, refused or expired.");
	result->node_id = req->caller->id;
	result->code = text.code;
	result->message = text.message;
	result->old_value = value_text(text.old_value);
	result->new_value = value_text(text.value);
	result->new_status = (uint64_t)text.status;
	result->new_us = text.time_us;
	return RC_OK;
}

static enum rc
read_results(struct req *req, struct arrival **arrivals, size_t *count)
{
	struct results_text text;
	enum rc rc = req_json(req, results_fields, &text);

	if (rc != RC_OK)
		return rc;
	if (!json_object_is_type(text.results, json_type_array) ||
		json_object_array_length(text.results) > RESULTS_MAX)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"results", "results is a list of at most %d.",
			RESULTS_MAX);
	*count = json_object_array_length(text.results);
	*arrivals = arena_array(req->arena, *count + 1, sizeof(**arrivals));
	for (size_t i = 0; rc == RC_OK && i < *count; i++)
		rc = read_result(req,
			json_object_array_get_idx(text.results, i), i,
			&(*arrivals)[i]);
	return rc;
}

static enum rc
audit_result(struct req *req, const struct command_result *result, bool taken)
{
	bool good = strcmp(result->state, COMMAND_CONFIRMED) == 0;
	char id[UUID_TEXT_BYTES];

	uuid_format(id, result->id);
	return audit_write(req,
		&(struct audit){.action = "command.result",
			.object = arena_printf(req->arena, "command:%s", id),
			.result = !taken ? AUDIT_REFUSED
				  : good ? AUDIT_OK
					 : AUDIT_FAILED,
			.after = audit_values(req->arena, "state",
				result->state, "code", result->code, "message",
				result->message, NULL)});
}

/* What is refused is on record too. */
static enum rc
store_result(struct req *req, const struct command_clock *clock,
	struct arrival *arrival)
{
	enum rc rc = command_finish(req->db, req->arena, clock,
		&arrival->result, &arrival->command, &arrival->fault);

	if (rc == RC_OK)
		arrival->fault.rc = RC_OK;
	else if (rc != RC_CONFLICT && rc != RC_NOT_FOUND) {
		req->fault = arrival->fault;
		return rc;
	}
	return audit_result(req, &arrival->result, rc == RC_OK);
}

static enum rc
store_results(struct hub *hub, struct req *req, struct arrival *arrivals,
	size_t count)
{
	const struct command_clock clock = hub_command_clock(hub);
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < count; i++)
		rc = store_result(req, &clock, &arrivals[i]);
	if (rc == RC_OK)
		return db_commit(req->db, &req->fault);
	db_rollback(req->db);
	return rc;
}

/* The value that the device confirmed; of agents that do not tell it, the one
 * that was asked for. */
static bool
read_confirmed(struct hub *hub, struct arena *arena,
	const struct command *command, struct value *value)
{
	const struct image_variable *variable;
	enum value_kind kind = VALUE_NONE;
	struct json_object *list;
	struct fault fault;
	/* A lone number has no end to a reader of JSON. */
	const char *text = arena_printf(arena, "[%s]",
		command->new_value != NULL ? command->new_value
					   : command->value);

	image_read_lock(hub->image);
	variable = image_variable(hub->image, command->variable_id);
	if (variable != NULL)
		kind = variable->meta.kind;
	image_unlock(hub->image);
	return kind != VALUE_NONE &&
	       json_parse(arena, text, strlen(text), &list, &fault) == RC_OK &&
	       command_value_read(arena, kind,
		       json_object_array_get_idx(list, 0), "value", value,
		       &fault) == RC_OK;
}

void
hub_command_show(
	struct hub *hub, struct arena *arena, const struct command *command)
{
	struct sample sample = {.variable_id = command->variable_id,
		.time_us = command->new_us,
		.status = command->new_value != NULL ? command->new_status
						     : STATUS_SPONT};

	if (strcmp(command->state, COMMAND_CONFIRMED) != 0 ||
		command->new_us < SAMPLE_TIME_MIN_US ||
		command->new_us > clock_latest_us() + SAMPLE_TIME_AHEAD_US ||
		!read_confirmed(hub, arena, command, &sample.value))
		return;
	image_begin(hub->image);
	image_put(hub->image, &sample, clock_now_us());
	image_end(hub->image, 0, 0);
}

static void
write_results(struct resp *resp, const struct arrival *arrivals, size_t count)
{
	struct jsonw *json = resp_json(resp, 200);
	char id[UUID_TEXT_BYTES];

	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, "results");
	for (size_t i = 0; i < count; i++) {
		const struct fault *fault = &arrivals[i].fault;

		uuid_format(id, arrivals[i].result.id);
		jsonw_open_obj(json, NULL);
		jsonw_str(json, "id", id);
		jsonw_int(json, "status", fault_public(fault->rc)->status);
		if (fault->rc != RC_OK)
			jsonw_str(json, "errorCode", fault->code);
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
	jsonw_close_obj(json);
}

static void
tell_taken(struct hub *hub, struct req *req, const struct arrival *arrivals,
	size_t count)
{
	const struct command **over =
		arena_array(req->arena, count, sizeof(*over));
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		if (arrivals[i].fault.rc != RC_OK)
			continue;
		hub_command_show(hub, req->arena, &arrivals[i].command);
		over[used++] = &arrivals[i].command;
	}
	hub_relay_over(hub, req->db, req->arena, over, used);
}

enum rc
hub_results_post(struct req *req, struct resp *resp)
{
	struct arrival *arrivals = NULL;
	size_t count = 0;
	struct hub *hub;
	enum rc rc = hub_ready(req, &hub);

	if (rc == RC_OK)
		rc = read_results(req, &arrivals, &count);
	if (rc == RC_OK)
		rc = store_results(hub, req, arrivals, count);
	if (rc != RC_OK)
		return rc;
	hub_nodes_hear(hub->nodes, req->caller->id);
	tell_taken(hub, req, arrivals, count);
	write_results(resp, arrivals, count);
	return RC_OK;
}

/* --- the clock -------------------------------------------------------------
 */

struct ender {
	struct hub *hub;
	struct db *db;
	struct arena *arena;
	struct fault fault;
};

static enum rc
audit_expired(struct ender *ender, const struct command_list *expired)
{
	static const struct audit_actor actor = {
		.kind = "service", .name = "fieldgrid-hub"};
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < expired->count; i++) {
		char id[UUID_TEXT_BYTES];

		uuid_format(id, expired->items[i].id);
		rc = audit_write_by(ender->db, &actor,
			&(struct audit){.action = "command.expire",
				.object = arena_printf(
					ender->arena, "command:%s", id),
				.result = AUDIT_OK},
			&ender->fault);
	}
	return rc;
}

static void
tell_expired(struct ender *ender, const struct command_list *expired)
{
	const struct command **over =
		arena_array(ender->arena, expired->count, sizeof(*over));

	for (size_t i = 0; i < expired->count; i++)
		over[i] = &expired->items[i];
	hub_relay_over(
		ender->hub, ender->db, ender->arena, over, expired->count);
}

static enum rc
end_expired(struct ender *ender)
{
	const struct command_clock clock = hub_command_clock(ender->hub);
	struct command_list expired = {0, NULL};
	enum rc rc = db_begin(ender->db, DB_READ_COMMITTED, &ender->fault);

	if (rc != RC_OK)
		return rc;
	rc = command_expire(
		ender->db, ender->arena, &clock, &expired, &ender->fault);
	if (rc == RC_OK)
		rc = audit_expired(ender, &expired);
	if (rc == RC_OK)
		rc = db_commit(ender->db, &ender->fault);
	else
		db_rollback(ender->db);
	if (rc == RC_OK)
		tell_expired(ender, &expired);
	return rc;
}

/* Until something is due; new orders and the end stir us before. */
static void
wait_for_due(struct hub *hub, int64_t ended_us)
{
	int64_t now_us = clock_boot_us();
	int64_t due_us = hub_orders_due(hub, ended_us);

	if (due_us > ended_us + LOOK_US)
		due_us = ended_us + LOOK_US;
	if (due_us > now_us)
		hub_orders_wait(hub, due_us - now_us);
}

void
hub_command_run(struct hub *hub)
{
	struct ender ender = {.hub = hub, .arena = arena_new()};
	int64_t ended_us = 0; /* all that was due by then */

	if (db_open(&hub->conf.database, "fieldgrid-hub commands", hub->stmts,
		    &ender.db, &ender.fault) != RC_OK) {
		log_error(NULL, "%s", ender.fault.text);
		abort(); /* a statement is wrong: the supervisor tells */
	}
	while (!atomic_load(&hub->stopping)) {
		int64_t now_us = clock_boot_us();

		if (now_us >= hub_orders_due(hub, ended_us) ||
			now_us - ended_us >= LOOK_US) {
			if (end_expired(&ender) == RC_OK)
				ended_us = now_us;
			else
				hub_orders_wait(hub, RETRY_US);
		}
		wait_for_due(hub, ended_us);
		arena_reset(ender.arena);
	}
	db_close(ender.db);
	arena_free(ender.arena);
}
