/* identity_step: what a log-in still lacks: a code, a new password, a second
 * factor. */

#include <json-c/json.h>
#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_check.h"
#include "fcgi/identity_factor.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_page.h"
#include "fcgi/identity_person.h"
#include "lib/log.h"
#include "lib/password.h"
#include "model/audit.h"
#include "model/login_step.h"

/* Somebody in the middle of a log-in, and what they sent. */
struct walker {
	struct login_step step;
	struct user user;
	struct pairs form;
};

/* --- who it is --------------------------------------------------------- */

static enum rc
start_again(struct req *req)
{
	return fault_tell(&req->fault, RC_UNAUTHENTICATED, "StepExpired", NULL,
		"This took too long. Log in again.");
}

static enum rc
find_walker(struct req *req, struct walker *walker)
{
	const char *cookie = req_cookie(req, IDENTITY_STEP_COOKIE);
	enum rc rc;

	if (cookie == NULL)
		return start_again(req);
	rc = login_step_find(
		req->db, req->arena, cookie, &walker->step, &req->fault);
	if (rc == RC_OK)
		rc = user_find_id(req->db, req->arena, walker->step.user_id,
			&walker->user, &req->fault);
	if (rc == RC_NOT_FOUND || (rc == RC_OK && !walker->user.active))
		return start_again(req);
	if (rc == RC_OK)
		person_become(req, &walker->user);
	return rc;
}

static enum rc
find_sender(struct req *req, struct walker *walker)
{
	struct caller own = {.csrf = NULL};
	enum rc rc = req_form(req, &walker->form);

	if (rc == RC_OK)
		rc = find_walker(req, walker);
	if (rc != RC_OK)
		return rc;
	if (!caller_same_origin(req))
		return fault_tell(&req->fault, RC_DENIED, "CrossSite", NULL,
			"A page of another site cannot log you in.");
	own.csrf = walker->step.csrf;
	return caller_check_csrf(
		&own, pairs_find(&walker->form, "csrf"), &req->fault);
}

static struct json_object *
step_view(struct req *req, const struct walker *walker, const char *problem)
{
	struct json_object *view = page_view(req);

	page_text(view, "csrf", walker->step.csrf);
	page_text(view, "name", walker->user.name);
	page_text(view, "problem",
		problem != NULL ? arena_strdup(req->arena, problem) : NULL);
	return view;
}

/* What is shown now, beside what was shown before. */
static const char *
amr_with(struct req *req, const struct walker *walker, const char *more)
{
	const char *text = oauth_join(req->arena, walker->step.amr);

	return arena_printf(
		req->arena, "%s%s%s", text, more[0] != '\0' ? " " : "", more);
}

/* The step is done: whatever is still missing comes next. */
static enum rc
walk_on(struct req *req, struct resp *resp, const struct walker *walker,
	const char *more)
{
	enum rc rc = login_step_end(req->db, &walker->step, &req->fault);

	if (rc == RC_OK)
		rc = identity_let_in(req, resp, &walker->user,
			amr_with(req, walker, more), walker->step.issuer,
			walker->step.next);
	return rc;
}

/* --- the code ---------------------------------------------------------- */

static enum rc
answer_code(struct req *req, struct resp *resp, const struct walker *walker,
	int status, const char *problem)
{
	return page_answer(req, resp, status, "identity/code",
		step_view(req, walker, problem));
}

enum rc
identity_code_page(struct req *req, struct resp *resp)
{
	struct walker walker = {.step = {.cookie = NULL}};
	enum rc rc = find_walker(req, &walker);

	return rc == RC_OK ? answer_code(req, resp, &walker, 200, NULL) : rc;
}

enum rc
identity_code(struct req *req, struct resp *resp)
{
	struct walker walker = {.step = {.cookie = NULL}};
	struct factor factor;
	const char *code;
	int64_t wait_s = 0;
	enum rc rc = find_sender(req, &walker);

	if (rc == RC_OK)
		rc = factor_find(req->db, req->arena, identity_of(req)->seal,
			walker.user.id, &factor, &req->fault);
	if (rc != RC_OK)
		return rc;
	code = pairs_find(&walker.form, "code");
	if (factor.secret == NULL || code == NULL)
		return start_again(req);
	rc = factor_try(req, &walker.user, &factor, code, &wait_s);
	if (rc == RC_TOO_MANY)
		page_retry_after(req, resp, wait_s);
	if (rc == RC_TOO_MANY || rc == RC_UNAUTHENTICATED)
		return answer_code(req, resp, &walker, fault_public(rc)->status,
			req->fault.client);
	return rc == RC_OK ? walk_on(req, resp, &walker,
				     IDENTITY_AMR_OTP " " IDENTITY_AMR_MULTIPLE)
			   : rc;
}

/* --- a new password ---------------------------------------------------- */

static enum rc
answer_password(struct req *req, struct resp *resp, const struct walker *walker,
	int status, const char *problem)
{
	struct json_object *view = step_view(req, walker, problem);

	page_text(view, "action", "/login/password");
	page_text(view, "first", "1");
	return page_answer(req, resp, status, "identity/password", view);
}

enum rc
identity_first_password_page(struct req *req, struct resp *resp)
{
	struct walker walker = {.step = {.cookie = NULL}};
	enum rc rc = find_walker(req, &walker);

	return rc == RC_OK ? answer_password(req, resp, &walker, 200, NULL)
			   : rc;
}

/* May this person set a password here, and is it a new one? */
static enum rc
check_new_password(
	struct req *req, const struct walker *walker, const char *password)
{
	struct login_needs needs;
	struct user same;
	enum rc rc = login_needs_find(
		req->db, req->arena, walker->user.id, &needs, &req->fault);

	if (rc != RC_OK)
		return rc;
	if (!needs.new_password ||
		!client_list_has(walker->step.amr, IDENTITY_AMR_PASSWORD) ||
		(needs.factor &&
			!client_list_has(walker->step.amr, IDENTITY_AMR_OTP)))
		return start_again(req);
	rc = user_log_in(req->db, req->arena, walker->user.name, password,
		&same, &req->fault);
	if (rc == RC_OK)
		return fault_tell(&req->fault, RC_BAD_INPUT, "PasswordUsed",
			"password", "Choose another than the one you have.");
	return rc == RC_UNAUTHENTICATED ? RC_OK : rc;
}

static enum rc
store_password(
	struct req *req, const struct walker *walker, const char *password)
{
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	if (rc != RC_OK)
		return rc;
	rc = user_replace_password(
		req->db, req->arena, walker->user.id, password, &req->fault);
	if (rc == RC_OK)
		rc = identity_audit(
			req, "account.password", walker->user.name, AUDIT_OK);
	if (rc == RC_OK)
		return db_commit(req->db, &req->fault);
	db_rollback(req->db);
	return rc;
}

enum rc
identity_first_password(struct req *req, struct resp *resp)
{
	struct walker walker = {.step = {.cookie = NULL}};
	const char *password = NULL;
	enum rc rc = find_sender(req, &walker);

	if (rc != RC_OK)
		return rc;
	rc = page_new_password(req, &walker.form, &password);
	if (rc == RC_OK)
		rc = check_new_password(req, &walker, password);
	if (rc == RC_OK)
		rc = store_password(req, &walker, password);
	if (rc == RC_BAD_INPUT)
		return answer_password(
			req, resp, &walker, 400, req->fault.client);
	return rc == RC_OK ? walk_on(req, resp, &walker, "") : rc;
}

/* --- a second factor that a group demands ------------------------------ */

static enum rc
answer_enrol(struct req *req, struct resp *resp, const struct walker *walker,
	const struct factor *factor, int status, const char *problem)
{
	struct json_object *view = step_view(req, walker, problem);
	enum rc rc = factor_offer(
		req, view, &walker->user, walker->step.csrf, factor);

	page_text(view, "action", "/login/enrol");
	page_text(view, "required", "1");
	return rc == RC_OK
		       ? page_answer(req, resp, status, "identity/enrol", view)
		       : rc;
}

enum rc
identity_enrol_page(struct req *req, struct resp *resp)
{
	struct walker walker = {.step = {.cookie = NULL}};
	enum rc rc = find_walker(req, &walker);

	return rc == RC_OK ? answer_enrol(req, resp, &walker, NULL, 200, NULL)
			   : rc;
}

/* The codes are shown before the session leads on. */
enum rc
identity_enrol(struct req *req, struct resp *resp)
{
	const char *const *codes = NULL;
	struct walker walker = {.step = {.cookie = NULL}};
	struct factor factor;
	bool inside = false;
	enum rc rc = find_sender(req, &walker);

	if (rc == RC_OK)
		rc = factor_accept(req, &walker.form, &walker.user,
			walker.step.csrf, &factor);
	if (rc != RC_OK)
		return rc;
	rc = factor_set(req, &walker.form, &walker.user, &factor, &codes);
	if (rc == RC_UNAUTHENTICATED)
		return answer_enrol(
			req, resp, &walker, &factor, 401, req->fault.client);
	if (rc == RC_OK)
		rc = login_step_end(req->db, &walker.step, &req->fault);
	if (rc == RC_OK)
		rc = identity_enter(req, resp, &walker.user,
			amr_with(req, &walker,
				IDENTITY_AMR_OTP " " IDENTITY_AMR_MULTIPLE),
			walker.step.issuer, walker.step.next, &inside);
	return inside ? factor_show_codes(req, resp, page_view(req), codes,
				walker.step.next)
		      : rc;
}
