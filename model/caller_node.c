/* caller_node: a node, by its certificate and a token bound to that. */

#include <json-c/json.h>
#include <string.h>

#include "lib/encode.h"
#include "lib/tls.h"
#include "model/caller_gate.h"

/* Only parameters of nginx count; headers of the client are HTTP_... */
static enum rc
check_connection(struct req *req)
{
	const char *verify = req->param(req, "SSL_CLIENT_VERIFY");
	const char *certificate = req->param(req, "SSL_CLIENT_CERT");

	if (verify == NULL || strcmp(verify, "SUCCESS") != 0 ||
		certificate == NULL || certificate[0] == '\0')
		return fault_tell(&req->fault, RC_DENIED, "NoCertificate", NULL,
			"Connect with the certificate of a node.");
	return RC_OK;
}

static enum rc
read_certificate(struct req *req, uint8_t fingerprint[TLS_FINGERPRINT_BYTES])
{
	const char *certificate = req->param(req, "SSL_CLIENT_CERT");

	if (tls_fingerprint_escaped(
		    req->arena, certificate, fingerprint, &req->fault) != RC_OK)
		return fault_tell(&req->fault, RC_DENIED, "UnknownCertificate",
			NULL, "The certificate cannot be read.");
	return RC_OK;
}

static enum rc
find_node(struct req *req, const uint8_t *fingerprint, struct caller *caller)
{
	char uuid[UUID_TEXT_BYTES];
	struct rows *rows = NULL;
	enum rc rc =
		db_find(req->db, req->arena, &caller_stmts[CALLER_CERTIFICATE],
			PARAMS(P_BYTES(fingerprint, TLS_FINGERPRINT_BYTES)),
			&rows, &req->fault);

	if (rc == RC_NOT_FOUND)
		return fault_tell(&req->fault, RC_DENIED, "UnknownCertificate",
			NULL,
			"The certificate is not that of a node, or revoked.");
	if (rc != RC_OK)
		return rc;
	if (!rows_bool(rows, 0, 3))
		return fault_tell(&req->fault, RC_DENIED, "NodeNotAuthorised",
			NULL,
			"The node %s is %s; an administrator of the grid can "
			"let it in.",
			rows_text(rows, 0, 1), rows_text(rows, 0, 4));
	uuid_format(uuid, rows_uuid(rows, 0, 2));
	caller->kind = CALLER_NODE;
	caller->id = rows_int(rows, 0, 0);
	caller->name = rows_text(rows, 0, 1);
	caller->subject = arena_strdup(req->arena, uuid);
	return RC_OK;
}

enum rc
caller_find_node(struct req *req, uint8_t fingerprint[TLS_FINGERPRINT_BYTES],
	struct caller *node)
{
	enum rc rc = check_connection(req);

	if (rc == RC_OK)
		rc = read_certificate(req, fingerprint);
	return rc == RC_OK ? find_node(req, fingerprint, node) : rc;
}

static bool
bound_to(struct arena *arena, struct json_object *claims,
	const uint8_t *fingerprint)
{
	struct json_object *confirmation = NULL;
	const char *given = NULL;

	if (json_object_object_get_ex(claims, "cnf", &confirmation) &&
		json_object_is_type(confirmation, json_type_object))
		given = jwt_claim_text(confirmation, "x5t#S256");
	return given != NULL &&
	       strcmp(given, encode_base64url(arena, fingerprint,
				     TLS_FINGERPRINT_BYTES)) == 0;
}

enum rc
caller_certificate(struct req *req, const char **escaped,
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES])
{
	struct rows *rows = NULL;
	enum rc rc = check_connection(req);

	if (rc == RC_OK)
		rc = read_certificate(req, fingerprint);
	if (rc == RC_OK)
		rc = db_find(req->db, req->arena, &caller_stmts[CALLER_BARRED],
			PARAMS(P_BYTES(fingerprint, TLS_FINGERPRINT_BYTES)),
			&rows, &req->fault);
	if (rc != RC_OK)
		return rc;
	if (rows_bool(rows, 0, 0))
		return fault_tell(&req->fault, RC_DENIED, "NodeNotAuthorised",
			NULL, "The node of this certificate is shut out.");
	*escaped = req->param(req, "SSL_CLIENT_CERT");
	return RC_OK;
}

enum rc
caller_check_binding(struct req *req, struct json_object *claims)
{
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES];
	const char *escaped;
	enum rc rc;

	if (!json_object_object_get_ex(claims, "cnf", NULL))
		return RC_OK;
	rc = caller_certificate(req, &escaped, fingerprint);
	if (rc != RC_OK && rc != RC_DENIED)
		return rc;
	if (rc == RC_OK && bound_to(req->arena, claims, fingerprint))
		return RC_OK;
	return caller_refuse(&req->fault, "is bound to another certificate");
}

/* The token of this node, bound to this certificate. */
static enum rc
check_node_token(struct caller_gate *gate, struct req *req, const char *token,
	const uint8_t *fingerprint, struct caller *caller)
{
	struct caller sender = {.kind = CALLER_NOBODY};
	struct json_object *claims = NULL;
	int64_t node_id = 0;
	enum rc rc = caller_of_token(gate, req, token, CALLER_AUDIENCE_HUB,
		&sender, &node_id, &claims);

	if (rc != RC_OK)
		return rc;
	if (!bound_to(req->arena, claims, fingerprint) || node_id != caller->id)
		return fault_tell(&req->fault, RC_UNAUTHENTICATED,
			"TokenNotBound", NULL,
			"The token is not bound to this certificate.");
	memcpy(caller->credential, sender.credential,
		sizeof(caller->credential));
	caller->scopes = sender.scopes;
	caller->client = sender.client;
	caller->client_epoch = sender.client_epoch;
	caller->expires_us = sender.expires_us;
	memcpy(caller->token_id, sender.token_id, sizeof(caller->token_id));
	caller->has_token_id = sender.has_token_id;
	if (!caller_has_scope(caller, CALLER_SCOPE_HUB))
		return fault_tell(&req->fault, RC_DENIED, "InsufficientScope",
			NULL, "The token lacks the scope hub.");
	return RC_OK;
}

/* The long way, once a second: certificate, node, token. */
static enum rc
prove(struct caller_gate *gate, struct req *req, const char *token,
	struct caller *caller)
{
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES];
	enum rc rc = read_certificate(req, fingerprint);

	if (rc == RC_OK)
		rc = find_node(req, fingerprint, caller);
	if (rc == RC_OK && token == NULL)
		rc = caller_refuse(&req->fault, "is missing");
	if (rc == RC_OK)
		rc = check_node_token(gate, req, token, fingerprint, caller);
	return rc;
}

enum rc
caller_authenticate_node(struct caller_gate *gate, struct req *req)
{
	struct caller *caller;
	const char *token = NULL;
	uint8_t key[SECRET_HASH_BYTES];
	enum rc rc = check_connection(req);

	if (rc == RC_OK)
		rc = caller_read_bearer(req, &token);
	if (rc != RC_OK)
		return rc;
	caller_hash_proof(req, NEED_NODE, token != NULL ? token : "", key);
	caller = caller_recall(gate, req->arena, key);
	if (caller == NULL) {
		caller = arena_alloc(req->arena, sizeof(*caller));
		rc = prove(gate, req, token, caller);
		if (rc == RC_OK)
			caller_remember(gate, key, caller);
	}
	if (rc == RC_OK)
		req->caller = caller;
	return rc;
}
