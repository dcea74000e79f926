/* identity_check: is it the right password, and what happens then. */

#include "fcgi/identity_check.h"

#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_event.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_page.h"
#include "fcgi/identity_person.h"
#include "lib/log.h"
#include "model/audit.h"
#include "model/group.h"
#include "model/login_step.h"

#define AMR_MAX 8

/* --- the password ------------------------------------------------------ */

static enum rc
too_fast(struct req *req, const struct identity_check *check)
{
	log_warn(req->id, "login too fast: address=%s", req->address);
	return fault_tell(&req->fault, RC_TOO_MANY, "TooManyAttempts", NULL,
		"Too many attempts. Try again in %lld s.",
		(long long)check->wait_s);
}

/* Somebody may have typed the password where the name belongs: only a name
 * that there is gets into log and audit. */
static enum rc
shown_name(struct req *req, const char *typed, const char **name)
{
	struct user user;
	uint8_t hash[SECRET_HASH_BYTES];
	enum rc rc = user_find(req->db, req->arena, typed, &user, &req->fault);

	if (rc == RC_OK)
		*name = user.name;
	if (rc != RC_NOT_FOUND)
		return rc;
	secret_hash(hash, typed, strlen(typed));
	*name = arena_printf(
		req->arena, "unknown-%s", encode_hex(req->arena, hash, 4));
	return RC_OK;
}

enum rc
identity_audit(struct req *req, const char *action, const char *name,
	const char *result)
{
	const struct audit row = {
		.action = action,
		.object = arena_printf(req->arena, "user:%s", name),
		.result = result,
	};

	return audit_write(req, &row);
}

/* One text for every reason, so that nobody learns who has an account. */
static enum rc
refuse(struct req *req)
{
	return fault_tell(&req->fault, RC_UNAUTHENTICATED, "LoginFailed", NULL,
		"User name or password is wrong.");
}

static enum rc
wrong(struct req *req, const struct identity_check *check)
{
	const char *name = NULL;
	enum rc rc = session_login_failed(
		req->db, req->arena, check->name, req->address, &req->fault);

	if (rc == RC_OK)
		rc = shown_name(req, check->name, &name);
	if (rc == RC_OK)
		rc = identity_audit(req, "login.refused", name, AUDIT_REFUSED);
	if (rc == RC_OK)
		rc = identity_event(req, IDENTITY_EVENT_REFUSED, name,
			"wrong name or password");
	if (rc != RC_OK)
		return rc;
	log_warn(req->id, "login failed: name=%s address=%s", name,
		req->address);
	return refuse(req);
}

/* Not wrong, and no failure to count: nobody could say. */
static enum rc
out_of_reach(struct req *req, const struct identity_check *check)
{
	const struct fault kept = req->fault;
	const char *name = NULL;
	enum rc rc = shown_name(req, check->name, &name);

	if (rc == RC_OK)
		rc = identity_audit(req, "login.refused", name, AUDIT_FAILED);
	if (rc == RC_OK)
		rc = identity_event(req, IDENTITY_EVENT_REFUSED, name,
			"no directory could be asked");
	if (rc != RC_OK)
		return rc;
	req->fault = kept;
	return RC_UNAVAILABLE;
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
	if (rc == RC_UNAUTHENTICATED &&
		strcmp(req->fault.code, "PasswordExpired") == 0)
		return rc; /* it was the right one */
	if (rc == RC_UNAUTHENTICATED)
		rc = directory_log_in(req->db, req->arena,
			identity_of(req)->directories, check->name,
			check->password, user, &req->fault);
	if (rc == RC_UNAUTHENTICATED)
		return wrong(req, check);
	if (rc == RC_UNAVAILABLE)
		return out_of_reach(req, check);
	if (rc == RC_OK)
		rc = session_login_worked(req->db, req->arena, check->name,
			req->address, &req->fault);
	return rc;
}

/* --- letting in -------------------------------------------------------- */

/* Somebody on the way in. */
struct entrance {
	const struct user *user;
	const char *const *amr;
	const char *issuer;
	const char *next;
};

static const char *const *
split(struct arena *arena, const char *words)
{
	const char **list = arena_array(arena, AMR_MAX + 1, sizeof(*list));
	size_t count = 0;

	while (*words != '\0' && count < AMR_MAX) {
		size_t length = strcspn(words, " ");

		if (length > 0)
			list[count++] = arena_strndup(arena, words, length);
		words += length + strspn(words + length, " ");
	}
	return list;
}

static bool
has(const char *const *list, const char *word)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, word) == 0)
			return true;
	return false;
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

static enum rc
make_session(struct req *req, const struct entrance *entrance,
	struct session *session)
{
	const struct user *user = entrance->user;
	struct session_new wanted = {
		.user_id = user->id,
		.address = req->address,
		.agent = agent_of(req),
		.amr = entrance->amr,
		.issuer = entrance->issuer,
	};
	enum rc rc = end_old_session(req);

	if (rc == RC_OK)
		rc = session_create(
			req->db, req->arena, &wanted, session, &req->fault);
	if (rc == RC_OK)
		rc = identity_audit(req, "login.ok", user->name, AUDIT_OK);
	if (rc == RC_OK)
		rc = identity_event(
			req, IDENTITY_EVENT_OK, user->name, "logged in");
	return rc;
}

static enum rc
open_session(
	struct req *req, struct resp *resp, const struct entrance *entrance)
{
	struct session session;
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	if (rc != RC_OK)
		return rc;
	person_become(req, entrance->user);
	rc = make_session(req, entrance, &session);
	if (rc == RC_OK)
		rc = db_commit(req->db, &req->fault);
	else
		db_rollback(req->db);
	if (rc != RC_OK)
		return rc;
	log_info(req->id, "login: name=%s address=%s", entrance->user->name,
		req->address);
	page_cookie(req, resp, CALLER_COOKIE, session.cookie);
	page_cookie(req, resp, IDENTITY_FORM_COOKIE, "");
	page_cookie(req, resp, IDENTITY_STEP_COOKIE, "");
	return RC_OK;
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

/* --- what is still missing --------------------------------------------- */

/* NULL when nothing is. A code comes before a new password: who has only the
 * password may not replace it. */
static enum rc
find_missing(
	struct req *req, const struct entrance *entrance, const char **page)
{
	bool second = has(entrance->amr, IDENTITY_AMR_OTP) ||
		      has(entrance->amr, IDENTITY_AMR_MULTIPLE);
	struct login_needs needs = {false, false};
	bool required = false;
	enum rc rc = login_needs_find(
		req->db, req->arena, entrance->user->id, &needs, &req->fault);

	if (rc == RC_OK && !needs.factor && !second)
		rc = group_requires_factor(req->db, req->arena,
			entrance->user->id, &required, &req->fault);
	*page = NULL;
	if (needs.factor && !second)
		*page = "/login/code";
	else if (needs.new_password &&
		 has(entrance->amr, IDENTITY_AMR_PASSWORD))
		*page = "/login/password";
	else if (required)
		*page = "/login/enrol";
	return rc;
}

static enum rc
send_to_step(struct req *req, struct resp *resp,
	const struct entrance *entrance, const char *page)
{
	struct login_step step = {
		.user_id = entrance->user->id,
		.amr = entrance->amr,
		.issuer = entrance->issuer,
		.next = entrance->next,
	};
	enum rc rc = login_step_create(req->db, req->arena, &step, &req->fault);

	if (rc != RC_OK)
		return rc;
	page_cookie(req, resp, IDENTITY_STEP_COOKIE, step.cookie);
	resp_redirect(resp, page);
	oauth_no_store(resp);
	return RC_OK;
}

enum rc
identity_enter(struct req *req, struct resp *resp, const struct user *user,
	const char *amr, const char *issuer, const char *next, bool *inside)
{
	const struct entrance entrance = {
		.user = user,
		.amr = split(req->arena, amr),
		.issuer = issuer,
		.next = page_next(next),
	};
	const char *missing = NULL;
	enum rc rc;

	*inside = false;
	if (!user->active)
		return refuse(req);
	rc = find_missing(req, &entrance, &missing);
	if (rc == RC_OK && missing != NULL)
		return send_to_step(req, resp, &entrance, missing);
	if (rc == RC_OK)
		rc = open_session(req, resp, &entrance);
	*inside = rc == RC_OK;
	return rc;
}

enum rc
identity_let_in(struct req *req, struct resp *resp, const struct user *user,
	const char *amr, const char *issuer, const char *next)
{
	bool inside = false;
	enum rc rc =
		identity_enter(req, resp, user, amr, issuer, next, &inside);

	return inside ? go_on(req, resp, page_next(next)) : rc;
}
