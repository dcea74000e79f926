/* identity_login: the page on which a person proves who they are. */

#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_check.h"
#include "fcgi/identity_federation.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_page.h"
#include "model/user.h"

#define FORM_BYTES 43

/* A login form, read. */
struct entry {
	const char *name;
	const char *password;
	const char *next;
	const char *csrf;
	bool fresh; /* a session is not enough */
	bool ended; /* a page found that its session is over */
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
	const char *token = req_cookie(req, IDENTITY_FORM_COOKIE);

	if (token != NULL && strlen(token) == FORM_BYTES)
		return token;
	token = secret_token(req->arena);
	page_cookie(req, resp, IDENTITY_FORM_COOKIE, token);
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
	if (entry->fresh)
		page_text(view, "fresh", "1");
	if (entry->ended)
		page_text(view, "ended", "1");
	identity_providers(req, view, entry->next, entry->fresh);
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
	entry.fresh = pairs_find(&query, "fresh") != NULL;
	entry.ended = pairs_find(&query, "ended") != NULL;
	if (!entry.fresh) {
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
	const char *cookie = req_cookie(req, IDENTITY_FORM_COOKIE);
	struct pairs form;
	enum rc rc = req_form(req, &form);

	if (rc != RC_OK)
		return rc;
	entry->name = pairs_find(&form, "name");
	entry->password = pairs_find(&form, "password");
	entry->next = page_next(pairs_find(&form, "next"));
	entry->csrf = pairs_find(&form, "csrf");
	entry->fresh = pairs_find(&form, "fresh") != NULL;
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

/* The form again, with what was wrong. */
static enum rc
answer_refusal(struct req *req, struct resp *resp, const struct entry *entry,
	const struct identity_check *check, enum rc rc)
{
	if (rc == RC_TOO_MANY)
		resp_header(resp, "Retry-After",
			arena_printf(
				req->arena, "%lld", (long long)check->wait_s));
	return answer_form(req, resp, fault_public(rc)->status, entry,
		arena_strdup(req->arena, req->fault.client));
}

enum rc
identity_login(struct req *req, struct resp *resp)
{
	struct identity_check check = {.name = NULL};
	struct entry entry;
	struct user user;
	const char *amr;
	enum rc rc = read_entry(req, &entry);

	if (rc != RC_OK)
		return rc;
	check.name = entry.name;
	check.password = entry.password;
	rc = identity_check_password(req, &check, &user, &amr);
	if (rc == RC_OK)
		rc = identity_let_in(
			req, resp, &user, amr, user.source, entry.next);
	if (rc == RC_UNAUTHENTICATED || rc == RC_TOO_MANY ||
		(rc == RC_UNAVAILABLE && req->fault.client[0] != '\0'))
		return answer_refusal(req, resp, &entry, &check, rc);
	return rc;
}
