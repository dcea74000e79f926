/* identity_admin_user: accounts for administrators, by REST. */

#include "fcgi/identity_admin.h"

#include <string.h>

#include "fcgi/identity_oauth.h"
#include "fcgi/listing.h"
#include "lib/field.h"
#include "model/audit.h"
#include "model/caller.h"
#include "model/session.h"
#include "model/user_admin.h"

static const struct listing_filter user_filters[] = {
	{"search", offsetof(struct user_filter, search), LISTING_TEXT, NULL},
	{"state", offsetof(struct user_filter, state), LISTING_TEXT,
		user_states},
	{"administrator", offsetof(struct user_filter, administrator),
		LISTING_TEXT, listing_yes_no},
	{"source", offsetof(struct user_filter, source), LISTING_TEXT, NULL},
	{"group", offsetof(struct user_filter, group), LISTING_TEXT, NULL},
	LISTING_FILTERS_END,
};

static const struct listing users = {
	.sorts = user_sorts, .filters = user_filters};

/* --- writing ----------------------------------------------------------------
 */

static void
write_members(struct jsonw *json, const struct user_entry *entry)
{
	char uuid[UUID_TEXT_BYTES];

	uuid_format(uuid, entry->user.uuid);
	jsonw_str(json, "id", uuid);
	jsonw_str(json, "name", entry->user.name);
	jsonw_str(json, "fullName", entry->user.full_name);
	jsonw_str(json, "email", entry->user.email);
	jsonw_bool(json, "administrator", entry->user.administrator);
	jsonw_str(json, "state", entry->user.active ? "active" : "disabled");
	jsonw_str(json, "source", entry->source);
	jsonw_time(json, "created", entry->created_us);
	jsonw_time(json, "lastLogin", entry->login_us);
	jsonw_str(json, "password", entry->password);
	jsonw_bool(json, "secondFactor", entry->second_factor);
	jsonw_int(json, "sessions", entry->sessions);
}

static void
write_user(struct jsonw *json, const struct user_entry *entry)
{
	jsonw_open_obj(json, NULL);
	write_members(json, entry);
	jsonw_close_obj(json);
}

/* --- steps that all have in common
 * -------------------------------------------- */

static enum rc
find(struct req *req, struct user_entry *entry)
{
	return user_look(
		req->db, req->arena, req_arg(req, "user"), entry, &req->fault);
}

static enum rc
begin(struct req *req, struct user_entry *entry)
{
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	*entry = (struct user_entry){.user = {.name = ""}};
	return rc == RC_OK ? find(req, entry) : rc;
}

/* Note it and commit; when "rc" is a reason not to, it is returned, and the
 * dispatcher undoes all. */
static enum rc
finish(struct req *req, enum rc rc, struct audit *what, const char *name)
{
	if (rc != RC_OK)
		return rc;
	what->object = arena_printf(req->arena, "user:%s", name);
	what->result = AUDIT_OK;
	rc = audit_write(req, what);
	return rc == RC_OK ? db_commit(req->db, &req->fault) : rc;
}

static enum rc
answer_user(struct req *req, struct resp *resp, int status, const char *name,
	const char *password)
{
	struct user_entry entry;
	struct jsonw *json;
	enum rc rc = user_look(req->db, req->arena, name, &entry, &req->fault);

	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, status);
	jsonw_open_obj(json, NULL);
	write_members(json, &entry);
	if (password != NULL)
		jsonw_str(json, "initialPassword", password);
	jsonw_close_obj(json);
	oauth_no_store(resp);
	return RC_OK;
}

static enum rc
answer_nothing(struct resp *resp, enum rc rc)
{
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}

/* --- handlers
 * ----------------------------------------------------------------- */

enum rc
admin_user_list(struct req *req, struct resp *resp)
{
	struct user_filter filter = {.search = NULL};
	struct user_entry_list list = {0, NULL};
	struct slice slice;
	struct jsonw *json;
	enum rc rc = listing_read(req, &users, &filter, &slice);

	if (rc == RC_OK)
		rc = user_slice(req->db, req->arena, &filter, &slice, &list,
			&req->fault);
	if (rc != RC_OK)
		return rc;
	json = listing_open(resp);
	for (size_t i = 0; i < list.count; i++)
		write_user(json, &list.items[i]);
	listing_close(json, req, &slice);
	oauth_no_store(resp);
	return RC_OK;
}

enum rc
admin_user_get(struct req *req, struct resp *resp)
{
	return answer_user(req, resp, 200, req_arg(req, "user"), NULL);
}

static const struct field create_fields[] = {
	{"name", FIELD_TEXT, offsetof(struct user_new, name), .required = true,
		.maximum = USER_NAME_BYTES},
	{"fullName", FIELD_TEXT, offsetof(struct user_new, full_name),
		.maximum = USER_TEXT_BYTES},
	{"email", FIELD_TEXT, offsetof(struct user_new, email),
		.maximum = USER_TEXT_BYTES},
	{"administrator", FIELD_BOOL, offsetof(struct user_new, administrator),
		.required = false},
	FIELDS_END,
};

static enum rc
create(struct req *req, const struct user_new *wanted, struct user *made)
{
	struct audit what = {.action = "account.create"};
	struct user_entry entry;
	enum rc rc =
		user_create(req->db, req->arena, wanted, made, &req->fault);

	if (rc == RC_OK)
		rc = user_look(
			req->db, req->arena, made->name, &entry, &req->fault);
	if (rc == RC_OK)
		what.after = user_describe(req->arena, &entry);
	return finish(req, rc, &what, made->name);
}

enum rc
admin_user_create(struct req *req, struct resp *resp)
{
	struct user_new wanted = {.name = NULL};
	struct user made = {.name = ""};
	enum rc rc = req_json(req, create_fields, &wanted);

	if (rc == RC_OK)
		rc = user_check_texts(
			wanted.full_name, wanted.email, &req->fault);
	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc != RC_OK)
		return rc;
	wanted.password = user_random_password(req->arena);
	wanted.initial = true;
	rc = create(req, &wanted, &made);
	if (rc != RC_OK)
		return rc;
	resp_header(resp, "Location",
		arena_printf(req->arena, "/api/v1/admin/users/%s",
			percent_encode(req->arena, made.name)));
	return answer_user(req, resp, 201, made.name, wanted.password);
}

/* The body of a change; absent members stay what they are. */
struct change_body {
	struct user_change change;
	const char *state;
};

static const struct field change_fields[] = {
	{"fullName", FIELD_TEXT, offsetof(struct change_body, change.full_name),
		.maximum = USER_TEXT_BYTES},
	{"email", FIELD_TEXT, offsetof(struct change_body, change.email),
		.maximum = USER_TEXT_BYTES},
	{"administrator", FIELD_BOOL,
		offsetof(struct change_body, change.administrator),
		.required = false},
	{"state", FIELD_TEXT, offsetof(struct change_body, state),
		.maximum = 16},
	FIELDS_END,
};

static enum rc
read_change(struct req *req, const struct user_entry *entry,
	struct user_change *change)
{
	struct change_body body = {
		.change = {.full_name = entry->user.full_name,
			.email = entry->user.email,
			.administrator = entry->user.administrator},
		.state = entry->user.active ? "active" : "disabled",
	};
	enum rc rc = req_json(req, change_fields, &body);

	if (rc != RC_OK)
		return rc;
	*change = body.change;
	change->active = strcmp(body.state, "active") == 0;
	if (!change->active && strcmp(body.state, "disabled") != 0)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"state", "\"state\" must be active or disabled.");
	return RC_OK;
}

static const char *
action_of(const struct user_entry *before, const struct user_entry *after)
{
	if (before->user.active == after->user.active)
		return "account.change";
	return after->user.active ? "account.enable" : "account.disable";
}

enum rc
admin_user_change(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "account.change"};
	struct user_change change;
	struct user_entry before;
	struct user_entry after;
	enum rc rc = begin(req, &before);

	if (rc == RC_OK)
		rc = read_change(req, &before, &change);
	if (rc == RC_OK)
		rc = user_alter(req->db, &before, &change, &req->fault);
	if (rc == RC_OK)
		rc = find(req, &after);
	if (rc == RC_OK) {
		what.action = action_of(&before, &after);
		what.before = user_describe(req->arena, &before);
		what.after = user_describe(req->arena, &after);
	}
	rc = finish(req, rc, &what, before.user.name);
	if (rc != RC_OK)
		return rc;
	return answer_user(req, resp, 200, before.user.name, NULL);
}

enum rc
admin_user_remove(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "account.remove"};
	struct user_entry entry;
	enum rc rc = begin(req, &entry);

	if (rc == RC_OK)
		rc = user_remove(req->db, &entry, &req->fault);
	if (rc == RC_OK)
		what.before = user_describe(req->arena, &entry);
	return answer_nothing(resp, finish(req, rc, &what, entry.user.name));
}

/* Whoever guesses at an account makes its owner wait, never for long; this
 * ends the wait at once. */
enum rc
admin_user_unlock(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "account.unlock"};
	struct user_entry entry;
	enum rc rc = begin(req, &entry);

	if (rc == RC_OK)
		rc = session_login_unlock(
			req->db, req->arena, entry.user.name, &req->fault);
	return answer_nothing(resp, finish(req, rc, &what, entry.user.name));
}

static enum rc
check_local(struct req *req, const struct user_entry *entry)
{
	if (strcmp(entry->source, "local") == 0)
		return RC_OK;
	return fault_tell(&req->fault, RC_CONFLICT, "KeptElsewhere", NULL,
		"The password of this user is kept by %s: change it there.",
		entry->source);
}

/* A random one, shown once; to be changed at its first use. */
enum rc
admin_user_password(struct req *req, struct resp *resp)
{
	const char *password = user_random_password(req->arena);
	struct audit what = {.action = "account.password"};
	struct user_entry entry;
	enum rc rc = begin(req, &entry);

	if (rc == RC_OK)
		rc = check_local(req, &entry);
	if (rc == RC_OK)
		rc = user_set_password(req->db, req->arena, entry.user.id,
			password, USER_PASSWORD_INITIAL, &req->fault);
	rc = finish(req, rc, &what, entry.user.name);
	if (rc != RC_OK)
		return rc;
	return answer_user(req, resp, 200, entry.user.name, password);
}

enum rc
admin_user_factor(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "account.factor"};
	struct user_entry entry;
	enum rc rc = begin(req, &entry);

	if (rc == RC_OK)
		rc = user_reset_factor(req->db, entry.user.id, &req->fault);
	if (rc == RC_OK) {
		what.before =
			entry.second_factor ? "{\"secondFactor\":true}" : NULL;
		what.after = "{\"secondFactor\":false}";
	}
	return answer_nothing(resp, finish(req, rc, &what, entry.user.name));
}
