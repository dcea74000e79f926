/* caller_token: the holder of an access token. */

#include <json-c/json.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "lib/encode.h"
#include "model/caller_gate.h"

#define KEYS_US         (5 * CLOCK_SECOND_US)
#define KEYS_UNKNOWN_US (30 * CLOCK_SECOND_US)

/* RFC 6750 2.1: b64token. */
static bool
well_formed(const char *token)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._~+/";
	size_t length = strspn(token, letters);

	return length > 0 &&
	       token[length + strspn(token + length, "=")] == '\0';
}

static bool
has_parameter(const char *text)
{
	static const char name[] = "access_token=";
	const char *at = text;

	while ((at = strstr(at, name)) != NULL) {
		if (at == text || at[-1] == '&')
			return true;
		at++;
	}
	return false;
}

/* A token as a parameter ends up in logs: none is accepted, and a request that
 * sends two leaves open which one it means. */
static bool
sends_parameter(const struct req *req)
{
	return has_parameter(req->query) ||
	       (strncasecmp(req->content_type,
			"application/x-www-form-urlencoded", 33) == 0 &&
		       has_parameter(req->body));
}

enum rc
caller_read_bearer(struct req *req, const char **token)
{
	const char *header = req_header(req, "Authorization");

	*token = NULL;
	if (header == NULL || strncasecmp(header, "Bearer", 6) != 0 ||
		(header[6] != ' ' && header[6] != '\0'))
		return RC_OK;
	*token = header + 6 + strspn(header + 6, " ");
	if (!well_formed(*token))
		return fault_tell(&req->fault, RC_BAD_INPUT, "InvalidRequest",
			NULL, "Behind Bearer stands no token.");
	if (sends_parameter(req))
		return fault_tell(&req->fault, RC_BAD_INPUT, "InvalidRequest",
			NULL, "The token is sent in two ways at once.");
	return RC_OK;
}

void
caller_hash_proof(struct req *req, enum need need, const char *token,
	uint8_t key[SECRET_HASH_BYTES])
{
	const char *certificate = req->param(req, "SSL_CLIENT_CERT");
	const char *text = arena_printf(req->arena, "%s\n%s\n%s",
		need == NEED_NODE ? "node" : "token",
		certificate != NULL ? certificate : "", token);

	secret_hash(key, text, strlen(text));
}

/* A key id is the digest of its key, so equal ids are equal keys. */
static bool
same_keys(const struct jwt_ring *ring, const struct rows *rows)
{
	bool same = jwt_ring_count(ring) == rows_count(rows);

	for (size_t row = 0; row < rows_count(rows) && same; row++)
		same = jwt_ring_has(ring, rows_text(rows, row, 0));
	return same;
}

static enum rc
read_keys(struct caller_gate *gate, struct req *req)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(req->db, req->arena, &caller_stmts[CALLER_KEYS],
		NO_PARAMS, &rows, &req->fault);

	if (rc != RC_OK)
		return rc;
	gate->keys_read_us = clock_steady_us();
	if (same_keys(gate->ring, rows))
		return RC_OK;
	jwt_ring_clear(gate->ring);
	for (size_t row = 0; row < rows_count(rows) && rc == RC_OK; row++)
		rc = jwt_ring_add(gate->ring, rows_text(rows, row, 0),
			rows_text(rows, row, 1), rows_text(rows, row, 2),
			&req->fault);
	return rc;
}

enum rc
caller_refuse(struct fault *fault, const char *why)
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
		return caller_refuse(
			&req->fault, "is signed with an unknown key");
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
	const char *jti = jwt_claim_text(claims, "jti");
	int64_t expires_s = 0;

	caller->subject = jwt_claim_text(claims, "sub");
	caller->client = jwt_claim_text(claims, "client_id");
	caller->scopes = jwt_claim_text(claims, "scope");
	*is_user = jwt_claim_int(claims, "user_epoch", &caller->user_epoch);
	caller->has_family =
		family != NULL && uuid_parse(family, caller->family);
	caller->has_token_id = jti != NULL && uuid_parse(jti, caller->token_id);
	if (caller->subject == NULL || caller->client == NULL ||
		caller->scopes == NULL ||
		!jwt_claim_int(claims, "client_epoch", &caller->client_epoch) ||
		!jwt_claim_int(claims, "exp", &expires_s))
		return caller_refuse(&req->fault, "lacks claims");
	caller->expires_us = expires_s * CLOCK_SECOND_US;
	hash_subject(caller, req->arena);
	return RC_OK;
}

/* The state of client, user and grant behind a token, as it is now. */
enum rc
caller_find_token(struct db *db, struct arena *arena,
	const struct caller *caller, bool is_user, struct rows **rows,
	struct fault *fault)
{
	uint8_t uuid[UUID_BYTES];
	struct param user = P_NULL('u');
	struct param family = P_NULL('u');
	struct param token = P_NULL('u');
	enum rc rc;

	if (is_user && !uuid_parse(caller->subject, uuid))
		return caller_refuse(fault, "has a malformed subject");
	if (is_user)
		user = P_UUID(uuid);
	if (caller->has_family)
		family = P_UUID(caller->family);
	if (caller->has_token_id)
		token = P_UUID(caller->token_id);
	rc = db_find(db, arena, &caller_stmts[CALLER_TOKEN],
		PARAMS(P_TEXT(caller->client), P_SHORT(caller->client_epoch),
			user, P_SHORT(caller->user_epoch), family, token),
		rows, fault);
	return rc == RC_NOT_FOUND ? caller_refuse(fault, "has been revoked")
				  : rc;
}

/* "node_id" is that of the client's node, 0 when it is no node's. */
enum rc
caller_of_token(struct caller_gate *gate, struct req *req, const char *token,
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
		rc = caller_find_token(req->db, req->arena, caller, is_user,
			&rows, &req->fault);
	if (rc != RC_OK)
		return rc;
	caller->kind = is_user ? CALLER_USER : CALLER_CLIENT;
	caller->id = rows_int(rows, 0, is_user ? 3 : 0);
	caller->name = rows_text(rows, 0, is_user ? 4 : 1);
	caller->administrator = is_user && rows_bool(rows, 0, 5);
	*node_id = rows_int(rows, 0, 2);
	return RC_OK;
}

enum rc
caller_inspect(struct caller_gate *gate, struct req *req, const char *token,
	struct caller *caller, struct json_object **claims)
{
	int64_t node_id = 0;

	return caller_of_token(
		gate, req, token, NULL, caller, &node_id, claims);
}
