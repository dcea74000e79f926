/* application: a client that a user let in. */

#include "model/application.h"

/* Refresh tokens of a user that would still be taken. */
#define LIVE                                                                   \
	" refresh_token.account_id = $1 AND revoked_at IS NULL"                \
	" AND used_at IS NULL AND expires_at > now() AND dies_at > now()"      \
	" AND NOT EXISTS (SELECT FROM revoked_family"                          \
	"      WHERE revoked_family.family = refresh_token.family) "

enum { STMT_QUERY, STMT_FORGET, STMT_REFUSE, STMT_REVOKE };

const struct stmt application_stmts[] = {
	/* Scopes: what was consented to and what tokens have, once each. */
	[STMT_QUERY] = {"application_query", "n",
		"SELECT client.client_id, client.name"
		"     , array(SELECT DISTINCT scope FROM"
		"          (SELECT unnest(scopes) AS scope FROM consent"
		"            WHERE consent.account_id = $1"
		"              AND consent.client_id = client.id"
		"           UNION SELECT unnest(scopes) FROM refresh_token"
		"            WHERE refresh_token.client_id = client.id"
		"              AND" LIVE ") AS given ORDER BY scope)"
		"     , least((SELECT given_at FROM consent"
		"               WHERE consent.account_id = $1"
		"                 AND consent.client_id = client.id)"
		"           , live.first_at)"
		"     , live.last_at"
		"  FROM client"
		"  LEFT JOIN (SELECT client_id, min(auth_time) AS first_at"
		"                  , max(issued_at) AS last_at"
		"               FROM refresh_token WHERE" LIVE
		"              GROUP BY client_id) AS live"
		"    ON live.client_id = client.id"
		" WHERE live.client_id IS NOT NULL OR EXISTS ("
		"       SELECT FROM consent WHERE consent.account_id = $1"
		"          AND consent.client_id = client.id)"
		" ORDER BY client.client_id COLLATE \"C\""},
	/* $1 user $2 client_id */
	[STMT_FORGET] = {"application_forget", "nt",
		"DELETE FROM consent USING client"
		" WHERE account_id = $1 AND client.id = consent.client_id"
		"   AND client.client_id = $2"},
	/* Access tokens: their family is refused while one can live. */
	[STMT_REFUSE] = {"application_refuse", "nt",
		"INSERT INTO revoked_family (family, expires_at)"
		" SELECT family, now() + interval '31 days' FROM ("
		"   SELECT family FROM refresh_token"
		"     JOIN client ON client.id = refresh_token.client_id"
		"    WHERE account_id = $1 AND client.client_id = $2"
		"   UNION SELECT family FROM authorization_code"
		"     JOIN client ON client.id = authorization_code.client_id"
		"    WHERE account_id = $1 AND client.client_id = $2)"
		"   AS given"
		" ON CONFLICT DO NOTHING"},
	[STMT_REVOKE] = {"application_revoke", "nt",
		"UPDATE refresh_token SET revoked_at = now() FROM client"
		" WHERE account_id = $1 AND revoked_at IS NULL"
		"   AND client.id = refresh_token.client_id"
		"   AND client.client_id = $2"},
	STMT_END,
};

enum rc
application_query(struct db *db, struct arena *arena, int64_t user_id,
	struct application_list *list, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &application_stmts[STMT_QUERY],
		PARAMS(P_SHORT(user_id)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = rows_count(rows);
	list->items = arena_array(arena, list->count + 1, sizeof(*list->items));
	for (size_t row = 0; row < list->count; row++)
		list->items[row] = (struct application){
			.client_id = rows_text(rows, row, 0),
			.name = rows_text(rows, row, 1),
			.scopes = rows_texts(rows, arena, row, 2),
			.since_us = rows_time(rows, row, 3),
			.used_us = rows_time(rows, row, 4),
		};
	return RC_OK;
}

static enum rc
revoke(struct db *db, int64_t user_id, const char *client_id,
	struct fault *fault)
{
	struct params params = PARAMS(P_SHORT(user_id), P_TEXT(client_id));
	int64_t found = 0;

	for (int step = STMT_FORGET; step <= STMT_REVOKE; step++) {
		int64_t affected = 0;
		enum rc rc = db_exec(
			db, &application_stmts[step], params, &affected, fault);

		if (rc != RC_OK)
			return rc;
		found += affected;
	}
	return found > 0
		       ? RC_OK
		       : fault_tell(fault, RC_NOT_FOUND, "ApplicationNotFound",
				 NULL, "This user has not let \"%.128s\" in.",
				 client_id);
}

enum rc
application_revoke(struct db *db, int64_t user_id, const char *client_id,
	struct fault *fault)
{
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc != RC_OK)
		return rc;
	rc = revoke(db, user_id, client_id, fault);
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}
