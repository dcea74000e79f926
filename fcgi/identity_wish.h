/*
 * identity_wish: an authorization request (RFC 6749 4.1.1, OpenID Connect Core
 * 3.1.2.1), read and checked in the order that decides where an error goes.
 */
#ifndef FG_FCGI_IDENTITY_WISH_H
#define FG_FCGI_IDENTITY_WISH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/req.h"
#include "model/client.h"
#include "model/session.h"

/* An authorization request, read. */
struct wish {
	struct pairs pairs;
	struct client client;
	const char *redirect_uri; /* where every answer goes */
	bool redirect_uri_sent;
	const char *response_type;
	const char *response_mode;
	const char *scope;
	const char *state;
	const char *nonce;
	const char *challenge;
	const char *challenge_method;
	const char *prompt;
	const char *max_age;
	const char *hint;
	const char *login_hint;
	const char *request;
	const char *request_uri;
	const char *registration;
	const char *const *scopes;
	int64_t max_age_s; /* -1 = none */
};

/*
 * Client and return address come first: *problem says to the person what is
 * wrong with them, because there is nowhere to redirect to; NULL = nothing.
 * Needs: wish->pairs. Fails: RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc wish_find_client(
	struct req *req, struct wish *wish, const char **problem);

/* Everything else. Fails: RC_BAD_INPUT whose code is the OAuth error. */
MUST_CHECK enum rc wish_check(struct req *req, struct wish *wish);

/* Is "word" one of those in prompt? */
bool wish_prompts(const struct wish *wish, const char *word);

/* By prompt or max_age the person has to prove anew who it is. */
bool wish_wants_login(const struct wish *wish, const struct session *session);

#endif
