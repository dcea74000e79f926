/* identity_discovery: what clients read before they start. */

#include "fcgi/identity.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_sign.h"
#include "model/client.h"

/* Only what there is. */
static const struct {
	const char *name;
	const char *values[12];
} lists[] = {
	{"response_types_supported", {"code"}},
	{"response_modes_supported", {"query"}},
	{"grant_types_supported",
		{CLIENT_GRANT_CODE, CLIENT_GRANT_REFRESH, CLIENT_GRANT_CLIENT}},
	{"subject_types_supported", {"public"}},
	{"id_token_signing_alg_values_supported", {SIGNING_KEY_ALGORITHM}},
	{"token_endpoint_auth_methods_supported",
		{"client_secret_basic", "client_secret_post", "none"}},
	{"code_challenge_methods_supported", {"S256"}},
	{"prompt_values_supported", {"none", "login"}},
	{"claims_supported",
		{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "sid",
			"name", "preferred_username", "email",
			"email_verified"}},
};

static void
write_list(struct jsonw *json, const char *name, const char *const *values,
	size_t limit)
{
	jsonw_open_arr(json, name);
	for (size_t i = 0; i < limit && values[i] != NULL; i++)
		jsonw_str(json, NULL, values[i]);
	jsonw_close_arr(json);
}

static void
write_endpoint(struct req *req, struct jsonw *json, const char *name,
	const char *base, const char *path)
{
	jsonw_str(json, name, arena_printf(req->arena, "%s%s", base, path));
}

static void
write_endpoints(struct req *req, struct jsonw *json)
{
	const char *issuer = identity_of(req)->conf->issuer;

	jsonw_str(json, "issuer", issuer);
	write_endpoint(req, json, "authorization_endpoint", issuer,
		"/connect/authorize");
	write_endpoint(req, json, "token_endpoint", issuer, "/connect/token");
	write_endpoint(
		req, json, "userinfo_endpoint", issuer, "/connect/userinfo");
	write_endpoint(req, json, "end_session_endpoint", issuer,
		"/connect/endsession");
	write_endpoint(req, json, "jwks_uri", issuer,
		"/.well-known/openid-configuration/jwks");
}

/* Where nodes get tokens that are bound to their certificate (RFC 8705). */
static void
write_node_endpoints(struct req *req, struct jsonw *json)
{
	const char *base = identity_of(req)->conf->node_url;

	if (base[0] == '\0')
		return;
	jsonw_bool(json, "tls_client_certificate_bound_access_tokens", true);
	jsonw_open_obj(json, "mtls_endpoint_aliases");
	write_endpoint(req, json, "token_endpoint", base, "/connect/token");
	jsonw_close_obj(json);
}

static void
allow_everybody(struct resp *resp)
{
	resp_header(resp, "Access-Control-Allow-Origin", "*");
	resp_header(resp, "Cache-Control", "public, max-age=300");
}

enum rc
identity_discovery(struct req *req, struct resp *resp)
{
	struct jsonw *json = resp_json(resp, 200);

	jsonw_open_obj(json, NULL);
	write_endpoints(req, json);
	write_list(json, "scopes_supported", client_scopes, SIZE_MAX);
	for (size_t i = 0; i < ARRAY_LENGTH(lists); i++)
		write_list(json, lists[i].name, lists[i].values,
			ARRAY_LENGTH(lists[i].values));
	jsonw_bool(
		json, "authorization_response_iss_parameter_supported", true);
	jsonw_bool(json, "claims_parameter_supported", false);
	jsonw_bool(json, "request_parameter_supported", false);
	jsonw_bool(json, "request_uri_parameter_supported", false);
	write_node_endpoints(req, json);
	jsonw_close_obj(json);
	allow_everybody(resp);
	return RC_OK;
}

enum rc
identity_keys(struct req *req, struct resp *resp)
{
	enum rc rc = identity_upkeep(req);

	if (rc == RC_OK)
		rc = signing_key_write_set(
			req->db, req->arena, resp_json(resp, 200), &req->fault);
	allow_everybody(resp);
	return rc;
}

enum rc
identity_preflight(struct req *req, struct resp *resp)
{
	enum rc rc;

	resp_empty(resp, 204);
	rc = oauth_cors(req, resp);
	resp_header(resp, "Access-Control-Allow-Methods", "GET, POST");
	resp_header(resp, "Access-Control-Allow-Headers",
		"Authorization, Content-Type");
	resp_header(resp, "Access-Control-Max-Age", "600");
	return rc;
}
