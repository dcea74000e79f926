/* hub_command: from a client's wish to a command on its way to a plant. */

#include "fcgi/hub_command.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fcgi/command_json.h"
#include "fcgi/hub_clock.h"
#include "fcgi/hub_held.h"
#include "fcgi/hub_node_stream.h"
#include "fcgi/hub_order.h"
#include "lib/clock.h"
#include "lib/field.h"
#include "model/command_value.h"
#include "model/selection.h"
#include "model/value_json.h"

/* What a client asks of one variable. */
struct wish {
	const char *name;
	struct json_object *value;
	struct json_object *expected; /* NULL = whatever it is */
	const char *comment;
	const char *selection; /* NULL = none */
	int64_t expires_ms;
};

#define WISH(name, kind, member, required, low, high)                          \
	{                                                                      \
		name, kind, offsetof(struct wish, member), required, low,      \
			high, NULL                                             \
	}
#define WISH_FIELDS                                                            \
	WISH("value", FIELD_ANY, value, true, 0, 0),                           \
		WISH("expected", FIELD_ANY, expected, false, 0, 0),            \
		WISH("comment", FIELD_TEXT, comment, false, 0,                 \
			COMMAND_COMMENT_BYTES_MAX),                            \
		WISH("selection", FIELD_TEXT, selection, false, 0, 36)
#define WISH_EXPIRES                                                           \
	WISH("expires_ms", FIELD_INT, expires_ms, false,                       \
		COMMAND_EXPIRES_MS_MIN, COMMAND_EXPIRES_MS_MAX)

static const struct field one_fields[] = {
	WISH_FIELDS,
	WISH_EXPIRES,
	FIELDS_END,
};

static const struct field item_fields[] = {
	WISH("name", FIELD_TEXT, name, true, 0, VARIABLE_NAME_BYTES_MAX),
	WISH_FIELDS,
	FIELDS_END,
};

struct many {
	struct json_object *variables;
	const char *comment; /* of those without one */
	int64_t expires_ms;
};

static const struct field many_fields[] = {
	{"variables", FIELD_ANY, offsetof(struct many, variables), true, 0, 0,
		NULL},
	{"comment", FIELD_TEXT, offsetof(struct many, comment), false, 0,
		COMMAND_COMMENT_BYTES_MAX, NULL},
	{"expires_ms", FIELD_INT, offsetof(struct many, expires_ms), false,
		COMMAND_EXPIRES_MS_MIN, COMMAND_EXPIRES_MS_MAX, NULL},
	FIELDS_END,
};

/* One wish on its way. */
struct draft {
	struct wish wish;
	struct hub_variable variable;
	struct value value;
	struct value expected;
	uint8_t selection[UUID_BYTES];
	struct fault fault; /* why it cannot even be tried */
};

struct drafts {
	struct hub *hub;
	struct req *req;
	struct draft *items;
	struct command *commands;
	size_t count;
	bool bulk;
	int64_t expires_ms;
	struct command_clock clock;
};

/* --- checking --------------------------------------------------------------
 */

struct command_clock
hub_command_clock(const struct hub *hub)
{
	return (struct command_clock){
		hub->conf.name, hub_clock_boot(), clock_boot_us()};
}

static enum rc
copy_variable(struct req *req, const struct image_variable *found,
	struct hub_variable *variable)
{
	char uuid[UUID_TEXT_BYTES];

	uuid_format(uuid, found->datasource->uuid);
	variable->datasource = arena_strdup(req->arena, uuid);
	variable->datasource_id = found->datasource->id;
	variable->meta = found->meta;
	variable->meta.name = arena_strdup(req->arena, found->meta.name);
	variable->meta.unit = variable->meta.description = "";
	variable->value = found->value;
	if (found->value.kind == VALUE_STRING)
		variable->value.string.data = arena_strndup(req->arena,
			found->value.string.data, found->value.string.bytes);
	return RC_OK;
}

/* Needs: the image's lock. */
static enum rc
find_locked(struct hub *hub, struct req *req, const struct policy *policy,
	const char *name, enum policy_action action,
	struct hub_variable *variable)
{
	const struct image_datasource *datasource;
	const struct image_variable *found;
	enum rc rc = hub_values_datasource(hub, req, policy, &datasource);

	if (rc != RC_OK)
		return rc;
	found = image_find(datasource, name);
	if (found == NULL)
		return fault_tell(&req->fault, RC_NOT_FOUND, "NotFound", "name",
			"There is no variable of this name.");
	rc = policy_check(policy, &found->meta, action, &req->fault);
	return rc == RC_OK ? copy_variable(req, found, variable) : rc;
}

enum rc
hub_command_variable(struct req *req, const char *name,
	enum policy_action action, struct hub_variable *variable)
{
	const struct policy *policy;
	struct hub *hub;
	enum rc rc = hub_ready(req, &hub);

	if (rc == RC_OK)
		rc = policy_of(req, &policy);
	if (rc != RC_OK)
		return rc;
	image_read_lock(hub->image);
	rc = find_locked(hub, req, policy, name, action, variable);
	image_unlock(hub->image);
	return rc;
}

/* A plant that the caller may not see is not there, whatever is asked of it. */
static enum rc
check_datasource(struct hub *hub, struct req *req)
{
	const struct image_datasource *datasource;
	const struct policy *policy;
	enum rc rc = policy_of(req, &policy);

	if (rc != RC_OK)
		return rc;
	image_read_lock(hub->image);
	rc = hub_values_datasource(hub, req, policy, &datasource);
	image_unlock(hub->image);
	return rc;
}

static enum rc
check_draft(struct req *req, struct draft *draft)
{
	const struct wish *wish = &draft->wish;
	const struct variable *meta = &draft->variable.meta;
	enum rc rc = hub_command_variable(
		req, wish->name, POLICY_WRITE_VALUES, &draft->variable);

	if (rc == RC_OK)
		rc = command_value_read(req->arena, meta->kind, wish->value,
			"value", &draft->value, &req->fault);
	if (rc == RC_OK)
		rc = command_value_check(meta, &draft->value, &req->fault);
	if (rc == RC_OK && wish->expected != NULL)
		rc = command_value_read(req->arena, meta->kind, wish->expected,
			"expected", &draft->expected, &req->fault);
	if (rc == RC_OK && wish->selection != NULL &&
		!uuid_parse(wish->selection, draft->selection))
		rc = fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"selection", "selection is the id of a selection.");
	return rc;
}

/* The answer 400 to a bulk form: every variable that is wrong. */
static void
refuse_drafts(struct resp *resp, const struct drafts *drafts)
{
	struct jsonw *json = resp_json(resp, 400);

	jsonw_open_obj(json, NULL);
	jsonw_str(json, "errorCode", "BadRequest");
	jsonw_str(json, "errorMessage",
		"Nothing was written: some of it cannot be.");
	jsonw_open_arr(json, "variableErrors");
	for (size_t i = 0; i < drafts->count; i++) {
		const struct draft *draft = &drafts->items[i];

		if (draft->fault.rc == RC_OK)
			continue;
		jsonw_open_obj(json, NULL);
		jsonw_str(json, "variableName", draft->wish.name);
		jsonw_str(json, "errorCode", draft->fault.code);
		jsonw_str(json, "errorMessage", draft->fault.client);
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
	jsonw_close_obj(json);
}

static bool
is_word_for_client(enum rc rc)
{
	return rc == RC_BAD_INPUT || rc == RC_NOT_FOUND || rc == RC_DENIED;
}

/* All of them, so that the client hears of all that is wrong at once; the
 * same variable twice would leave open which value it ends with. */
static enum rc
check_drafts(struct drafts *drafts, struct resp *resp, bool *refused)
{
	struct req *req = drafts->req;

	*refused = false;
	for (size_t i = 0; i < drafts->count; i++) {
		struct draft *draft = &drafts->items[i];
		enum rc rc = check_draft(req, draft);

		for (size_t k = 0; rc == RC_OK && k < i; k++)
			if (strcmp(draft->wish.name,
				    drafts->items[k].wish.name) == 0)
				rc = fault_tell(&req->fault, RC_BAD_INPUT,
					"BadRequest", "name",
					"The variable is named twice.");
		if (rc != RC_OK && (!drafts->bulk || !is_word_for_client(rc)))
			return rc;
		if (rc == RC_OK)
			continue;
		draft->fault = req->fault;
		*refused = true;
	}
	if (*refused)
		refuse_drafts(resp, drafts);
	return RC_OK;
}

/* --- making commands -------------------------------------------------------
 */

static void
refuse_command(struct command *command, const char *code, const char *message)
{
	command->state = COMMAND_REFUSED;
	command->code = code;
	command->message = message;
	command->node_id = 0;
	command->node = NULL;
}

static void
make_command(struct drafts *drafts, size_t index)
{
	struct req *req = drafts->req;
	const struct draft *draft = &drafts->items[index];
	struct command *command = &drafts->commands[index];
	const struct hub_variable *variable = &draft->variable;

	*command = (struct command){
		.datasource_id = variable->datasource_id,
		.variable_id = variable->meta.id,
		.variable = variable->meta.name,
		.value = value_json(req->arena, &draft->value),
		.comment = draft->wish.comment,
		.expires_ms = drafts->expires_ms,
		.state = COMMAND_SENT,
		.code = "",
		.message = "",
		.actor = req->caller->name,
		.subject = req->caller->subject,
		.address = req->address,
		.created_us = clock_now_us(),
		.changed_us = clock_now_us(),
	};
	uuid_random(command->id);
	if (variable->value.kind != VALUE_NONE)
		command->old_value = value_json(req->arena, &variable->value);
	if (draft->wish.expected == NULL)
		return;
	command->expected = value_json(req->arena, &draft->expected);
	if (variable->value.kind == VALUE_NONE)
		return;
	if (command_value_same(&variable->value, &draft->expected,
		    variable->meta.decimals))
		/* The plant compares exactly, a client what it was shown. */
		command->expected = command->old_value;
	else
		refuse_command(command, "OldValueDiffers",
			"The variable has another value than expected.");
}

/* The first node that declared the variable and can be reached. */
static void
aim(struct drafts *drafts, struct command *command,
	const struct command_target *target)
{
	for (size_t i = 0; i < target->count; i++)
		if (hub_node_stream_is_open(drafts->hub, target->node_ids[i])) {
			command->node_id = target->node_ids[i];
			return;
		}
	refuse_command(command, "PlantOffline",
		target->count == 0
			? "No node writes this variable."
			: "The plant is offline. Nothing was sent and nothing "
			  "is kept for later.");
}

static enum rc
aim_all(struct drafts *drafts, const struct command_target *targets)
{
	for (size_t i = 0; i < drafts->count; i++) {
		struct command *command = &drafts->commands[i];

		if (strcmp(command->state, COMMAND_SENT) == 0)
			aim(drafts, command, &targets[i]);
	}
	return RC_OK;
}

/* Each selection is good for one command. Needs: the transaction. */
static enum rc
use_selections(struct drafts *drafts, const struct command_target *targets)
{
	struct req *req = drafts->req;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < drafts->count; i++) {
		const struct draft *draft = &drafts->items[i];
		const struct selection_use use = {
			.variable_id = draft->variable.meta.id,
			.required = targets[i].select_first,
			.id = draft->wish.selection != NULL ? draft->selection
							    : NULL,
			.subject = req->caller->subject,
		};

		rc = selection_take(
			req->db, req->arena, &drafts->clock, &use, &req->fault);
	}
	return rc;
}

static const char *
audit_text(struct arena *arena, const struct command *command)
{
	struct jsonw *json = jsonw_in(arena);

	command_write(json, NULL, command);
	return json->out->data;
}

static enum rc
audit_all(struct drafts *drafts)
{
	struct req *req = drafts->req;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < drafts->count; i++) {
		const struct command *command = &drafts->commands[i];
		bool sent = strcmp(command->state, COMMAND_SENT) == 0;

		rc = audit_write(req,
			&(struct audit){.action = "command.send",
				.object = arena_printf(req->arena,
					"variable:%s/%s",
					drafts->items[i].variable.datasource,
					command->variable),
				.result = sent ? AUDIT_OK : AUDIT_REFUSED,
				.before = command->old_value,
				.after = audit_text(req->arena, command)});
	}
	return rc;
}

static enum rc
record(struct drafts *drafts, const struct command_target *targets)
{
	struct req *req = drafts->req;
	const struct audit_actor actor = audit_actor_of(req);
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	if (rc != RC_OK)
		return rc;
	rc = use_selections(drafts, targets);
	if (rc == RC_OK)
		rc = command_create(req->db, req->arena, &actor, &drafts->clock,
			drafts->commands, drafts->count, &req->fault);
	if (rc == RC_OK)
		rc = audit_all(drafts);
	if (rc == RC_OK)
		return db_commit(req->db, &req->fault);
	db_rollback(req->db);
	return rc;
}

static enum rc
make_commands(struct drafts *drafts)
{
	struct req *req = drafts->req;
	struct command_target *targets =
		arena_array(req->arena, drafts->count, sizeof(*targets));
	int32_t *ids = arena_array(req->arena, drafts->count, sizeof(*ids));
	enum rc rc;

	for (size_t i = 0; i < drafts->count; i++) {
		make_command(drafts, i);
		ids[i] = drafts->commands[i].variable_id;
	}
	rc = command_targets(
		req->db, req->arena, ids, drafts->count, targets, &req->fault);
	if (rc == RC_OK)
		rc = aim_all(drafts, targets);
	return rc == RC_OK ? record(drafts, targets) : rc;
}

/* --- sending ---------------------------------------------------------------
 */

/* One line for the node's stream; doc/AGENT.md describes it. */
static const char *
compose(const struct drafts *drafts, size_t index)
{
	const struct command *command = &drafts->commands[index];
	struct jsonw *json = jsonw_in(drafts->req->arena);
	char id[UUID_TEXT_BYTES];
	char boot[UUID_TEXT_BYTES];

	uuid_format(id, command->id);
	uuid_format(boot, drafts->clock.boot);
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "id", id);
	jsonw_str(json, "datasource", drafts->items[index].variable.datasource);
	jsonw_str(json, "variable", command->variable);
	jsonw_raw(json, "value", command->value);
	if (command->expected != NULL)
		jsonw_raw(json, "expected", command->expected);
	jsonw_str(json, "boot", boot);
	jsonw_int(json, "sent", drafts->clock.now_us);
	jsonw_int(json, "expires",
		drafts->clock.now_us + command->expires_ms * 1000);
	jsonw_close_obj(json);
	return json->out->data;
}

/* The stream has ended since we looked: say so on record. */
static void
take_back(struct drafts *drafts, struct command *command)
{
	struct req *req = drafts->req;
	struct command_result result = {
		.node_id = command->node_id,
		.state = COMMAND_REFUSED,
		.code = "PlantOffline",
		.message = "The plant has just gone offline. Nothing was sent.",
	};
	struct command_clock clock = hub_command_clock(drafts->hub);
	struct command stored;
	struct fault fault;

	memcpy(result.id, command->id, UUID_BYTES);
	if (db_begin(req->db, DB_READ_COMMITTED, &fault) != RC_OK)
		return;
	if (command_finish(req->db, req->arena, &clock, &result, &stored,
		    &fault) == RC_OK &&
		db_commit(req->db, &fault) == RC_OK)
		hub_order_finish(drafts->hub, &stored);
	if (db_in_transaction(req->db))
		db_rollback(req->db);
}

static void
send_all(struct drafts *drafts)
{
	for (size_t i = 0; i < drafts->count; i++) {
		struct command *command = &drafts->commands[i];

		if (strcmp(command->state, COMMAND_SENT) == 0 &&
			!hub_node_stream_send(drafts->hub, command->node_id,
				"command", compose(drafts, i)))
			take_back(drafts, command);
	}
}

/* Prefer: respond-async (RFC 7240), maybe among others. */
static bool
wants_async(const struct req *req)
{
	static const char word[] = "respond-async";
	const char *at = req_header(req, "Prefer");

	for (; at != NULL && *at != '\0'; at += *at == ',') {
		at += strspn(at, " \t,");
		if (strncasecmp(at, word, strlen(word)) == 0 &&
			strchr(" \t,;", at[strlen(word)]) != NULL)
			return true;
		at += strcspn(at, ",");
	}
	return false;
}

static void
answer_now(const struct drafts *drafts, struct resp *resp)
{
	if (drafts->bulk)
		command_answer_many(resp, drafts->commands, drafts->count);
	else
		command_answer(resp, &drafts->commands[0]);
}

static void
answer_async(const struct drafts *drafts, struct resp *resp)
{
	struct req *req = drafts->req;
	const char *datasource = drafts->items[0].variable.datasource;
	char id[UUID_TEXT_BYTES];

	uuid_format(id, drafts->commands[0].id);
	answer_now(drafts, resp);
	resp_header(resp, "Preference-Applied", "respond-async");
	if (!drafts->bulk)
		resp_header(resp, "Location",
			arena_printf(req->arena,
				"/api/v1/datasources/%s/commands/%s",
				datasource, id));
}

static size_t
count_sent(const struct drafts *drafts)
{
	size_t count = 0;

	for (size_t i = 0; i < drafts->count; i++)
		count += strcmp(drafts->commands[i].state, COMMAND_SENT) == 0;
	return count;
}

/* The order is kept before anything is sent: results may come at once. */
static void
dispatch(struct drafts *drafts, struct resp *resp)
{
	struct req *req = drafts->req;
	char name[UUID_TEXT_BYTES];

	if (count_sent(drafts) == 0) {
		answer_now(drafts, resp);
		return;
	}
	hub_order_add(drafts->hub, drafts->commands, drafts->count,
		drafts->bulk,
		drafts->clock.now_us + drafts->expires_ms * 1000 +
			COMMAND_GRACE_US);
	send_all(drafts);
	if (wants_async(req)) {
		answer_async(drafts, resp);
		return;
	}
	uuid_format(name, drafts->commands[0].id);
	hub_held_redirect(req, resp, "order", name);
}

static enum rc
carry_out(struct drafts *drafts, struct resp *resp)
{
	struct req *req = drafts->req;
	bool refused = false;
	enum rc rc = hub_ready(req, &drafts->hub);

	if (rc == RC_OK)
		rc = check_datasource(drafts->hub, req);
	if (rc == RC_OK)
		rc = hub_order_room(
			drafts->hub, req->caller->subject, &req->fault);
	if (rc == RC_OK)
		rc = check_drafts(drafts, resp, &refused);
	if (rc != RC_OK || refused)
		return rc;
	drafts->commands = arena_array(
		req->arena, drafts->count, sizeof(*drafts->commands));
	drafts->clock = hub_command_clock(drafts->hub);
	rc = make_commands(drafts);
	if (rc == RC_OK)
		dispatch(drafts, resp);
	return rc;
}

/* --- handlers --------------------------------------------------------------
 */

enum rc
hub_command_patch(struct req *req, struct resp *resp)
{
	struct draft draft = {
		.wish = {.comment = "", .expires_ms = COMMAND_EXPIRES_MS}};
	struct drafts drafts = {.req = req, .items = &draft, .count = 1};
	enum rc rc = req_json(req, one_fields, &draft.wish);

	if (rc != RC_OK)
		return rc;
	draft.wish.name = req_arg(req, "name");
	drafts.expires_ms = draft.wish.expires_ms;
	return carry_out(&drafts, resp);
}

static enum rc
read_items(struct drafts *drafts, const struct many *many)
{
	struct req *req = drafts->req;
	enum rc rc = RC_OK;

	if (!json_object_is_type(many->variables, json_type_array) ||
		json_object_array_length(many->variables) == 0 ||
		json_object_array_length(many->variables) > COMMAND_BATCH_MAX)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"variables", "variables is a list of 1 to %d.",
			COMMAND_BATCH_MAX);
	drafts->count = json_object_array_length(many->variables);
	drafts->items =
		arena_array(req->arena, drafts->count, sizeof(*drafts->items));
	for (size_t i = 0; i < drafts->count && rc == RC_OK; i++) {
		struct wish *wish = &drafts->items[i].wish;

		wish->comment = many->comment;
		rc = field_read(req->arena,
			json_object_array_get_idx(many->variables, i),
			item_fields, wish,
			arena_printf(req->arena, "variables[%zu]", i),
			&req->fault);
	}
	return rc;
}

enum rc
hub_commands_patch(struct req *req, struct resp *resp)
{
	struct many many = {.comment = "", .expires_ms = COMMAND_EXPIRES_MS};
	struct drafts drafts = {.req = req, .bulk = true};
	enum rc rc = req_json(req, many_fields, &many);

	if (rc == RC_OK)
		rc = read_items(&drafts, &many);
	if (rc != RC_OK)
		return rc;
	drafts.expires_ms = many.expires_ms;
	return carry_out(&drafts, resp);
}
