/* identity_admin_access: groups, applications and sessions of one user. */

#include "fcgi/identity_admin.h"

#include "fcgi/identity_event.h"
#include "fcgi/identity_oauth.h"
#include "lib/field.h"
#include "model/application.h"
#include "model/audit.h"
#include "model/caller.h"
#include "model/membership.h"
#include "model/user.h"

static enum rc
find(struct req *req, struct user *user)
{
	const char *name = req_arg(req, "user");
	enum rc rc = user_find(req->db, req->arena, name, user, &req->fault);

	if (rc == RC_NOT_FOUND)
		return fault_tell(&req->fault, rc, "UserNotFound", NULL,
			"There is no user \"%.128s\".", name);
	return rc;
}

static enum rc
begin(struct req *req, struct user *user)
{
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	return rc == RC_OK ? find(req, user) : rc;
}

static enum rc
finish(struct req *req, const struct user *user, struct audit *what)
{
	enum rc rc;

	what->object = arena_printf(req->arena, "user:%s", user->name);
	what->result = AUDIT_OK;
	rc = audit_write(req, what);
	return rc == RC_OK ? db_commit(req->db, &req->fault) : rc;
}

/* --- groups --------------------------------------------------------------- */

static void
write_groups(struct jsonw *json, const struct membership_list *list)
{
	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, "items");
	for (size_t i = 0; i < list->count; i++) {
		jsonw_open_obj(json, NULL);
		jsonw_str(json, "name", list->items[i].group);
		jsonw_str(json, "source", list->items[i].source);
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
	jsonw_close_obj(json);
}

static const char *
describe(struct arena *arena, const struct membership_list *list)
{
	struct jsonw *json = jsonw_in(arena);

	write_groups(json, list);
	return json->out->data;
}

enum rc
admin_user_groups(struct req *req, struct resp *resp)
{
	struct membership_list list;
	struct user user;
	enum rc rc = find(req, &user);

	if (rc == RC_OK)
		rc = membership_query(
			req->db, req->arena, user.id, &list, &req->fault);
	if (rc != RC_OK)
		return rc;
	write_groups(resp_json(resp, 200), &list);
	oauth_no_store(resp);
	return RC_OK;
}

struct groups_body {
	struct texts groups;
};

static const struct field groups_fields[] = {
	{"groups", FIELD_TEXTS, offsetof(struct groups_body, groups),
		.required = true, .maximum = MEMBERSHIPS_MAX},
	FIELDS_END,
};

static enum rc
set_groups(struct req *req, const struct user *user, const struct texts *groups,
	struct membership_list *after)
{
	struct membership_list before;
	struct audit what = {.action = "account.groups"};
	enum rc rc = membership_query(
		req->db, req->arena, user->id, &before, &req->fault);

	if (rc == RC_OK)
		rc = membership_set(req->db, req->arena, user->id,
			groups->items, groups->count, &req->fault);
	if (rc == RC_OK)
		rc = membership_query(
			req->db, req->arena, user->id, after, &req->fault);
	if (rc != RC_OK)
		return rc;
	what.before = describe(req->arena, &before);
	what.after = describe(req->arena, after);
	return finish(req, user, &what);
}

enum rc
admin_user_set_groups(struct req *req, struct resp *resp)
{
	struct groups_body body = {.groups = {0, NULL}};
	struct membership_list after;
	struct user user;
	enum rc rc = req_json(req, groups_fields, &body);

	if (rc == RC_OK)
		rc = begin(req, &user);
	if (rc == RC_OK)
		rc = set_groups(req, &user, &body.groups, &after);
	if (rc != RC_OK)
		return rc;
	write_groups(resp_json(resp, 200), &after);
	oauth_no_store(resp);
	return RC_OK;
}

/* --- applications ------------------------------------------------------------
 */

static void
write_application(struct jsonw *json, const struct application *application)
{
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "clientId", application->client_id);
	jsonw_str(json, "name", application->name);
	jsonw_open_arr(json, "scopes");
	for (const char **scope = application->scopes; *scope != NULL; scope++)
		jsonw_str(json, NULL, *scope);
	jsonw_close_arr(json);
	jsonw_time(json, "since", application->since_us);
	jsonw_time(json, "lastUsed", application->used_us);
	jsonw_close_obj(json);
}

enum rc
admin_user_applications(struct req *req, struct resp *resp)
{
	struct application_list list;
	struct jsonw *json;
	struct user user;
	enum rc rc = find(req, &user);

	if (rc == RC_OK)
		rc = application_query(
			req->db, req->arena, user.id, &list, &req->fault);
	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, "items");
	for (size_t i = 0; i < list.count; i++)
		write_application(json, &list.items[i]);
	jsonw_close_arr(json);
	jsonw_close_obj(json);
	oauth_no_store(resp);
	return RC_OK;
}

enum rc
admin_user_revoke_application(struct req *req, struct resp *resp)
{
	const char *client = req_arg(req, "client");
	struct audit what = {.action = "consent.revoke"};
	struct user user;
	enum rc rc = begin(req, &user);

	if (rc == RC_OK)
		rc = application_revoke(req->db, user.id, client, &req->fault);
	if (rc != RC_OK)
		return rc;
	what.before = audit_values(req->arena, "client", client, NULL);
	rc = finish(req, &user, &what);
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}

/* --- sessions ----------------------------------------------------------------
 */

enum rc
admin_user_end_sessions(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "session.end_all"};
	struct user user;
	enum rc rc = begin(req, &user);

	if (rc == RC_OK)
		rc = user_end_access(req->db, user.id, &req->fault);
	if (rc == RC_OK)
		rc = identity_event(req, IDENTITY_EVENT_ENDED, user.name,
			arena_printf(req->arena, "logged out everywhere by %s",
				req->caller->name));
	if (rc == RC_OK)
		rc = finish(req, &user, &what);
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}
