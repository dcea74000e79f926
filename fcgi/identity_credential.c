/* identity_credential: changing one's own password and second factor. */

#include <json-c/json.h>
#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_account.h"
#include "fcgi/identity_check.h"
#include "fcgi/identity_factor.h"
#include "fcgi/identity_page.h"
#include "model/audit.h"

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
	return account_has_password(&person->user)
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
		rc = account_end_others(req, person);
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
	enum rc rc = account_form(req, &form, &person);

	if (rc == RC_OK)
		rc = require_own_password(req, &person);
	if (rc != RC_OK)
		return rc;
	current = pairs_find(&form, "password");
	if (current == NULL)
		current = "";
	rc = page_new_password(req, &form, &wanted);
	if (rc == RC_OK)
		rc = check_current(req, resp, &person, current);
	if (rc == RC_OK && strcmp(current, wanted) == 0)
		rc = fault_tell(&req->fault, RC_BAD_INPUT, "PasswordUsed",
			"new_password",
			"Choose another than the one you have.");
	if (rc == RC_OK)
		rc = change_password(req, resp, &person, &form, wanted);
	if (is_problem_of_the_form(rc))
		return answer_password(req, resp, &person,
			fault_public(rc)->status, req->fault.client);
	return rc == RC_OK ? account_back(req, resp, ACCOUNT_PASSWORD) : rc;
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
	enum rc rc = account_form(req, form, person);

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
	return rc == RC_OK ? account_back(req, resp, ACCOUNT_FACTOR) : rc;
}
