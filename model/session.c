/* session: a person who has logged in with a browser. */

#include "model/session.h"

#include <string.h>

#include "lib/clock.h"
#include "model/failure.h"

/* Failures before the first wait: of one name at one address, of an address,
 * of a name from anywhere; and the longest wait of each. */
#define PAIR_FREE     5
#define PAIR_WAIT_S   60
#define SOURCE_FREE   20
#define SOURCE_WAIT_S 60
#define NAME_FREE     50
#define NAME_WAIT_S   4

enum {
	STMT_CREATE,
	STMT_FIND,
	STMT_TOUCH,
	STMT_END_GRANTS,
	STMT_END_REFRESH,
	STMT_DELETE,
	STMT_RENEW,
	STMT_DELETE_OTHERS,
	STMT_END_ALL_REFRESH,
	STMT_END_TOKENS,
	STMT_UNLOCK
};

const struct stmt session_stmts[] = {
	/* $1 hash $2 sid $3 user $4 csrf $5 address $6 agent $7 amr $8 issuer
	 */
	[STMT_CREATE] = {"session_create", "buntttTt",
		"WITH seen AS (UPDATE account SET last_login_at = now()"
		"               WHERE id = $3)"
		" INSERT INTO session (hash, sid, account_id, csrf, expires_at"
		", address, agent, amr, issuer)"
		" VALUES ($1, $2, $3, $4, now() + interval '12 hours'"
		", $5, $6, $7, $8)"},
	[STMT_FIND] = {"session_find", "b",
		"SELECT session.sid"
		"     , session.account_id"
		"     , session.csrf"
		"     , session.created_at"
		"     , session.amr"
		"     , session.issuer"
		"     , session.seen_at < now() - interval '1 minute'"
		"  FROM session"
		"  JOIN account ON account.id = session.account_id"
		" WHERE session.hash = $1"
		"   AND account.state = 'active'"
		"   AND " SESSION_OPEN},
	[STMT_TOUCH] = {"session_touch", "b",
		"UPDATE session SET seen_at = now() WHERE hash = $1"},
	/* $1 hash of the session $2 sid */
	[STMT_END_GRANTS] = {"session_end_grants", "bu",
		"INSERT INTO revoked_family (family, expires_at)"
		" SELECT family, now() + interval '31 days'"
		"   FROM (SELECT family FROM authorization_code"
		"          WHERE session_hash = $1"
		"         UNION SELECT family FROM refresh_token"
		"          WHERE sid = $2) AS given"
		" ON CONFLICT DO NOTHING"},
	[STMT_END_REFRESH] = {"session_end_refresh", "u",
		"UPDATE refresh_token SET revoked_at = now()"
		" WHERE sid = $1 AND revoked_at IS NULL"},
	[STMT_DELETE] = {"session_delete", "b",
		"DELETE FROM session WHERE hash = $1"},
	/* $1 old hash $2 new hash $3 csrf */
	[STMT_RENEW] = {"session_renew", "bbt",
		"UPDATE session SET hash = $2, csrf = $3 WHERE hash = $1"},
	[STMT_DELETE_OTHERS] = {"session_delete_others", "nb",
		"DELETE FROM session WHERE account_id = $1 AND hash <> $2"},
	[STMT_END_ALL_REFRESH] = {"session_end_all_refresh", "n",
		"UPDATE refresh_token SET revoked_at = now()"
		" WHERE account_id = $1 AND revoked_at IS NULL"},
	[STMT_END_TOKENS] = {"session_end_tokens", "n",
		"UPDATE account SET epoch = epoch + 1 WHERE id = $1"},
	/* $1 digest of the name: passwords, codes of apps and of devices */
	[STMT_UNLOCK] = {"session_unlock", "t",
		"DELETE FROM login_failure"
		" WHERE split_part(split_part(subject, ' ', 1), ':', 2) = $1"},
	STMT_END,
};

enum rc
session_create(struct db *db, struct arena *arena,
	const struct session_new *wanted, struct session *session,
	struct fault *fault)
{
	size_t methods = 0;

	while (wanted->amr[methods] != NULL)
		methods++;
	session->cookie = secret_token(arena);
	session->csrf = secret_token(arena);
	session->user_id = wanted->user_id;
	session->auth_time_us = clock_now_us();
	session->amr = wanted->amr;
	session->issuer = wanted->issuer;
	secret_hash(session->hash, session->cookie, strlen(session->cookie));
	uuid_random(session->sid);
	return db_exec(db, &session_stmts[STMT_CREATE],
		PARAMS(P_BYTES(session->hash, sizeof(session->hash)),
			P_UUID(session->sid), P_SHORT(wanted->user_id),
			P_TEXT(session->csrf), P_TEXT(wanted->address),
			P_TEXT(wanted->agent), P_TEXTS(wanted->amr, methods),
			P_TEXT(wanted->issuer)),
		NULL, fault);
}

enum rc
session_find(struct db *db, struct arena *arena, const char *cookie,
	struct session *session, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc;

	session->cookie = NULL;
	secret_hash(session->hash, cookie, strlen(cookie));
	rc = db_find(db, arena, &session_stmts[STMT_FIND],
		PARAMS(P_BYTES(session->hash, sizeof(session->hash))), &rows,
		fault);
	if (rc != RC_OK)
		return rc;
	memcpy(session->sid, rows_uuid(rows, 0, 0), UUID_BYTES);
	session->user_id = rows_int(rows, 0, 1);
	session->csrf = rows_text(rows, 0, 2);
	session->auth_time_us = rows_time(rows, 0, 3);
	session->amr = (const char *const *)rows_texts(rows, arena, 0, 4);
	session->issuer = rows_text(rows, 0, 5);
	if (rows_bool(rows, 0, 6))
		rc = db_exec(db, &session_stmts[STMT_TOUCH],
			PARAMS(P_BYTES(session->hash, sizeof(session->hash))),
			NULL, fault);
	return rc;
}

static enum rc
end_all(struct db *db, const struct session *session, struct fault *fault)
{
	struct param hash = P_BYTES(session->hash, sizeof(session->hash));
	enum rc rc = db_exec(db, &session_stmts[STMT_END_GRANTS],
		PARAMS(hash, P_UUID(session->sid)), NULL, fault);

	if (rc == RC_OK)
		rc = db_exec(db, &session_stmts[STMT_END_REFRESH],
			PARAMS(P_UUID(session->sid)), NULL, fault);
	if (rc == RC_OK)
		rc = db_exec(db, &session_stmts[STMT_DELETE], PARAMS(hash),
			NULL, fault);
	return rc;
}

enum rc
session_end(struct db *db, const struct session *session, struct fault *fault)
{
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc != RC_OK)
		return rc;
	rc = end_all(db, session, fault);
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

enum rc
session_renew(struct db *db, struct arena *arena, struct session *session,
	struct fault *fault)
{
	uint8_t old[SECRET_HASH_BYTES];
	int64_t changed = 0;
	enum rc rc;

	memcpy(old, session->hash, sizeof(old));
	session->cookie = secret_token(arena);
	session->csrf = secret_token(arena);
	secret_hash(session->hash, session->cookie, strlen(session->cookie));
	rc = db_exec(db, &session_stmts[STMT_RENEW],
		PARAMS(P_BYTES(old, sizeof(old)),
			P_BYTES(session->hash, sizeof(session->hash)),
			P_TEXT(session->csrf)),
		&changed, fault);
	if (rc == RC_OK && changed == 0)
		rc = fault_set(fault, RC_UNAUTHENTICATED, "session has ended");
	return rc;
}

enum rc
session_end_others(
	struct db *db, const struct session *session, struct fault *fault)
{
	struct param user = P_SHORT(session->user_id);
	enum rc rc = db_exec(db, &session_stmts[STMT_END_ALL_REFRESH],
		PARAMS(user), NULL, fault);

	if (rc == RC_OK)
		rc = db_exec(db, &session_stmts[STMT_END_TOKENS], PARAMS(user),
			NULL, fault);
	if (rc == RC_OK)
		rc = db_exec(db, &session_stmts[STMT_DELETE_OTHERS],
			PARAMS(user, P_BYTES(session->hash, SECRET_HASH_BYTES)),
			NULL, fault);
	return rc;
}

/* --- failures ---------------------------------------------------------- */

enum { KEY_PAIR, KEY_NAME, KEY_SOURCE, KEYS };

/* Of one name at one address, of a name from anywhere, of an address. */
static void
name_keys(struct arena *arena, const char *name, const char *address,
	struct failure_key keys[KEYS])
{
	keys[KEY_PAIR] = (struct failure_key){
		failure_subject(arena, "pair", name, address), PAIR_FREE,
		PAIR_WAIT_S, 1};
	keys[KEY_NAME] = (struct failure_key){
		failure_subject(arena, "account", name, ""), NAME_FREE,
		NAME_WAIT_S, 1};
	keys[KEY_SOURCE] =
		(struct failure_key){arena_printf(arena, "address:%s", address),
			SOURCE_FREE, SOURCE_WAIT_S, 1};
}

enum rc
session_login_wait(struct db *db, struct arena *arena, const char *name,
	const char *address, int64_t *wait_s, struct fault *fault)
{
	struct failure_key keys[KEYS];

	name_keys(arena, name, address, keys);
	return failure_wait(db, arena, keys, KEYS, wait_s, fault);
}

enum rc
session_login_failed(struct db *db, struct arena *arena, const char *name,
	const char *address, struct fault *fault)
{
	struct failure_key keys[KEYS];

	name_keys(arena, name, address, keys);
	return failure_count(db, keys, KEYS, fault);
}

/* The address keeps its count: one good account is no licence to guess. */
enum rc
session_login_worked(struct db *db, struct arena *arena, const char *name,
	const char *address, struct fault *fault)
{
	struct failure_key keys[KEYS];
	enum rc rc;

	name_keys(arena, name, address, keys);
	rc = failure_forget(db, keys[KEY_PAIR].subject, fault);
	return rc == RC_OK ? failure_forget(db, keys[KEY_NAME].subject, fault)
			   : rc;
}

enum rc
session_login_unlock(struct db *db, struct arena *arena, const char *name,
	struct fault *fault)
{
	const char *subject = failure_subject(arena, "account", name, "");

	return db_exec(db, &session_stmts[STMT_UNLOCK],
		PARAMS(P_TEXT(strchr(subject, ':') + 1)), NULL, fault);
}
