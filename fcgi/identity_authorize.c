/* identity_authorize: /connect/authorize, the code flow with PKCE. */

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_page.h"
#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/jwt.h"
#include "lib/log.h"
#include "model/grant.h"
#include "model/user.h"

#define CHALLENGE_BYTES 43
#define NONCE_BYTES_MAX 512
#define MAX_AGE_MAX_S   31536000

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
	const char *const *scopes;
	int64_t max_age_s; /* -1 = none */
};

/* --- answers by redirect ----------------------------------------------- */

static const char *
add_param(struct arena *arena, const char *uri, const char *name,
	const char *value)
{
	if (value == NULL)
		return uri;
	return arena_printf(arena, "%s%c%s=%s", uri,
		strchr(uri, '?') != NULL ? '&' : '?', name,
		percent_encode(arena, value));
}

static enum rc
redirect(struct req *req, struct resp *resp, const struct wish *wish,
	const char *uri)
{
	uri = add_param(req->arena, uri, "state", wish->state);
	uri = add_param(req->arena, uri, "iss", identity_of(req)->conf->issuer);
	resp_redirect(resp, uri);
	oauth_no_store(resp);
	return RC_OK;
}

static enum rc
redirect_error(struct req *req, struct resp *resp, const struct wish *wish,
	const char *error, const char *description)
{
	const char *uri =
		add_param(req->arena, wish->redirect_uri, "error", error);

	uri = add_param(req->arena, uri, "error_description", description);
	log_info(req->id, "authorize refused: client=%s error=%s",
		wish->client.client_id, error);
	return redirect(req, resp, wish, uri);
}

/* --- what is wrong before there is anywhere to redirect to ------------- */

static enum rc
own_page(struct req *req, struct resp *resp, const char *message)
{
	log_info(req->id, "authorize refused: %s", message);
	return page_problem(req, resp, 400,
		"This application asked in a wrong way", message);
}

/* NULL when client and address are right, else what to tell the person. */
static enum rc
find_client(struct req *req, struct wish *wish, const char **problem)
{
	const char *client_id = NULL;
	const char *uri = NULL;
	enum rc rc;

	*problem = NULL;
	if (oauth_param(req, &wish->pairs, "client_id", &client_id) != RC_OK ||
		oauth_param(req, &wish->pairs, "redirect_uri", &uri) != RC_OK ||
		client_id == NULL) {
		*problem = "It does not say who it is.";
		return RC_OK;
	}
	rc = client_find(
		req->db, req->arena, client_id, &wish->client, &req->fault);
	if (rc != RC_OK && rc != RC_NOT_FOUND)
		return rc;
	if (rc == RC_NOT_FOUND || !wish->client.active) {
		*problem = "It is not known here.";
		return RC_OK;
	}
	wish->redirect_uri_sent = uri != NULL;
	if (uri == NULL && wish->client.redirect_uris[0] != NULL &&
		wish->client.redirect_uris[1] == NULL)
		uri = wish->client.redirect_uris[0];
	if (uri == NULL || !client_redirect_allowed(&wish->client, uri))
		*problem = "Its return address is not registered.";
	wish->redirect_uri = uri;
	return RC_OK;
}

/* --- what is wrong with the rest --------------------------------------- */

static enum rc
read_params(struct req *req, struct wish *wish)
{
	const struct {
		const char *name;
		const char **value;
	} params[] = {
		{"state", &wish->state},
		{"response_type", &wish->response_type},
		{"response_mode", &wish->response_mode},
		{"scope", &wish->scope},
		{"nonce", &wish->nonce},
		{"code_challenge", &wish->challenge},
		{"code_challenge_method", &wish->challenge_method},
		{"prompt", &wish->prompt},
		{"max_age", &wish->max_age},
		{"id_token_hint", &wish->hint},
		{"login_hint", &wish->login_hint},
		{"request", &wish->request},
		{"request_uri", &wish->request_uri},
	};
	enum rc rc = RC_OK;

	for (size_t i = 0; i < ARRAY_LENGTH(params) && rc == RC_OK; i++)
		rc = oauth_param(
			req, &wish->pairs, params[i].name, params[i].value);
	return rc;
}

static enum rc
check_form(struct req *req, const struct wish *wish)
{
	if (wish->request != NULL)
		return oauth_refuse(req, "request_not_supported",
			"request objects are not supported");
	if (wish->request_uri != NULL)
		return oauth_refuse(req, "request_uri_not_supported",
			"request objects are not supported");
	if (wish->response_type == NULL)
		return oauth_refuse(
			req, "invalid_request", "response_type is missing");
	if (strcmp(wish->response_type, "code") != 0)
		return oauth_refuse(req, "unsupported_response_type",
			"response_type must be code");
	if (wish->response_mode != NULL &&
		strcmp(wish->response_mode, "query") != 0)
		return oauth_refuse(
			req, "invalid_request", "response_mode must be query");
	if (!client_list_has((const char *const *)wish->client.grants,
		    CLIENT_GRANT_CODE))
		return oauth_refuse(req, "unauthorized_client",
			"this client may not use authorization codes");
	return RC_OK;
}

static bool
is_challenge(struct req *req, const char *challenge)
{
	size_t bytes = 0;

	return strlen(challenge) == CHALLENGE_BYTES &&
	       decode_base64url(
		       req->arena, challenge, CHALLENGE_BYTES, &bytes) != NULL;
}

/* An absent method means "plain" (RFC 7636 4.3), which proves nothing. */
static enum rc
check_pkce(struct req *req, const struct wish *wish)
{
	if (wish->challenge == NULL && wish->challenge_method == NULL &&
		!wish->client.require_pkce)
		return RC_OK;
	if (wish->challenge == NULL)
		return oauth_refuse(
			req, "invalid_request", "code_challenge is missing");
	if (wish->challenge_method == NULL ||
		strcmp(wish->challenge_method, "S256") != 0)
		return oauth_refuse(req, "invalid_request",
			"code_challenge_method must be S256");
	if (!is_challenge(req, wish->challenge))
		return oauth_refuse(
			req, "invalid_request", "code_challenge is malformed");
	return RC_OK;
}

static bool
prompt_has(const struct wish *wish, const char *word)
{
	const struct caller words = {
		.scopes = wish->prompt != NULL ? wish->prompt : ""};

	return caller_has_scope(&words, word);
}

static enum rc
check_prompt(struct req *req, struct wish *wish)
{
	char *end = NULL;

	wish->max_age_s = -1;
	if (prompt_has(wish, "none") && strcmp(wish->prompt, "none") != 0)
		return oauth_refuse(
			req, "invalid_request", "prompt none stands alone");
	if (wish->max_age != NULL) {
		wish->max_age_s = strtoll(wish->max_age, &end, 10);
		if (*end != '\0' || wish->max_age_s < 0 ||
			wish->max_age_s > MAX_AGE_MAX_S)
			return oauth_refuse(
				req, "invalid_request", "max_age is no number");
	}
	if (wish->nonce != NULL && strlen(wish->nonce) > NONCE_BYTES_MAX)
		return oauth_refuse(
			req, "invalid_request", "nonce is too long");
	return RC_OK;
}

static enum rc
check_wish(struct req *req, struct wish *wish)
{
	enum rc rc = read_params(req, wish);

	if (rc == RC_OK)
		rc = check_form(req, wish);
	if (rc == RC_OK)
		rc = check_pkce(req, wish);
	if (rc == RC_OK)
		rc = check_prompt(req, wish);
	if (rc == RC_OK && wish->scope == NULL)
		rc = oauth_refuse(req, "invalid_scope", "scope is missing");
	if (rc == RC_OK)
		rc = oauth_scopes(
			req, &wish->client, wish->scope, &wish->scopes);
	if (rc == RC_OK && client_list_has(wish->scopes, CALLER_SCOPE_HUB))
		rc = oauth_refuse(
			req, "invalid_scope", "the scope hub is for nodes");
	return rc;
}

/* --- the person -------------------------------------------------------- */

static bool
must_log_in(const struct wish *wish, const struct session *session)
{
	int64_t age_s =
		(clock_now_us() - session->auth_time_us) / CLOCK_SECOND_US;

	return prompt_has(wish, "login") ||
	       prompt_has(wish, "select_account") || wish->max_age_s == 0 ||
	       (wish->max_age_s > 0 && age_s > wish->max_age_s);
}

/* This request again as an address, for after the login, which has then been
 * asked for already: prompt and max_age are left out. */
static const char *
own_address(struct req *req, const struct wish *wish)
{
	const char *uri = "/connect/authorize";

	for (size_t i = 0; i < wish->pairs.count; i++) {
		const struct pair *pair = &wish->pairs.items[i];

		if (strcmp(pair->name, "prompt") != 0 &&
			strcmp(pair->name, "max_age") != 0)
			uri = add_param(req->arena, uri,
				percent_encode(req->arena, pair->name),
				pair->value);
	}
	return uri;
}

/* "fresh": even a person who is logged in must prove it again. */
enum login { LOGIN_ANY, LOGIN_FRESH };

static enum rc
send_to_login(struct req *req, struct resp *resp, const struct wish *wish,
	enum login login)
{
	const char *uri =
		add_param(req->arena, "/login", "next", own_address(req, wish));

	if (prompt_has(wish, "none"))
		return redirect_error(req, resp, wish, "login_required",
			"nobody is logged in");
	if (login == LOGIN_FRESH)
		uri = add_param(req->arena, uri, "fresh", "1");
	uri = add_param(req->arena, uri, "name", wish->login_hint);
	resp_redirect(resp, uri);
	oauth_no_store(resp);
	return RC_OK;
}

/* A hint that names another person than the one who is here.
 * Fails: login_required, invalid_request. */
static enum rc
check_hint(struct req *req, const struct wish *wish, const struct user *user)
{
	struct json_object *claims = NULL;
	char uuid[UUID_TEXT_BYTES];
	const char *subject;
	enum rc rc;

	if (wish->hint == NULL)
		return RC_OK;
	rc = caller_read_token(identity_of(req)->gate, req, wish->hint, "id",
		NULL, true, &claims);
	if (rc == RC_UNAUTHENTICATED)
		return oauth_refuse(
			req, "invalid_request", "id_token_hint is not ours");
	if (rc != RC_OK)
		return rc;
	uuid_format(uuid, user->uuid);
	subject = jwt_claim_text(claims, "sub");
	return subject != NULL && strcmp(subject, uuid) == 0
		       ? RC_OK
		       : oauth_refuse(req, "login_required",
				 "another user is logged in");
}

static enum rc
give_code(struct req *req, struct resp *resp, const struct wish *wish,
	const struct session *session)
{
	struct grant grant = {
		.client_id = wish->client.id,
		.user_id = session->user_id,
		.scopes = wish->scopes,
		.auth_time_us = session->auth_time_us,
		.session_hash = session->hash,
		.redirect_uri = wish->redirect_uri,
		.redirect_uri_sent = wish->redirect_uri_sent,
		.nonce = wish->nonce,
		.challenge = wish->challenge,
	};
	const char *code = NULL;
	enum rc rc;

	uuid_random(grant.family);
	rc = grant_code_create(req->db, req->arena, &grant, &code, &req->fault);
	if (rc != RC_OK)
		return rc;
	log_info(req->id, "authorized: client=%s user=%lld",
		wish->client.client_id, (long long)session->user_id);
	return redirect(req, resp, wish,
		add_param(req->arena, wish->redirect_uri, "code", code));
}

static enum rc
decide(struct req *req, struct resp *resp, const struct wish *wish)
{
	struct session session;
	struct user user;
	enum rc rc = identity_session(req, &session);

	if (rc == RC_NOT_FOUND)
		return send_to_login(req, resp, wish, LOGIN_ANY);
	if (rc != RC_OK)
		return rc;
	if (must_log_in(wish, &session))
		return send_to_login(req, resp, wish, LOGIN_FRESH);
	rc = user_find_id(
		req->db, req->arena, session.user_id, &user, &req->fault);
	if (rc == RC_OK)
		rc = check_hint(req, wish, &user);
	return rc == RC_OK ? give_code(req, resp, wish, &session) : rc;
}

enum rc
identity_authorize(struct req *req, struct resp *resp)
{
	struct wish wish = {.redirect_uri = NULL};
	const char *problem = NULL;
	enum rc rc = req->method == METHOD_POST ? req_form(req, &wish.pairs)
						: req_query(req, &wish.pairs);

	if (rc != RC_OK)
		return own_page(req, resp, "Its request is malformed.");
	rc = find_client(req, &wish, &problem);
	if (rc != RC_OK)
		return rc;
	if (problem != NULL)
		return own_page(req, resp, problem);
	rc = check_wish(req, &wish);
	if (rc == RC_OK)
		rc = decide(req, resp, &wish);
	if (rc == RC_BAD_INPUT)
		return redirect_error(
			req, resp, &wish, req->fault.code, req->fault.client);
	return rc;
}
