/* identity_account: what a person sees and changes of their own account. */

#include <json-c/json.h>
#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_check.h"
#include "fcgi/identity_factor.h"
#include "fcgi/identity_link.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_page.h"
#include "fcgi/identity_person.h"
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

static bool
has_own_password(const struct user *user)
{
	return strcmp(user->source, IDENTITY_ISSUER_LOCAL) == 0;
}

/* What the last form did; by number, so that no address can put words here. */
static const char *
said(struct req *req)
{
	static const char *const words[] = {"Your password was changed.",
		"The session has ended.",
		"All other sessions have ended, and all applications are "
		"disconnected.",
		"The application is disconnected.", "The second factor is off.",
		"Your account is linked.", "The link is gone."};
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

enum done {
	DONE_PASSWORD,
	DONE_SESSION,
	DONE_OTHERS,
	DONE_APPLICATION,
	DONE_FACTOR
};

static enum rc
back(struct req *req, struct resp *resp, enum done done)
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
	if (has_own_password(&person.user))
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

static enum rc
read_form(struct req *req, struct pairs *form, struct person *person)
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
	return rc == RC_OK ? db_commit(req->db, &req->fault) : rc;
}

enum rc
identity_end_one(struct req *req, struct resp *resp)
{
	struct person person;
	struct pairs form;
	enum rc rc = read_form(req, &form, &person);

	if (rc == RC_OK)
		rc = end_one(req, &person, pairs_find(&form, "sid"));
	return rc == RC_OK ? back(req, resp, DONE_SESSION) : rc;
}

/* Within a transaction. */
static enum rc
end_others(struct req *req, const struct person *person)
{
	const struct audit row = {
		.action = "session.end",
		.object =
			arena_printf(req->arena, "user:%s", person->user.name),
		.result = AUDIT_OK,
		.after = audit_values(req->arena, "kept", "this one", NULL),
	};
	enum rc rc = session_end_others(req->db, &person->session, &req->fault);

	return rc == RC_OK ? audit_write(req, &row) : rc;
}

enum rc
identity_end_others(struct req *req, struct resp *resp)
{
	struct person person;
	struct pairs form;
	enum rc rc = read_form(req, &form, &person);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc == RC_OK)
		rc = end_others(req, &person);
	if (rc == RC_OK)
		rc = db_commit(req->db, &req->fault);
	return rc == RC_OK ? back(req, resp, DONE_OTHERS) : rc;
}

enum rc
identity_disconnect(struct req *req, struct resp *resp)
{
	struct audit row = {.action = "consent.revoke", .result = AUDIT_OK};
	const char *client_id;
	struct person person;
	struct pairs form;
	enum rc rc = read_form(req, &form, &person);

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
	return rc == RC_OK ? back(req, resp, DONE_APPLICATION) : rc;
}

/* --- the password ------------------------------------------------------ */

static enum rc
answer_password(struct req *req, struct resp *resp, const struct person *person,
	int status, const char *problem)
{
	struct json_object *view = person_view(req, person);

	page_text(view, "action", "/account/password");
	page_text(view, "name", person->user.name);
	page_text(view, "problem",
		problem != NULL ? arena_strdup(req->arena, problem) : NULL);
	return page_answer(req, resp, status, "identity/password", view);
}

static enum rc
require_own_password(struct req *req, const struct person *person)
{
	return has_own_password(&person->user)
		       ? RC_OK
		       : fault_tell(&req->fault, RC_NOT_FOUND, "NoPassword",
				 NULL,
				 "The password of this account is kept "
				 "elsewhere.");
}

enum rc
identity_password_page(struct req *req, struct resp *resp)
{
	struct person person;
	enum rc rc = person_find(req, &person);

	if (rc == RC_OK)
		rc = require_own_password(req, &person);
	return rc == RC_OK ? answer_password(req, resp, &person, 200, NULL)
			   : rc;
}

/* New password, new session id; on request nothing else stays logged in. */
static enum rc
change_password(struct req *req, struct resp *resp, struct person *person,
	const struct pairs *form, const char *password)
{
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	if (rc == RC_OK)
		rc = user_replace_password(req->db, req->arena, person->user.id,
			password, &req->fault);
	if (rc == RC_OK && pairs_find(form, "others") != NULL)
		rc = end_others(req, person);
	if (rc == RC_OK)
		rc = session_renew(
			req->db, req->arena, &person->session, &req->fault);
	if (rc == RC_OK)
		rc = identity_audit(
			req, "account.password", person->user.name, AUDIT_OK);
	if (rc == RC_OK)
		rc = db_commit(req->db, &req->fault);
	if (rc == RC_OK)
		page_cookie(req, resp, CALLER_COOKIE, person->session.cookie);
	return rc;
}

static enum rc
check_current(struct req *req, struct resp *resp, const struct person *person,
	const char *password)
{
	struct identity_check check = {
		.name = person->user.name, .password = password};
	struct user same;
	const char *amr;
	enum rc rc = identity_check_password(req, &check, &same, &amr);

	if (rc == RC_TOO_MANY)
		page_retry_after(req, resp, check.wait_s);
	if (rc == RC_UNAUTHENTICATED)
		rc = fault_tell(&req->fault, RC_DENIED, "WrongPassword",
			"password", "The current password is wrong.");
	return rc;
}

static bool
is_problem_of_the_form(enum rc rc)
{
	return rc == RC_BAD_INPUT || rc == RC_DENIED || rc == RC_TOO_MANY;
}

enum rc
identity_password(struct req *req, struct resp *resp)
{
	const char *wanted = NULL;
	const char *current;
	struct person person;
	struct pairs form;
	enum rc rc = read_form(req, &form, &person);

	if (rc == RC_OK)
		rc = require_own_password(req, &person);
	if (rc != RC_OK)
		return rc;
	current = pairs_find(&form, "password");
	rc = page_new_password(req, &form, &wanted);
	if (rc == RC_OK)
		rc = check_current(
			req, resp, &person, current != NULL ? current : "");
	if (rc == RC_OK && strcmp(current, wanted) == 0)
		rc = fault_tell(&req->fault, RC_BAD_INPUT, "PasswordUsed",
			"new_password",
			"Choose another than the one you have.");
	if (rc == RC_OK)
		rc = change_password(req, resp, &person, &form, wanted);
	if (is_problem_of_the_form(rc))
		return answer_password(req, resp, &person,
			fault_public(rc)->status, req->fault.client);
	return rc == RC_OK ? back(req, resp, DONE_PASSWORD) : rc;
}

/* --- the second factor ------------------------------------------------- */

static enum rc
answer_enrol(struct req *req, struct resp *resp, const struct person *person,
	const struct factor *factor, int status, const char *problem)
{
	struct json_object *view = person_view(req, person);
	enum rc rc = factor_offer(
		req, view, &person->user, person->session.csrf, factor);

	page_text(view, "action", "/account/factor");
	page_text(view, "problem",
		problem != NULL ? arena_strdup(req->arena, problem) : NULL);
	return rc == RC_OK
		       ? page_answer(req, resp, status, "identity/enrol", view)
		       : rc;
}

enum rc
identity_factor_page(struct req *req, struct resp *resp)
{
	struct person person;
	enum rc rc = person_find(req, &person);

	if (rc == RC_OK)
		rc = person_require_fresh(req, &person);
	return rc == RC_OK ? answer_enrol(req, resp, &person, NULL, 200, NULL)
			   : rc;
}

static enum rc
read_fresh_form(struct req *req, struct pairs *form, struct person *person)
{
	enum rc rc = read_form(req, form, person);

	return rc == RC_OK ? person_require_fresh(req, person) : rc;
}

enum rc
identity_factor(struct req *req, struct resp *resp)
{
	const char *const *codes = NULL;
	struct person person;
	struct factor factor;
	struct pairs form;
	enum rc rc = read_fresh_form(req, &form, &person);

	if (rc == RC_OK)
		rc = factor_accept(
			req, &form, &person.user, person.session.csrf, &factor);
	if (rc != RC_OK)
		return rc;
	rc = factor_set(req, &form, &person.user, &factor, &codes);
	if (rc == RC_UNAUTHENTICATED)
		return answer_enrol(
			req, resp, &person, &factor, 401, req->fault.client);
	return rc == RC_OK
		       ? factor_show_codes(req, resp, person_view(req, &person),
				 codes, "/account")
		       : rc;
}

enum rc
identity_factor_codes(struct req *req, struct resp *resp)
{
	const char *const *codes = NULL;
	struct person person;
	struct pairs form;
	enum rc rc = read_fresh_form(req, &form, &person);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc == RC_OK)
		rc = factor_renew_codes(req->db, req->arena, person.user.id,
			&codes, &req->fault);
	if (rc == RC_OK)
		rc = identity_audit(
			req, "account.factor", person.user.name, AUDIT_OK);
	if (rc == RC_OK)
		rc = db_commit(req->db, &req->fault);
	return rc == RC_OK
		       ? factor_show_codes(req, resp, person_view(req, &person),
				 codes, "/account")
		       : rc;
}

enum rc
identity_factor_remove(struct req *req, struct resp *resp)
{
	struct person person;
	struct pairs form;
	enum rc rc = read_fresh_form(req, &form, &person);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc == RC_OK)
		rc = factor_remove(req->db, person.user.id, &req->fault);
	if (rc == RC_OK)
		rc = identity_audit(req, "account.factor_remove",
			person.user.name, AUDIT_OK);
	if (rc == RC_OK)
		rc = db_commit(req->db, &req->fault);
	return rc == RC_OK ? back(req, resp, DONE_FACTOR) : rc;
}
