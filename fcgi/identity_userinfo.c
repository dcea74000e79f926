/* identity_userinfo: who the user of an access token is. */

#include "fcgi/identity.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_sign.h"
#include "model/user.h"

static enum rc
require_openid(struct req *req, struct resp *resp)
{
	if (caller_has_scope(req->caller, "openid"))
		return RC_OK;
	resp_header(resp, "WWW-Authenticate",
		"Bearer realm=\"fieldgrid\", error=\"insufficient_scope\", "
		"scope=\"openid\"");
	return fault_tell(&req->fault, RC_DENIED, "insufficient_scope", NULL,
		"The token lacks the scope openid.");
}

enum rc
identity_userinfo(struct req *req, struct resp *resp)
{
	struct user user;
	struct jsonw *json;
	enum rc rc = oauth_cors(req, resp);

	if (rc == RC_OK)
		rc = require_openid(req, resp);
	if (rc == RC_OK)
		rc = user_find_id(req->db, req->arena, req->caller->id, &user,
			&req->fault);
	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "sub", req->caller->subject);
	identity_write_profile(json, &user,
		caller_has_scope(req->caller, "profile"),
		caller_has_scope(req->caller, "email"));
	jsonw_close_obj(json);
	oauth_no_store(resp);
	return RC_OK;
}
