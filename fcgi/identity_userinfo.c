/* identity_userinfo: who the user of an access token is. */

#include "fcgi/identity.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_sign.h"
#include "model/user.h"

/* Who asks is found here and not before, so that scripts of registered origins
 * may read a refusal too. A session is no access token. */
static enum rc
authenticate(struct req *req, struct resp *resp)
{
	enum rc rc = oauth_cors(req, resp);

	oauth_no_store(resp);
	if (rc == RC_OK && req_header(req, "Authorization") == NULL)
		return fault_tell(&req->fault, RC_UNAUTHENTICATED,
			"Unauthenticated", NULL, "Send an access token.");
	if (rc == RC_OK)
		rc = caller_authenticate(
			identity_of(req)->gate, req, NEED_LOGIN);
	return rc;
}

static enum rc
require_scope(struct req *req, struct resp *resp, const char *scope)
{
	if (req->caller->csrf == NULL && caller_has_scope(req->caller, scope))
		return RC_OK;
	resp_header(resp, "WWW-Authenticate",
		arena_printf(req->arena,
			"Bearer realm=\"fieldgrid\", "
			"error=\"insufficient_scope\", scope=\"%s\"",
			scope));
	return fault_tell(&req->fault, RC_DENIED, "insufficient_scope", NULL,
		"The token lacks the scope %s.", scope);
}

static enum rc
find_person(struct req *req, struct resp *resp, const char *scope,
	struct user *user)
{
	enum rc rc = authenticate(req, resp);

	if (rc == RC_OK)
		rc = require_scope(req, resp, scope);
	if (rc == RC_OK)
		rc = user_find_id(req->db, req->arena, req->caller->id, user,
			&req->fault);
	return rc;
}

enum rc
identity_userinfo(struct req *req, struct resp *resp)
{
	struct identity_claims wanted = {.profile = false};
	struct user user;
	struct jsonw *json;
	enum rc rc = find_person(req, resp, "openid", &user);

	if (rc != RC_OK)
		return rc;
	wanted.profile = caller_has_scope(req->caller, "profile");
	wanted.email = caller_has_scope(req->caller, "email");
	wanted.roles = wanted.profile || caller_has_scope(req->caller, "roles");
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "sub", req->caller->subject);
	rc = identity_write_profile(req, json, &user, &wanted);
	jsonw_close_obj(json);
	return rc;
}

enum rc
identity_emails(struct req *req, struct resp *resp)
{
	struct user user;
	struct jsonw *json;
	enum rc rc = find_person(req, resp, "email", &user);

	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, 200);
	jsonw_open_arr(json, NULL);
	if (user.email[0] != '\0') {
		jsonw_open_obj(json, NULL);
		jsonw_str(json, "email", user.email);
		jsonw_bool(json, "primary", true);
		jsonw_bool(json, "verified", true);
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
	return RC_OK;
}
