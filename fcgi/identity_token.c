/* identity_token: POST /connect/token, the four grants. */

#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_audit.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_sign.h"
#include "fcgi/identity_token.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/tls.h"
#include "model/device.h"
#include "model/grant.h"
#include "model/user.h"

#define VERIFIER_MIN 43
#define VERIFIER_MAX 128

static const char unreserved[] = "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

struct reply {
	const char *access;
	const char *id;      /* NULL = none */
	const char *refresh; /* NULL = none */
};

enum rc
token_invalid_grant(struct req *req, const char *why)
{
	return oauth_refuse(req, "invalid_grant", why);
}

static void
write_reply(struct req *req, struct resp *resp, const struct bearer *bearer,
	const struct reply *reply)
{
	struct jsonw *json = resp_json(resp, 200);

	jsonw_open_obj(json, NULL);
	jsonw_str(json, "access_token", reply->access);
	jsonw_str(json, "token_type", "Bearer");
	jsonw_int(json, "expires_in", bearer->client->access_token_s);
	jsonw_str(json, "scope", oauth_join(req->arena, bearer->scopes));
	if (reply->refresh != NULL)
		jsonw_str(json, "refresh_token", reply->refresh);
	if (reply->id != NULL)
		jsonw_str(json, "id_token", reply->id);
	jsonw_close_obj(json);
	oauth_no_store(resp);
}

/* --- client_credentials ------------------------------------------------ */

/* What only a user can give. */
static const char *const scopes_of_users[] = {
	"openid", "profile", "email", "roles", "offline_access", NULL};

/* Without "scope" the client gets all that it can have by itself. */
static const char *const *
own_scopes(struct req *req, const struct client *client)
{
	const char **list;
	size_t count = 0;

	while (client->scopes[count] != NULL)
		count++;
	list = arena_array(req->arena, count + 1, sizeof(*list));
	count = 0;
	for (const char **scope = client->scopes; *scope != NULL; scope++)
		if (!client_list_has(scopes_of_users, *scope))
			list[count++] = *scope;
	return list;
}

static enum rc
machine_scopes(struct req *req, const struct token_ask *ask,
	const char *const **scopes)
{
	const struct client *client = &ask->client;
	enum rc rc = RC_OK;

	*scopes = own_scopes(req, client);
	if (ask->scope != NULL)
		rc = oauth_scopes(req, client, ask->scope, scopes);
	for (size_t i = 0; rc == RC_OK && (*scopes)[i] != NULL; i++)
		if (client_list_has(scopes_of_users, (*scopes)[i]))
			rc = oauth_refuse(req, "invalid_scope",
				"this scope needs a user");
	if (rc == RC_OK && client->node_id == 0 &&
		client_list_has(*scopes, CALLER_SCOPE_HUB))
		rc = oauth_refuse(
			req, "invalid_scope", "the scope hub is for nodes");
	return rc;
}

/* A node's access data work only over its own certificate. */
static enum rc
check_node(struct req *req, const struct client *client,
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES])
{
	struct caller node = {.kind = CALLER_NOBODY};
	enum rc rc = caller_find_node(req, fingerprint, &node);

	if (rc == RC_OK && node.id == client->node_id)
		return RC_OK;
	if (rc == RC_OK || rc == RC_DENIED) {
		log_warn(req->id, "client %s without its certificate: %s",
			client->client_id, req->fault.code);
		return oauth_refuse(req, "invalid_client",
			"this client needs the certificate of its node");
	}
	return rc;
}

/* The tokens of those who log in by a certificate work only over it. */
static enum rc
bind(struct req *req, const struct client *client,
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES], struct bearer *bearer)
{
	const char *escaped = req->param(req, "SSL_CLIENT_CERT");
	bool certificate =
		strcmp(client->authentication, CLIENT_BY_CERTIFICATE) == 0;
	enum rc rc = RC_OK;

	if (client->node_id != 0)
		rc = check_node(req, client, fingerprint);
	else if (certificate)
		rc = tls_fingerprint_escaped(
			req->arena, escaped, fingerprint, &req->fault);
	if (rc == RC_OK && (client->node_id != 0 || certificate))
		bearer->fingerprint = fingerprint;
	return rc;
}

static enum rc
grant_client(struct req *req, struct resp *resp, const struct token_ask *ask)
{
	const struct client *client = &ask->client;
	struct bearer bearer = {.client = client};
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES];
	struct reply reply = {NULL, NULL, NULL};
	enum rc rc;

	if (!client->confidential)
		return oauth_refuse(req, "unauthorized_client",
			"a public client cannot act by itself");
	rc = machine_scopes(req, ask, &bearer.scopes);
	if (rc == RC_OK)
		rc = bind(req, client, fingerprint, &bearer);
	if (rc == RC_OK)
		rc = identity_sign_access(req, &bearer, &reply.access);
	if (rc == RC_OK)
		rc = identity_audit_token(req, ask->grant_type, &bearer);
	if (rc == RC_OK)
		write_reply(req, resp, &bearer, &reply);
	return rc;
}

/* --- users' grants ----------------------------------------------------- */

static enum rc
find_user(struct req *req, const struct grant *grant, struct user *user)
{
	enum rc rc = user_find_id(
		req->db, req->arena, grant->user_id, user, &req->fault);

	if (rc == RC_NOT_FOUND || (rc == RC_OK && !user->active))
		return token_invalid_grant(req, "the user is not active");
	return rc;
}

/* May it come back without its user? */
static bool
gets_refresh(const struct client *client, const struct grant *grant)
{
	return client_list_has(grant->scopes, "offline_access") &&
	       client_list_has((const char *const *)client->grants,
		       CLIENT_GRANT_REFRESH);
}

/* Access token, ID token with openid, refresh token; in a transaction with the
 * audit of it. */
static enum rc
sign_and_store(struct req *req, const struct token_ask *ask,
	struct token_issue *issue, struct reply *reply)
{
	struct bearer *bearer = &issue->bearer;
	enum rc rc = identity_sign_access(req, bearer, &reply->access);

	if (rc == RC_OK && client_list_has(bearer->scopes, "openid"))
		rc = identity_sign_id(req, bearer, reply->access, &reply->id);
	if (rc == RC_OK && issue->refresh != NULL && !issue->stored)
		rc = grant_refresh_create(req->db, bearer->grant,
			ask->client.refresh_idle_s, issue->refresh,
			&req->fault);
	reply->refresh = issue->refresh;
	return rc == RC_OK ? identity_audit_token(req, ask->grant_type, bearer)
			   : rc;
}

enum rc
token_issue(struct req *req, struct resp *resp, const struct token_ask *ask,
	struct token_issue *issue)
{
	struct reply reply = {NULL, NULL, NULL};
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES];
	struct user *user = arena_alloc(req->arena, sizeof(*user));
	enum rc rc = find_user(req, issue->bearer.grant, user);

	issue->bearer.user = user;
	if (rc == RC_OK)
		rc = bind(req, &ask->client, fingerprint, &issue->bearer);
	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc != RC_OK)
		return rc;
	rc = sign_and_store(req, ask, issue, &reply);
	if (rc == RC_OK)
		rc = db_commit(req->db, &req->fault);
	else
		db_rollback(req->db);
	if (rc == RC_OK)
		write_reply(req, resp, &issue->bearer, &reply);
	return rc;
}

/* The first tokens of a family. */
static enum rc
issue_first(struct req *req, struct resp *resp, const struct token_ask *ask,
	struct grant *grant)
{
	struct token_issue issue = {
		.bearer = {.client = &ask->client,
			.grant = grant,
			.scopes = grant->scopes},
	};

	grant->dies_us = clock_now_us() +
			 ask->client.refresh_absolute_s * CLOCK_SECOND_US;
	if (gets_refresh(&ask->client, grant))
		issue.refresh = secret_token(req->arena);
	return token_issue(req, resp, ask, &issue);
}

static bool
verifier_fits(struct req *req, const char *verifier, const char *challenge)
{
	size_t length = strlen(verifier);
	uint8_t hash[SECRET_HASH_BYTES];
	const char *expected;

	if (length < VERIFIER_MIN || length > VERIFIER_MAX ||
		strspn(verifier, unreserved) != length)
		return false;
	secret_hash(hash, verifier, length);
	expected = encode_base64url(req->arena, hash, sizeof(hash));
	return strlen(expected) == strlen(challenge) &&
	       secret_equal(expected, challenge, strlen(challenge));
}

/* A verifier without a challenge is refused too: somebody took it away. */
static enum rc
check_verifier(
	struct req *req, const struct token_ask *ask, const struct grant *grant)
{
	if (grant->challenge == NULL && ask->verifier == NULL)
		return RC_OK;
	if (grant->challenge == NULL)
		return token_invalid_grant(
			req, "code_verifier without a challenge");
	if (ask->verifier == NULL)
		return token_invalid_grant(req, "code_verifier is missing");
	if (!verifier_fits(req, ask->verifier, grant->challenge))
		return token_invalid_grant(req, "code_verifier does not fit");
	return RC_OK;
}

static enum rc
check_redirect(
	struct req *req, const struct token_ask *ask, const struct grant *grant)
{
	bool good =
		ask->redirect_uri == NULL
			? !grant->redirect_uri_sent
			: strcmp(ask->redirect_uri, grant->redirect_uri) == 0;

	return good ? RC_OK
		    : token_invalid_grant(req,
			      "redirect_uri is not that of the "
			      "authorization request");
}

static enum rc
use_code(struct req *req, const struct token_ask *ask, struct grant *grant)
{
	enum rc rc = grant_code_use(
		req->db, req->arena, ask->code, grant, &req->fault);

	if (rc == RC_CONFLICT)
		log_warn(req->id,
			"client %s: a code came twice, its tokens "
			"are revoked",
			ask->client.client_id);
	if (rc == RC_CONFLICT || rc == RC_NOT_FOUND)
		return token_invalid_grant(req, "the code is not valid");
	if (rc == RC_OK && grant->client_id != ask->client.id)
		return token_invalid_grant(req, "the code is not valid");
	return rc;
}

static enum rc
grant_code(struct req *req, struct resp *resp, const struct token_ask *ask)
{
	struct grant grant;
	enum rc rc;

	if (ask->code == NULL)
		return oauth_refuse(req, "invalid_request", "code is missing");
	rc = use_code(req, ask, &grant);
	if (rc == RC_OK)
		rc = check_redirect(req, ask, &grant);
	if (rc == RC_OK)
		rc = check_verifier(req, ask, &grant);
	return rc == RC_OK ? issue_first(req, resp, ask, &grant) : rc;
}

/* RFC 8628 3.5: the device asks until somebody has decided. */
static enum rc
grant_device(struct req *req, struct resp *resp, const struct token_ask *ask)
{
	static const struct {
		const char *error;
		const char *description;
	} answers[] = {
		[DEVICE_PENDING] = {"authorization_pending",
			"nobody has decided yet"},
		[DEVICE_SLOW_DOWN] = {"slow_down",
			"wait 5 seconds longer between two requests"},
		[DEVICE_DENIED] = {"access_denied", "the user said no"},
		[DEVICE_EXPIRED] = {"expired_token", "begin anew"},
	};
	struct grant grant = {.client_id = 0};
	enum device_state state;
	enum rc rc;

	if (ask->device_code == NULL)
		return oauth_refuse(
			req, "invalid_request", "device_code is missing");
	rc = device_poll(req->db, req->arena, ask->device_code, ask->client.id,
		&grant, &state, &req->fault);
	if (rc == RC_NOT_FOUND)
		return token_invalid_grant(req, "the device code is not valid");
	if (rc != RC_OK)
		return rc;
	if (state != DEVICE_GRANTED)
		return oauth_refuse(
			req, answers[state].error, answers[state].description);
	return issue_first(req, resp, ask, &grant);
}

/* --- the endpoint ------------------------------------------------------ */

static enum rc
read_params(struct req *req, struct token_ask *ask)
{
	const struct {
		const char *name;
		const char **value;
	} params[] = {
		{"grant_type", &ask->grant_type},
		{"scope", &ask->scope},
		{"code", &ask->code},
		{"redirect_uri", &ask->redirect_uri},
		{"code_verifier", &ask->verifier},
		{"refresh_token", &ask->refresh},
		{"device_code", &ask->device_code},
	};
	enum rc rc = req_form(req, &ask->form);

	for (size_t i = 0; i < ARRAY_LENGTH(params) && rc == RC_OK; i++)
		rc = oauth_param(
			req, &ask->form, params[i].name, params[i].value);
	return rc;
}

static enum rc
dispatch(struct req *req, struct resp *resp, const struct token_ask *ask)
{
	static const struct {
		const char *name;
		enum rc (*run)(struct req *req, struct resp *resp,
			const struct token_ask *ask);
	} grants[] = {
		{CLIENT_GRANT_CLIENT, grant_client},
		{CLIENT_GRANT_CODE, grant_code},
		{CLIENT_GRANT_REFRESH, token_refresh},
		{CLIENT_GRANT_DEVICE, grant_device},
	};

	if (ask->grant_type == NULL)
		return oauth_refuse(
			req, "invalid_request", "grant_type is missing");
	for (size_t i = 0; i < ARRAY_LENGTH(grants); i++) {
		if (strcmp(grants[i].name, ask->grant_type) != 0)
			continue;
		if (!client_list_has((const char *const *)ask->client.grants,
			    grants[i].name))
			return oauth_refuse(req, "unauthorized_client",
				"this client may not use this grant");
		return grants[i].run(req, resp, ask);
	}
	return oauth_refuse(
		req, "unsupported_grant_type", "there is no such grant here");
}

enum rc
identity_token(struct req *req, struct resp *resp)
{
	struct token_ask ask = {.grant_type = NULL};
	enum rc rc = oauth_cors(req, resp);

	if (rc == RC_OK)
		rc = read_params(req, &ask);
	if (rc == RC_OK)
		rc = oauth_client(req, &ask.form, &ask.client);
	if (rc == RC_OK)
		rc = dispatch(req, resp, &ask);
	if (rc != RC_OK && rc != RC_RETRY)
		rc = identity_audit_refusal(
			req, "token.refuse", ask.client.client_id, rc);
	return oauth_answer(req, resp, rc);
}
