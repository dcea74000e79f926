/* factor: the second factor of an account. */

#include "model/factor.h"

#include <ctype.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/secret.h"
#include "lib/totp.h"

#define RECOVERY_LETTERS 16

enum {
	STMT_FIND,
	STMT_CREATE,
	STMT_STEP,
	STMT_CODE_ADD,
	STMT_CODE_USE,
	STMT_CODES_DROP,
	STMT_REMOVE
};

const struct stmt factor_stmts[] = {
	[STMT_FIND] = {"factor_find", "n",
		"SELECT sealed"
		"     , last_step"
		"     , (SELECT count(*) FROM recovery_code"
		"         WHERE recovery_code.account_id = $1)"
		"     , created_at"
		"  FROM second_factor WHERE account_id = $1"},
	[STMT_CREATE] = {"factor_create", "nbi",
		"INSERT INTO second_factor (account_id, sealed, last_step)"
		" VALUES ($1, $2, $3)"},
	/* Two requests with one code: only one of them gets the row. */
	[STMT_STEP] = {"factor_step", "ni",
		"UPDATE second_factor SET last_step = $2"
		" WHERE account_id = $1 AND last_step < $2"},
	[STMT_CODE_ADD] = {"factor_code_add", "nb",
		"INSERT INTO recovery_code (account_id, hash)"
		" VALUES ($1, $2)"},
	[STMT_CODE_USE] = {"factor_code_use", "nb",
		"DELETE FROM recovery_code"
		" WHERE account_id = $1 AND hash = $2"},
	[STMT_CODES_DROP] = {"factor_codes_drop", "n",
		"DELETE FROM recovery_code WHERE account_id = $1"},
	[STMT_REMOVE] = {"factor_remove", "n",
		"DELETE FROM second_factor WHERE account_id = $1"},
	STMT_END,
};

static const char *
seal_name(struct arena *arena, int64_t user_id)
{
	return arena_printf(arena, "second_factor:%lld", (long long)user_id);
}

enum rc
factor_find(struct db *db, struct arena *arena, const struct seal *seal,
	int64_t user_id, struct factor *factor, struct fault *fault)
{
	struct rows *rows = NULL;
	struct bytes stored;
	enum rc rc = db_find(db, arena, &factor_stmts[STMT_FIND],
		PARAMS(P_SHORT(user_id)), &rows, fault);

	*factor = (struct factor){.user_id = user_id};
	if (rc == RC_NOT_FOUND)
		return RC_OK;
	if (rc != RC_OK)
		return rc;
	stored = rows_bytes(rows, 0, 0);
	factor->secret = seal_open(arena, seal, seal_name(arena, user_id),
		(struct sealed){stored.data, stored.length});
	factor->last_step = rows_int(rows, 0, 1);
	factor->recovery_codes = rows_int(rows, 0, 2);
	factor->created_us = rows_time(rows, 0, 3);
	return factor->secret != NULL
		       ? RC_OK
		       : fault_set(fault, RC_BUG,
				 "a second factor was sealed with another "
				 "seal file");
}

/* --- recovery codes ---------------------------------------------------- */

/* The letters that count: 80 random bits, so a plain hash is enough. */
static size_t
fold_code(char folded[RECOVERY_LETTERS + 1], const char *code)
{
	size_t count = 0;

	for (; *code != '\0'; code++) {
		if (*code == '-' || *code == ' ')
			continue;
		if (count == RECOVERY_LETTERS)
			return 0;
		folded[count++] = (char)toupper((unsigned char)*code);
	}
	folded[count] = '\0';
	return count;
}

static void
hash_code(uint8_t hash[SECRET_HASH_BYTES], int64_t user_id,
	const char folded[RECOVERY_LETTERS + 1])
{
	char text[RECOVERY_LETTERS + 32];
	int length = snprintf(
		text, sizeof(text), "%lld:%s", (long long)user_id, folded);

	secret_hash(hash, text, (size_t)length);
	explicit_bzero(text, sizeof(text));
}

static enum rc
add_code(struct db *db, struct arena *arena, int64_t user_id, const char **code,
	struct fault *fault)
{
	const char *letters = totp_secret(arena);
	char folded[RECOVERY_LETTERS + 1] = "";
	uint8_t hash[SECRET_HASH_BYTES];

	*code = arena_printf(arena, "%.4s-%.4s-%.4s-%.4s", letters, letters + 4,
		letters + 8, letters + 12);
	fold_code(folded, *code);
	hash_code(hash, user_id, folded);
	return db_exec(db, &factor_stmts[STMT_CODE_ADD],
		PARAMS(P_SHORT(user_id), P_BYTES(hash, sizeof(hash))), NULL,
		fault);
}

enum rc
factor_renew_codes(struct db *db, struct arena *arena, int64_t user_id,
	const char *const **codes, struct fault *fault)
{
	const char **list =
		arena_array(arena, FACTOR_RECOVERY_CODES + 1, sizeof(*list));
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	*codes = list;
	if (rc != RC_OK)
		return rc;
	rc = db_exec(db, &factor_stmts[STMT_CODES_DROP],
		PARAMS(P_SHORT(user_id)), NULL, fault);
	for (size_t i = 0; i < FACTOR_RECOVERY_CODES && rc == RC_OK; i++)
		rc = add_code(db, arena, user_id, &list[i], fault);
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

/* --- codes ------------------------------------------------------------- */

static enum rc
wrong_code(struct fault *fault)
{
	return fault_tell(fault, RC_UNAUTHENTICATED, "WrongCode", "code",
		"This code is wrong or was used before.");
}

static enum rc
use_app_code(struct db *db, const struct factor *factor, const char *code,
	struct fault *fault)
{
	int64_t changed = 0;
	int64_t step = 0;
	enum rc rc = totp_check(factor->secret, code, clock_now_us(),
		factor->last_step, &step, fault);

	if (rc != RC_OK)
		return rc;
	rc = db_exec(db, &factor_stmts[STMT_STEP],
		PARAMS(P_SHORT(factor->user_id), P_INT(step)), &changed, fault);
	return rc == RC_OK && changed == 0 ? RC_UNAUTHENTICATED : rc;
}

static enum rc
use_recovery_code(struct db *db, const struct factor *factor, const char *code,
	struct fault *fault)
{
	char folded[RECOVERY_LETTERS + 1] = "";
	uint8_t hash[SECRET_HASH_BYTES];
	int64_t changed = 0;
	enum rc rc;

	if (fold_code(folded, code) != RECOVERY_LETTERS)
		return RC_UNAUTHENTICATED;
	hash_code(hash, factor->user_id, folded);
	rc = db_exec(db, &factor_stmts[STMT_CODE_USE],
		PARAMS(P_SHORT(factor->user_id), P_BYTES(hash, sizeof(hash))),
		&changed, fault);
	return rc == RC_OK && changed == 0 ? RC_UNAUTHENTICATED : rc;
}

enum rc
factor_use(struct db *db, const struct factor *factor, const char *code,
	struct fault *fault)
{
	enum rc rc = use_app_code(db, factor, code, fault);

	if (rc == RC_UNAUTHENTICATED)
		rc = use_recovery_code(db, factor, code, fault);
	return rc == RC_UNAUTHENTICATED ? wrong_code(fault) : rc;
}

static enum rc
create(struct db *db, struct arena *arena, const struct seal *seal,
	const struct factor *factor, int64_t step, struct fault *fault)
{
	struct sealed sealed = seal_close(
		arena, seal, seal_name(arena, factor->user_id), factor->secret);
	enum rc rc = db_exec(db, &factor_stmts[STMT_CREATE],
		PARAMS(P_SHORT(factor->user_id),
			P_BYTES(sealed.data, sealed.length), P_INT(step)),
		NULL, fault);

	return rc == RC_CONFLICT
		       ? fault_tell(fault, rc, "SecondFactorExists", NULL,
				 "This account has a second factor already.")
		       : rc;
}

enum rc
factor_confirm(struct db *db, struct arena *arena, const struct seal *seal,
	const struct factor *factor, const char *code,
	const char *const **codes, struct fault *fault)
{
	int64_t step = 0;
	enum rc rc = totp_check(
		factor->secret, code, clock_now_us(), 0, &step, fault);

	if (rc == RC_UNAUTHENTICATED)
		return wrong_code(fault);
	if (rc == RC_OK)
		rc = db_begin(db, DB_READ_COMMITTED, fault);
	if (rc != RC_OK)
		return rc;
	rc = create(db, arena, seal, factor, step, fault);
	if (rc == RC_OK)
		rc = factor_renew_codes(
			db, arena, factor->user_id, codes, fault);
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

enum rc
factor_remove(struct db *db, int64_t user_id, struct fault *fault)
{
	return db_exec(db, &factor_stmts[STMT_REMOVE], PARAMS(P_SHORT(user_id)),
		NULL, fault);
}
