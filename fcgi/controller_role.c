/* controller_role: roles and who holds them, for administrators, by REST. */

#include "fcgi/controller_rights.h"

#include "fcgi/listing.h"
#include "fcgi/policy_json.h"
#include "lib/field.h"
#include "model/naming.h"

static const char *const sorts[] = {"name", "created", NULL};

static const struct listing_filter filters[] = {
	{"search", offsetof(struct role_filter, search), LISTING_TEXT, NULL},
	LISTING_FILTERS_END,
};

static const struct listing roles = {.sorts = sorts, .filters = filters};

enum rc
controller_role_list(struct req *req, struct resp *resp)
{
	struct role_filter filter = {.search = NULL};
	struct role_list list = {0, NULL};
	struct slice slice;
	struct jsonw *json;
	enum rc rc = listing_read(req, &roles, &filter, &slice);

	if (rc == RC_OK)
		rc = role_slice(req->db, req->arena, &filter, &slice, &list,
			&req->fault);
	if (rc != RC_OK)
		return rc;
	json = listing_open(resp);
	for (size_t i = 0; i < list.count; i++)
		role_write(json, &list.items[i]);
	listing_close(json, req, &slice);
	return RC_OK;
}

static enum rc
find(struct req *req, struct role *role)
{
	return role_find(
		req->db, req->arena, req_arg(req, "role"), role, &req->fault);
}

static enum rc
begin(struct req *req, struct role *role)
{
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	return rc == RC_OK ? find(req, role) : rc;
}

static enum rc
answer(struct req *req, struct resp *resp, int status, const char *id)
{
	struct role role;
	enum rc rc = role_find(req->db, req->arena, id, &role, &req->fault);

	if (rc == RC_OK)
		role_write(resp_json(resp, status), &role);
	return rc;
}

enum rc
controller_role_get(struct req *req, struct resp *resp)
{
	return answer(req, resp, 200, req_arg(req, "role"));
}

/* --- changes --- */

static const struct field create_fields[] = {
	{"name", FIELD_TEXT, offsetof(struct role, name), .required = true,
		.maximum = NAMING_NAME_BYTES},
	{"description", FIELD_TEXT, offsetof(struct role, description),
		.maximum = NAMING_DESCRIPTION_BYTES},
	FIELDS_END,
};

static const struct field change_fields[] = {
	{"name", FIELD_TEXT, offsetof(struct role, name),
		.maximum = NAMING_NAME_BYTES},
	{"description", FIELD_TEXT, offsetof(struct role, description),
		.maximum = NAMING_DESCRIPTION_BYTES},
	FIELDS_END,
};

enum rc
controller_role_create(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "role.create"};
	struct role wanted = {.description = ""};
	struct role made = {.name = ""};
	enum rc rc = req_json(req, create_fields, &wanted);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc == RC_OK)
		rc = role_create(
			req->db, req->arena, &wanted, &made, &req->fault);
	if (rc == RC_OK)
		what.after = role_text(req->arena, &made);
	rc = controller_finish(req, rc, &what, "role", made.name);
	if (rc != RC_OK)
		return rc;
	resp_header(resp, "Location",
		arena_printf(req->arena, "/api/v1/admin/roles/%s", made.uuid));
	return answer(req, resp, 201, made.uuid);
}

enum rc
controller_role_change(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "role.change"};
	struct role role;
	enum rc rc = begin(req, &role);

	if (rc != RC_OK)
		return rc;
	what.before = role_text(req->arena, &role);
	rc = req_json(req, change_fields, &role);
	if (rc == RC_OK)
		rc = role_change(req->db, &role, &req->fault);
	what.after = role_text(req->arena, &role);
	rc = controller_finish(req, rc, &what, "role", role.name);
	return rc == RC_OK ? answer(req, resp, 200, role.uuid) : rc;
}

enum rc
controller_role_remove(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "role.delete"};
	struct role role;
	enum rc rc = begin(req, &role);

	if (rc == RC_OK)
		rc = role_delete(req->db, &role, &req->fault);
	if (rc != RC_OK)
		return rc;
	what.before = role_text(req->arena, &role);
	rc = controller_finish(req, rc, &what, "role", role.name);
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}

/* --- grants --- */

static const char *const grant_sorts[] = {"subject", "created", NULL};

static const struct listing_filter grant_filters[] = {
	{"subjectKind", offsetof(struct role_grant_filter, subject_kind),
		LISTING_TEXT, policy_subject_kinds},
	{"search", offsetof(struct role_grant_filter, search), LISTING_TEXT,
		NULL},
	LISTING_FILTERS_END,
};

static const struct listing grant_list = {
	.sorts = grant_sorts, .filters = grant_filters};

enum rc
controller_role_grants(struct req *req, struct resp *resp)
{
	struct role_grant_filter filter = {.search = NULL};
	struct role_grants grants = {.count = 0};
	struct slice slice;
	struct role role;
	struct jsonw *json;
	enum rc rc = listing_read(req, &grant_list, &filter, &slice);

	if (rc == RC_OK)
		rc = find(req, &role);
	if (rc == RC_OK)
		rc = role_grant_slice(req->db, req->arena, &role, &filter,
			&slice, &grants, &req->fault);
	if (rc != RC_OK)
		return rc;
	json = listing_open(resp);
	for (size_t i = 0; i < grants.count; i++)
		role_grant_write(json, &grants.items[i]);
	listing_close(json, req, &slice);
	return RC_OK;
}

struct give_body {
	const char *kind;
	const char *subject;
	const char *datasource;
};

static const struct field give_fields[] = {
	{"subjectKind", FIELD_TEXT, offsetof(struct give_body, kind),
		.required = true, .maximum = 16},
	{"subject", FIELD_TEXT, offsetof(struct give_body, subject),
		.maximum = 128},
	{"dataSource", FIELD_TEXT, offsetof(struct give_body, datasource),
		.maximum = 36},
	FIELDS_END,
};

static enum rc
give(struct req *req, const struct role *role, const struct give_body *body,
	struct role_grant *grant)
{
	enum rc rc = policy_subject_find(req->db, req->arena, body->kind,
		body->subject != NULL ? body->subject : "", &grant->subject,
		&req->fault);

	if (rc == RC_NOT_FOUND)
		return fault_tell(&req->fault, RC_BAD_INPUT, "SubjectNotFound",
			"subject", "There is no such %s.", body->kind);
	if (rc == RC_OK)
		rc = controller_datasource(
			req, body->datasource, &grant->datasource_id);
	if (rc == RC_OK)
		rc = role_give(req->db, req->arena, role, grant, &req->fault);
	if (rc == RC_OK)
		rc = role_find_grant(req->db, req->arena, role, grant->id,
			grant, &req->fault);
	return rc;
}

enum rc
controller_role_give(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "role.grant"};
	struct role_grant grant = {.id = NULL};
	struct give_body body = {.kind = NULL};
	struct role role;
	enum rc rc = req_json(req, give_fields, &body);

	if (rc == RC_OK)
		rc = begin(req, &role);
	if (rc == RC_OK)
		rc = give(req, &role, &body, &grant);
	if (rc != RC_OK)
		return rc;
	what.after = role_grant_text(req->arena, &grant);
	rc = controller_finish(req, rc, &what, "role", role.name);
	if (rc != RC_OK)
		return rc;
	resp_header(resp, "Location",
		arena_printf(req->arena, "/api/v1/admin/roles/%s/grants/%s",
			role.uuid, grant.id));
	role_grant_write(resp_json(resp, 201), &grant);
	return RC_OK;
}

enum rc
controller_role_take(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "role.revoke"};
	struct role_grant grant;
	struct role role;
	enum rc rc = begin(req, &role);

	if (rc == RC_OK)
		rc = role_find_grant(req->db, req->arena, &role,
			req_arg(req, "grant"), &grant, &req->fault);
	if (rc == RC_OK)
		rc = role_take(req->db, &role, &grant, &req->fault);
	if (rc != RC_OK)
		return rc;
	what.before = role_grant_text(req->arena, &grant);
	rc = controller_finish(req, rc, &what, "role", role.name);
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}
