/*
 * identity_oauth: parameters, clients and errors as OAuth 2.0 has them.
 *
 * A refusal is a fault whose code is the OAuth error ("invalid_grant");
 * oauth_answer makes the JSON of it.
 */
#ifndef FG_FCGI_IDENTITY_OAUTH_H
#define FG_FCGI_IDENTITY_OAUTH_H

#include "lib/req.h"
#include "lib/resp.h"
#include "model/client.h"

/* Fails: always, with the rc that fits the error. */
MUST_CHECK enum rc oauth_refuse(
	struct req *req, const char *error, const char *description);

/*
 * Turn what went wrong into the answer of RFC 6749 5.2 and return RC_OK;
 * "rc" itself when it is RC_OK, RC_RETRY or our own failure.
 */
MUST_CHECK enum rc oauth_answer(struct req *req, struct resp *resp, enum rc rc);

/* The JSON of an error, for oauth_answer and the service's page_fault. */
void oauth_error(struct resp *resp, int status, const char *error,
	const char *description);

/* No cache may keep it. */
void oauth_no_store(struct resp *resp);

/* A parameter; NULL when absent or empty. Fails: RC_BAD_INPUT repeated. */
MUST_CHECK enum rc oauth_param(struct req *req, const struct pairs *pairs,
	const char *name, const char **value);

/* The client of a request, authenticated by Basic, by the form, by its
 * certificate, or public; client->client_id is what it called itself even
 * when it is refused.
 * Fails: invalid_client, invalid_request, temporarily_unavailable. */
MUST_CHECK enum rc oauth_client(
	struct req *req, const struct pairs *form, struct client *client);
/* The same, and public clients are refused. */
MUST_CHECK enum rc oauth_confidential(
	struct req *req, const struct pairs *form, struct client *client);

/*
 * "scope" as a list. Fails: invalid_scope when the client may not have one.
 */
MUST_CHECK enum rc oauth_scopes(struct req *req, const struct client *client,
	const char *scope, const char *const **scopes);

/* The list as one text. */
const char *oauth_join(struct arena *arena, const char *const *scopes);

/* Allow the origin of a registered application to read the answer. */
MUST_CHECK enum rc oauth_cors(struct req *req, struct resp *resp);

#endif
