/* identity_oauth: parameters, clients and errors as OAuth 2.0 has them. */

#include "fcgi/identity_oauth.h"

#include <string.h>
#include <strings.h>

#include "lib/encode.h"

#define SCOPES_MAX 32

void
oauth_no_store(struct resp *resp)
{
	resp_header(resp, "Cache-Control", "no-store");
	resp_header(resp, "Pragma", "no-cache");
}

enum rc
oauth_refuse(struct req *req, const char *error, const char *description)
{
	enum rc rc = strcmp(error, "invalid_client") == 0 ? RC_UNAUTHENTICATED
							  : RC_BAD_INPUT;

	return fault_tell(&req->fault, rc, error, NULL, "%s", description);
}

/* RFC 6749 5.2: no quotes, no backslashes. */
static const char *
plain_text(const char *text)
{
	return strpbrk(text, "\"\\") == NULL ? text : "see the documentation";
}

void
oauth_error(struct resp *resp, int status, const char *error,
	const char *description)
{
	struct jsonw *json = resp_json(resp, status);

	jsonw_open_obj(json, NULL);
	jsonw_str(json, "error", error);
	jsonw_str(json, "error_description", plain_text(description));
	jsonw_close_obj(json);
	oauth_no_store(resp);
}

enum rc
oauth_answer(struct req *req, struct resp *resp, enum rc rc)
{
	const struct fault_public *public = fault_public(rc);
	const struct fault *fault = &req->fault;
	bool own = strchr(fault->code, '_') != NULL; /* an OAuth error */

	if (rc == RC_OK || rc == RC_RETRY || public->status >= 500)
		return rc;
	oauth_error(resp, rc == RC_UNAUTHENTICATED ? 401 : 400,
		own ? fault->code : "invalid_request",
		fault->client[0] != '\0' ? fault->client : public->message);
	if (rc == RC_UNAUTHENTICATED &&
		req_header(req, "Authorization") != NULL)
		resp_header(
			resp, "WWW-Authenticate", "Basic realm=\"fieldgrid\"");
	return RC_OK;
}

enum rc
oauth_param(struct req *req, const struct pairs *pairs, const char *name,
	const char **value)
{
	*value = pairs_find(pairs, name);
	if (pairs_count(pairs, name) > 1)
		return fault_tell(&req->fault, RC_BAD_INPUT, "invalid_request",
			name, "%s is there more than once", name);
	if (*value != NULL && (*value)[0] == '\0')
		*value = NULL;
	return RC_OK;
}

/* --- clients ----------------------------------------------------------- */

struct credentials {
	const char *client_id;
	const char *secret;
};

/* Both halves are form-encoded before base64 (RFC 6749 2.3.1). */
static enum rc
read_basic(struct req *req, const char *encoded, struct credentials *given)
{
	size_t length = 0;
	const char *text = (const char *)decode_base64(
		req->arena, encoded, strlen(encoded), &length);
	const char *colon = text != NULL ? memchr(text, ':', length) : NULL;

	if (colon == NULL)
		return oauth_refuse(
			req, "invalid_client", "malformed Basic credentials");
	given->client_id =
		percent_decode(req->arena, text, (size_t)(colon - text), true);
	given->secret = percent_decode(req->arena, colon + 1,
		length - (size_t)(colon - text) - 1, true);
	if (given->client_id == NULL || given->secret == NULL)
		return oauth_refuse(
			req, "invalid_client", "malformed Basic credentials");
	return RC_OK;
}

static enum rc
read_credentials(
	struct req *req, const struct pairs *form, struct credentials *given)
{
	const char *header = req_header(req, "Authorization");
	const char *client_id = NULL;
	const char *secret = NULL;
	enum rc rc = oauth_param(req, form, "client_id", &client_id);

	if (rc == RC_OK)
		rc = oauth_param(req, form, "client_secret", &secret);
	if (rc != RC_OK)
		return rc;
	*given = (struct credentials){client_id, secret};
	if (header == NULL)
		return RC_OK;
	if (strncasecmp(header, "Basic ", 6) != 0)
		return oauth_refuse(req, "invalid_client",
			"only Basic authentication is known here");
	if (secret != NULL)
		return oauth_refuse(req, "invalid_request",
			"two ways of authentication at once");
	rc = read_basic(req, header + 6, given);
	if (rc == RC_OK && client_id != NULL &&
		strcmp(client_id, given->client_id) != 0)
		rc = oauth_refuse(
			req, "invalid_request", "two different client_id");
	return rc;
}

static enum rc
unknown_client(struct req *req)
{
	return oauth_refuse(req, "invalid_client", "unknown client or secret");
}

enum rc
oauth_client(struct req *req, const struct pairs *form, struct client *client)
{
	struct credentials given = {NULL, NULL};
	enum rc rc = read_credentials(req, form, &given);

	if (rc != RC_OK)
		return rc;
	if (given.client_id == NULL)
		return oauth_refuse(
			req, "invalid_client", "client_id is missing");
	rc = client_find(
		req->db, req->arena, given.client_id, client, &req->fault);
	if (rc == RC_NOT_FOUND || (rc == RC_OK && !client->active))
		return unknown_client(req);
	if (rc != RC_OK)
		return rc;
	if (client->confidential != (given.secret != NULL))
		return unknown_client(req);
	if (client->confidential)
		rc = client_check_secret(
			req->db, req->arena, client, given.secret, &req->fault);
	return rc == RC_UNAUTHENTICATED ? unknown_client(req) : rc;
}

/* --- scopes ------------------------------------------------------------ */

enum rc
oauth_scopes(struct req *req, const struct client *client, const char *scope,
	const char *const **scopes)
{
	const char **list =
		arena_array(req->arena, SCOPES_MAX + 1, sizeof(*list));
	size_t count = 0;

	*scopes = list;
	while (*scope != '\0') {
		size_t length = strcspn(scope, " ");
		const char *word = arena_strndup(req->arena, scope, length);

		scope += length + strspn(scope + length, " ");
		if (length == 0 || client_list_has(list, word))
			continue;
		if (count == SCOPES_MAX ||
			!client_list_has(
				(const char *const *)client->scopes, word))
			return oauth_refuse(req, "invalid_scope",
				"a scope that this client may not have");
		list[count++] = word;
	}
	return RC_OK;
}

const char *
oauth_join(struct arena *arena, const char *const *scopes)
{
	const char *text = "";

	for (; *scopes != NULL; scopes++)
		text = arena_printf(arena, "%s%s%s", text,
			text[0] != '\0' ? " " : "", *scopes);
	return text;
}

/* --- other origins ----------------------------------------------------- */

enum rc
oauth_cors(struct req *req, struct resp *resp)
{
	const char *origin = req_header(req, "Origin");
	bool known = false;
	enum rc rc;

	resp_header(resp, "Vary", "Origin");
	if (origin == NULL)
		return RC_OK;
	rc = client_origin_known(
		req->db, req->arena, origin, &known, &req->fault);
	if (rc == RC_OK && known) {
		resp_header(resp, "Access-Control-Allow-Origin", origin);
		resp_header(resp, "Access-Control-Expose-Headers",
			"WWW-Authenticate");
	}
	return rc;
}
