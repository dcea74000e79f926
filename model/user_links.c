/* user_links: the persons of providers that an account is linked to. */

#include "model/user_links.h"

enum { STMT_QUERY, STMT_KNOWN, STMT_ADD, STMT_REMOVE, STMT_LEAVE };

const struct stmt user_links_stmts[] = {
	[STMT_QUERY] = {"user_links_query", "n",
		"SELECT provider.name, provider.title, EXISTS"
		"  (SELECT FROM account_link"
		"    WHERE account_link.issuer = provider.issuer"
		"      AND account_link.account_id = $1)"
		"  FROM provider WHERE provider.state = 'active'"
		" ORDER BY provider.title, provider.name LIMIT 50"},
	[STMT_KNOWN] = {"user_links_known", "tt",
		"SELECT EXISTS (SELECT FROM account_link"
		" WHERE issuer = $1 AND subject = $2)"},
	[STMT_ADD] = {"user_links_add", "ntt",
		"INSERT INTO account_link (account_id, issuer, subject)"
		" VALUES ($1, $2, $3)"},
	[STMT_REMOVE] = {"user_links_remove", "nt",
		"DELETE FROM account_link"
		" WHERE account_id = $1 AND issuer = $2"},
	[STMT_LEAVE] = {"user_links_leave", "nt",
		"DELETE FROM group_account"
		" WHERE account_id = $1 AND source = $2"},
	STMT_END,
};

enum rc
user_links_query(struct db *db, struct arena *arena, int64_t user_id,
	struct user_links *links, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &user_links_stmts[STMT_QUERY],
		PARAMS(P_SHORT(user_id)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	links->count = rows_count(rows);
	links->items = arena_array(arena, links->count, sizeof(*links->items));
	for (size_t i = 0; i < links->count; i++)
		links->items[i] = (struct user_link){
			.provider = rows_text(rows, i, 0),
			.title = rows_text(rows, i, 1),
			.linked = rows_bool(rows, i, 2),
		};
	return RC_OK;
}

enum rc
user_links_known(struct db *db, struct arena *arena, const char *issuer,
	const char *subject, bool *known, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &user_links_stmts[STMT_KNOWN],
		PARAMS(P_TEXT(issuer), P_TEXT(subject)), &rows, fault);

	if (rc == RC_OK)
		*known = rows_bool(rows, 0, 0);
	return rc;
}

enum rc
user_links_add(struct db *db, int64_t user_id, const char *issuer,
	const char *subject, struct fault *fault)
{
	enum rc rc = db_exec(db, &user_links_stmts[STMT_ADD],
		PARAMS(P_SHORT(user_id), P_TEXT(issuer), P_TEXT(subject)), NULL,
		fault);

	if (rc == RC_CONFLICT)
		return fault_tell(fault, rc, "AlreadyLinked", NULL,
			"This person is linked to an account already.");
	return rc;
}

enum rc
user_links_remove(struct db *db, struct arena *arena, int64_t user_id,
	const struct provider *provider, struct fault *fault)
{
	int64_t removed = 0;
	enum rc rc = db_exec(db, &user_links_stmts[STMT_REMOVE],
		PARAMS(P_SHORT(user_id), P_TEXT(provider->issuer)), &removed,
		fault);

	if (rc == RC_OK)
		rc = db_exec(db, &user_links_stmts[STMT_LEAVE],
			PARAMS(P_SHORT(user_id),
				P_TEXT(provider_source(arena, provider))),
			NULL, fault);
	if (rc == RC_OK && removed == 0)
		return fault_tell(fault, RC_NOT_FOUND, "NotLinked", "provider",
			"There is no such link.");
	return rc;
}
