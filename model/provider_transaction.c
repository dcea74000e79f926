/* provider_transaction: a login that is at a provider. */

#include "model/provider_transaction.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/encode.h"

#define TOKEN_BYTES 43 /* 256 bits as base64url */

enum { STMT_BEGIN, STMT_FINISH, STMT_WHY, STMT_SPEND, STMT_SWEEP };

const struct stmt provider_transaction_stmts[] = {
	/* $1 hash $2 browser $3 provider $4 next $5 fresh $6 session
	 * $7 address $8 seconds $9 limit per address $10 limit of all */
	[STMT_BEGIN] = {"provider_transaction_begin", "bbntobtnnn",
		"WITH origin AS (SELECT CASE WHEN strpos($7, ':') > 0"
		"  THEN network(set_masklen($7::inet, 64))::text"
		"  ELSE $7 END AS address)"
		" INSERT INTO provider_transaction (hash, browser"
		", provider_id, next, fresh, session_hash, address, expires_at)"
		" SELECT $1, $2, $3, $4, $5, $6, origin.address"
		"     , now() + interval '1 second' * $8"
		"  FROM origin"
		" WHERE (SELECT count(*) FROM provider_transaction AS other"
		"         WHERE other.address = origin.address"
		"           AND other.expires_at > now()) < $9"
		"   AND (SELECT count(*) FROM provider_transaction) < $10"},
	/* $1 hash $2 browser $3 provider */
	[STMT_FINISH] = {"provider_transaction_end", "bbn",
		"DELETE FROM provider_transaction"
		" WHERE hash = $1 AND browser = $2 AND provider_id = $3"
		"   AND expires_at > now()"
		" RETURNING next, fresh, session_hash, created_at"},
	[STMT_WHY] = {"provider_transaction_why", "bbn",
		"SELECT provider_id <> $3, browser <> $2"
		"  FROM provider_transaction WHERE hash = $1"},
	[STMT_SPEND] = {"provider_transaction_spend", "b",
		"DELETE FROM provider_transaction WHERE hash = $1"},
	[STMT_SWEEP] = {"provider_transaction_sweep", "",
		"DELETE FROM provider_transaction WHERE hash IN"
		" (SELECT hash FROM provider_transaction"
		"   WHERE expires_at < now() LIMIT 1000)"},
	STMT_END,
};

/* One secret for each purpose, all from what only the browser has. */
static const char *
derive(struct arena *arena, const char *purpose,
	const struct provider_transaction *transaction)
{
	uint8_t hash[SECRET_HASH_BYTES];
	const char *text = arena_printf(arena, "%s %s %s", purpose,
		transaction->cookie, transaction->state);

	secret_hash(hash, text, strlen(text));
	return encode_base64url(arena, hash, sizeof(hash));
}

static void
derive_all(struct arena *arena, struct provider_transaction *transaction)
{
	uint8_t hash[SECRET_HASH_BYTES];

	transaction->nonce = derive(arena, "nonce", transaction);
	transaction->verifier = derive(arena, "verifier", transaction);
	secret_hash(hash, transaction->verifier, strlen(transaction->verifier));
	transaction->challenge = encode_base64url(arena, hash, sizeof(hash));
}

static bool
is_token(struct arena *arena, const char *text)
{
	size_t bytes = 0;

	return text != NULL && strlen(text) == TOKEN_BYTES &&
	       decode_base64url(arena, text, TOKEN_BYTES, &bytes) != NULL;
}

enum rc
provider_transaction_begin(struct db *db, struct arena *arena,
	struct provider_transaction *transaction, struct fault *fault)
{
	uint8_t state[SECRET_HASH_BYTES];
	uint8_t browser[SECRET_HASH_BYTES];
	struct param session = P_NULL('b');
	int64_t made = 0;
	enum rc rc = provider_transaction_sweep(db, fault);

	if (rc != RC_OK)
		return rc;
	transaction->state = secret_token(arena);
	if (!is_token(arena, transaction->cookie))
		transaction->cookie = secret_token(arena);
	derive_all(arena, transaction);
	secret_hash(state, transaction->state, TOKEN_BYTES);
	secret_hash(browser, transaction->cookie, TOKEN_BYTES);
	if (transaction->session_hash != NULL)
		session = P_BYTES(transaction->session_hash, SECRET_HASH_BYTES);
	rc = db_exec(db, &provider_transaction_stmts[STMT_BEGIN],
		PARAMS(P_BYTES(state, sizeof(state)),
			P_BYTES(browser, sizeof(browser)),
			P_SHORT(transaction->provider_id),
			P_TEXT(transaction->next), P_BOOL(transaction->fresh),
			session, P_TEXT(transaction->address),
			P_SHORT(PROVIDER_TRANSACTION_S),
			P_SHORT(PROVIDER_TRANSACTIONS_ADDRESS),
			P_SHORT(PROVIDER_TRANSACTIONS_MAX)),
		&made, fault);
	if (rc == RC_OK && made == 0)
		return fault_tell(fault, RC_TOO_MANY, "TooManyLogins", NULL,
			"Too many log-ins have been begun and not finished. "
			"Try again in some minutes.");
	return rc;
}

/* Why nothing was found, for the log. */
static enum rc
explain(struct db *db, struct arena *arena, struct params params,
	struct fault *fault)
{
	struct rows *rows = NULL;
	const char *why = "the state is not known, or was used";
	enum rc rc = db_query(db, arena, &provider_transaction_stmts[STMT_WHY],
		params, &rows, fault);

	if (rc != RC_OK)
		return rc;
	if (rows_count(rows) > 0 && rows_bool(rows, 0, 0)) {
		why = "the state is that of another provider";
		rc = db_exec(db, &provider_transaction_stmts[STMT_SPEND],
			(struct params){1, params.items}, NULL, fault);
	} else if (rows_count(rows) > 0) {
		why = rows_bool(rows, 0, 1)
			      ? "the state is that of another browser"
			      : "the state is too old";
	}
	return rc == RC_OK ? fault_set(fault, RC_DENIED, "%s", why) : rc;
}

enum rc
provider_transaction_end(struct db *db, struct arena *arena,
	struct provider_transaction *transaction, struct fault *fault)
{
	uint8_t state[SECRET_HASH_BYTES];
	uint8_t browser[SECRET_HASH_BYTES];
	struct rows *rows = NULL;
	struct params params;
	enum rc rc;

	if (!is_token(arena, transaction->state))
		return fault_set(fault, RC_DENIED, "the state is malformed");
	if (!is_token(arena, transaction->cookie))
		return fault_set(
			fault, RC_DENIED, "the browser has no cookie of ours");
	secret_hash(state, transaction->state, TOKEN_BYTES);
	secret_hash(browser, transaction->cookie, TOKEN_BYTES);
	params = PARAMS(P_BYTES(state, sizeof(state)),
		P_BYTES(browser, sizeof(browser)),
		P_SHORT(transaction->provider_id));
	rc = db_find(db, arena, &provider_transaction_stmts[STMT_FINISH],
		params, &rows, fault);
	if (rc == RC_NOT_FOUND)
		return explain(db, arena, params, fault);
	if (rc != RC_OK)
		return rc;
	transaction->next = rows_text(rows, 0, 0);
	transaction->fresh = rows_bool(rows, 0, 1);
	transaction->session_hash =
		rows_null(rows, 0, 2) ? NULL : rows_bytes(rows, 0, 2).data;
	transaction->created_us = rows_time(rows, 0, 3);
	derive_all(arena, transaction);
	return RC_OK;
}

enum rc
provider_transaction_sweep(struct db *db, struct fault *fault)
{
	return db_exec(db, &provider_transaction_stmts[STMT_SWEEP], NO_PARAMS,
		NULL, fault);
}
