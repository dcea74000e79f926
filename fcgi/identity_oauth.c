/* identity_oauth: parameters, clients and errors as OAuth 2.0 has them. */

#include "fcgi/identity_oauth.h"

#include <string.h>

#include "lib/basic.h"
#include "lib/tls.h"
#include "lib/tls_names.h"
#include "model/caller.h"

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

static int
status_of(enum rc rc)
{
	if (rc == RC_UNAUTHENTICATED || rc == RC_TOO_MANY)
		return fault_public(rc)->status;
	return 400;
}

enum rc
oauth_answer(struct req *req, struct resp *resp, enum rc rc)
{
	const struct fault_public *public = fault_public(rc);
	const struct fault *fault = &req->fault;
	bool own = strchr(fault->code, '_') != NULL; /* an OAuth error */

	if (rc == RC_OK || rc == RC_RETRY || public->status >= 500)
		return rc;
	oauth_error(resp, status_of(rc), own ? fault->code : "invalid_request",
		fault->client[0] != '\0' ? fault->client : public->message);
	if (rc == RC_UNAUTHENTICATED &&
		basic_used(req_header(req, "Authorization")))
		resp_header(
			resp, "WWW-Authenticate", "Basic realm=\"fieldgrid\"");
	if (rc == RC_TOO_MANY)
		resp_header(resp, "Retry-After", "5");
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

static enum rc
read_credentials(struct req *req, const struct pairs *form, struct basic *given)
{
	const char *header = req_header(req, "Authorization");
	const char *client_id = NULL;
	const char *secret = NULL;
	const char *assertion = NULL;
	enum rc rc = oauth_param(req, form, "client_id", &client_id);

	if (rc == RC_OK)
		rc = oauth_param(req, form, "client_secret", &secret);
	if (rc == RC_OK)
		rc = oauth_param(req, form, "client_assertion", &assertion);
	if (rc != RC_OK)
		return rc;
	*given = (struct basic){client_id, secret};
	if ((header != NULL) + (secret != NULL) + (assertion != NULL) > 1)
		return oauth_refuse(req, "invalid_request",
			"two ways of authentication at once");
	if (assertion != NULL)
		return oauth_refuse(req, "invalid_client",
			"client_assertion is not supported");
	if (header == NULL)
		return RC_OK;
	if (!basic_used(header))
		return oauth_refuse(req, "invalid_client",
			"only Basic authentication is known here");
	if (!basic_read(req->arena, header, BASIC_FORM, given))
		return oauth_refuse(
			req, "invalid_client", "malformed Basic credentials");
	if (client_id != NULL && strcmp(client_id, given->name) != 0)
		return oauth_refuse(
			req, "invalid_request", "two different client_id");
	return RC_OK;
}

static enum rc
unknown_client(struct req *req)
{
	return oauth_refuse(req, "invalid_client", "unknown client or secret");
}

/* nginx has checked the chain, we look whether its node is shut out. */
static enum rc
check_certificate(struct req *req, const struct client_proof *proof,
	const struct client *client)
{
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES];
	const char *escaped;
	bool matches = false;
	enum rc rc = caller_certificate(req, &escaped, fingerprint);

	if (rc != RC_OK && rc != RC_DENIED)
		return rc;
	if (rc == RC_OK &&
		tls_names_match(req->arena, escaped, client->certificate_kind,
			client->certificate_name, &matches,
			&req->fault) == RC_OK &&
		matches)
		return RC_OK;
	return client_refuse(req->db, req->arena, proof, &req->fault);
}

static enum rc
check_client(struct req *req, const struct client_proof *proof,
	struct client *client)
{
	int64_t wait_s = 0;
	enum rc rc = client_log_in(
		req->db, req->arena, proof, client, &wait_s, &req->fault);

	if (rc == RC_OK &&
		strcmp(client->authentication, CLIENT_BY_CERTIFICATE) == 0)
		rc = check_certificate(req, proof, client);
	if (rc == RC_TOO_MANY)
		return fault_tell(&req->fault, rc, "temporarily_unavailable",
			NULL, "too many failures; try again in %lld s",
			(long long)wait_s);
	return rc == RC_UNAUTHENTICATED ? unknown_client(req) : rc;
}

enum rc
oauth_client(struct req *req, const struct pairs *form, struct client *client)
{
	struct basic given = {NULL, NULL};
	struct client_proof proof;
	enum rc rc = read_credentials(req, form, &given);

	if (rc != RC_OK)
		return rc;
	if (given.name == NULL)
		return oauth_refuse(
			req, "invalid_client", "client_id is missing");
	*client = (struct client){.client_id = given.name};
	proof = (struct client_proof){given.name, given.secret, req->address};
	return check_client(req, &proof, client);
}

enum rc
oauth_confidential(
	struct req *req, const struct pairs *form, struct client *client)
{
	enum rc rc = oauth_client(req, form, client);

	if (rc == RC_OK && !client->confidential)
		return oauth_refuse(req, "invalid_client",
			"a public client cannot prove who it is");
	return rc;
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
