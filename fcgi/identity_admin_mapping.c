/* identity_admin_mapping: what the groups of an outside source are here. */

#include "fcgi/identity_admin_mapping.h"

#include "fcgi/identity_oauth.h"
#include "lib/field.h"
#include "model/audit.h"
#include "model/group.h"
#include "model/naming.h"

enum rc
admin_mapping_list(
	struct req *req, struct resp *resp, const struct admin_source *source)
{
	struct group_mapping_list list = {.count = 0};
	struct jsonw *json;
	enum rc rc = group_mapping_list(
		req->db, req->arena, source->source, &list, &req->fault);

	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, "items");
	for (size_t i = 0; i < list.count; i++) {
		jsonw_open_obj(json, NULL);
		jsonw_str(json, "external", list.items[i].external);
		jsonw_str(json, "group", list.items[i].group);
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
	jsonw_null(json, "next");
	jsonw_close_obj(json);
	oauth_no_store(resp);
	return RC_OK;
}

static const struct field fields[] = {
	{"external", FIELD_TEXT, offsetof(struct group_mapping, external),
		.required = true, .maximum = GROUP_MAPPING_EXTERNAL_BYTES},
	{"group", FIELD_TEXT, offsetof(struct group_mapping, group),
		.required = true, .maximum = NAMING_NAME_BYTES},
	FIELDS_END,
};

static enum rc
read_query(struct req *req, struct group_mapping *wanted)
{
	struct pairs query;
	enum rc rc = req_query(req, &query);

	if (rc != RC_OK)
		return rc;
	wanted->external = pairs_find(&query, "external");
	wanted->group = pairs_find(&query, "group");
	if (wanted->external == NULL || wanted->group == NULL)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			wanted->group == NULL ? "group" : "external",
			"\"external\" and \"group\" are needed, in the "
			"query.");
	return RC_OK;
}

static enum rc
note(struct req *req, const struct admin_source *source,
	const struct group_mapping *wanted, enum group_mapping_change change)
{
	const char *words = audit_values(req->arena, "external",
		wanted->external, "group", wanted->group, NULL);
	struct audit what = {
		.action = arena_printf(req->arena, "%s.%s", source->kind,
			change == GROUP_MAP ? "map" : "unmap"),
		.object = arena_printf(
			req->arena, "%s:%s", source->kind, source->name),
		.result = AUDIT_OK,
	};

	*(change == GROUP_MAP ? &what.after : &what.before) = words;
	return audit_write(req, &what);
}

enum rc
admin_mapping_set(struct req *req, struct resp *resp,
	const struct admin_source *source, enum group_mapping_change change)
{
	struct group_mapping wanted = {.external = NULL};
	struct group group = {.id = 0};
	enum rc rc = change == GROUP_MAP ? req_json(req, fields, &wanted)
					 : read_query(req, &wanted);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc == RC_OK)
		rc = group_find(
			req->db, req->arena, wanted.group, &group, &req->fault);
	if (rc == RC_OK)
		rc = group_mapping_set(req->db, req->arena, source->source,
			wanted.external, group.id, change, &req->fault);
	if (rc == RC_OK)
		rc = note(req, source, &wanted, change);
	if (rc == RC_OK)
		rc = db_commit(req->db, &req->fault);
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}
