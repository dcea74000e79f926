/* identity_discovery: what clients read before they start. */

#include "fcgi/identity.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_sign.h"
#include "model/client.h"

/* Only what there is. */
static const struct {
	const char *name;
	const char *values[20];
} lists[] = {
	{"response_types_supported", {"code"}},
	{"response_modes_supported", {"query"}},
	{"grant_types_supported",
		{CLIENT_GRANT_CODE, CLIENT_GRANT_REFRESH, CLIENT_GRANT_CLIENT,
			CLIENT_GRANT_DEVICE}},
	{"subject_types_supported", {"public"}},
	{"id_token_signing_alg_values_supported",
		{SIGNING_KEY_RS256, SIGNING_KEY_ES256}},
	{"token_endpoint_auth_methods_supported",
		{"client_secret_basic", "client_secret_post", "tls_client_auth",
			"none"}},
	{"revocation_endpoint_auth_methods_supported",
		{"client_secret_basic", "client_secret_post", "tls_client_auth",
			"none"}},
	{"introspection_endpoint_auth_methods_supported",
		{"client_secret_basic", "client_secret_post",
			"tls_client_auth"}},
	{"code_challenge_methods_supported", {"S256"}},
	{"prompt_values_supported",
		{"none", "login", "consent", "select_account"}},
	{"claims_supported",
		{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "sid",
			"amr", "at_hash", "name", "preferred_username", "email",
			"email_verified", "groups", "roles"}},
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

/* "at_nodes": the listener with mutual TLS answers there too. */
static const struct {
	const char *name;
	const char *path;
	bool at_nodes;
} endpoints[] = {
	{"authorization_endpoint", "/connect/authorize", false},
	{"token_endpoint", "/connect/token", true},
	{"userinfo_endpoint", "/connect/userinfo", true},
	{"introspection_endpoint", "/connect/introspect", true},
	{"revocation_endpoint", "/connect/revocation", true},
	{"device_authorization_endpoint", "/connect/deviceauthorization", true},
	{"end_session_endpoint", "/connect/endsession", false},
	{"jwks_uri", "/.well-known/openid-configuration/jwks", false},
};

static void
write_endpoints(struct req *req, struct jsonw *json, const char *base,
	bool only_at_nodes)
{
	for (size_t i = 0; i < ARRAY_LENGTH(endpoints); i++)
		if (endpoints[i].at_nodes || !only_at_nodes)
			jsonw_str(json, endpoints[i].name,
				arena_printf(req->arena, "%s%s", base,
					endpoints[i].path));
}

/* Where tokens are bound to the client's certificate (RFC 8705 5). */
static void
write_node_endpoints(struct req *req, struct jsonw *json)
{
	const char *base = identity_of(req)->conf->node_url;

	if (base[0] == '\0')
		return;
	jsonw_bool(json, "tls_client_certificate_bound_access_tokens", true);
	jsonw_open_obj(json, "mtls_endpoint_aliases");
	write_endpoints(req, json, base, true);
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
	jsonw_str(json, "issuer", identity_of(req)->conf->issuer);
	write_endpoints(req, json, identity_of(req)->conf->issuer, false);
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
	enum rc rc = signing_key_write_set(
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
