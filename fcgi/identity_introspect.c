/* identity_introspect: is this token good, and for what (RFC 7662). */

#include <json-c/json.h>
#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_audit.h"
#include "fcgi/identity_oauth.h"
#include "lib/clock.h"
#include "lib/jwt.h"
#include "model/grant.h"

/* Claims that are answered as they stand in the token. */
static const char *const texts[] = {
	"scope", "client_id", "sub", "aud", "iss", "jti", "sid"};
static const char *const numbers[] = {"exp", "iat", "nbf", "auth_time"};

static struct jsonw *
open_answer(struct resp *resp, bool active)
{
	struct jsonw *json = resp_json(resp, 200);

	jsonw_open_obj(json, NULL);
	jsonw_bool(json, "active", active);
	return json;
}

static void
write_binding(struct jsonw *json, struct json_object *claims)
{
	struct json_object *confirmation = NULL;

	if (!json_object_object_get_ex(claims, "cnf", &confirmation))
		return;
	jsonw_open_obj(json, "cnf");
	jsonw_str(json, "x5t#S256", jwt_claim_text(confirmation, "x5t#S256"));
	jsonw_close_obj(json);
}

static void
write_access(struct resp *resp, const struct caller *caller,
	struct json_object *claims)
{
	struct jsonw *json = open_answer(resp, true);
	int64_t number;

	jsonw_str(json, "token_type", "Bearer");
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		if (jwt_claim_text(claims, texts[i]) != NULL)
			jsonw_str(json, texts[i],
				jwt_claim_text(claims, texts[i]));
	for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++)
		if (jwt_claim_int(claims, numbers[i], &number))
			jsonw_int(json, numbers[i], number);
	if (caller->kind == CALLER_USER)
		jsonw_str(json, "username", caller->name);
	write_binding(json, claims);
	jsonw_close_obj(json);
}

static void
write_uuid(struct jsonw *json, const char *key, const uint8_t uuid[UUID_BYTES])
{
	char text[UUID_TEXT_BYTES];

	uuid_format(text, uuid);
	jsonw_str(json, key, text);
}

static void
write_refresh(struct req *req, struct resp *resp, const struct client *client,
	const struct grant_facts *facts)
{
	struct jsonw *json = open_answer(resp, true);

	jsonw_str(json, "scope",
		oauth_join(req->arena, (const char *const *)facts->scopes));
	jsonw_str(json, "client_id", client->client_id);
	jsonw_str(json, "username", facts->user_name);
	write_uuid(json, "sub", facts->user);
	write_uuid(json, "sid", facts->sid);
	jsonw_str(json, "iss", identity_of(req)->conf->issuer);
	jsonw_int(json, "iat", facts->issued_us / CLOCK_SECOND_US);
	jsonw_int(json, "exp", facts->expires_us / CLOCK_SECOND_US);
	jsonw_close_obj(json);
}

/* A client learns of its own tokens, a service of the grid of everybody's. */
static bool
may_know(const struct client *client, const struct caller *caller)
{
	return client->introspects ||
	       strcmp(client->client_id, caller->client) == 0;
}

static enum rc
look(struct req *req, struct resp *resp, const struct client *client,
	const char *token)
{
	struct caller caller = {.kind = CALLER_NOBODY};
	struct json_object *claims = NULL;
	struct grant_facts facts;
	enum rc rc;

	if (strchr(token, '.') != NULL) {
		rc = caller_inspect(
			identity_of(req)->gate, req, token, &caller, &claims);
		if (rc == RC_OK && may_know(client, &caller))
			write_access(resp, &caller, claims);
		else if (rc == RC_OK)
			rc = RC_NOT_FOUND;
		return rc;
	}
	rc = grant_refresh_find(
		req->db, req->arena, token, client->id, &facts, &req->fault);
	if (rc == RC_OK)
		write_refresh(req, resp, client, &facts);
	return rc;
}

static enum rc
introspect(struct req *req, struct resp *resp, struct client *client)
{
	struct pairs form = {0, NULL};
	const char *token = NULL;
	enum rc rc = req_form(req, &form);

	if (rc == RC_OK)
		rc = oauth_param(req, &form, "token", &token);
	if (rc == RC_OK)
		rc = oauth_confidential(req, &form, client);
	if (rc == RC_OK && token == NULL)
		rc = oauth_refuse(req, "invalid_request", "token is missing");
	if (rc != RC_OK || token == NULL)
		return identity_audit_refusal(
			req, "token.introspect", client->client_id, rc);
	rc = look(req, resp, client, token);
	if (rc == RC_UNAUTHENTICATED || rc == RC_NOT_FOUND) {
		jsonw_close_obj(open_answer(resp, false));
		rc = RC_OK;
	}
	return rc;
}

enum rc
identity_introspect(struct req *req, struct resp *resp)
{
	struct client client = {.client_id = NULL};
	enum rc rc = introspect(req, resp, &client);

	oauth_no_store(resp);
	return oauth_answer(req, resp, rc);
}
