/* controller_node_change: nodes are made and changed. */

#include "fcgi/controller_node_parts.h"

#include <string.h>
#include <strings.h>

#include "lib/field.h"
#include "model/audit.h"
#include "model/datasource.h"
#include "model/enrolment_code.h"
#include "model/enrolment_issue.h"
#include "model/node_view.h"

#define TEXT_BYTES_MAX  1000
#define DATASOURCES_MAX 1000

/* --- tokens --- */

static enum rc
offer(struct req *req, const struct enrolled *node,
	struct controller_token *shown)
{
	struct enrolment_token token;
	struct enrolment_code code;
	const char *bundle = NULL;
	enum rc rc = controller_bundle_read(req, &bundle);

	if (rc == RC_OK)
		rc = tls_bundle_pin(req->arena, bundle, code.pin, &req->fault);
	if (rc == RC_OK)
		rc = enrolment_offer(
			req->db, req->arena, node->id, &token, &req->fault);
	if (rc != RC_OK)
		return rc;
	memcpy(code.uuid, node->uuid, UUID_BYTES);
	code.secret = token.secret;
	shown->code = enrolment_code_write(req->arena, &code);
	shown->expires_us = token.expires_us;
	return controller_node_record(
		req, "node.token", node->name, NULL, NULL);
}

enum rc
controller_node_token(struct req *req, struct resp *resp)
{
	struct controller_token shown;
	struct enrolled node;
	struct jsonw *json;
	enum rc rc = controller_node_begin(req);

	if (rc != RC_OK)
		return rc;
	rc = controller_node_find(req, &node);
	if (rc == RC_OK)
		rc = offer(req, &node, &shown);
	rc = controller_node_end(req, rc);
	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, 201);
	jsonw_open_obj(json, NULL);
	controller_node_write_token(json, req, node.kind, &shown);
	jsonw_close_obj(json);
	resp_header(resp, "Cache-Control", "no-store");
	return RC_OK;
}

/* --- creating and changing --- */

struct body {
	struct enrolment_new node;
	struct texts publish;
	struct texts subscribe;
};

#define BODY(name, kind, member, required, limit)                              \
	{                                                                      \
		name, kind, offsetof(struct body, member), required, 0, limit, \
			NULL                                                   \
	}

static const struct field create_fields[] = {
	BODY("name", FIELD_TEXT, node.name, true, 128),
	BODY("kind", FIELD_TEXT, node.kind, false, 16),
	BODY("description", FIELD_TEXT, node.description, false,
		TEXT_BYTES_MAX),
	BODY("approval", FIELD_BOOL, node.needs_approval, false, 0),
	BODY("publish", FIELD_TEXTS, publish, false, DATASOURCES_MAX),
	BODY("subscribe", FIELD_TEXTS, subscribe, false, DATASOURCES_MAX),
	FIELDS_END,
};

static const struct field change_fields[] = {
	BODY("name", FIELD_TEXT, node.name, false, 128),
	BODY("description", FIELD_TEXT, node.description, false,
		TEXT_BYTES_MAX),
	BODY("approval", FIELD_BOOL, node.needs_approval, false, 0),
	FIELDS_END,
};

static bool
among(const struct texts *texts, const char *uuid)
{
	for (size_t i = 0; i < texts->count; i++)
		if (strcasecmp(texts->items[i], uuid) == 0)
			return true;
	return false;
}

static enum rc
find_datasource(struct req *req, const char *text, const char *field,
	struct datasource *datasource)
{
	uint8_t uuid[UUID_BYTES];
	enum rc rc = RC_NOT_FOUND;

	if (uuid_parse(text, uuid))
		rc = datasource_find(
			req->db, req->arena, uuid, datasource, &req->fault);
	if (rc == RC_NOT_FOUND)
		return fault_tell(&req->fault, RC_BAD_INPUT,
			"DatasourceNotFound", field,
			"There is no datasource %.40s.", text);
	return rc;
}

static enum rc
allow(struct req *req, int64_t node_id, const struct body *body,
	const struct texts *some, const char *field)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < some->count; i++) {
		struct datasource datasource = {.id = 0};

		rc = find_datasource(req, some->items[i], field, &datasource);
		if (rc == RC_OK)
			rc = enrolment_allow(req->db, node_id, datasource.id,
				among(&body->publish, some->items[i]),
				among(&body->subscribe, some->items[i]),
				&req->fault);
	}
	return rc;
}

static enum rc
create(struct req *req, const struct body *body, struct enrolled *node,
	struct controller_token *shown)
{
	enum rc rc = enrolment_create(
		req->db, req->arena, &body->node, node, &req->fault);

	if (rc == RC_OK)
		rc = allow(req, node->id, body, &body->publish, "publish");
	if (rc == RC_OK)
		rc = allow(req, node->id, body, &body->subscribe, "subscribe");
	if (rc == RC_OK)
		rc = controller_node_record(req, "node.create", node->name,
			NULL,
			audit_values(req->arena, "kind", node->kind, NULL));
	return rc == RC_OK ? offer(req, node, shown) : rc;
}

enum rc
controller_node_create(struct req *req, struct resp *resp)
{
	struct body body = {.node = {.kind = "ingress"}};
	struct enrolled node = {.id = 0};
	struct controller_token shown;
	enum rc rc = req_json(req, create_fields, &body);

	if (rc == RC_OK)
		rc = controller_node_begin(req);
	if (rc != RC_OK)
		return rc;
	rc = controller_node_end(req, create(req, &body, &node, &shown));
	if (rc != RC_OK)
		return rc;
	resp_header(resp, "Location",
		arena_printf(req->arena, "/api/v1/admin/nodes/%s", node.name));
	resp_header(resp, "Cache-Control", "no-store");
	return controller_node_answer(req, resp, node.id, 201, &shown);
}

static const char *
settings(struct req *req, const char *name, const char *description,
	bool needs_approval)
{
	return audit_values(req->arena, "name", name, "description",
		description, "approval", needs_approval ? "yes" : "no", NULL);
}

static enum rc
change(struct req *req, const struct enrolled *node)
{
	struct node_view before;
	struct body body = {.node = {.name = node->name,
				    .needs_approval = node->needs_approval}};
	enum rc rc = node_view_find(
		req->db, req->arena, node->id, &before, &req->fault);

	body.node.description = before.description;
	if (rc == RC_OK)
		rc = req_json(req, change_fields, &body);
	if (rc == RC_OK)
		rc = enrolment_change(
			req->db, node->id, &body.node, &req->fault);
	if (rc != RC_OK)
		return rc;
	return controller_node_record(req, "node.change", node->name,
		settings(req, before.name, before.description,
			before.needs_approval),
		settings(req, body.node.name, body.node.description,
			body.node.needs_approval));
}

enum rc
controller_node_change(struct req *req, struct resp *resp)
{
	struct enrolled node;
	enum rc rc = controller_node_begin(req);

	if (rc != RC_OK)
		return rc;
	rc = controller_node_find(req, &node);
	if (rc == RC_OK)
		rc = change(req, &node);
	rc = controller_node_end(req, rc);
	return rc == RC_OK
		       ? controller_node_answer(req, resp, node.id, 200, NULL)
		       : rc;
}

enum rc
controller_node_remove(struct req *req, struct resp *resp)
{
	struct enrolled node;
	enum rc rc = controller_node_begin(req);

	if (rc != RC_OK)
		return rc;
	rc = controller_node_find(req, &node);
	if (rc == RC_OK)
		rc = enrolment_remove(req->db, node.id, &req->fault);
	if (rc == RC_OK)
		rc = controller_node_record(
			req, "node.remove", node.name, NULL, NULL);
	rc = controller_node_end(req, rc);
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}

/* --- datasources --- */

struct right {
	bool publish;
	bool subscribe;
};

static const struct field right_fields[] = {
	{"publish", FIELD_BOOL, offsetof(struct right, publish), false, 0, 0,
		NULL},
	{"subscribe", FIELD_BOOL, offsetof(struct right, subscribe), false, 0,
		0, NULL},
	FIELDS_END,
};

static enum rc
set_right(struct req *req, const struct right *right, struct enrolled *node)
{
	struct datasource datasource;
	uint8_t uuid[UUID_BYTES];
	enum rc rc = controller_node_find(req, node);

	if (rc == RC_OK)
		rc = req_arg_uuid(req, "ds", uuid);
	if (rc == RC_OK)
		rc = datasource_find(
			req->db, req->arena, uuid, &datasource, &req->fault);
	if (rc == RC_OK)
		rc = enrolment_allow(req->db, node->id, datasource.id,
			right->publish, right->subscribe, &req->fault);
	if (rc != RC_OK)
		return rc;
	return controller_node_record(req, "node.change", node->name, NULL,
		audit_values(req->arena, "datasource", datasource.uuid_text,
			"publish", right->publish ? "yes" : "no", "subscribe",
			right->subscribe ? "yes" : "no", NULL));
}

enum rc
controller_node_allow(struct req *req, struct resp *resp)
{
	struct right right = {.publish = false};
	struct enrolled node;
	enum rc rc = req_json(req, right_fields, &right);

	if (rc == RC_OK)
		rc = controller_node_begin(req);
	if (rc == RC_OK)
		rc = controller_node_end(req, set_right(req, &right, &node));
	return rc == RC_OK
		       ? controller_node_answer(req, resp, node.id, 200, NULL)
		       : rc;
}

enum rc
controller_node_disallow(struct req *req, struct resp *resp)
{
	const struct right none = {.publish = false};
	struct enrolled node;
	enum rc rc = controller_node_begin(req);

	if (rc == RC_OK)
		rc = controller_node_end(req, set_right(req, &none, &node));
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}
