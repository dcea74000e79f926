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
	STMT_DROP,
	STMT_USERS,
	STMT_CLIENTS
};

const struct stmt signing_key_stmts[] = {
	[STMT_LOCK] = {"signing_key_lock", "",
		"SELECT pg_advisory_xact_lock(7305)"},
	[STMT_DUE] = {"signing_key_due", "",
		"SELECT count(*) FILTER (WHERE state = 'active')"
		"     , count(*) FILTER (WHERE state = 'active'"
		"         AND changed_at < now() - interval '90 days')"
		"     , count(*) FILTER (WHERE state = 'active'"
		"         AND changed_at < now() - interval '89 days')"
		"     , count(*) FILTER (WHERE state = 'pending')"
		"     , count(*) FILTER (WHERE state = 'pending'"
		"         AND created_at < now() - interval '24 hours')"
		"  FROM signing_key WHERE algorithm = '" SIGNING_KEY_ALGORITHM
		"'"},
	[STMT_INSERT] = {"signing_key_insert",
		"ttt", /* $1 kid $2 state $3 PEM */
		"INSERT INTO signing_key (kid, algorithm, state, public_pem)"
		" VALUES ($1, '" SIGNING_KEY_ALGORITHM "', $2, $3)"},
	[STMT_SEAL] = {"signing_key_seal", "tb",
		"INSERT INTO signing_key_private (kid, sealed) VALUES ($1, "
		"$2)"},
	[STMT_RETIRE] = {"signing_key_retire", "",
		"UPDATE signing_key SET state = 'retiring', changed_at = now()"
		" WHERE state = 'active'"},
	[STMT_PROMOTE] = {"signing_key_promote", "",
		"UPDATE signing_key SET state = 'active', changed_at = now()"
		" WHERE kid = (SELECT kid FROM signing_key"
		"               WHERE state = 'pending'"
		"               ORDER BY created_at LIMIT 1)"},
	[STMT_REMOVE] = {"signing_key_remove", "",
		"UPDATE signing_key SET state = 'removed', changed_at = now()"
		" WHERE state = 'retiring'"
		"   AND changed_at < now() - interval '2 days'"},
	[STMT_FORGET] = {"signing_key_forget", "",
		"DELETE FROM signing_key_private WHERE kid IN"
		" (SELECT kid FROM signing_key"
		"   WHERE state IN ('retiring', 'removed'))"},
	[STMT_ACTIVE] = {"signing_key_active", "",
		"SELECT signing_key.kid"
		"     , signing_key.algorithm"
		"     , signing_key_private.sealed"
		"  FROM signing_key"
		"  JOIN signing_key_private USING (kid)"
		" WHERE signing_key.state = 'active'"
		"   AND signing_key.algorithm = '" SIGNING_KEY_ALGORITHM "'"},
	[STMT_PUBLIC] = {"signing_key_public", "",
		"SELECT algorithm"
		"     , public_pem"
		"  FROM signing_key"
		" WHERE state IN ('pending', 'active', 'retiring')"
		" ORDER BY created_at DESC LIMIT 16"},
	[STMT_DROP] = {"signing_key_drop", "",
		"UPDATE signing_key SET state = 'removed', changed_at = now()"
		" WHERE state <> 'removed'"},
	[STMT_USERS] = {"signing_key_users", "",
		"UPDATE account SET epoch = epoch + 1"},
	[STMT_CLIENTS] = {"signing_key_clients", "",
		"UPDATE client SET epoch = epoch + 1"},
	STMT_END,
};

static enum rc
run(struct db *db, int statement, struct fault *fault)
{
	return db_exec(
		db, &signing_key_stmts[statement], NO_PARAMS, NULL, fault);
}

static enum rc
make_key(struct db *db, struct arena *arena, const struct seal *seal,
	const char *state, struct fault *fault)
{
	struct tls_key key;
	struct jwk jwk;
	struct sealed sealed;
	enum rc rc = tls_key_new(arena, TLS_RSA_2048, &key, fault);

	if (rc == RC_OK)
		rc = jwk_read(arena, key.public_pem, &jwk, fault);
	if (rc != RC_OK)
		return rc;
	sealed = seal_close(arena, seal, jwk.kid, key.private_pem);
	rc = db_exec(db, &signing_key_stmts[STMT_INSERT],
		PARAMS(P_TEXT(jwk.kid), P_TEXT(state), P_TEXT(key.public_pem)),
		NULL, fault);
	if (rc == RC_OK)
		rc = db_exec(db, &signing_key_stmts[STMT_SEAL],
			PARAMS(P_TEXT(jwk.kid),
				P_BYTES(sealed.data, sealed.length)),
			NULL, fault);
	if (rc == RC_OK)
		log_info(NULL, "signing key %s is %s", jwk.kid, state);
	return rc;
}

static enum rc
change_over(struct db *db, struct fault *fault)
{
	enum rc rc = run(db, STMT_RETIRE, fault);

	if (rc == RC_OK)
		rc = run(db, STMT_PROMOTE, fault);
	if (rc == RC_OK)
		log_info(NULL, "the next signing key is active");
	return rc;
}

static enum rc
do_what_is_due(struct db *db, struct arena *arena, const struct seal *seal,
	struct fault *fault)
{
	struct rows *due = NULL;
	enum rc rc = db_find(db, arena, &signing_key_stmts[STMT_DUE], NO_PARAMS,
		&due, fault);

	if (rc != RC_OK)
		return rc;
	if (rows_int(due, 0, 0) == 0)
		rc = make_key(db, arena, seal, "active", fault);
	else if (rows_int(due, 0, 1) > 0 && rows_int(due, 0, 4) > 0)
		rc = change_over(db, fault);
	else if (rows_int(due, 0, 2) > 0 && rows_int(due, 0, 3) == 0)
		rc = make_key(db, arena, seal, "pending", fault);
	if (rc == RC_OK)
		rc = run(db, STMT_REMOVE, fault);
	if (rc == RC_OK)
		rc = run(db, STMT_FORGET, fault);
	return rc;
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

enum rc
signing_key_rotate(struct db *db, struct arena *arena, const struct seal *seal,
	struct fault *fault)
{
	enum rc rc = begin_locked(db, arena, fault);

	if (rc == RC_OK)
		rc = do_what_is_due(db, arena, seal, fault);
	return end(db, rc, fault);
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
	if (rc == RC_OK)
		rc = make_key(db, arena, seal, "active", fault);
	return end(db, rc, fault);
}

enum rc
signing_key_active(struct db *db, struct arena *arena, const struct seal *seal,
	struct signing_key *key, struct fault *fault)
{
	struct rows *rows = NULL;
	struct bytes sealed;
	enum rc rc = db_find(db, arena, &signing_key_stmts[STMT_ACTIVE],
		NO_PARAMS, &rows, fault);

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
