/* user: a person's account. */

#include "model/user.h"

#include <ctype.h>
#include <string.h>

#include "lib/password.h"
#include "lib/secret.h"
#include "lib/utf8.h"

/* Of base64url: 6 bits each. */
#define RANDOM_LETTERS 20

enum {
	STMT_CREATE,
	STMT_FIND,
	STMT_FIND_ID,
	STMT_HASH,
	STMT_STORE,
	STMT_RENEW,
	STMT_STATE,
	STMT_END_TOKENS,
	STMT_END_SESSIONS,
	STMT_END_REFRESH
};

const struct stmt user_stmts[] = {
	/* $1 uuid $2 name $3 full name $4 email $5 administrator */
	[STMT_CREATE] = {"user_create", "uttto",
		"INSERT INTO account"
		" (uuid, name, full_name, email, administrator)"
		" VALUES ($1, lower($2), $3, $4, $5)"
		" RETURNING " USER_COLUMNS},
	[STMT_FIND] = {"user_find", "t",
		"SELECT " USER_COLUMNS " FROM account WHERE name = lower($1)"},
	[STMT_FIND_ID] = {"user_find_id", "n",
		"SELECT " USER_COLUMNS " FROM account WHERE id = $1"},
	[STMT_HASH] = {"user_hash", "t",
		"SELECT " USER_COLUMNS ", account_password.hash"
		"     , coalesce(account_password.expires_at <= now(), false)"
		"  FROM account"
		"  JOIN account_password"
		"    ON account_password.account_id = account.id"
		" WHERE account.name = lower($1) AND account.source = 'local'"},
	/* $1 account $2 hash $3 initial $4 days that an initial one lives */
	[STMT_STORE] = {"user_store", "ntoi",
		"INSERT INTO account_password"
		" (account_id, hash, must_change, expires_at)"
		" SELECT $1, $2, $3, CASE WHEN $3 THEN"
		"   now() + $4 * interval '1 day' END"
		"  FROM account WHERE id = $1 AND source = 'local'"
		" ON CONFLICT (account_id) DO UPDATE"
		" SET hash = excluded.hash, changed_at = now()"
		"   , must_change = excluded.must_change"
		"   , expires_at = excluded.expires_at"},
	/* The same password under today's parameters. */
	[STMT_RENEW] = {"user_renew", "nt",
		"UPDATE account_password SET hash = $2"
		" WHERE account_id = $1"},
	[STMT_STATE] = {"user_state", "nt",
		"UPDATE account SET state = $2 WHERE id = $1"},
	[STMT_END_TOKENS] = {"user_end_tokens", "n",
		"UPDATE account SET epoch = epoch + 1 WHERE id = $1"},
	[STMT_END_SESSIONS] = {"user_end_sessions", "n",
		"DELETE FROM session WHERE account_id = $1"},
	[STMT_END_REFRESH] = {"user_end_refresh", "n",
		"UPDATE refresh_token SET revoked_at = now()"
		" WHERE account_id = $1 AND revoked_at IS NULL"},
	STMT_END,
};

void
user_from_row(const struct rows *rows, size_t row, struct user *user)
{
	user->id = rows_int(rows, row, 0);
	memcpy(user->uuid, rows_uuid(rows, row, 1), UUID_BYTES);
	user->name = rows_text(rows, row, 2);
	user->full_name = rows_text(rows, row, 3);
	user->email = rows_text(rows, row, 4);
	user->administrator = rows_bool(rows, row, 5);
	user->active = rows_bool(rows, row, 6);
	user->epoch = rows_int(rows, row, 7);
	user->source = rows_text(rows, row, 8);
}

/* Names appear in logs, URLs and pages: no spaces, no control letters. */
static enum rc
check_name(const char *name, struct fault *fault)
{
	size_t length = strnlen(name, USER_NAME_BYTES + 1);
	bool good = length > 0 && length <= USER_NAME_BYTES &&
		    utf8_valid(name, length);

	for (size_t i = 0; good && i < length; i++)
		good = (unsigned char)name[i] > ' ' && name[i] != 0x7f;
	return good ? RC_OK
		    : fault_tell(fault, RC_BAD_INPUT, "UserName", "name",
			      "A user name has 1 to %d letters, no spaces.",
			      USER_NAME_BYTES);
}

static enum rc
store_password(struct db *db, struct arena *arena, int64_t user_id,
	const char *password, enum user_password kind, struct fault *fault)
{
	const char *hash = NULL;
	int64_t stored = 0;
	enum rc rc = password_hash(arena, password, &hash, fault);

	if (rc != RC_OK)
		return rc;
	rc = db_exec(db, &user_stmts[STMT_STORE],
		PARAMS(P_SHORT(user_id), P_TEXT(hash),
			P_BOOL(kind == USER_PASSWORD_INITIAL),
			P_INT(USER_INITIAL_DAYS)),
		&stored, fault);
	if (rc != RC_OK || stored == 1)
		return rc;
	/* It would let in whom the directory or provider keeps out. */
	return fault_tell(fault, RC_CONFLICT, "PasswordElsewhere", NULL,
		"The password of this account is kept by the directory or "
		"provider that it came from.");
}

const char *
user_random_password(struct arena *arena)
{
	return arena_strndup(arena, secret_token(arena), RANDOM_LETTERS);
}

static enum rc
insert_user(struct db *db, struct arena *arena, const struct user_new *wanted,
	struct user *user, struct fault *fault)
{
	uint8_t uuid[UUID_BYTES];
	struct rows *rows = NULL;
	enum rc rc;

	uuid_random(uuid);
	rc = db_find(db, arena, &user_stmts[STMT_CREATE],
		PARAMS(P_UUID(uuid), P_TEXT(wanted->name),
			P_TEXT(wanted->full_name ? wanted->full_name : ""),
			P_TEXT(wanted->email ? wanted->email : ""),
			P_BOOL(wanted->administrator)),
		&rows, fault);
	if (rc == RC_CONFLICT)
		return fault_tell(fault, RC_CONFLICT, "NameTaken", "name",
			"There is a user \"%s\" already.", wanted->name);
	if (rc == RC_OK)
		user_from_row(rows, 0, user);
	return rc;
}

enum rc
user_create(struct db *db, struct arena *arena, const struct user_new *wanted,
	struct user *user, struct fault *fault)
{
	enum rc rc = check_name(wanted->name, fault);

	if (rc == RC_OK)
		rc = password_check(wanted->password, fault);
	if (rc == RC_OK)
		rc = db_begin(db, DB_READ_COMMITTED, fault);
	if (rc != RC_OK)
		return rc;
	rc = insert_user(db, arena, wanted, user, fault);
	if (rc == RC_OK)
		rc = store_password(db, arena, user->id, wanted->password,
			wanted->initial ? USER_PASSWORD_INITIAL
					: USER_PASSWORD_OWN,
			fault);
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

enum rc
user_find(struct db *db, struct arena *arena, const char *name,
	struct user *user, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &user_stmts[STMT_FIND],
		PARAMS(P_TEXT(name)), &rows, fault);

	if (rc == RC_OK)
		user_from_row(rows, 0, user);
	return rc;
}

enum rc
user_find_id(struct db *db, struct arena *arena, int64_t id, struct user *user,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &user_stmts[STMT_FIND_ID],
		PARAMS(P_SHORT(id)), &rows, fault);

	if (rc == RC_OK)
		user_from_row(rows, 0, user);
	return rc;
}

/* Everything that was given to this user before dies. */
enum rc
user_end_access(struct db *db, int64_t user_id, struct fault *fault)
{
	static const int steps[] = {
		STMT_END_TOKENS, STMT_END_SESSIONS, STMT_END_REFRESH};
	enum rc rc = RC_OK;

	for (size_t i = 0; i < ARRAY_LENGTH(steps) && rc == RC_OK; i++)
		rc = db_exec(db, &user_stmts[steps[i]],
			PARAMS(P_SHORT(user_id)), NULL, fault);
	return rc;
}

enum rc
user_set_password(struct db *db, struct arena *arena, int64_t user_id,
	const char *password, enum user_password kind, struct fault *fault)
{
	enum rc rc = password_check(password, fault);

	if (rc == RC_OK)
		rc = db_begin(db, DB_READ_COMMITTED, fault);
	if (rc != RC_OK)
		return rc;
	rc = store_password(db, arena, user_id, password, kind, fault);
	if (rc == RC_OK)
		rc = user_end_access(db, user_id, fault);
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

enum rc
user_set_active(
	struct db *db, int64_t user_id, bool active, struct fault *fault)
{
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc != RC_OK)
		return rc;
	rc = db_exec(db, &user_stmts[STMT_STATE],
		PARAMS(P_SHORT(user_id),
			P_TEXT(active ? "active" : "disabled")),
		NULL, fault);
	if (rc == RC_OK && !active)
		rc = user_end_access(db, user_id, fault);
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

enum rc
user_replace_password(struct db *db, struct arena *arena, int64_t user_id,
	const char *password, struct fault *fault)
{
	enum rc rc = password_check(password, fault);

	return rc == RC_OK ? store_password(db, arena, user_id, password,
				     USER_PASSWORD_OWN, fault)
			   : rc;
}

static enum rc
refuse_login(struct fault *fault)
{
	return fault_tell(fault, RC_UNAUTHENTICATED, "LoginFailed", NULL,
		"User name or password is wrong.");
}

/* The same password, so an initial one stays an initial one. */
static enum rc
renew_hash(struct db *db, struct arena *arena, int64_t user_id,
	const char *password, struct fault *fault)
{
	const char *hash = NULL;
	enum rc rc = password_hash(arena, password, &hash, fault);

	if (rc != RC_OK)
		return rc;
	return db_exec(db, &user_stmts[STMT_RENEW],
		PARAMS(P_SHORT(user_id), P_TEXT(hash)), NULL, fault);
}

enum rc
user_log_in(struct db *db, struct arena *arena, const char *name,
	const char *password, struct user *user, struct fault *fault)
{
	struct rows *rows = NULL;
	const char *hash = NULL;
	bool expired = false;
	enum rc rc = db_query(db, arena, &user_stmts[STMT_HASH],
		PARAMS(P_TEXT(name)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	if (rows_count(rows) == 1) {
		user_from_row(rows, 0, user);
		hash = rows_text(rows, 0, USER_COLUMNS_COUNT);
		expired = rows_bool(rows, 0, USER_COLUMNS_COUNT + 1);
	}
	rc = password_verify(hash, password, fault);
	if (rc == RC_UNAUTHENTICATED || (rc == RC_OK && !user->active))
		return refuse_login(fault);
	if (rc == RC_OK && expired)
		return fault_tell(fault, RC_UNAUTHENTICATED, "PasswordExpired",
			NULL,
			"This first password has expired. Ask an administrator "
			"for another.");
	if (rc == RC_OK && password_is_dated(hash))
		rc = renew_hash(db, arena, user->id, password, fault);
	return rc;
}
