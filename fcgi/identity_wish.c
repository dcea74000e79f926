/* identity_wish: an authorization request, read and checked. */

#include "fcgi/identity_wish.h"

#include <stdlib.h>
#include <string.h>

#include "fcgi/identity_oauth.h"
#include "lib/clock.h"
#include "model/caller.h"

#define CHALLENGE_BYTES 43
#define NONCE_BYTES_MAX 512
#define MAX_AGE_MAX_S   31536000

enum rc
wish_find_client(struct req *req, struct wish *wish, const char **problem)
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
		{"registration", &wish->registration},
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
	if (wish->registration != NULL)
		return oauth_refuse(req, "registration_not_supported",
			"clients register with an administrator");
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

bool
wish_prompts(const struct wish *wish, const char *word)
{
	const struct caller words = {
		.scopes = wish->prompt != NULL ? wish->prompt : ""};

	return caller_has_scope(&words, word);
}

static bool
knows_prompt(const char *prompt)
{
	static const char *const known[] = {
		"none", "login", "consent", "select_account"};
	size_t length = 0;

	for (; prompt != NULL && *prompt != '\0';
		prompt += length + strspn(prompt + length, " ")) {
		bool found = false;

		length = strcspn(prompt, " ");
		for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
			found = found ||
				(strlen(known[i]) == length &&
					memcmp(known[i], prompt, length) == 0);
		if (!found)
			return false;
	}
	return true;
}

static enum rc
check_prompt(struct req *req, struct wish *wish)
{
	char *end = NULL;

	wish->max_age_s = -1;
	if (!knows_prompt(wish->prompt))
		return oauth_refuse(
			req, "invalid_request", "prompt has an unknown word");
	if (wish_prompts(wish, "none") && strcmp(wish->prompt, "none") != 0)
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

enum rc
wish_check(struct req *req, struct wish *wish)
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

bool
wish_wants_login(const struct wish *wish, const struct session *session)
{
	int64_t age_s =
		(clock_now_us() - session->auth_time_us) / CLOCK_SECOND_US;

	return wish_prompts(wish, "login") ||
	       wish_prompts(wish, "select_account") || wish->max_age_s == 0 ||
	       (wish->max_age_s > 0 && age_s > wish->max_age_s);
}
