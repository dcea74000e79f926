/* identity_logout: the end of a session, asked for here or by a client. */

#include <json-c/json.h>
#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_event.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_page.h"
#include "fcgi/identity_person.h"
#include "lib/jwt.h"
#include "lib/log.h"
#include "model/audit.h"
#include "model/client.h"

/* A request to /connect/endsession, read. */
struct farewell {
	const char *hint;
	const char *client_id;
	const char *uri;
	const char *state;
	const char *csrf;
	const char *hint_sid; /* of a valid hint */
	bool may_return;      /* "uri" is registered for the client */
};

/* By the person whose session it is, whoever asked for it. */
static enum rc
end_and_audit(struct req *req, const struct session *session)
{
	struct audit row = {.action = "logout", .result = AUDIT_OK};
	char sid[UUID_TEXT_BYTES];
	struct user user;
	enum rc rc = user_find_id(
		req->db, req->arena, session->user_id, &user, &req->fault);

	if (rc != RC_OK)
		return rc;
	person_become(req, &user);
	uuid_format(sid, session->sid);
	row.object = arena_printf(req->arena, "session:%s", sid);
	rc = session_end(req->db, session, &req->fault);
	if (rc == RC_OK)
		rc = audit_write(req, &row);
	return rc == RC_OK ? identity_event(req, IDENTITY_EVENT_ENDED,
				     user.name, "logged out")
			   : rc;
}

static enum rc
end_session(struct req *req, struct resp *resp, const struct session *session)
{
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	if (rc == RC_OK)
		rc = end_and_audit(req, session);
	if (rc == RC_OK)
		rc = db_commit(req->db, &req->fault);
	if (rc != RC_OK)
		return rc;
	log_info(req->id, "logout: user=%lld", (long long)session->user_id);
	page_cookie(req, resp, CALLER_COOKIE, "");
	return RC_OK;
}

static enum rc
check_csrf(struct req *req, const struct session *session, const char *sent)
{
	const struct caller caller = {.csrf = session->csrf};

	if (!caller_same_origin(req))
		return fault_tell(&req->fault, RC_DENIED, "CrossSite", NULL,
			"A page of another site cannot log you out.");
	return caller_check_csrf(&caller, sent, &req->fault);
}

/* --- /logout ----------------------------------------------------------- */

static enum rc
ask(struct req *req, struct resp *resp, const struct session *session,
	const char *action, const struct farewell *farewell)
{
	struct json_object *view = page_view(req);

	page_text(view, "csrf", session->csrf);
	page_text(view, "action", action);
	if (farewell != NULL) {
		page_text(view, "client_id", farewell->client_id);
		page_text(view, "uri", farewell->uri);
		page_text(view, "state", farewell->state);
		page_text(view, "hint", farewell->hint);
	}
	return page_answer(req, resp, 200, "identity/logout", view);
}

static enum rc
say_goodbye(struct req *req, struct resp *resp)
{
	return page_answer(req, resp, 200, "identity/goodbye", page_view(req));
}

enum rc
identity_logout_page(struct req *req, struct resp *resp)
{
	struct session session;
	enum rc rc = identity_session(req, &session);

	if (rc == RC_NOT_FOUND)
		return say_goodbye(req, resp);
	return rc == RC_OK ? ask(req, resp, &session, "/logout", NULL) : rc;
}

enum rc
identity_logout(struct req *req, struct resp *resp)
{
	struct session session;
	struct pairs form;
	enum rc rc = req_form(req, &form);

	if (rc != RC_OK)
		return rc;
	rc = identity_session(req, &session);
	if (rc == RC_OK)
		rc = check_csrf(req, &session, pairs_find(&form, "csrf"));
	if (rc == RC_OK)
		rc = end_session(req, resp, &session);
	if (rc != RC_OK && rc != RC_NOT_FOUND)
		return rc;
	resp_redirect(resp, "/login");
	oauth_no_store(resp);
	return RC_OK;
}

/* --- /connect/endsession ----------------------------------------------- */

static enum rc
read_farewell(struct req *req, struct farewell *farewell)
{
	const struct {
		const char *name;
		const char **value;
	} params[] = {
		{"id_token_hint", &farewell->hint},
		{"client_id", &farewell->client_id},
		{"post_logout_redirect_uri", &farewell->uri},
		{"state", &farewell->state},
		{"csrf", &farewell->csrf},
	};
	struct pairs pairs;
	enum rc rc = req->method == METHOD_POST ? req_form(req, &pairs)
						: req_query(req, &pairs);

	for (size_t i = 0; i < ARRAY_LENGTH(params) && rc == RC_OK; i++)
		rc = oauth_param(req, &pairs, params[i].name, params[i].value);
	return rc;
}

/* An old hint is as good as a new one; a wrong one is none. */
static enum rc
read_hint(struct req *req, struct farewell *farewell)
{
	struct json_object *claims = NULL;
	const char *audience;
	enum rc rc;

	if (farewell->hint == NULL)
		return RC_OK;
	rc = caller_read_token(identity_of(req)->gate, req, farewell->hint,
		"id", farewell->client_id, true, &claims);
	if (rc == RC_UNAUTHENTICATED) {
		farewell->hint = NULL;
		return RC_OK;
	}
	if (rc != RC_OK)
		return rc;
	audience = jwt_claim_text(claims, "aud");
	farewell->hint_sid = jwt_claim_text(claims, "sid");
	if (farewell->client_id == NULL && audience != NULL)
		farewell->client_id = arena_strdup(req->arena, audience);
	return RC_OK;
}

static enum rc
check_return(struct req *req, struct farewell *farewell)
{
	struct client client;
	enum rc rc;

	if (farewell->uri == NULL || farewell->client_id == NULL)
		return RC_OK;
	rc = client_find(
		req->db, req->arena, farewell->client_id, &client, &req->fault);
	if (rc == RC_NOT_FOUND)
		return RC_OK;
	if (rc == RC_OK)
		farewell->may_return =
			client.active &&
			client_list_has((const char *const *)client.logout_uris,
				farewell->uri);
	return rc;
}

static enum rc
go_back(struct req *req, struct resp *resp, const struct farewell *farewell)
{
	const char *uri = farewell->uri;

	if (!farewell->may_return)
		return say_goodbye(req, resp);
	if (farewell->state != NULL)
		uri = arena_printf(req->arena, "%s%cstate=%s", uri,
			strchr(uri, '?') != NULL ? '&' : '?',
			percent_encode(req->arena, farewell->state));
	if (req->method == METHOD_POST)
		return page_continue(req, resp, "You are logged out", uri);
	resp_redirect(resp, uri);
	oauth_no_store(resp);
	return RC_OK;
}

static bool
hint_is_of(const struct farewell *farewell, const struct session *session)
{
	char sid[UUID_TEXT_BYTES];

	uuid_format(sid, session->sid);
	return farewell->hint_sid != NULL &&
	       strcmp(sid, farewell->hint_sid) == 0;
}

enum rc
identity_end_session(struct req *req, struct resp *resp)
{
	struct farewell farewell = {.hint = NULL};
	struct session session;
	enum rc rc = read_farewell(req, &farewell);

	if (rc == RC_OK)
		rc = read_hint(req, &farewell);
	if (rc == RC_OK)
		rc = check_return(req, &farewell);
	if (rc != RC_OK)
		return rc;
	rc = identity_session(req, &session);
	if (rc == RC_NOT_FOUND)
		return go_back(req, resp, &farewell);
	if (rc == RC_OK && !hint_is_of(&farewell, &session)) {
		if (req->method != METHOD_POST || farewell.csrf == NULL)
			return ask(req, resp, &session, "/connect/endsession",
				&farewell);
		rc = check_csrf(req, &session, farewell.csrf);
	}
	if (rc == RC_OK)
		rc = end_session(req, resp, &session);
	return rc == RC_OK ? go_back(req, resp, &farewell) : rc;
}
