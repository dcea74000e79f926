/* user_admin: accounts as the administrator sees and changes them. */

#include "model/user_admin.h"

#include <string.h>

#include "model/audit.h"
#include "model/factor.h"
#include "model/session.h"

/* Places of rows, as places of a slice. */
#define CREATED_AT_PLACE    SLICE_TIME("created_at")
#define LAST_LOGIN_AT_PLACE SLICE_TIME("last_login_at")

#define ENTRY_COLUMNS                                                          \
	USER_COLUMNS                                                           \
	", account.source, account.created_at, account.last_login_at"          \
	", coalesce((SELECT CASE WHEN must_change THEN 'initial'"              \
	"                        ELSE 'own' END"                               \
	"              FROM account_password"                                  \
	"             WHERE account_id = account.id), 'none')"                 \
	", EXISTS (SELECT FROM second_factor"                                  \
	"           WHERE account_id = account.id)"                            \
	", (SELECT count(*) FROM session"                                      \
	"    WHERE account_id = account.id AND " SESSION_OPEN ")"
#define ENTRY_COLUMNS_COUNT (USER_COLUMNS_COUNT + 6)

enum { STMT_SLICE, STMT_LOOK, STMT_ALTER, STMT_REMOVE, STMT_OTHERS };

const struct stmt user_admin_stmts[] = {
	/* $6 part of a text $7 state $8 administrator $9 source $10 group */
	[STMT_SLICE] = {"user_slice", SLICE_TYPES "ttttt",
		"SELECT " ENTRY_COLUMNS ", place, account.id"
		"  FROM (SELECT account.*"
		"             , CASE $1 WHEN 'name' THEN name"
		"                       WHEN 'fullName' THEN lower(full_name)"
		"                       WHEN 'created' THEN" CREATED_AT_PLACE
		"                       WHEN 'login' THEN" LAST_LOGIN_AT_PLACE
		"               END COLLATE \"C\" AS place"
		"          FROM account) AS account WHERE" SLICE_AFTER
		"   AND ($6::text IS NULL OR position(lower($6) IN lower("
		"        name || ' ' || full_name || ' ' || email)) > 0)"
		"   AND ($7::text IS NULL OR state = $7)"
		"   AND ($8::text IS NULL OR administrator = ($8 = 'true'))"
		"   AND ($9::text IS NULL OR source = $9)"
		"   AND ($10::text IS NULL OR id IN (SELECT account_id"
		"        FROM group_account JOIN user_group"
		"          ON user_group.id = group_account.group_id"
		"       WHERE user_group.name = $10))" SLICE_ORDER},
	[STMT_LOOK] = {"user_look", "t",
		"SELECT " ENTRY_COLUMNS " FROM account WHERE name = lower($1)"},
	/* $1 id $2 full name $3 e-mail $4 administrator */
	[STMT_ALTER] = {"user_alter", "ntto",
		"UPDATE account"
		"   SET full_name = $2, email = $3, administrator = $4"
		" WHERE id = $1"},
	[STMT_REMOVE] = {"user_remove", "n",
		"DELETE FROM account WHERE id = $1"},
	/* Locked, so that two administrators cannot remove each other. */
	[STMT_OTHERS] = {"user_other_administrators", "n",
		"SELECT count(*) FROM (SELECT id FROM account"
		"  WHERE administrator AND state = 'active'"
		"  ORDER BY id FOR UPDATE) AS locked WHERE id <> $1"},
	STMT_END,
};

const char *const user_sorts[] = {"name", "fullName", "created", "login", NULL};
const char *const user_states[] = {"active", "disabled", NULL};

static void
read_entry(const struct rows *rows, size_t row, struct user_entry *entry)
{
	int column = USER_COLUMNS_COUNT;

	user_from_row(rows, row, &entry->user);
	entry->source = rows_text(rows, row, column++);
	entry->created_us = rows_time(rows, row, column++);
	entry->login_us = rows_time(rows, row, column++);
	entry->password = rows_text(rows, row, column++);
	entry->second_factor = rows_bool(rows, row, column++);
	entry->sessions = rows_int(rows, row, column);
}

enum rc
user_slice(struct db *db, struct arena *arena, const struct user_filter *filter,
	struct slice *slice, struct user_entry_list *list, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &user_admin_stmts[STMT_SLICE],
		PARAMS(P_SLICE(slice), P_TEXT(filter->search),
			P_TEXT(filter->state), P_TEXT(filter->administrator),
			P_TEXT(filter->source), P_TEXT(filter->group)),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = slice_take(slice, rows, ENTRY_COLUMNS_COUNT);
	list->items = arena_array(arena, list->count + 1, sizeof(*list->items));
	for (size_t row = 0; row < list->count; row++)
		read_entry(rows, row, &list->items[row]);
	return RC_OK;
}

enum rc
user_look(struct db *db, struct arena *arena, const char *name,
	struct user_entry *entry, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &user_admin_stmts[STMT_LOOK],
		PARAMS(P_TEXT(name)), &rows, fault);

	if (rc == RC_OK)
		read_entry(rows, 0, entry);
	if (rc == RC_NOT_FOUND)
		return fault_tell(fault, rc, "UserNotFound", NULL,
			"There is no user \"%.128s\".", name);
	return rc;
}

const char *
user_describe(struct arena *arena, const struct user_entry *entry)
{
	return audit_values(arena, "fullName", entry->user.full_name, "email",
		entry->user.email, "administrator",
		entry->user.administrator ? "true" : "false", "state",
		entry->user.active ? "active" : "disabled", NULL);
}

/* --- changes ---------------------------------------------------------------
 */

/* Somebody must be left who can administer the grid. */
static enum rc
check_others(struct db *db, const struct user_entry *entry, struct fault *fault)
{
	struct arena *arena = arena_new();
	struct rows *rows = NULL;
	enum rc rc;

	if (!entry->user.administrator || !entry->user.active) {
		arena_free(arena);
		return RC_OK;
	}
	rc = db_find(db, arena, &user_admin_stmts[STMT_OTHERS],
		PARAMS(P_SHORT(entry->user.id)), &rows, fault);
	if (rc == RC_OK && rows_int(rows, 0, 0) == 0)
		rc = fault_tell(fault, RC_CONFLICT, "LastAdministrator", NULL,
			"\"%s\" is the last active administrator. Make "
			"somebody else one first.",
			entry->user.name);
	arena_free(arena);
	return rc;
}

static enum rc
check_text(const char *text, const char *field, struct fault *fault)
{
	size_t length = text == NULL ? 0 : strlen(text);

	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return fault_tell(fault, RC_BAD_INPUT, "BadRequest",
				field, "\"%s\" must be one line of text.",
				field);
	if (length > USER_TEXT_BYTES)
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest", field,
			"\"%s\" may have %d bytes.", field, USER_TEXT_BYTES);
	return RC_OK;
}

static enum rc
check_email(const char *email, struct fault *fault)
{
	const char *at = email == NULL ? NULL : strchr(email, '@');

	if (email == NULL || email[0] == '\0' ||
		(at != NULL && at > email && at[1] != '\0' &&
			strchr(email, ' ') == NULL))
		return RC_OK;
	return fault_tell(fault, RC_BAD_INPUT, "BadRequest", "email",
		"\"email\" must be an address such as name@example.org.");
}

enum rc
user_check_texts(const char *full_name, const char *email, struct fault *fault)
{
	enum rc rc = check_text(full_name, "fullName", fault);

	if (rc == RC_OK)
		rc = check_text(email, "email", fault);
	if (rc == RC_OK)
		rc = check_email(email, fault);
	return rc;
}

/* Where an account is kept elsewhere, its texts are changed there. */
static enum rc
check_change(const struct user_entry *entry, const struct user_change *change,
	struct fault *fault)
{
	bool renamed = strcmp(entry->user.full_name, change->full_name) != 0;
	bool moved = strcmp(entry->user.email, change->email) != 0;

	if ((renamed || moved) && strcmp(entry->source, "local") != 0)
		return fault_tell(fault, RC_BAD_INPUT, "KeptElsewhere",
			renamed ? "fullName" : "email",
			"Name and address of this user come from %s: change "
			"them there.",
			entry->source);
	return user_check_texts(change->full_name, change->email, fault);
}

static enum rc
store_change(struct db *db, const struct user_entry *entry,
	const struct user_change *change, struct fault *fault)
{
	enum rc rc = RC_OK;

	if (!change->administrator || !change->active)
		rc = check_others(db, entry, fault);
	if (rc == RC_OK)
		rc = db_exec(db, &user_admin_stmts[STMT_ALTER],
			PARAMS(P_SHORT(entry->user.id),
				P_TEXT(change->full_name),
				P_TEXT(change->email),
				P_BOOL(change->administrator)),
			NULL, fault);
	if (rc == RC_OK && change->active != entry->user.active)
		rc = user_set_active(db, entry->user.id, change->active, fault);
	return rc;
}

enum rc
user_alter(struct db *db, const struct user_entry *entry,
	const struct user_change *change, struct fault *fault)
{
	enum rc rc = check_change(entry, change, fault);

	if (rc == RC_OK)
		rc = db_begin(db, DB_READ_COMMITTED, fault);
	if (rc != RC_OK)
		return rc;
	rc = store_change(db, entry, change, fault);
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

/* Tokens first: what they came from goes with the account. */
enum rc
user_remove(struct db *db, const struct user_entry *entry, struct fault *fault)
{
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc != RC_OK)
		return rc;
	rc = check_others(db, entry, fault);
	if (rc == RC_OK)
		rc = user_end_access(db, entry->user.id, fault);
	if (rc == RC_OK)
		rc = db_exec(db, &user_admin_stmts[STMT_REMOVE],
			PARAMS(P_SHORT(entry->user.id)), NULL, fault);
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

enum rc
user_reset_factor(struct db *db, int64_t user_id, struct fault *fault)
{
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc != RC_OK)
		return rc;
	rc = factor_remove(db, user_id, fault);
	if (rc == RC_OK)
		rc = user_end_access(db, user_id, fault);
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}
