/* identity_token: what the grants of POST /connect/token share. */
#ifndef FG_FCGI_IDENTITY_TOKEN_H
#define FG_FCGI_IDENTITY_TOKEN_H

#include "fcgi/identity_sign.h"
#include "lib/req.h"
#include "lib/resp.h"
#include "model/client.h"

/* A token request, read. */
struct token_ask {
	struct pairs form;
	struct client client;
	const char *grant_type;
	const char *scope;
	const char *code;
	const char *redirect_uri;
	const char *verifier;
	const char *refresh;
	const char *device_code;
};

/* What is given for a grant; "refresh" NULL = no refresh token. */
struct token_issue {
	struct bearer bearer;
	const char *refresh;
	bool stored; /* the refresh token is one that we have already */
};

/* Fails: always; RC_BAD_INPUT invalid_grant. */
MUST_CHECK enum rc token_invalid_grant(struct req *req, const char *why);

/*
 * Sign and store what is given to the user of issue->bearer.grant, note it in
 * the audit, and answer it. Fails: invalid_grant the user is not active;
 * invalid_client a certificate is missing.
 */
MUST_CHECK enum rc token_issue(struct req *req, struct resp *resp,
	const struct token_ask *ask, struct token_issue *issue);

/* The grant refresh_token. */
MUST_CHECK enum rc token_refresh(
	struct req *req, struct resp *resp, const struct token_ask *ask);

#endif
