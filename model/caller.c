/* caller: who sends a request. */

#include "model/caller.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/jwt.h"
#include "lib/secret.h"
#include "lib/tls.h"

#define KNOWN_ENTRIES    256
#define KNOWN_US         CLOCK_SECOND_US
#define KEYS_US          (60 * CLOCK_SECOND_US)
#define KEYS_UNKNOWN_US  (30 * CLOCK_SECOND_US)
#define TEXT_BYTES       160
#define SCOPES_BYTES     512
#define FINGERPRINT_TEXT 44

enum { STMT_KEYS, STMT_SESSION, STMT_TOUCH, STMT_TOKEN, STMT_CERTIFICATE };

const struct stmt caller_stmts[] = {
	[STMT_KEYS] = {"caller_keys", "",
		"SELECT kid"
		"     , algorithm"
		"     , public_pem"
		"  FROM signing_key"
		" WHERE state IN ('pending', 'active', 'retiring')"
		" ORDER BY created_at DESC LIMIT 16"},
	[STMT_SESSION] = {"caller_session", "b", /* $1 hash of the cookie */
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
	[STMT_TOUCH] = {"caller_touch", "b",
		"UPDATE session SET seen_at = now() WHERE hash = $1"},
	/* $1 client $2 its epoch $3 user or NULL $4 its epoch $5 family */
	[STMT_TOKEN] = {"caller_token", "tnunu",
		"SELECT client.id"
		"     , client.name"
		"     , coalesce(client.node_id, 0)"
		"     , coalesce(account.id, 0)"
		"     , account.name"
		"     , coalesce(account.administrator, false)"
		"  FROM client"
		"  LEFT JOIN account ON account.uuid = $3"
		" WHERE client.client_id = $1"
		"   AND client.state = 'active'"
		"   AND client.epoch = $2"
		"   AND ($3 IS NULL OR"
		"        (account.state = 'active' AND account.epoch = $4))"
		"   AND NOT EXISTS"
		"       (SELECT FROM revoked_family WHERE family = $5)"},
	[STMT_CERTIFICATE] = {"caller_certificate", "b", /* $1 fingerprint */
		"SELECT node.id"
		"     , node.name"
		"     , node.uuid"
		"     , node.state = 'authorised'"
		"  FROM node_certificate AS held"
		"  JOIN node ON node.id = held.node_id"
		" WHERE held.fingerprint = $1"
		"   AND held.revoked_at IS NULL"
		"   AND held.not_after > now()"},
	STMT_END,
};

/* A caller that was found good not long ago. */
struct known {
	uint8_t key[SECRET_HASH_BYTES];
	int64_t checked_us; /* steady clock */
	struct caller caller;
	char subject[TEXT_BYTES];
	char name[TEXT_BYTES];
	char client[TEXT_BYTES];
	char csrf[TEXT_BYTES];
	char scopes[SCOPES_BYTES];
};

struct caller_gate {
	char *issuer;
	struct jwt_ring *ring;
	int64_t keys_read_us;  /* steady clock; 0 = never */
	int64_t keys_asked_us; /* last time because of an unknown key */
	struct known known[KNOWN_ENTRIES];
};

struct caller_gate *
caller_gate_new(const char *issuer)
{
	struct caller_gate *gate = calloc(1, sizeof(*gate));

	if (gate == NULL)
		abort();
	gate->issuer = strdup(issuer != NULL ? issuer : "");
	if (gate->issuer == NULL)
		abort();
	gate->ring = jwt_ring_new();
	return gate;
}

void
caller_gate_free(struct caller_gate *gate)
{
	if (gate == NULL)
		return;
	jwt_ring_free(gate->ring);
	free(gate->issuer);
	free(gate);
}

/* --- callers known for a second ----------------------------------------------
 */

static bool
copy_text(char *to, size_t size, const char **field)
{
	if (*field == NULL)
		return true;
	if (strlen(*field) >= size)
		return false;
	strcpy(to, *field);
	*field = to;
	return true;
}

static struct known *
known_place(struct caller_gate *gate, const uint8_t key[SECRET_HASH_BYTES])
{
	return &gate->known[key[0] % KNOWN_ENTRIES];
}

static void
remember(struct caller_gate *gate, const uint8_t key[SECRET_HASH_BYTES],
	const struct caller *caller)
{
	struct known *known = known_place(gate, key);

	memcpy(known->key, key, sizeof(known->key));
	known->caller = *caller;
	known->checked_us = 0;
	if (copy_text(known->subject, TEXT_BYTES, &known->caller.subject) &&
		copy_text(known->name, TEXT_BYTES, &known->caller.name) &&
		copy_text(known->client, TEXT_BYTES, &known->caller.client) &&
		copy_text(known->csrf, TEXT_BYTES, &known->caller.csrf) &&
		copy_text(known->scopes, SCOPES_BYTES, &known->caller.scopes))
		known->checked_us = clock_steady_us();
}

static const char *
dup_or_null(struct arena *arena, const char *text)
{
	return text != NULL ? arena_strdup(arena, text) : NULL;
}

/* The entry may be overwritten while a request is under way: copy it. */
static struct caller *
recall(struct caller_gate *gate, struct arena *arena,
	const uint8_t key[SECRET_HASH_BYTES])
{
	const struct known *known = known_place(gate, key);
	struct caller *caller;

	if (memcmp(known->key, key, sizeof(known->key)) != 0 ||
		known->checked_us == 0 ||
		clock_steady_us() - known->checked_us > KNOWN_US ||
		clock_now_us() >= known->caller.expires_us)
		return NULL;
	caller = arena_memdup(arena, &known->caller, sizeof(*caller));
	caller->subject = dup_or_null(arena, caller->subject);
	caller->name = dup_or_null(arena, caller->name);
	caller->client = dup_or_null(arena, caller->client);
	caller->csrf = dup_or_null(arena, caller->csrf);
	caller->scopes = dup_or_null(arena, caller->scopes);
	return caller;
}

/* --- tokens
 * ------------------------------------------------------------------- */

static enum rc
read_keys(struct caller_gate *gate, struct req *req)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(req->db, req->arena, &caller_stmts[STMT_KEYS],
		NO_PARAMS, &rows, &req->fault);

	if (rc != RC_OK)
		return rc;
	jwt_ring_clear(gate->ring);
	for (size_t row = 0; row < rows_count(rows) && rc == RC_OK; row++)
		rc = jwt_ring_add(gate->ring, rows_text(rows, row, 0),
			rows_text(rows, row, 1), rows_text(rows, row, 2),
			&req->fault);
	if (rc == RC_OK)
		gate->keys_read_us = clock_steady_us();
	return rc;
}

static enum rc
refuse(struct fault *fault, const char *why)
{
	return fault_tell(fault, RC_UNAUTHENTICATED, "InvalidToken", NULL,
		"The token %s.", why);
}

static bool
keys_older_than(const struct caller_gate *gate, int64_t us)
{
	return gate->keys_read_us == 0 ||
	       clock_steady_us() - gate->keys_read_us > us;
}

/* An unknown key id is looked up, but nobody can make us do so at will. */
static bool
may_ask_again(struct caller_gate *gate)
{
	int64_t now_us = clock_steady_us();

	if (gate->keys_asked_us != 0 &&
		now_us - gate->keys_asked_us < KEYS_UNKNOWN_US)
		return false;
	gate->keys_asked_us = now_us;
	return true;
}

enum rc
caller_read_token(struct caller_gate *gate, struct req *req, const char *token,
	const char *use, const char *audience, bool ignore_expiry,
	struct json_object **claims)
{
	const struct jwt_expect expect = {
		.issuer = gate->issuer,
		.audience = audience,
		.use = use,
		.now_us = clock_now_us(),
		.ignore_expiry = ignore_expiry,
	};
	enum rc rc = RC_OK;

	if (keys_older_than(gate, KEYS_US))
		rc = read_keys(gate, req);
	if (rc != RC_OK)
		return rc;
	rc = jwt_verify(
		gate->ring, req->arena, token, &expect, claims, &req->fault);
	if (rc == RC_NOT_FOUND && may_ask_again(gate)) {
		rc = read_keys(gate, req);
		if (rc == RC_OK)
			rc = jwt_verify(gate->ring, req->arena, token, &expect,
				claims, &req->fault);
	}
	if (rc == RC_NOT_FOUND)
		return refuse(&req->fault, "is signed with an unknown key");
	return rc;
}

static void
hash_subject(struct caller *caller, struct arena *arena)
{
	const char *text = arena_printf(arena, "token:%s", caller->subject);

	secret_hash(caller->credential, text, strlen(text));
}

/* Our own tokens always have these; anything else was not made by us. */
static enum rc
read_claims(struct req *req, struct json_object *claims, struct caller *caller,
	bool *is_user)
{
	const char *family = jwt_claim_text(claims, "fam");
	int64_t expires_s = 0;

	caller->subject = jwt_claim_text(claims, "sub");
	caller->client = jwt_claim_text(claims, "client_id");
	caller->scopes = jwt_claim_text(claims, "scope");
	*is_user = jwt_claim_int(claims, "user_epoch", &caller->user_epoch);
	caller->has_family =
		family != NULL && uuid_parse(family, caller->family);
	if (caller->subject == NULL || caller->client == NULL ||
		caller->scopes == NULL ||
		!jwt_claim_int(claims, "client_epoch", &caller->client_epoch) ||
		!jwt_claim_int(claims, "exp", &expires_s))
		return refuse(&req->fault, "lacks claims");
	caller->expires_us = expires_s * CLOCK_SECOND_US;
	hash_subject(caller, req->arena);
	return RC_OK;
}

/* The state of client, user and grant behind a token, as it is now. */
static enum rc
find_token(struct db *db, struct arena *arena, const struct caller *caller,
	bool is_user, struct rows **rows, struct fault *fault)
{
	uint8_t uuid[UUID_BYTES];
	struct param user = P_NULL('u');
	struct param family = P_NULL('u');
	enum rc rc;

	if (is_user && !uuid_parse(caller->subject, uuid))
		return refuse(fault, "has a malformed subject");
	if (is_user)
		user = P_UUID(uuid);
	if (caller->has_family)
		family = P_UUID(caller->family);
	rc = db_find(db, arena, &caller_stmts[STMT_TOKEN],
		PARAMS(P_TEXT(caller->client), P_SHORT(caller->client_epoch),
			user, P_SHORT(caller->user_epoch), family),
		rows, fault);
	return rc == RC_NOT_FOUND ? refuse(fault, "has been revoked") : rc;
}

/* "node_id" is that of the client's node, 0 when it is no node's. */
static enum rc
token_caller(struct caller_gate *gate, struct req *req, const char *token,
	const char *audience, struct caller *caller, int64_t *node_id,
	struct json_object **claims)
{
	struct rows *rows = NULL;
	bool is_user = false;
	enum rc rc = caller_read_token(
		gate, req, token, "access", audience, false, claims);

	if (rc == RC_OK)
		rc = read_claims(req, *claims, caller, &is_user);
	if (rc == RC_OK)
		rc = find_token(req->db, req->arena, caller, is_user, &rows,
			&req->fault);
	if (rc != RC_OK)
		return rc;
	caller->kind = is_user ? CALLER_USER : CALLER_CLIENT;
	caller->id = rows_int(rows, 0, is_user ? 3 : 0);
	caller->name = rows_text(rows, 0, is_user ? 4 : 1);
	caller->administrator = is_user && rows_bool(rows, 0, 5);
	*node_id = rows_int(rows, 0, 2);
	return RC_OK;
}

/* --- sessions
 * ------------------------------------------------------------------ */

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
	enum rc rc = db_find(db, arena, &caller_stmts[STMT_SESSION],
		PARAMS(P_BYTES(hash, SECRET_HASH_BYTES)), rows, fault);

	if (rc == RC_NOT_FOUND)
		return fault_tell(fault, RC_UNAUTHENTICATED, "NoSession", NULL,
			"You are not logged in, or your session has ended.");
	if (rc == RC_OK && rows_bool(*rows, 0, 6))
		rc = db_exec(db, &caller_stmts[STMT_TOUCH],
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

/* --- who may enter where
 * -------------------------------------------------------- */

/* The token of "Authorization: Bearer ..."; NULL when there is none. */
static const char *
bearer(const struct req *req)
{
	const char *header = req_header(req, "Authorization");

	if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0)
		return NULL;
	return header + 7 + strspn(header + 7, " ");
}

static enum rc
from_bearer(struct caller_gate *gate, struct req *req, const char *token)
{
	struct caller *caller = arena_alloc(req->arena, sizeof(*caller));
	uint8_t key[SECRET_HASH_BYTES];
	struct json_object *claims = NULL;
	int64_t node_id = 0;
	enum rc rc;

	secret_hash(key, token, strlen(token));
	req->caller = recall(gate, req->arena, key);
	if (req->caller != NULL)
		return RC_OK;
	rc = token_caller(gate, req, token, CALLER_AUDIENCE_API, caller,
		&node_id, &claims);
	if (rc == RC_OK && json_object_object_get_ex(claims, "cnf", NULL))
		rc = refuse(&req->fault, "is bound to a certificate");
	if (rc != RC_OK)
		return rc;
	remember(gate, key, caller);
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
	req->caller = recall(gate, req->arena, key);
	if (req->caller != NULL)
		return RC_OK;
	rc = session_caller(req, cookie, caller);
	if (rc != RC_OK)
		return rc;
	remember(gate, key, caller);
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
	static const char *const scopes[] = {"API",
		"serviceGridAPI.full_access", "iiotServicesAPI",
		"dataStorageAPI"};

	if (req->caller->csrf != NULL)
		return RC_OK;
	for (size_t i = 0; i < ARRAY_LENGTH(scopes); i++)
		if (caller_has_scope(req->caller, scopes[i]))
			return RC_OK;
	return fault_tell(fault, RC_DENIED, "InsufficientScope", NULL,
		"The token lacks the scope API.");
}

static enum rc
authenticate_person(struct caller_gate *gate, struct req *req, enum need need)
{
	struct caller *nobody = req->caller;
	const char *token = bearer(req);
	const char *cookie = req_cookie(req, CALLER_COOKIE);
	enum rc rc;

	if (token != NULL)
		rc = from_bearer(gate, req, token);
	else if (cookie != NULL)
		rc = from_cookie(gate, req, cookie);
	else
		rc = fault_tell(&req->fault, RC_UNAUTHENTICATED,
			"Unauthenticated", NULL,
			"Log in, or send an access token.");
	if (rc == RC_OK && need == NEED_API)
		rc = check_scope(req, &req->fault);
	if (rc == RC_OK && need == NEED_LOGIN &&
		req->caller->kind != CALLER_USER)
		rc = fault_tell(&req->fault, RC_DENIED, "UserRequired", NULL,
			"Only a user can do this, not a client by itself.");
	if (rc != RC_OK)
		req->caller = nobody;
	return rc;
}

/* --- nodes
 * ----------------------------------------------------------------------- */

static enum rc
read_certificate(struct req *req, uint8_t fingerprint[TLS_FINGERPRINT_BYTES])
{
	const char *verify = req->param(req, "SSL_CLIENT_VERIFY");
	const char *certificate = req->param(req, "SSL_CLIENT_CERT");

	if (verify == NULL || strcmp(verify, "SUCCESS") != 0 ||
		certificate == NULL || certificate[0] == '\0')
		return fault_tell(&req->fault, RC_DENIED, "NoCertificate", NULL,
			"Connect with the certificate of a node.");
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
		db_find(req->db, req->arena, &caller_stmts[STMT_CERTIFICATE],
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
			NULL, "The node is not authorised.");
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
	enum rc rc = read_certificate(req, fingerprint);

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

/* The token of this node, bound to this certificate. */
static enum rc
check_node_token(struct caller_gate *gate, struct req *req, const char *token,
	const uint8_t *fingerprint, struct caller *caller)
{
	struct caller sender = {.kind = CALLER_NOBODY};
	struct json_object *claims = NULL;
	int64_t node_id = 0;
	enum rc rc = token_caller(gate, req, token, CALLER_AUDIENCE_HUB,
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
	if (!caller_has_scope(caller, CALLER_SCOPE_HUB))
		return fault_tell(&req->fault, RC_DENIED, "InsufficientScope",
			NULL, "The token lacks the scope hub.");
	return RC_OK;
}

/* Certificate and token together; neither alone finds the entry again. */
static void
hash_node(struct req *req, const char *token, uint8_t key[SECRET_HASH_BYTES])
{
	const char *certificate = req->param(req, "SSL_CLIENT_CERT");
	const char *text =
		arena_printf(req->arena, "%s\n%s", certificate, token);

	secret_hash(key, text, strlen(text));
}

static enum rc
authenticate_node(struct caller_gate *gate, struct req *req)
{
	struct caller *caller = arena_alloc(req->arena, sizeof(*caller));
	const char *token = bearer(req);
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES];
	uint8_t key[SECRET_HASH_BYTES];
	struct caller *known;
	enum rc rc = read_certificate(req, fingerprint);

	if (rc != RC_OK)
		return rc;
	hash_node(req, token != NULL ? token : "", key);
	known = recall(gate, req->arena, key);
	if (known != NULL) {
		req->caller = known;
		return RC_OK;
	}
	rc = find_node(req, fingerprint, caller);
	if (rc == RC_OK && token == NULL)
		rc = refuse(&req->fault, "is missing");
	if (rc == RC_OK)
		rc = check_node_token(gate, req, token, fingerprint, caller);
	if (rc != RC_OK)
		return rc;
	remember(gate, key, caller);
	req->caller = caller;
	return RC_OK;
}

enum rc
caller_authenticate(struct caller_gate *gate, struct req *req, enum need need)
{
	switch (need) {
	case NEED_NONE:
		return RC_OK;
	case NEED_LOGIN:
	case NEED_API:
		return authenticate_person(gate, req, need);
	case NEED_NODE:
		return authenticate_node(gate, req);
	case NEED_UNSET:
		break;
	}
	return fault_set(&req->fault, RC_BUG, "a route without a need");
}

/* --- later
 * ------------------------------------------------------------------------- */

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
	return find_token(
		db, arena, caller, caller->kind == CALLER_USER, &rows, fault);
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
