/* identity_account: what a person sees and changes of their own account. */

#include "fcgi/identity_account.h"

#include <json-c/json.h>
#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_check.h"
#include "fcgi/identity_event.h"
#include "fcgi/identity_factor.h"
#include "fcgi/identity_link.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_page.h"
#include "lib/clock.h"
#include "model/application.h"
#include "model/audit.h"
#include "model/session_admin.h"

#define SESSIONS_MAX 200

/* --- the overview ------------------------------------------------------ */

static void
add_time(struct json_object *item, const char *name, int64_t time_us)
{
	char text[CLOCK_TEXT_BYTES];

	if (time_us == CLOCK_NEVER)
		return;
	clock_format(text, time_us);
	text[16] = '\0'; /* to the minute */
	text[10] = ' ';
	page_text(item, name, text);
}

static struct json_object *
add_item(struct json_object *list)
{
	struct json_object *item = json_object_new_object();

	json_object_array_add(list, item);
	return item;
}

static struct json_object *
add_list(struct json_object *view, const char *name)
{
	struct json_object *list = json_object_new_array();

	json_object_object_add(view, name, list);
	return list;
}

static enum rc
add_sessions(
	struct req *req, struct json_object *view, const struct person *person)
{
	const struct session_filter filter = {.user = person->user.name};
	struct slice slice = {
		.sort = "seen", .descending = true, .limit = SESSIONS_MAX};
	struct session_entry_list found;
	struct json_object *list = add_list(view, "sessions");
	enum rc rc = session_slice(
		req->db, req->arena, &filter, &slice, &found, &req->fault);

	for (size_t i = 0; rc == RC_OK && i < found.count; i++) {
		const struct session_entry *entry = &found.items[i];
		struct json_object *item = add_item(list);
		char sid[UUID_TEXT_BYTES];

		uuid_format(sid, entry->session.sid);
		page_text(item, "sid", sid);
		page_text(item, "agent", entry->agent);
		page_text(item, "address", entry->address);
		add_time(item, "created", entry->created_us);
		add_time(item, "seen", entry->seen_us);
		if (memcmp(entry->session.hash, person->session.hash,
			    SECRET_HASH_BYTES) == 0)
			page_text(item, "current", "1");
	}
	if (rc == RC_OK && found.count > 1)
		page_text(view, "has_others", "1");
	return rc;
}

static enum rc
add_applications(
	struct req *req, struct json_object *view, const struct person *person)
{
	struct application_list found;
	struct json_object *list = add_list(view, "applications");
	enum rc rc = application_query(
		req->db, req->arena, person->user.id, &found, &req->fault);

	for (size_t i = 0; rc == RC_OK && i < found.count; i++) {
		const struct application *application = &found.items[i];
		struct json_object *item = add_item(list);

		page_text(item, "client_id", application->client_id);
		page_text(item, "name", application->name);
		page_text(item, "scopes",
			oauth_join(req->arena,
				(const char *const *)application->scopes));
		add_time(item, "since", application->since_us);
		add_time(item, "used", application->used_us);
	}
	return rc;
}

static enum rc
add_factor(
	struct req *req, struct json_object *view, const struct person *person)
{
	struct factor factor;
	enum rc rc = factor_find(req->db, req->arena, identity_of(req)->seal,
		person->user.id, &factor, &req->fault);

	if (rc == RC_OK && factor.secret != NULL) {
		struct json_object *item = json_object_new_object();

		json_object_object_add(view, "factor", item);
		add_time(item, "since", factor.created_us);
		json_object_object_add(item, "codes",
			json_object_new_int64(factor.recovery_codes));
	}
	return rc;
}

bool
account_has_password(const struct user *user)
{
	return strcmp(user->source, IDENTITY_ISSUER_LOCAL) == 0;
}

/* What the last form did; by number, so that no address can put words here. */
static const char *
said(struct req *req)
{
	static const char *const words[] = {
		[ACCOUNT_PASSWORD] = "Your password was changed.",
		[ACCOUNT_SESSION] = "The session has ended.",
		[ACCOUNT_OTHERS] = "Everything else is logged out.",
		[ACCOUNT_APPLICATION] = "The application is disconnected.",
		[ACCOUNT_FACTOR] = "The second factor is off.",
		[ACCOUNT_LINKED] = "Your account is linked.",
		[ACCOUNT_UNLINKED] = "The link is gone."};
	struct pairs query;
	const char *number;

	if (req_query(req, &query) != RC_OK)
		return NULL;
	number = pairs_find(&query, "done");
	if (number == NULL || number[0] < '0' || number[1] != '\0' ||
		(size_t)(number[0] - '0') >= ARRAY_LENGTH(words))
		return NULL;
	return words[number[0] - '0'];
}

enum rc
account_back(struct req *req, struct resp *resp, enum account_done done)
{
	resp_redirect(
		resp, arena_printf(req->arena, "/account?done=%d", (int)done));
	oauth_no_store(resp);
	return RC_OK;
}

enum rc
identity_account(struct req *req, struct resp *resp)
{
	struct person person;
	struct json_object *view;
	enum rc rc = person_find(req, &person);

	if (rc != RC_OK)
		return rc;
	view = person_view(req, &person);
	page_text(view, "name", person.user.name);
	page_text(view, "full_name", person.user.full_name);
	page_text(view, "email", person.user.email);
	page_text(view, "done", said(req));
	if (account_has_password(&person.user))
		page_text(view, "own_password", "1");
	else
		page_text(view, "source", person.user.source);
	rc = add_sessions(req, view, &person);
	if (rc == RC_OK)
		rc = add_applications(req, view, &person);
	if (rc == RC_OK)
		rc = add_factor(req, view, &person);
	if (rc == RC_OK)
		rc = identity_links(req, view, &person.user);
	if (rc == RC_OK)
		rc = person_navigate(req, view);
	return rc == RC_OK
		       ? page_answer(req, resp, 200, "identity/account", view)
		       : rc;
}

/* --- sessions and applications ----------------------------------------- */

enum rc
account_form(struct req *req, struct pairs *form, struct person *person)
{
	enum rc rc = req_form(req, form);

	return rc == RC_OK ? person_of_form(req, form, person) : rc;
}

static enum rc
not_found(struct req *req, const char *what)
{
	return fault_tell(&req->fault, RC_NOT_FOUND, "NotFound", NULL,
		"There is no such %s, or it has ended.", what);
}

/* Somebody else's session does not exist for this person. */
static enum rc
end_one(struct req *req, const struct person *person, const char *sid_text)
{
	struct audit row = {.action = "session.end", .result = AUDIT_OK};
	struct session_entry entry;
	uint8_t sid[UUID_BYTES];
	enum rc rc;

	if (sid_text == NULL || !uuid_parse(sid_text, sid))
		return not_found(req, "session");
	rc = session_look(req->db, req->arena, sid, &entry, &req->fault);
	if (rc == RC_OK && entry.session.user_id != person->user.id)
		return not_found(req, "session");
	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc != RC_OK)
		return rc;
	row.object = arena_printf(req->arena, "session:%s", sid_text);
	rc = session_end(req->db, &entry.session, &req->fault);
	if (rc == RC_OK)
		rc = audit_write(req, &row);
	if (rc == RC_OK)
		rc = identity_event(req, IDENTITY_EVENT_ENDED,
			person->user.name, "logged out elsewhere");
	return rc == RC_OK ? db_commit(req->db, &req->fault) : rc;
}

enum rc
identity_end_one(struct req *req, struct resp *resp)
{
	struct person person;
	struct pairs form;
	enum rc rc = account_form(req, &form, &person);

	if (rc == RC_OK)
		rc = end_one(req, &person, pairs_find(&form, "sid"));
	return rc == RC_OK ? account_back(req, resp, ACCOUNT_SESSION) : rc;
}

/* Within a transaction. */
enum rc
account_end_others(struct req *req, const struct person *person)
{
	const struct audit row = {
		.action = "session.end",
		.object =
			arena_printf(req->arena, "user:%s", person->user.name),
		.result = AUDIT_OK,
		.after = audit_values(req->arena, "kept", "this one", NULL),
	};
	enum rc rc = session_end_others(req->db, &person->session, &req->fault);

	if (rc == RC_OK)
		rc = audit_write(req, &row);
	return rc == RC_OK ? identity_event(req, IDENTITY_EVENT_ENDED,
				     person->user.name,
				     "logged out everywhere else")
			   : rc;
}

enum rc
identity_end_others(struct req *req, struct resp *resp)
{
	struct person person;
	struct pairs form;
	enum rc rc = account_form(req, &form, &person);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc == RC_OK)
		rc = account_end_others(req, &person);
	if (rc == RC_OK)
		rc = db_commit(req->db, &req->fault);
	return rc == RC_OK ? account_back(req, resp, ACCOUNT_OTHERS) : rc;
}

enum rc
identity_disconnect(struct req *req, struct resp *resp)
{
	struct audit row = {.action = "consent.revoke", .result = AUDIT_OK};
	const char *client_id;
	struct person person;
	struct pairs form;
	enum rc rc = account_form(req, &form, &person);

	if (rc != RC_OK)
		return rc;
	client_id = pairs_find(&form, "client_id");
	if (client_id == NULL)
		return not_found(req, "application");
	row.object = arena_printf(req->arena, "client:%s", client_id);
	rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc == RC_OK)
		rc = application_revoke(
			req->db, person.user.id, client_id, &req->fault);
	if (rc == RC_OK)
		rc = audit_write(req, &row);
	if (rc == RC_OK)
		rc = db_commit(req->db, &req->fault);
	return rc == RC_OK ? account_back(req, resp, ACCOUNT_APPLICATION) : rc;
}
