/* session: a person who has logged in with a browser. */

#include "model/session.h"

#include <ctype.h>
#include <string.h>

#include "lib/clock.h"

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
	STMT_WAIT,
	STMT_FAILED,
	STMT_WORKED,
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
	[STMT_WAIT] = {"session_wait", "T",
		"SELECT coalesce(max(ceil(extract(epoch FROM"
		"       blocked_until - now())))::bigint, 0)"
		"  FROM login_failure"
		" WHERE subject = ANY ($1) AND blocked_until > now()"},
	/* $1 subject $2 failures that cost nothing $3 longest wait */
	[STMT_FAILED] = {"session_failed", "tnn",
		"INSERT INTO login_failure AS old"
		" (subject, failures, blocked_until) VALUES ($1, 1, now())"
		" ON CONFLICT (subject) DO UPDATE SET"
		"   failures = CASE WHEN old.blocked_until <"
		"       now() - interval '15 minutes'"
		"     THEN 1 ELSE old.failures + 1 END"
		" , blocked_until = now() + interval '1 second' *"
		"     CASE WHEN old.blocked_until <"
		"         now() - interval '15 minutes'"
		"         OR old.failures + 1 < $2 THEN 0"
		"     ELSE least($3, 2 ^ least(10, old.failures + 1 - $2))"
		"     END"},
	[STMT_WORKED] = {"session_worked", "T",
		"DELETE FROM login_failure WHERE subject = ANY ($1)"},
	/* $1 subject of the name $2 how those of its pairs begin */
	[STMT_UNLOCK] = {"session_unlock", "tt",
		"DELETE FROM login_failure"
		" WHERE subject = $1 OR starts_with(subject, $2)"},
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

struct subjects {
	const char *pair;
	const char *source;
	const char *name;
};

/* A hash of the name: whatever somebody typed is not kept as text. Another
 * spelling of the same account is no new start. */
static struct subjects
make_subjects(struct arena *arena, const char *name, const char *address)
{
	char *lower = arena_strdup(arena, name);
	uint8_t hash[SECRET_HASH_BYTES];
	const char *digest;

	for (char *at = lower; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	secret_hash(hash, lower, strlen(lower));
	digest = encode_base64url(arena, hash, 16);
	return (struct subjects){
		.pair = arena_printf(arena, "pair:%s %s", digest, address),
		.source = arena_printf(arena, "address:%s", address),
		.name = arena_printf(arena, "account:%s", digest),
	};
}

enum rc
session_login_wait(struct db *db, struct arena *arena, const char *name,
	const char *address, int64_t *wait_s, struct fault *fault)
{
	struct subjects subjects = make_subjects(arena, name, address);
	const char *list[] = {subjects.pair, subjects.source, subjects.name};
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &session_stmts[STMT_WAIT],
		PARAMS(P_TEXTS(list, ARRAY_LENGTH(list))), &rows, fault);

	if (rc == RC_OK)
		*wait_s = rows_int(rows, 0, 0);
	return rc;
}

static enum rc
count_failure(struct db *db, const char *subject, int64_t free_failures,
	int64_t wait_s, struct fault *fault)
{
	return db_exec(db, &session_stmts[STMT_FAILED],
		PARAMS(P_TEXT(subject), P_SHORT(free_failures),
			P_SHORT(wait_s)),
		NULL, fault);
}

enum rc
session_login_failed(struct db *db, struct arena *arena, const char *name,
	const char *address, struct fault *fault)
{
	struct subjects subjects = make_subjects(arena, name, address);
	enum rc rc =
		count_failure(db, subjects.pair, PAIR_FREE, PAIR_WAIT_S, fault);

	if (rc == RC_OK)
		rc = count_failure(
			db, subjects.source, SOURCE_FREE, SOURCE_WAIT_S, fault);
	if (rc == RC_OK)
		rc = count_failure(
			db, subjects.name, NAME_FREE, NAME_WAIT_S, fault);
	return rc;
}

/* The address keeps its count: one good account is no licence to guess. */
enum rc
session_login_worked(struct db *db, struct arena *arena, const char *name,
	const char *address, struct fault *fault)
{
	struct subjects subjects = make_subjects(arena, name, address);
	const char *list[] = {subjects.pair, subjects.name};

	return db_exec(db, &session_stmts[STMT_WORKED],
		PARAMS(P_TEXTS(list, ARRAY_LENGTH(list))), NULL, fault);
}

enum rc
session_login_unlock(struct db *db, struct arena *arena, const char *name,
	struct fault *fault)
{
	struct subjects subjects = make_subjects(arena, name, "");

	return db_exec(db, &session_stmts[STMT_UNLOCK],
		PARAMS(P_TEXT(subjects.name), P_TEXT(subjects.pair)), NULL,
		fault);
}
