/* hub_command: from a client's wish to a command on its way to a plant. */

#include "fcgi/hub_command_parts.h"

#include "fcgi/hub_order.h"
#include "lib/field.h"

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

static enum rc
carry_out(struct drafts *drafts, struct resp *resp)
{
	struct req *req = drafts->req;
	bool refused = false;
	enum rc rc = hub_ready(req, &drafts->hub);

	if (rc == RC_OK)
		rc = hub_order_room(
			drafts->hub, req->caller->subject, &req->fault);
	if (rc == RC_OK)
		rc = hub_command_check(drafts, resp, &refused);
	if (rc != RC_OK || refused)
		return rc;
	drafts->commands = arena_array(
		req->arena, drafts->count, sizeof(*drafts->commands));
	drafts->clock = hub_command_clock(drafts->hub);
	rc = hub_command_make(drafts);
	if (rc == RC_OK)
		hub_command_send(drafts, resp);
	return rc;
}

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
