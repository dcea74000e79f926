/* identity_refresh: the grant refresh_token. */

#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_token.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "model/grant.h"

#define REFRESH_PURPOSE "fgrefres"

/* Scopes may become fewer, never more; what the client may no longer have is
 * gone. The new refresh token keeps them all. */
static enum rc
narrow(struct req *req, const struct token_ask *ask, const struct grant *grant,
	const char *const **scopes)
{
	const struct client *client = &ask->client;
	const char **kept;
	size_t count = 0;
	enum rc rc = RC_OK;

	*scopes = grant->scopes;
	if (ask->scope != NULL)
		rc = oauth_scopes(req, client, ask->scope, scopes);
	for (size_t i = 0; rc == RC_OK && (*scopes)[i] != NULL; i++, count++)
		if (!client_list_has(grant->scopes, (*scopes)[i]))
			rc = oauth_refuse(
				req, "invalid_scope", "more than was granted");
	if (rc != RC_OK)
		return rc;
	kept = arena_array(req->arena, count + 1, sizeof(*kept));
	count = 0;
	for (size_t i = 0; (*scopes)[i] != NULL; i++)
		if (client_list_has(
			    (const char *const *)client->scopes, (*scopes)[i]))
			kept[count++] = (*scopes)[i];
	*scopes = kept;
	return RC_OK;
}

/* With a grace time the next token follows from the one that was used, so
 * that it can be given again without being stored. */
static const char *
next_refresh(struct req *req, const struct token_ask *ask)
{
	if (ask->client.refresh_grace_s == 0)
		return secret_token(req->arena);
	return secret_derive(req->arena, identity_of(req)->seal->key,
		REFRESH_PURPOSE, ask->refresh);
}

/* Use the token up, or once more, and say what is given for it. */
static enum rc
use_refresh(struct req *req, const struct token_ask *ask, struct grant *grant,
	struct token_issue *issue)
{
	const struct client *client = &ask->client;
	enum rc rc;

	if (!client->rotate_refresh)
		return grant_refresh_keep(req->db, req->arena, ask->refresh,
			client->id, client->refresh_idle_s, grant, &req->fault);
	issue->refresh = next_refresh(req, ask);
	rc = grant_refresh_use(req->db, req->arena, ask->refresh, client->id,
		grant, &req->fault);
	if (rc != RC_CONFLICT || client->refresh_grace_s == 0)
		return rc;
	issue->stored = true;
	rc = grant_refresh_again(req->db, req->arena, ask->refresh, client->id,
		client->refresh_grace_s, issue->refresh, grant, &req->fault);
	return rc == RC_NOT_FOUND ? RC_CONFLICT : rc;
}

/* Within a transaction: whatever fails gives the refresh token back. */
static enum rc
rotate(struct req *req, struct resp *resp, const struct token_ask *ask,
	struct grant *grant)
{
	struct token_issue issue = {
		.bearer = {.client = &ask->client, .grant = grant}};
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	if (rc != RC_OK)
		return rc;
	rc = use_refresh(req, ask, grant, &issue);
	if (rc == RC_OK)
		rc = narrow(req, ask, grant, &issue.bearer.scopes);
	if (rc == RC_OK)
		rc = token_issue(req, resp, ask, &issue);
	if (rc == RC_OK)
		return db_commit(req->db, &req->fault);
	db_rollback(req->db);
	return rc;
}

/* Somebody has a copy: nobody keeps anything of this grant. */
static enum rc
used_twice(
	struct req *req, const struct token_ask *ask, const struct grant *grant)
{
	enum rc rc;

	log_warn(req->id,
		"client %s: a refresh token came twice, its family is revoked",
		ask->client.client_id);
	rc = grant_revoke(req->db, grant->family, &req->fault);
	return rc == RC_OK ? RC_NOT_FOUND : rc;
}

enum rc
token_refresh(struct req *req, struct resp *resp, const struct token_ask *ask)
{
	struct grant grant = {.client_id = 0};
	enum rc rc;

	if (ask->refresh == NULL)
		return oauth_refuse(
			req, "invalid_request", "refresh_token is missing");
	rc = rotate(req, resp, ask, &grant);
	if (rc == RC_CONFLICT)
		rc = used_twice(req, ask, &grant);
	return rc == RC_NOT_FOUND ? token_invalid_grant(req,
					    "the refresh token is not valid")
				  : rc;
}
