/* identity_login: the page on which a person proves who they are. */

#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_page.h"
#include "lib/log.h"
#include "model/user.h"

/* A form is only taken from the browser that was given it: its hidden token
 * must be the one in this cookie. */
#define FORM_COOKIE "__Host-gridform"
#define FORM_BYTES  43

/* A login form, read. */
struct entry {
	const char *name;
	const char *password;
	const char *next;
	const char *csrf;
};

enum rc
identity_session(struct req *req, struct session *session)
{
	const char *cookie = req_cookie(req, CALLER_COOKIE);

	if (cookie == NULL)
		return fault_set(&req->fault, RC_NOT_FOUND, "no cookie");
	return session_find(req->db, req->arena, cookie, session, &req->fault);
}

/* The browser's form token, made when it has none. */
static const char *
form_token(struct req *req, struct resp *resp)
{
	const char *token = req_cookie(req, FORM_COOKIE);

	if (token != NULL && strlen(token) == FORM_BYTES)
		return token;
	token = secret_token(req->arena);
	page_cookie(req, resp, FORM_COOKIE, token);
	return token;
}

static enum rc
answer_form(struct req *req, struct resp *resp, int status,
	const struct entry *entry, const char *problem)
{
	struct json_object *view = page_view(req);

	page_text(view, "csrf", form_token(req, resp));
	page_text(view, "next", entry->next);
	page_text(view, "name", entry->name);
	page_text(view, "problem", problem);
	return page_answer(req, resp, status, "identity/login", view);
}

/* GET /login?next=/path&name=alice. A session is no reason to skip the form:
 * whoever is sent here with "fresh" must prove it anew. */
enum rc
identity_login_page(struct req *req, struct resp *resp)
{
	struct entry entry = {.name = NULL};
	struct session session;
	struct pairs query;
	enum rc rc = req_query(req, &query);

	if (rc != RC_OK)
		return rc;
	entry.next = page_next(pairs_find(&query, "next"));
	entry.name = pairs_find(&query, "name");
	if (pairs_find(&query, "fresh") == NULL) {
		rc = identity_session(req, &session);
		if (rc == RC_OK) {
			resp_redirect(resp, entry.next);
			return RC_OK;
		}
		if (rc != RC_NOT_FOUND)
			return rc;
	}
	return answer_form(req, resp, 200, &entry, NULL);
}

static enum rc
read_entry(struct req *req, struct entry *entry)
{
	const char *cookie = req_cookie(req, FORM_COOKIE);
	struct pairs form;
	enum rc rc = req_form(req, &form);

	if (rc != RC_OK)
		return rc;
	entry->name = pairs_find(&form, "name");
	entry->password = pairs_find(&form, "password");
	entry->next = page_next(pairs_find(&form, "next"));
	entry->csrf = pairs_find(&form, "csrf");
	if (entry->name == NULL || entry->password == NULL ||
		strlen(entry->name) > USER_NAME_BYTES)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"name", "Name and password are needed.");
	if (!caller_same_origin(req) || cookie == NULL || entry->csrf == NULL ||
		strlen(cookie) != FORM_BYTES ||
		strlen(entry->csrf) != FORM_BYTES ||
		!secret_equal(cookie, entry->csrf, FORM_BYTES))
		return fault_tell(&req->fault, RC_DENIED, "FormExpired", "csrf",
			"This form is too old. Load the page again.");
	return RC_OK;
}

/* One text for every reason, so that nobody learns who has an account. */
static enum rc
refuse_login(struct req *req, struct resp *resp, const struct entry *entry)
{
	enum rc rc = session_login_failed(
		req->db, req->arena, entry->name, req->address, &req->fault);

	log_warn(req->id, "login failed: name=%s address=%s", entry->name,
		req->address);
	if (rc != RC_OK)
		return rc;
	return answer_form(
		req, resp, 401, entry, "User name or password is wrong.");
}

static enum rc
ask_to_wait(struct req *req, struct resp *resp, const struct entry *entry,
	int64_t wait_s)
{
	resp_header(resp, "Retry-After",
		arena_printf(req->arena, "%lld", (long long)wait_s));
	log_warn(req->id, "login too fast: name=%s address=%s", entry->name,
		req->address);
	return answer_form(req, resp, 429, entry,
		arena_printf(req->arena,
			"Too many attempts. Try again in %lld s.",
			(long long)wait_s));
}

/* The session that the browser had, if any, ends: its cookie is known to
 * whoever could have planted it. */
static enum rc
end_old_session(struct req *req)
{
	struct session old;
	enum rc rc = identity_session(req, &old);

	if (rc == RC_OK)
		return session_end(req->db, &old, &req->fault);
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static const char *
agent_of(const struct req *req)
{
	const char *agent = req_header(req, "User-Agent");

	return agent == NULL
		       ? ""
		       : arena_strndup(req->arena, agent, strnlen(agent, 200));
}

/* The next step of an authorization leads away from this site. */
static enum rc
go_on(struct req *req, struct resp *resp, const char *next)
{
	if (strncmp(next, "/connect/", 9) == 0)
		return page_continue(req, resp, "You are logged in", next);
	resp_redirect(resp, next);
	oauth_no_store(resp);
	return RC_OK;
}

static enum rc
let_in(struct req *req, struct resp *resp, const struct entry *entry,
	const struct user *user)
{
	struct session session;
	enum rc rc = session_login_worked(
		req->db, req->arena, entry->name, req->address, &req->fault);

	if (rc == RC_OK)
		rc = end_old_session(req);
	if (rc == RC_OK)
		rc = session_create(req->db, req->arena, user->id, req->address,
			agent_of(req), &session, &req->fault);
	if (rc != RC_OK)
		return rc;
	log_info(
		req->id, "login: name=%s address=%s", user->name, req->address);
	page_cookie(req, resp, CALLER_COOKIE, session.cookie);
	page_cookie(req, resp, FORM_COOKIE, "");
	return go_on(req, resp, entry->next);
}

enum rc
identity_login(struct req *req, struct resp *resp)
{
	struct entry entry;
	struct user user;
	int64_t wait_s = 0;
	enum rc rc = read_entry(req, &entry);

	if (rc == RC_OK)
		rc = session_login_wait(req->db, req->arena, entry.name,
			req->address, &wait_s, &req->fault);
	if (rc != RC_OK)
		return rc;
	if (wait_s > 0)
		return ask_to_wait(req, resp, &entry, wait_s);
	rc = user_log_in(req->db, req->arena, entry.name, entry.password, &user,
		&req->fault);
	if (rc == RC_UNAUTHENTICATED)
		return refuse_login(req, resp, &entry);
	return rc == RC_OK ? let_in(req, resp, &entry, &user) : rc;
}
