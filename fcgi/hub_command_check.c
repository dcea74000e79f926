/* hub_command_check: may this be written, and is it a value at all? */

#include "fcgi/hub_command_parts.h"

#include <string.h>

#include "model/command_value.h"

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
	enum rc rc = hub_ready_for(req, &hub, &policy);

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

/* The same variable twice would leave open which value it ends with. */
enum rc
hub_command_check(struct drafts *drafts, struct resp *resp, bool *refused)
{
	struct req *req = drafts->req;
	enum rc rc = check_datasource(drafts->hub, req);

	*refused = false;
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < drafts->count; i++) {
		struct draft *draft = &drafts->items[i];

		rc = check_draft(req, draft);
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
