/* login_step: somebody who is not let in yet. */

#include "model/login_step.h"

#include <string.h>

enum { STMT_CREATE, STMT_FIND, STMT_END_ONE, STMT_NEEDS };

const struct stmt login_step_stmts[] = {
	/* $1 hash $2 user $3 csrf $4 amr $5 issuer $6 next */
	[STMT_CREATE] = {"login_step_create", "bntTtt",
		"INSERT INTO login_step"
		" (hash, account_id, csrf, amr, issuer, next)"
		" VALUES ($1, $2, $3, $4, $5, $6)"},
	[STMT_FIND] = {"login_step_find", "b",
		"SELECT account_id"
		"     , csrf"
		"     , amr"
		"     , issuer"
		"     , next"
		"  FROM login_step"
		" WHERE hash = $1 AND expires_at > now()"},
	[STMT_END_ONE] = {"login_step_end", "b",
		"DELETE FROM login_step WHERE hash = $1"},
	[STMT_NEEDS] = {"login_step_needs", "n",
		"SELECT EXISTS (SELECT FROM account_password"
		"                WHERE account_id = $1 AND must_change)"
		"     , EXISTS (SELECT FROM second_factor"
		"                WHERE account_id = $1)"},
	STMT_END,
};

enum rc
login_step_create(struct db *db, struct arena *arena, struct login_step *step,
	struct fault *fault)
{
	size_t methods = 0;

	while (step->amr[methods] != NULL)
		methods++;
	step->cookie = secret_token(arena);
	step->csrf = secret_token(arena);
	secret_hash(step->hash, step->cookie, strlen(step->cookie));
	return db_exec(db, &login_step_stmts[STMT_CREATE],
		PARAMS(P_BYTES(step->hash, sizeof(step->hash)),
			P_SHORT(step->user_id), P_TEXT(step->csrf),
			P_TEXTS(step->amr, methods), P_TEXT(step->issuer),
			P_TEXT(step->next)),
		NULL, fault);
}

enum rc
login_step_find(struct db *db, struct arena *arena, const char *cookie,
	struct login_step *step, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc;

	*step = (struct login_step){.cookie = NULL};
	secret_hash(step->hash, cookie, strlen(cookie));
	rc = db_find(db, arena, &login_step_stmts[STMT_FIND],
		PARAMS(P_BYTES(step->hash, sizeof(step->hash))), &rows, fault);
	if (rc != RC_OK)
		return rc;
	step->user_id = rows_int(rows, 0, 0);
	step->csrf = rows_text(rows, 0, 1);
	step->amr = (const char *const *)rows_texts(rows, arena, 0, 2);
	step->issuer = rows_text(rows, 0, 3);
	step->next = rows_text(rows, 0, 4);
	return RC_OK;
}

enum rc
login_step_end(
	struct db *db, const struct login_step *step, struct fault *fault)
{
	return db_exec(db, &login_step_stmts[STMT_END_ONE],
		PARAMS(P_BYTES(step->hash, sizeof(step->hash))), NULL, fault);
}

enum rc
login_needs_find(struct db *db, struct arena *arena, int64_t user_id,
	struct login_needs *needs, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &login_step_stmts[STMT_NEEDS],
		PARAMS(P_SHORT(user_id)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	needs->new_password = rows_bool(rows, 0, 0);
	needs->factor = rows_bool(rows, 0, 1);
	return RC_OK;
}
