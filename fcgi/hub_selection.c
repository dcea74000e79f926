/* hub_selection: select before operate. */

#include <string.h>

#include "fcgi/hub_command.h"
#include "lib/clock.h"
#include "lib/field.h"
#include "model/audit.h"
#include "model/selection.h"

struct selection_body {
	const char *variable;
	int64_t expires_ms;
	bool required;
};

static const struct field select_fields[] = {
	{"variable", FIELD_TEXT, offsetof(struct selection_body, variable),
		true, 0, VARIABLE_NAME_BYTES_MAX, NULL},
	{"expires_ms", FIELD_INT, offsetof(struct selection_body, expires_ms),
		false, SELECTION_EXPIRES_MS_MIN, SELECTION_EXPIRES_MS_MAX,
		NULL},
	FIELDS_END,
};

static const struct field require_fields[] = {
	{"variable", FIELD_TEXT, offsetof(struct selection_body, variable),
		true, 0, VARIABLE_NAME_BYTES_MAX, NULL},
	{"required", FIELD_BOOL, offsetof(struct selection_body, required),
		true, 0, 0, NULL},
	FIELDS_END,
};

static enum rc
audit_selection(struct req *req, const char *action,
	const struct hub_variable *variable, const char *after)
{
	return audit_write(req,
		&(struct audit){.action = action,
			.object = arena_printf(req->arena, "variable:%s/%s",
				variable->datasource, variable->meta.name),
			.result = AUDIT_OK,
			.after = after});
}

static enum rc
end_transaction(struct req *req, enum rc rc)
{
	if (rc == RC_OK)
		return db_commit(req->db, &req->fault);
	db_rollback(req->db);
	return rc;
}

static void
write_selection(struct resp *resp, const struct hub_variable *variable,
	const struct selection_body *body, const uint8_t id[UUID_BYTES])
{
	struct jsonw *json = resp_json(resp, 201);
	char text[UUID_TEXT_BYTES];

	uuid_format(text, id);
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "id", text);
	jsonw_str(json, "variable", variable->meta.name);
	jsonw_int(json, "expires_ms", body->expires_ms);
	jsonw_time(json, "expires", clock_now_us() + body->expires_ms * 1000);
	jsonw_close_obj(json);
}

enum rc
hub_selection_post(struct req *req, struct resp *resp)
{
	struct selection_body body = {.expires_ms = SELECTION_EXPIRES_MS};
	struct hub_variable variable;
	struct command_clock clock = hub_command_clock(req->app);
	struct selection selection;
	enum rc rc = req_json(req, select_fields, &body);

	if (rc == RC_OK)
		rc = hub_command_variable(
			req, body.variable, POLICY_WRITE_VALUES, &variable);
	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc != RC_OK)
		return rc;
	selection = (struct selection){.variable_id = variable.meta.id,
		.subject = req->caller->subject,
		.actor = req->caller->name,
		.expires_us = clock.now_us + body.expires_ms * 1000};
	uuid_random(selection.id);
	rc = selection_make(
		req->db, req->arena, &clock, &selection, &req->fault);
	if (rc == RC_OK)
		rc = audit_selection(req, "selection.make", &variable, NULL);
	rc = end_transaction(req, rc);
	if (rc == RC_OK)
		write_selection(resp, &variable, &body, selection.id);
	return rc;
}

enum rc
hub_selection_delete(struct req *req, struct resp *resp)
{
	uint8_t id[UUID_BYTES];
	enum rc rc = req_arg_uuid(req, "id", id);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc != RC_OK)
		return rc;
	rc = selection_drop(req->db, id, req->caller->subject, &req->fault);
	if (rc == RC_OK)
		rc = audit_write(req,
			&(struct audit){.action = "selection.drop",
				.object = arena_printf(req->arena,
					"selection:%s", req_arg(req, "id")),
				.result = AUDIT_OK});
	rc = end_transaction(req, rc);
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}

enum rc
hub_selection_patch(struct req *req, struct resp *resp)
{
	struct selection_body body = {.variable = NULL};
	struct hub_variable variable;
	struct jsonw *json;
	enum rc rc = req_json(req, require_fields, &body);

	if (rc == RC_OK)
		rc = hub_command_variable(
			req, body.variable, POLICY_CONFIGURE, &variable);
	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc != RC_OK)
		return rc;
	rc = selection_require(
		req->db, variable.meta.id, body.required, &req->fault);
	if (rc == RC_OK)
		rc = audit_selection(req, "selection.require", &variable,
			audit_values(req->arena, "required",
				body.required ? "true" : "false", NULL));
	rc = end_transaction(req, rc);
	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "variable", variable.meta.name);
	jsonw_bool(json, "required", body.required);
	jsonw_close_obj(json);
	return RC_OK;
}
