/* caller: who sends a request. */

#include "model/caller.h"

#include <json-c/json.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/secret.h"
#include "lib/tls.h"
#include "model/caller_gate.h"
#include "model/policy.h"

const struct stmt caller_stmts[] = {
	[CALLER_KEYS] = {"caller_keys", "",
		"SELECT kid"
		"     , algorithm"
		"     , public_pem"
		"  FROM signing_key"
		" WHERE state IN ('pending', 'active', 'retiring')"
		" ORDER BY created_at DESC LIMIT 16"},
	[CALLER_SESSION] = {"caller_session", "b", /* $1 hash of the cookie */
		"SELECT account.id"
		"     , account.uuid"
		"     , account.name"
		"     , account.administrator"
		"     , session.csrf"
		"     , session.expires_at"
		"     , session.seen_at < now() - interval '1 minute'"
		"  FROM session"
		"  JOIN account ON account.id = session.account_id"
		" WHERE session.hash = $1"
		"   AND account.state = 'active'"
		"   AND session.expires_at > now()"
		"   AND session.seen_at > now() - interval '30 minutes'"},
	[CALLER_TOUCH] = {"caller_touch", "b",
		"UPDATE session SET seen_at = now() WHERE hash = $1"},
	/* $1 client $2 its epoch $3 user or NULL $4 its epoch $5 family
	 * $6 jti; a node that is not authorised has no tokens at all */
	[CALLER_TOKEN] = {"caller_token", "tnunuu",
		"SELECT client.id"
		"     , client.name"
		"     , coalesce(client.node_id, 0)"
		"     , coalesce(account.id, 0)"
		"     , account.name"
		"     , coalesce(account.administrator, false)"
		"  FROM client"
		"  LEFT JOIN account ON account.uuid = $3"
		"  LEFT JOIN node ON node.id = client.node_id"
		" WHERE client.client_id = $1"
		"   AND client.state = 'active'"
		"   AND coalesce(node.state, 'authorised') = 'authorised'"
		"   AND client.epoch = $2"
		"   AND ($3 IS NULL OR"
		"        (account.state = 'active' AND account.epoch = $4))"
		"   AND NOT EXISTS"
		"       (SELECT FROM revoked_family WHERE family = $5)"
		"   AND NOT EXISTS"
		"       (SELECT FROM revoked_token WHERE jti = $6)"
		"   AND (node.id IS NULL OR node.state = 'authorised')"},
	[CALLER_CERTIFICATE] = {"caller_certificate", "b", /* $1 fingerprint */
		"SELECT node.id"
		"     , node.name"
		"     , node.uuid"
		"     , node.state = 'authorised'"
		"     , node.state"
		"  FROM node_certificate AS held"
		"  JOIN node ON node.id = held.node_id"
		" WHERE held.fingerprint = $1"
		"   AND held.revoked_at IS NULL"
		"   AND held.not_after > now()"},
	[CALLER_BARRED] = {"caller_barred", "b", /* $1 fingerprint */
		"SELECT EXISTS (SELECT"
		"  FROM node_certificate AS held"
		"  JOIN node ON node.id = held.node_id"
		" WHERE held.fingerprint = $1"
		"   AND (held.revoked_at IS NOT NULL"
		"        OR node.state <> 'authorised'))"},
	STMT_END,
};

/* Sec-Fetch-Site cannot be set by scripts; old browsers send only Origin. */
bool
caller_same_origin(const struct req *req)
{
	const char *site = req_header(req, "Sec-Fetch-Site");
	const char *origin = req_header(req, "Origin");
	const char *host = req_header(req, "Host");

	if (site != NULL)
		return strcmp(site, "same-origin") == 0;
	return origin != NULL && host != NULL &&
	       strncmp(origin, "https://", 8) == 0 &&
	       strcasecmp(origin + 8, host) == 0;
}

static enum rc
find_session(struct db *db, struct arena *arena, const uint8_t *hash,
	struct rows **rows, struct fault *fault)
{
	enum rc rc = db_find(db, arena, &caller_stmts[CALLER_SESSION],
		PARAMS(P_BYTES(hash, SECRET_HASH_BYTES)), rows, fault);

	if (rc == RC_NOT_FOUND)
		return fault_tell(fault, RC_UNAUTHENTICATED, "NoSession", NULL,
			"You are not logged in, or your session has ended.");
	if (rc == RC_OK && rows_bool(*rows, 0, 6))
		rc = db_exec(db, &caller_stmts[CALLER_TOUCH],
			PARAMS(P_BYTES(hash, SECRET_HASH_BYTES)), NULL, fault);
	return rc;
}

static enum rc
session_caller(struct req *req, const char *cookie, struct caller *caller)
{
	char uuid[UUID_TEXT_BYTES];
	struct rows *rows = NULL;
	enum rc rc;

	secret_hash(caller->credential, cookie, strlen(cookie));
	rc = find_session(
		req->db, req->arena, caller->credential, &rows, &req->fault);
	if (rc != RC_OK)
		return rc;
	uuid_format(uuid, rows_uuid(rows, 0, 1));
	caller->kind = CALLER_USER;
	caller->id = rows_int(rows, 0, 0);
	caller->subject = arena_strdup(req->arena, uuid);
	caller->name = rows_text(rows, 0, 2);
	caller->administrator = rows_bool(rows, 0, 3);
	caller->csrf = rows_text(rows, 0, 4);
	caller->expires_us = rows_time(rows, 0, 5);
	caller->scopes = "";
	return RC_OK;
}

static enum rc
from_bearer(struct caller_gate *gate, struct req *req, const char *token)
{
	struct caller *caller = arena_alloc(req->arena, sizeof(*caller));
	uint8_t key[SECRET_HASH_BYTES];
	struct json_object *claims = NULL;
	int64_t node_id = 0;
	enum rc rc;

	caller_hash_proof(req, NEED_API, token, key);
	req->caller = caller_recall(gate, req->arena, key);
	if (req->caller != NULL)
		return RC_OK;
	rc = caller_of_token(gate, req, token, CALLER_AUDIENCE_API, caller,
		&node_id, &claims);
	if (rc == RC_OK)
		rc = caller_check_binding(req, claims);
	if (rc != RC_OK)
		return rc;
	caller_remember(gate, key, caller);
	req->caller = caller;
	return RC_OK;
}

static enum rc
from_cookie(struct caller_gate *gate, struct req *req, const char *cookie)
{
	struct caller *caller = arena_alloc(req->arena, sizeof(*caller));
	uint8_t key[SECRET_HASH_BYTES];
	enum rc rc;

	if (req->method != METHOD_GET && req->method != METHOD_HEAD &&
		!caller_same_origin(req))
		return fault_tell(&req->fault, RC_DENIED, "CrossSite", NULL,
			"A page of another site cannot use your session.");
	secret_hash(key, cookie, strlen(cookie));
	req->caller = caller_recall(gate, req->arena, key);
	if (req->caller != NULL)
		return RC_OK;
	rc = session_caller(req, cookie, caller);
	if (rc != RC_OK)
		return rc;
	caller_remember(gate, key, caller);
	req->caller = caller;
	return RC_OK;
}

bool
caller_has_scope(const struct caller *caller, const char *scope)
{
	size_t length = strlen(scope);
	const char *at = caller->scopes;

	while (at != NULL && *at != '\0') {
		size_t word = strcspn(at, " ");

		if (word == length && memcmp(at, scope, length) == 0)
			return true;
		at += word + strspn(at + word, " ");
	}
	return false;
}

static enum rc
check_scope(const struct req *req, struct fault *fault)
{
	if (policy_scope_actions(req->caller) != 0)
		return RC_OK;
	return fault_tell(fault, RC_DENIED, "InsufficientScope", NULL,
		"The token lacks the scope API.");
}

static enum rc
authenticate_person(struct caller_gate *gate, struct req *req, enum need need)
{
	struct caller *nobody = req->caller;
	const char *token = NULL;
	const char *cookie = req_cookie(req, CALLER_COOKIE);
	enum rc rc = caller_read_bearer(req, &token);

	if (rc != RC_OK)
		return rc;
	if (token != NULL)
		rc = from_bearer(gate, req, token);
	else if (cookie != NULL)
		rc = from_cookie(gate, req, cookie);
	else
		rc = fault_tell(&req->fault, RC_UNAUTHENTICATED,
			"Unauthenticated", NULL,
			"Log in, or send an access token.");
	if (rc == RC_OK && (need == NEED_API || need == NEED_ADMIN))
		rc = check_scope(req, &req->fault);
	if (rc == RC_OK && need == NEED_LOGIN &&
		req->caller->kind != CALLER_USER)
		rc = fault_tell(&req->fault, RC_DENIED, "UserRequired", NULL,
			"Only a user can do this, not a client by itself.");
	if (rc != RC_OK)
		req->caller = nobody;
	return rc;
}

enum rc
caller_authenticate(struct caller_gate *gate, struct req *req, enum need need)
{
	switch (need) {
	case NEED_NONE:
		return RC_OK;
	case NEED_LOGIN:
	case NEED_API:
	case NEED_ADMIN:
		return authenticate_person(gate, req, need);
	case NEED_NODE:
		return caller_authenticate_node(gate, req);
	case NEED_UNSET:
		break;
	}
	return fault_set(&req->fault, RC_BUG, "a route without a need");
}

enum rc
caller_recheck(struct db *db, struct arena *arena, const struct caller *caller,
	struct fault *fault)
{
	struct rows *rows = NULL;

	if (clock_now_us() >= caller->expires_us)
		return fault_set(fault, RC_UNAUTHENTICATED, "expired");
	if (caller->csrf != NULL)
		return find_session(
			db, arena, caller->credential, &rows, fault);
	return caller_find_token(
		db, arena, caller, caller->kind == CALLER_USER, &rows, fault);
}

struct caller *
caller_copy(struct arena *arena, const struct caller *caller)
{
	struct caller *copy = arena_memdup(arena, caller, sizeof(*caller));

	copy->subject = arena_strdup(arena, caller->subject);
	copy->name = arena_strdup(arena, caller->name);
	copy->scopes = arena_strdup(arena, caller->scopes);
	copy->csrf = arena_strdup(arena, caller->csrf);
	copy->client = arena_strdup(arena, caller->client);
	return copy;
}

enum rc
caller_recheck_node(struct db *db, struct arena *arena,
	const struct caller *caller,
	const uint8_t fingerprint[TLS_FINGERPRINT_BYTES], struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = caller_recheck(db, arena, caller, fault);

	if (rc == RC_OK)
		rc = db_find(db, arena, &caller_stmts[CALLER_BARRED],
			PARAMS(P_BYTES(fingerprint, TLS_FINGERPRINT_BYTES)),
			&rows, fault);
	if (rc == RC_OK && rows_bool(rows, 0, 0))
		return fault_set(fault, RC_UNAUTHENTICATED, "shut out");
	return rc;
}

enum rc
caller_check_csrf(
	const struct caller *caller, const char *sent, struct fault *fault)
{
	if (caller->csrf == NULL || sent == NULL ||
		strlen(sent) != strlen(caller->csrf) ||
		!secret_equal(sent, caller->csrf, strlen(sent)))
		return fault_tell(fault, RC_DENIED, "FormExpired", NULL,
			"This form is too old. Load the page again.");
	return RC_OK;
}
