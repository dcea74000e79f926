/* identity_check: is it the right password, and what happens then. */

#include "fcgi/identity_check.h"

#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_page.h"
#include "lib/log.h"

/* --- the password ------------------------------------------------------ */

static enum rc
too_fast(struct req *req, const struct identity_check *check)
{
	log_warn(req->id, "login too fast: name=%s address=%s", check->name,
		req->address);
	return fault_tell(&req->fault, RC_TOO_MANY, "TooManyAttempts", NULL,
		"Too many attempts. Try again in %lld s.",
		(long long)check->wait_s);
}

/* One text for every reason, so that nobody learns who has an account. */
static enum rc
wrong(struct req *req, const struct identity_check *check)
{
	enum rc rc = session_login_failed(
		req->db, req->arena, check->name, req->address, &req->fault);

	log_warn(req->id, "login failed: name=%s address=%s", check->name,
		req->address);
	if (rc != RC_OK)
		return rc;
	return fault_tell(&req->fault, RC_UNAUTHENTICATED, "LoginFailed", NULL,
		"User name or password is wrong.");
}

enum rc
identity_check_password(struct req *req, struct identity_check *check,
	struct user *user, const char **amr)
{
	enum rc rc = session_login_wait(req->db, req->arena, check->name,
		req->address, &check->wait_s, &req->fault);

	*amr = IDENTITY_AMR_PASSWORD;
	if (rc != RC_OK)
		return rc;
	if (check->wait_s > 0)
		return too_fast(req, check);
	rc = user_log_in(req->db, req->arena, check->name, check->password,
		user, &req->fault);
	if (rc == RC_UNAUTHENTICATED)
		return wrong(req, check);
	if (rc == RC_OK)
		rc = session_login_worked(req->db, req->arena, check->name,
			req->address, &req->fault);
	return rc;
}

/* --- letting in -------------------------------------------------------- */

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

enum rc
identity_let_in(struct req *req, struct resp *resp, const struct user *user,
	const char *amr, const char *issuer, const char *next)
{
	const char *methods[] = {amr, NULL};
	struct session_new wanted = {
		.user_id = user->id,
		.address = req->address,
		.agent = agent_of(req),
		.amr = methods,
		.issuer = issuer,
	};
	struct session session;
	enum rc rc;

	if (!user->active)
		return fault_tell(&req->fault, RC_UNAUTHENTICATED,
			"LoginFailed", NULL, "User name or password is wrong.");
	rc = end_old_session(req);
	if (rc == RC_OK)
		rc = session_create(
			req->db, req->arena, &wanted, &session, &req->fault);
	if (rc != RC_OK)
		return rc;
	log_info(
		req->id, "login: name=%s address=%s", user->name, req->address);
	page_cookie(req, resp, CALLER_COOKIE, session.cookie);
	page_cookie(req, resp, IDENTITY_FORM_COOKIE, "");
	return go_on(req, resp, next);
}
