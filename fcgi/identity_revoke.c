/* identity_revoke: a client gives a token back (RFC 7009). */

#include <json-c/json.h>
#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_audit.h"
#include "fcgi/identity_oauth.h"
#include "lib/clock.h"
#include "lib/jwt.h"
#include "model/audit.h"
#include "model/grant.h"

/* An access token goes alone; the grant behind it stays. */
static enum rc
revoke_access(struct req *req, const struct client *client, const char *token,
	const char **what)
{
	struct caller caller = {.kind = CALLER_NOBODY};
	struct json_object *claims = NULL;
	enum rc rc = caller_inspect(
		identity_of(req)->gate, req, token, &caller, &claims);

	if (rc == RC_OK && (strcmp(caller.client, client->client_id) != 0 ||
				   !caller.has_token_id))
		return RC_NOT_FOUND;
	if (rc != RC_OK)
		return rc;
	*what = audit_values(
		req->arena, "jti", jwt_claim_text(claims, "jti"), NULL);
	return grant_revoke_token(req->db, caller.token_id,
		caller.expires_us + CLOCK_HOUR_US, &req->fault);
}

/* With a refresh token everything that came from the same grant goes. */
static enum rc
revoke_refresh(struct req *req, const struct client *client, const char *token,
	const char **what)
{
	char family[UUID_TEXT_BYTES];
	struct grant_facts facts;
	enum rc rc = grant_refresh_find(
		req->db, req->arena, token, client->id, &facts, &req->fault);

	if (rc != RC_OK)
		return rc;
	uuid_format(family, facts.family);
	*what = audit_values(req->arena, "family", family, NULL);
	return grant_revoke(req->db, facts.family, &req->fault);
}

static enum rc
revoke_one(struct req *req, const struct client *client, const char *token)
{
	const char *what = NULL;
	enum rc rc = strchr(token, '.') != NULL
			     ? revoke_access(req, client, token, &what)
			     : revoke_refresh(req, client, token, &what);

	return rc == RC_OK ? identity_audit_revocation(req, client, what) : rc;
}

/* The record and the deed in one; a token that is not good, or somebody
 * else's, is none to revoke, and that is no mistake (RFC 7009 2.2). */
static enum rc
revoke(struct req *req, const struct client *client, const char *token)
{
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	if (rc != RC_OK)
		return rc;
	rc = revoke_one(req, client, token);
	if (rc == RC_OK)
		return db_commit(req->db, &req->fault);
	db_rollback(req->db);
	return rc == RC_UNAUTHENTICATED || rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc
answer(struct req *req, struct resp *resp, struct client *client)
{
	struct pairs form = {0, NULL};
	const char *token = NULL;
	enum rc rc = req_form(req, &form);

	if (rc == RC_OK)
		rc = oauth_param(req, &form, "token", &token);
	if (rc == RC_OK)
		rc = oauth_client(req, &form, client);
	if (rc == RC_OK && token == NULL)
		rc = oauth_refuse(req, "invalid_request", "token is missing");
	if (rc != RC_OK || token == NULL)
		return identity_audit_refusal(
			req, "token.revoke", client->client_id, rc);
	resp_empty(resp, 200);
	return revoke(req, client, token);
}

enum rc
identity_revoke(struct req *req, struct resp *resp)
{
	struct client client = {.client_id = NULL};
	enum rc rc = oauth_cors(req, resp);

	if (rc == RC_OK)
		rc = answer(req, resp, &client);
	oauth_no_store(resp);
	return oauth_answer(req, resp, rc);
}
