/* grant: authorization codes and refresh tokens. */

#include "model/grant.h"

#include <string.h>

/* What a refresh token says of the grant. */
#define GRANT_COLUMNS                                                          \
	"client_id, account_id, family, scopes, auth_time, sid, dies_at, amr"

/* $1 hash $2 client: neither revoked nor at its absolute end. */
#define USABLE                                                                 \
	" WHERE refresh_token.hash = $1"                                       \
	"   AND refresh_token.client_id = $2"                                  \
	"   AND refresh_token.revoked_at IS NULL"                              \
	"   AND refresh_token.dies_at > now()"                                 \
	"   AND NOT EXISTS (SELECT FROM revoked_family"                        \
	"        WHERE revoked_family.family = refresh_token.family)"

enum {
	STMT_CODE_CREATE,
	STMT_CODE_USE,
	STMT_CODE_USED,
	STMT_REFRESH_CREATE,
	STMT_REFRESH_USE,
	STMT_REFRESH_USED,
	STMT_REFRESH_KEEP,
	STMT_REFRESH_AGAIN,
	STMT_REFRESH_FIND,
	STMT_REVOKE,
	STMT_REVOKE_REFRESH,
	STMT_REVOKE_TOKEN
};

const struct stmt grant_stmts[] = {
	/* $1 hash $2 client $3 user $4 session $5 redirect $6 was sent
	 * $7 scopes $8 nonce $9 challenge $10 family $11 auth_time */
	[STMT_CODE_CREATE] = {"grant_code_create", "bnnbtoTttuz",
		"INSERT INTO authorization_code (hash, client_id, account_id"
		", session_hash, redirect_uri, redirect_uri_sent, scopes"
		", nonce, challenge, family, auth_time, expires_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11"
		", now() + interval '60 seconds')"},
	[STMT_CODE_USE] = {"grant_code_use", "b",
		"UPDATE authorization_code AS code SET used_at = now()"
		"  FROM session"
		" WHERE code.hash = $1"
		"   AND code.used_at IS NULL"
		"   AND code.expires_at > now()"
		"   AND session.hash = code.session_hash"
		" RETURNING code.client_id"
		"     , code.account_id"
		"     , code.family"
		"     , code.scopes"
		"     , code.auth_time"
		"     , session.sid"
		"     , code.redirect_uri"
		"     , code.redirect_uri_sent"
		"     , code.nonce"
		"     , code.challenge"
		"     , session.amr"},
	[STMT_CODE_USED] = {"grant_code_used", "b",
		"SELECT family FROM authorization_code"
		" WHERE hash = $1 AND used_at IS NOT NULL"},
	/* $1 hash $2 family $3 client $4 user $5 sid $6 scopes $7 auth_time
	 * $8 idle seconds $9 absolute end $10 amr */
	[STMT_REFRESH_CREATE] = {"grant_refresh_create", "bunnuTznzT",
		"INSERT INTO refresh_token (hash, family, client_id"
		", account_id, sid, scopes, auth_time, expires_at, dies_at"
		", amr)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7"
		", now() + $8 * interval '1 second', $9, $10)"},
	[STMT_REFRESH_USE] = {"grant_refresh_use", "bn",
		"UPDATE refresh_token SET used_at = now()" USABLE
		"   AND used_at IS NULL"
		"   AND expires_at > now()"
		" RETURNING " GRANT_COLUMNS},
	[STMT_REFRESH_USED] = {"grant_refresh_used", "bn",
		"SELECT family FROM refresh_token"
		" WHERE hash = $1 AND client_id = $2 AND used_at IS NOT NULL"},
	/* $1 hash $2 client $3 idle seconds */
	[STMT_REFRESH_KEEP] = {"grant_refresh_keep", "bnn",
		"UPDATE refresh_token"
		"   SET expires_at = now() + $3 * interval '1 second'" USABLE
		"   AND used_at IS NULL"
		"   AND expires_at > now()"
		" RETURNING " GRANT_COLUMNS},
	/* $1 hash $2 client $3 seconds $4 hash of the next one */
	[STMT_REFRESH_AGAIN] = {"grant_refresh_again", "bnnb",
		"SELECT " GRANT_COLUMNS "  FROM refresh_token" USABLE
		"   AND used_at > now() - $3 * interval '1 second'"
		"   AND EXISTS (SELECT FROM refresh_token AS next"
		"        WHERE next.hash = $4 AND next.used_at IS NULL)"},
	[STMT_REFRESH_FIND] = {"grant_refresh_find", "bn",
		"SELECT refresh_token.family"
		"     , refresh_token.sid"
		"     , refresh_token.scopes"
		"     , account.uuid"
		"     , account.name"
		"     , refresh_token.issued_at"
		"     , least(refresh_token.expires_at, dies_at)"
		"  FROM refresh_token"
		"  JOIN account ON account.id = refresh_token.account_id" USABLE
		"   AND used_at IS NULL"
		"   AND refresh_token.expires_at > now()"
		"   AND account.state = 'active'"},
	[STMT_REVOKE] = {"grant_revoke", "u",
		"INSERT INTO revoked_family (family, expires_at)"
		" VALUES ($1, now() + interval '31 days')"
		" ON CONFLICT DO NOTHING"},
	[STMT_REVOKE_REFRESH] = {"grant_revoke_refresh", "u",
		"UPDATE refresh_token SET revoked_at = now()"
		" WHERE family = $1 AND revoked_at IS NULL"},
	[STMT_REVOKE_TOKEN] = {"grant_revoke_token", "uz",
		"INSERT INTO revoked_token (jti, expires_at) VALUES ($1, $2)"
		" ON CONFLICT DO NOTHING"},
	STMT_END,
};

static struct param
text_list(const char *const *texts)
{
	size_t count = 0;

	while (texts[count] != NULL)
		count++;
	return P_TEXTS(texts, count);
}

static void
hash_text(uint8_t hash[SECRET_HASH_BYTES], const char *text)
{
	secret_hash(hash, text, strlen(text));
}

enum rc
grant_code_create(struct db *db, struct arena *arena, const struct grant *grant,
	const char **code, struct fault *fault)
{
	uint8_t hash[SECRET_HASH_BYTES];

	*code = secret_token(arena);
	hash_text(hash, *code);
	return db_exec(db, &grant_stmts[STMT_CODE_CREATE],
		PARAMS(P_BYTES(hash, sizeof(hash)), P_SHORT(grant->client_id),
			P_SHORT(grant->user_id),
			P_BYTES(grant->session_hash, SECRET_HASH_BYTES),
			P_TEXT(grant->redirect_uri),
			P_BOOL(grant->redirect_uri_sent),
			text_list(grant->scopes), P_TEXT(grant->nonce),
			P_TEXT(grant->challenge), P_UUID(grant->family),
			P_TIME(grant->auth_time_us)),
		NULL, fault);
}

static void
read_grant(const struct rows *rows, struct arena *arena, struct grant *grant)
{
	*grant = (struct grant){
		.client_id = rows_int(rows, 0, 0),
		.user_id = rows_int(rows, 0, 1),
		.scopes = rows_texts(rows, arena, 0, 3),
		.auth_time_us = rows_time(rows, 0, 4),
	};
	memcpy(grant->family, rows_uuid(rows, 0, 2), UUID_BYTES);
	memcpy(grant->sid, rows_uuid(rows, 0, 5), UUID_BYTES);
}

/* Somebody has a copy: what the first one got is worth nothing any more. */
static enum rc
code_used_before(struct db *db, struct arena *arena, const uint8_t *hash,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &grant_stmts[STMT_CODE_USED],
		PARAMS(P_BYTES(hash, SECRET_HASH_BYTES)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	rc = grant_revoke(db, rows_uuid(rows, 0, 0), fault);
	return rc == RC_OK
		       ? fault_set(fault, RC_CONFLICT, "a code was used twice")
		       : rc;
}

enum rc
grant_code_use(struct db *db, struct arena *arena, const char *code,
	struct grant *grant, struct fault *fault)
{
	uint8_t hash[SECRET_HASH_BYTES];
	struct rows *rows = NULL;
	enum rc rc;

	hash_text(hash, code);
	rc = db_find(db, arena, &grant_stmts[STMT_CODE_USE],
		PARAMS(P_BYTES(hash, sizeof(hash))), &rows, fault);
	if (rc == RC_NOT_FOUND)
		return code_used_before(db, arena, hash, fault);
	if (rc != RC_OK)
		return rc;
	read_grant(rows, arena, grant);
	grant->redirect_uri = rows_text(rows, 0, 6);
	grant->redirect_uri_sent = rows_bool(rows, 0, 7);
	grant->nonce = rows_text(rows, 0, 8);
	grant->challenge = rows_text(rows, 0, 9);
	grant->amr = (const char *const *)rows_texts(rows, arena, 0, 10);
	return RC_OK;
}

enum rc
grant_refresh_create(struct db *db, const struct grant *grant, int64_t idle_s,
	const char *token, struct fault *fault)
{
	static const char *const nothing[] = {NULL};
	uint8_t hash[SECRET_HASH_BYTES];

	hash_text(hash, token);
	return db_exec(db, &grant_stmts[STMT_REFRESH_CREATE],
		PARAMS(P_BYTES(hash, sizeof(hash)), P_UUID(grant->family),
			P_SHORT(grant->client_id), P_SHORT(grant->user_id),
			P_UUID(grant->sid), text_list(grant->scopes),
			P_TIME(grant->auth_time_us), P_SHORT(idle_s),
			P_TIME(grant->dies_us),
			text_list(grant->amr != NULL ? grant->amr : nothing)),
		NULL, fault);
}

static void
read_refresh(const struct rows *rows, struct arena *arena, struct grant *grant)
{
	read_grant(rows, arena, grant);
	grant->dies_us = rows_time(rows, 0, 6);
	grant->amr = (const char *const *)rows_texts(rows, arena, 0, 7);
}

enum rc
grant_refresh_use(struct db *db, struct arena *arena, const char *token,
	int64_t client_id, struct grant *grant, struct fault *fault)
{
	uint8_t hash[SECRET_HASH_BYTES];
	struct rows *rows = NULL;
	enum rc rc;

	hash_text(hash, token);
	rc = db_find(db, arena, &grant_stmts[STMT_REFRESH_USE],
		PARAMS(P_BYTES(hash, sizeof(hash)), P_SHORT(client_id)), &rows,
		fault);
	if (rc == RC_OK)
		read_refresh(rows, arena, grant);
	if (rc != RC_NOT_FOUND)
		return rc;
	rc = db_find(db, arena, &grant_stmts[STMT_REFRESH_USED],
		PARAMS(P_BYTES(hash, sizeof(hash)), P_SHORT(client_id)), &rows,
		fault);
	if (rc != RC_OK)
		return rc;
	memcpy(grant->family, rows_uuid(rows, 0, 0), UUID_BYTES);
	return fault_set(fault, RC_CONFLICT, "a refresh token was used twice");
}

enum rc
grant_refresh_keep(struct db *db, struct arena *arena, const char *token,
	int64_t client_id, int64_t idle_s, struct grant *grant,
	struct fault *fault)
{
	uint8_t hash[SECRET_HASH_BYTES];
	struct rows *rows = NULL;
	enum rc rc;

	hash_text(hash, token);
	rc = db_find(db, arena, &grant_stmts[STMT_REFRESH_KEEP],
		PARAMS(P_BYTES(hash, sizeof(hash)), P_SHORT(client_id),
			P_SHORT(idle_s)),
		&rows, fault);
	if (rc == RC_OK)
		read_refresh(rows, arena, grant);
	return rc;
}

enum rc
grant_refresh_again(struct db *db, struct arena *arena, const char *token,
	int64_t client_id, int64_t grace_s, const char *successor,
	struct grant *grant, struct fault *fault)
{
	uint8_t hash[SECRET_HASH_BYTES];
	uint8_t next[SECRET_HASH_BYTES];
	struct rows *rows = NULL;
	enum rc rc;

	hash_text(hash, token);
	hash_text(next, successor);
	rc = db_find(db, arena, &grant_stmts[STMT_REFRESH_AGAIN],
		PARAMS(P_BYTES(hash, sizeof(hash)), P_SHORT(client_id),
			P_SHORT(grace_s), P_BYTES(next, sizeof(next))),
		&rows, fault);
	if (rc == RC_OK)
		read_refresh(rows, arena, grant);
	return rc;
}

enum rc
grant_refresh_find(struct db *db, struct arena *arena, const char *token,
	int64_t client_id, struct grant_facts *facts, struct fault *fault)
{
	uint8_t hash[SECRET_HASH_BYTES];
	struct rows *rows = NULL;
	enum rc rc;

	hash_text(hash, token);
	rc = db_find(db, arena, &grant_stmts[STMT_REFRESH_FIND],
		PARAMS(P_BYTES(hash, sizeof(hash)), P_SHORT(client_id)), &rows,
		fault);
	if (rc != RC_OK)
		return rc;
	memcpy(facts->family, rows_uuid(rows, 0, 0), UUID_BYTES);
	memcpy(facts->sid, rows_uuid(rows, 0, 1), UUID_BYTES);
	facts->scopes = rows_texts(rows, arena, 0, 2);
	facts->user = rows_uuid(rows, 0, 3);
	facts->user_name = rows_text(rows, 0, 4);
	facts->issued_us = rows_time(rows, 0, 5);
	facts->expires_us = rows_time(rows, 0, 6);
	return RC_OK;
}

enum rc
grant_revoke_token(struct db *db, const uint8_t jti[UUID_BYTES],
	int64_t expires_us, struct fault *fault)
{
	return db_exec(db, &grant_stmts[STMT_REVOKE_TOKEN],
		PARAMS(P_UUID(jti), P_TIME(expires_us)), NULL, fault);
}

enum rc
grant_revoke(
	struct db *db, const uint8_t family[UUID_BYTES], struct fault *fault)
{
	enum rc rc = db_exec(db, &grant_stmts[STMT_REVOKE],
		PARAMS(P_UUID(family)), NULL, fault);

	if (rc == RC_OK)
		rc = db_exec(db, &grant_stmts[STMT_REVOKE_REFRESH],
			PARAMS(P_UUID(family)), NULL, fault);
	return rc;
}
