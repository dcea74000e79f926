/* consent: which scopes a person let a client have. */

#include "model/consent.h"

enum { STMT_COVERS, STMT_GIVE };

const struct stmt consent_stmts[] = {
	/* $1 user $2 client $3 scopes */
	[STMT_COVERS] = {"consent_covers", "nnT",
		"SELECT EXISTS (SELECT FROM consent"
		"                WHERE account_id = $1"
		"                  AND client_id = $2"
		"                  AND scopes @> $3)"},
	[STMT_GIVE] = {"consent_give", "nnT",
		"INSERT INTO consent AS old (account_id, client_id, scopes)"
		" VALUES ($1, $2, $3)"
		" ON CONFLICT (account_id, client_id) DO UPDATE SET"
		"   given_at = now()"
		" , scopes = ARRAY (SELECT unnest(old.scopes)"
		"                   UNION SELECT unnest(excluded.scopes)"
		"                   ORDER BY 1)"},
	STMT_END,
};

static size_t
count_of(const char *const *scopes)
{
	size_t count = 0;

	while (scopes[count] != NULL)
		count++;
	return count;
}

enum rc
consent_covers(struct db *db, struct arena *arena, int64_t user_id,
	int64_t client_id, const char *const *scopes, bool *covered,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &consent_stmts[STMT_COVERS],
		PARAMS(P_SHORT(user_id), P_SHORT(client_id),
			P_TEXTS(scopes, count_of(scopes))),
		&rows, fault);

	if (rc == RC_OK)
		*covered = rows_bool(rows, 0, 0);
	return rc;
}

enum rc
consent_give(struct db *db, int64_t user_id, int64_t client_id,
	const char *const *scopes, struct fault *fault)
{
	return db_exec(db, &consent_stmts[STMT_GIVE],
		PARAMS(P_SHORT(user_id), P_SHORT(client_id),
			P_TEXTS(scopes, count_of(scopes))),
		NULL, fault);
}
