/* controller_group: groups and their members, for administrators, by REST. */

#include "fcgi/controller_rights.h"

#include <string.h>

#include "fcgi/listing.h"
#include "fcgi/policy_json.h"
#include "lib/field.h"
#include "model/naming.h"

static const char *const sorts[] = {"name", "created", NULL};

static const struct listing_filter filters[] = {
	{"search", offsetof(struct group_filter, search), LISTING_TEXT, NULL},
	LISTING_FILTERS_END,
};

static const struct listing groups = {.sorts = sorts, .filters = filters};

enum rc
controller_group_list(struct req *req, struct resp *resp)
{
	struct group_filter filter = {.search = NULL};
	struct group_list list = {0, NULL};
	struct slice slice;
	struct jsonw *json;
	enum rc rc = listing_read(req, &groups, &filter, &slice);

	if (rc == RC_OK)
		rc = group_slice(req->db, req->arena, &filter, &slice, &list,
			&req->fault);
	if (rc != RC_OK)
		return rc;
	json = listing_open(resp);
	for (size_t i = 0; i < list.count; i++)
		group_write(json, &list.items[i]);
	listing_close(json, req, &slice);
	return RC_OK;
}

static enum rc
find(struct req *req, struct group *group)
{
	return group_find(
		req->db, req->arena, req_arg(req, "group"), group, &req->fault);
}

static enum rc
begin(struct req *req, struct group *group)
{
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	return rc == RC_OK ? find(req, group) : rc;
}

static enum rc
answer(struct req *req, struct resp *resp, int status, const char *id)
{
	struct group group;
	enum rc rc = group_find(req->db, req->arena, id, &group, &req->fault);

	if (rc == RC_OK)
		group_write(resp_json(resp, status), &group);
	return rc;
}

enum rc
controller_group_get(struct req *req, struct resp *resp)
{
	return answer(req, resp, 200, req_arg(req, "group"));
}

/* --- changes --- */

static const struct field create_fields[] = {
	{"name", FIELD_TEXT, offsetof(struct group, name), .required = true,
		.maximum = NAMING_NAME_BYTES},
	{"description", FIELD_TEXT, offsetof(struct group, description),
		.maximum = NAMING_DESCRIPTION_BYTES},
	{"requireSecondFactor", FIELD_BOOL,
		offsetof(struct group, require_second_factor),
		.required = false},
	FIELDS_END,
};

static const struct field change_fields[] = {
	{"name", FIELD_TEXT, offsetof(struct group, name),
		.maximum = NAMING_NAME_BYTES},
	{"description", FIELD_TEXT, offsetof(struct group, description),
		.maximum = NAMING_DESCRIPTION_BYTES},
	{"requireSecondFactor", FIELD_BOOL,
		offsetof(struct group, require_second_factor),
		.required = false},
	FIELDS_END,
};

enum rc
controller_group_create(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "group.create"};
	struct group wanted = {.description = ""};
	struct group made = {.name = ""};
	enum rc rc = req_json(req, create_fields, &wanted);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc == RC_OK)
		rc = group_create(
			req->db, req->arena, &wanted, &made, &req->fault);
	if (rc == RC_OK)
		what.after = group_text(req->arena, &made);
	rc = controller_finish(req, rc, &what, "group", made.name);
	if (rc != RC_OK)
		return rc;
	resp_header(resp, "Location",
		arena_printf(req->arena, "/api/v1/admin/groups/%s", made.uuid));
	return answer(req, resp, 201, made.uuid);
}

enum rc
controller_group_change(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "group.change"};
	struct group group;
	enum rc rc = begin(req, &group);

	if (rc != RC_OK)
		return rc;
	what.before = group_text(req->arena, &group);
	rc = req_json(req, change_fields, &group);
	if (rc == RC_OK)
		rc = group_change(req->db, &group, &req->fault);
	what.after = group_text(req->arena, &group);
	rc = controller_finish(req, rc, &what, "group", group.name);
	return rc == RC_OK ? answer(req, resp, 200, group.uuid) : rc;
}

enum rc
controller_group_remove(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "group.delete"};
	struct group group;
	enum rc rc = begin(req, &group);

	if (rc == RC_OK)
		rc = group_delete(req->db, group.id, &req->fault);
	if (rc != RC_OK)
		return rc;
	what.before = group_text(req->arena, &group);
	rc = controller_finish(req, rc, &what, "group", group.name);
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}

/* --- members --- */

static const char *const member_sorts[] = {"name", NULL};
static const char *const member_kinds[] = {"user", "group", NULL};

static const struct listing_filter member_filters[] = {
	{"kind", offsetof(struct group_member_filter, kind), LISTING_TEXT,
		member_kinds},
	{"search", offsetof(struct group_member_filter, search), LISTING_TEXT,
		NULL},
	LISTING_FILTERS_END,
};

static const struct listing member_list = {
	.sorts = member_sorts, .filters = member_filters};

enum rc
controller_group_members(struct req *req, struct resp *resp)
{
	struct group_member_filter filter = {.kind = NULL};
	struct group_members members = {.count = 0};
	struct group group;
	struct slice slice;
	struct jsonw *json;
	enum rc rc = listing_read(req, &member_list, &filter, &slice);

	if (rc == RC_OK)
		rc = find(req, &group);
	if (rc == RC_OK)
		rc = group_member_slice(req->db, req->arena, group.id, &filter,
			&slice, &members, &req->fault);
	if (rc != RC_OK)
		return rc;
	json = listing_open(resp);
	for (size_t i = 0; i < members.count; i++)
		group_member_write(json, &members.items[i]);
	listing_close(json, req, &slice);
	return RC_OK;
}

/* {kind} and {member} of the path: a user or a group by name or UUID. */
static enum rc
find_member(struct req *req, struct policy_subject *member)
{
	const char *kind = req_arg(req, "kind");
	const char *one = strcmp(kind, "users") == 0    ? "user"
			  : strcmp(kind, "groups") == 0 ? "group"
							: NULL;

	if (one == NULL)
		return fault_tell(&req->fault, RC_NOT_FOUND, "NotFound", NULL,
			"The members of a group are users and groups.");
	return policy_subject_find(req->db, req->arena, one,
		req_arg(req, "member"), member, &req->fault);
}

typedef enum rc member_fn(struct req *req, const struct group *group,
	const struct policy_subject *member);

static enum rc
add(struct req *req, const struct group *group,
	const struct policy_subject *member)
{
	if (strcmp(member->kind, "user") == 0)
		return group_add_user(
			req->db, group->id, member->id, &req->fault);
	return group_add_group(
		req->db, req->arena, group->id, member->id, &req->fault);
}

static enum rc
take(struct req *req, const struct group *group,
	const struct policy_subject *member)
{
	if (strcmp(member->kind, "user") == 0)
		return group_remove_user(
			req->db, group->id, member->id, &req->fault);
	return group_remove_group(req->db, group->id, member->id, &req->fault);
}

/* "what" says what is noted; its after (before) becomes the member. */
static enum rc
change_members(struct req *req, struct resp *resp, member_fn *change,
	struct audit *what, const char **noted)
{
	struct policy_subject member;
	struct group group;
	enum rc rc = begin(req, &group);

	if (rc == RC_OK)
		rc = find_member(req, &member);
	if (rc == RC_OK)
		rc = change(req, &group, &member);
	if (rc != RC_OK)
		return rc;
	*noted = audit_values(req->arena, member.kind, member.name, NULL);
	rc = controller_finish(req, rc, what, "group", group.name);
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}

enum rc
controller_group_add(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "group.add"};

	return change_members(req, resp, add, &what, &what.after);
}

enum rc
controller_group_take(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "group.remove"};

	return change_members(req, resp, take, &what, &what.before);
}
