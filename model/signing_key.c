/* signing_key: the keys that sign our tokens, and their life. */

#include "model/signing_key.h"

#include <string.h>

#include "lib/encode.h"
#include "lib/jwk.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "lib/tls_key.h"

enum {
	STMT_LOCK,
	STMT_DUE,
	STMT_INSERT,
	STMT_SEAL,
	STMT_RETIRE,
	STMT_PROMOTE,
	STMT_REMOVE,
	STMT_FORGET,
	STMT_ACTIVE,
	STMT_PUBLIC,
	STMT_LIST,
	STMT_DROP,
	STMT_USERS,
	STMT_CLIENTS
};

const struct stmt signing_key_stmts[] = {
	[STMT_LOCK] = {"signing_key_lock", "",
		"SELECT pg_advisory_xact_lock(7305)"},
	[STMT_DUE] = {"signing_key_due", "t", /* $1 algorithm */
		"SELECT count(*) FILTER (WHERE state = 'active')"
		"     , count(*) FILTER (WHERE state = 'active'"
		"         AND changed_at < now() - interval '89 days')"
		"     , count(*) FILTER (WHERE state = 'pending')"
		"     , count(*) FILTER (WHERE state = 'pending'"
		"         AND created_at < now() - interval '24 hours')"
		"  FROM signing_key WHERE algorithm = $1"},
	/* $1 kid $2 algorithm $3 state $4 PEM */
	[STMT_INSERT] = {"signing_key_insert", "tttt",
		"INSERT INTO signing_key (kid, algorithm, state, public_pem)"
		" VALUES ($1, $2, $3, $4)"},
	[STMT_SEAL] = {"signing_key_seal", "tb",
		"INSERT INTO signing_key_private (kid, sealed) VALUES ($1, "
		"$2)"},
	[STMT_RETIRE] = {"signing_key_retire", "t",
		"UPDATE signing_key SET state = 'retiring', changed_at = now()"
		" WHERE state = 'active' AND algorithm = $1"},
	[STMT_PROMOTE] = {"signing_key_promote", "t",
		"UPDATE signing_key SET state = 'active', changed_at = now()"
		" WHERE kid = (SELECT kid FROM signing_key"
		"               WHERE state = 'pending' AND algorithm = $1"
		"               ORDER BY created_at LIMIT 1)"},
	/* an hour after the last token: ID tokens live 3600 s */
	[STMT_REMOVE] = {"signing_key_remove", "",
		"UPDATE signing_key SET state = 'removed', changed_at = now()"
		" WHERE state = 'retiring'"
		"   AND changed_at < now() - interval '1 hour' -"
		"       make_interval(secs => greatest(3600"
		"         , (SELECT max(access_token_s) FROM client)))"},
	[STMT_FORGET] = {"signing_key_forget", "",
		"DELETE FROM signing_key_private WHERE kid IN"
		" (SELECT kid FROM signing_key"
		"   WHERE state IN ('retiring', 'removed'))"},
	[STMT_ACTIVE] = {"signing_key_active", "t", /* $1 algorithm */
		"SELECT signing_key.kid"
		"     , signing_key.algorithm"
		"     , signing_key_private.sealed"
		"  FROM signing_key"
		"  JOIN signing_key_private USING (kid)"
		" WHERE signing_key.state = 'active'"
		"   AND signing_key.algorithm = $1"},
	[STMT_PUBLIC] = {"signing_key_public", "",
		"SELECT algorithm"
		"     , public_pem"
		"  FROM signing_key"
		" WHERE state IN ('pending', 'active', 'retiring')"
		" ORDER BY algorithm DESC, created_at DESC LIMIT 16"},
	[STMT_LIST] = {"signing_key_list", "",
		"SELECT kid"
		"     , algorithm"
		"     , state"
		"     , created_at"
		"     , changed_at"
		"  FROM signing_key"
		" ORDER BY created_at DESC, kid LIMIT 200"},
	[STMT_DROP] = {"signing_key_drop", "",
		"UPDATE signing_key SET state = 'removed', changed_at = now()"
		" WHERE state <> 'removed'"},
	[STMT_USERS] = {"signing_key_users", "",
		"UPDATE account SET epoch = epoch + 1"},
	[STMT_CLIENTS] = {"signing_key_clients", "",
		"UPDATE client SET epoch = epoch + 1"},
	STMT_END,
};

const char *const signing_key_algorithms[] = {
	SIGNING_KEY_RS256, SIGNING_KEY_ES256, NULL};

static enum rc
run(struct db *db, int statement, struct fault *fault)
{
	return db_exec(
		db, &signing_key_stmts[statement], NO_PARAMS, NULL, fault);
}

static enum rc
run_for(struct db *db, int statement, const char *algorithm,
	struct fault *fault)
{
	return db_exec(db, &signing_key_stmts[statement],
		PARAMS(P_TEXT(algorithm)), NULL, fault);
}

static enum rc
make_key(struct db *db, struct arena *arena, const struct seal *seal,
	const char *algorithm, const char *state, struct fault *fault)
{
	bool elliptic = strcmp(algorithm, SIGNING_KEY_ES256) == 0;
	struct tls_key key;
	struct jwk jwk;
	struct sealed sealed;
	enum rc rc = tls_key_new(
		arena, elliptic ? TLS_EC_P256 : TLS_RSA_2048, &key, fault);

	if (rc == RC_OK)
		rc = jwk_read(arena, key.public_pem, &jwk, fault);
	if (rc != RC_OK)
		return rc;
	sealed = seal_close(arena, seal, jwk.kid, key.private_pem);
	rc = db_exec(db, &signing_key_stmts[STMT_INSERT],
		PARAMS(P_TEXT(jwk.kid), P_TEXT(algorithm), P_TEXT(state),
			P_TEXT(key.public_pem)),
		NULL, fault);
	if (rc == RC_OK)
		rc = db_exec(db, &signing_key_stmts[STMT_SEAL],
			PARAMS(P_TEXT(jwk.kid),
				P_BYTES(sealed.data, sealed.length)),
			NULL, fault);
	if (rc == RC_OK)
		log_info(NULL, "signing key %s for %s is %s", jwk.kid,
			algorithm, state);
	return rc;
}

static enum rc
change_over(struct db *db, const char *algorithm, struct fault *fault)
{
	enum rc rc = run_for(db, STMT_RETIRE, algorithm, fault);

	if (rc == RC_OK)
		rc = run_for(db, STMT_PROMOTE, algorithm, fault);
	if (rc == RC_OK)
		log_info(NULL, "the next signing key for %s is active",
			algorithm);
	return rc;
}

/* The next step of the keys of one algorithm; "begin" does not wait for the
 * active one to grow old. */
static enum rc
step(struct db *db, struct arena *arena, const struct seal *seal,
	const char *algorithm, bool begin, struct fault *fault)
{
	struct rows *due = NULL;
	enum rc rc = db_find(db, arena, &signing_key_stmts[STMT_DUE],
		PARAMS(P_TEXT(algorithm)), &due, fault);

	if (rc != RC_OK)
		return rc;
	if (rows_int(due, 0, 0) == 0)
		return make_key(db, arena, seal, algorithm, "active", fault);
	if (rows_int(due, 0, 3) > 0)
		return change_over(db, algorithm, fault);
	if (rows_int(due, 0, 2) == 0 && (begin || rows_int(due, 0, 1) > 0))
		return make_key(db, arena, seal, algorithm, "pending", fault);
	return RC_OK;
}

static enum rc
begin_locked(struct db *db, struct arena *arena, struct fault *fault)
{
	struct rows *ignored = NULL;
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc == RC_OK)
		rc = db_query(db, arena, &signing_key_stmts[STMT_LOCK],
			NO_PARAMS, &ignored, fault);
	return rc;
}

static enum rc
end(struct db *db, enum rc rc, struct fault *fault)
{
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

static enum rc
step_all(struct db *db, struct arena *arena, const struct seal *seal,
	bool begin, struct fault *fault)
{
	enum rc rc = begin_locked(db, arena, fault);

	for (const char *const *algorithm = signing_key_algorithms;
		*algorithm != NULL && rc == RC_OK; algorithm++)
		rc = step(db, arena, seal, *algorithm, begin, fault);
	if (rc == RC_OK)
		rc = run(db, STMT_REMOVE, fault);
	if (rc == RC_OK)
		rc = run(db, STMT_FORGET, fault);
	return end(db, rc, fault);
}

enum rc
signing_key_rotate(struct db *db, struct arena *arena, const struct seal *seal,
	struct fault *fault)
{
	return step_all(db, arena, seal, false, fault);
}

enum rc
signing_key_begin(struct db *db, struct arena *arena, const struct seal *seal,
	struct fault *fault)
{
	return step_all(db, arena, seal, true, fault);
}

enum rc
signing_key_replace(struct db *db, struct arena *arena, const struct seal *seal,
	struct fault *fault)
{
	static const int steps[] = {
		STMT_DROP, STMT_FORGET, STMT_USERS, STMT_CLIENTS};
	enum rc rc = begin_locked(db, arena, fault);

	for (size_t i = 0; i < ARRAY_LENGTH(steps) && rc == RC_OK; i++)
		rc = run(db, steps[i], fault);
	for (const char *const *algorithm = signing_key_algorithms;
		*algorithm != NULL && rc == RC_OK; algorithm++)
		rc = make_key(db, arena, seal, *algorithm, "active", fault);
	return end(db, rc, fault);
}

enum rc
signing_key_list(struct db *db, struct arena *arena,
	struct signing_key_list *list, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &signing_key_stmts[STMT_LIST],
		NO_PARAMS, &rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = rows_count(rows);
	list->items = arena_array(arena, list->count + 1, sizeof(*list->items));
	for (size_t row = 0; row < list->count; row++)
		list->items[row] = (struct signing_key_facts){
			.kid = rows_text(rows, row, 0),
			.algorithm = rows_text(rows, row, 1),
			.state = rows_text(rows, row, 2),
			.created_us = rows_time(rows, row, 3),
			.changed_us = rows_time(rows, row, 4),
		};
	return RC_OK;
}

enum rc
signing_key_active(struct db *db, struct arena *arena, const struct seal *seal,
	const char *algorithm, struct signing_key *key, struct fault *fault)
{
	struct rows *rows = NULL;
	struct bytes sealed;
	enum rc rc = db_find(db, arena, &signing_key_stmts[STMT_ACTIVE],
		PARAMS(P_TEXT(algorithm)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	sealed = rows_bytes(rows, 0, 2);
	key->kid = rows_text(rows, 0, 0);
	key->algorithm = rows_text(rows, 0, 1);
	key->private_pem = seal_open(arena, seal, key->kid,
		(struct sealed){sealed.data, sealed.length});
	if (key->private_pem == NULL)
		return fault_set(fault, RC_BUG,
			"key %s was sealed with another seal file", key->kid);
	return RC_OK;
}

static enum rc
write_key(struct arena *arena, const char *algorithm, const char *pem,
	struct jsonw *json, struct fault *fault)
{
	struct jwk jwk;
	enum rc rc = jwk_read(arena, pem, &jwk, fault);

	if (rc != RC_OK)
		return rc;
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "kty", jwk.elliptic ? "EC" : "RSA");
	jsonw_str(json, "use", "sig");
	jsonw_str(json, "alg", algorithm);
	jsonw_str(json, "kid", jwk.kid);
	if (jwk.elliptic)
		jsonw_str(json, "crv", "P-256");
	jsonw_str(json, jwk.elliptic ? "x" : "n", jwk.first);
	jsonw_str(json, jwk.elliptic ? "y" : "e", jwk.second);
	jsonw_close_obj(json);
	return RC_OK;
}

enum rc
signing_key_write_set(struct db *db, struct arena *arena, struct jsonw *json,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &signing_key_stmts[STMT_PUBLIC],
		NO_PARAMS, &rows, fault);

	if (rc != RC_OK)
		return rc;
	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, "keys");
	for (size_t row = 0; row < rows_count(rows) && rc == RC_OK; row++)
		rc = write_key(arena, rows_text(rows, row, 0),
			rows_text(rows, row, 1), json, fault);
	jsonw_close_arr(json);
	jsonw_close_obj(json);
	return rc;
}
