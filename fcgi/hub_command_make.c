/* hub_command_make: commands on record, before anything is sent. */

#include "fcgi/hub_command_parts.h"

#include <string.h>

#include "fcgi/command_json.h"
#include "fcgi/hub_clock.h"
#include "fcgi/hub_node_stream.h"
#include "fcgi/hub_peers.h"
#include "lib/clock.h"
#include "model/command_value.h"
#include "model/selection.h"
#include "model/value_json.h"

struct command_clock
hub_command_clock(const struct hub *hub)
{
	return (struct command_clock){hub->conf.name, hub_peers_own(hub),
		hub_clock_boot(), clock_boot_us()};
}

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
		.new_us = CLOCK_NEVER,
	};
	uuid_parse(drafts->clock.run, command->run);
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

/* The first node that declared the variable and can be reached, from here or
 * from another hub. */
static void
aim(struct hub *hub, struct draft *draft, struct command *command,
	const struct command_target *target)
{
	for (size_t i = 0; i < target->count; i++) {
		bool here = hub_node_stream_is_open(hub, target->node_ids[i]);

		if (!here && !hub_peers_is_other(hub, target->runs[i]))
			continue;
		command->node_id = target->node_ids[i];
		draft->via = here ? NULL : target->runs[i];
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
			aim(drafts->hub, &drafts->items[i], command,
				&targets[i]);
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

enum rc
hub_command_make(struct drafts *drafts)
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
