/* user_link: who an outside person is here. */

#include "model/user_link.h"

#include <string.h>

#include "lib/log.h"
#include "lib/utf8.h"
#include "model/audit.h"

#define LINK_BYTES 512
#define TEXT_BYTES 256
#define NAME_TRIES 100

enum {
	STMT_LOCK,
	STMT_FIND,
	STMT_CREATE,
	STMT_LINK,
	STMT_NAMES,
	STMT_SEEN,
	STMT_LEAVE,
	STMT_JOIN,
	STMT_LOSE
};

/* "name" of the groups that a statement touched. */
#define GROUP_NAMES                                                            \
	" SELECT user_group.name FROM touched"                                 \
	"  JOIN user_group ON user_group.id = touched.group_id"                \
	" ORDER BY name"

const struct stmt user_link_stmts[] = {
	/* Two first logins at once make one account. */
	[STMT_LOCK] = {"user_link_lock", "tt",
		"SELECT pg_advisory_xact_lock(hashtextextended("
		"$1 || chr(10) || $2, 0))"},
	[STMT_FIND] = {"user_link_find", "ttt", /* $3 source */
		"SELECT account.id"
		"     , account.source = $3"
		"     , account.state = 'active'"
		"  FROM account_link"
		"  JOIN account ON account.id = account_link.account_id"
		" WHERE account_link.issuer = $1"
		"   AND account_link.subject = $2"},
	[STMT_CREATE] = {"user_link_create", "utttt",
		"INSERT INTO account (uuid, name, full_name, email, source)"
		" VALUES ($1, lower($2), $3, $4, $5)"
		" ON CONFLICT (name) DO NOTHING"
		" RETURNING id, name"},
	[STMT_LINK] = {"user_link_link", "ttn",
		"INSERT INTO account_link (issuer, subject, account_id)"
		" VALUES ($1, $2, $3)"},
	[STMT_NAMES] = {"user_link_names", "ntt",
		"UPDATE account SET full_name = $2, email = $3"
		" WHERE id = $1 AND (full_name, email) <> ($2, $3)"},
	[STMT_SEEN] = {"user_link_seen", "tti", /* $3 good for s; 0 = NULL */
		"UPDATE account_link"
		"   SET seen_at = now(), gone_at = NULL"
		"     , due_at = now() + nullif($3, 0) * interval '1 s'"
		" WHERE issuer = $1 AND subject = $2"},
	[STMT_LEAVE] = {"user_link_leave", "ntT",
		"WITH touched AS ("
		" DELETE FROM group_account"
		"  WHERE account_id = $1 AND source = $2"
		"    AND group_id NOT IN"
		"        (SELECT group_id FROM group_mapping"
		"          WHERE source = $2 AND external = ANY ($3))"
		" RETURNING group_id)" GROUP_NAMES},
	[STMT_JOIN] = {"user_link_join", "ntT",
		"WITH touched AS ("
		" INSERT INTO group_account (group_id, account_id, source)"
		" SELECT DISTINCT group_id, $1, $2"
		"   FROM group_mapping"
		"  WHERE source = $2 AND external = ANY ($3)"
		" ON CONFLICT DO NOTHING"
		" RETURNING group_id)" GROUP_NAMES},
	[STMT_LOSE] = {"user_link_lose", "ttt", /* $3 source */
		"UPDATE account_link SET gone_at = now(), due_at = NULL"
		"  FROM account"
		" WHERE issuer = $1 AND subject = $2 AND gone_at IS NULL"
		"   AND account.id = account_link.account_id"
		" RETURNING account.id, account.name, account.source = $3"},
	STMT_END,
};

/* --- names ------------------------------------------------------------ */

/* At most "bytes" of text, whole letters. */
static const char *
cut(struct arena *arena, const char *text, size_t bytes)
{
	size_t length;

	if (text == NULL || !utf8_valid(text, strlen(text)))
		return "";
	length = strnlen(text, bytes);
	while (length > 0 && text[length] != '\0' &&
		((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	return arena_strndup(arena, text, length);
}

/* As a user name must be: no spaces, no control letters. */
static const char *
fit_name(struct arena *arena, const char *wanted, size_t bytes)
{
	char *name = arena_strdup(arena, cut(arena, wanted, bytes));

	for (char *letter = name; *letter != '\0'; letter++)
		if ((unsigned char)*letter <= ' ' || *letter == 0x7f)
			*letter = '.';
	return name;
}

/* What the account may be called, the nicest first; others have names too. */
static const char *
candidate(struct arena *arena, const struct outside_user *person, int number)
{
	const char *at = strchr(person->source, ':') + 1;
	const char *name = fit_name(arena, person->name, USER_NAME_BYTES - 70);

	if (number == 0)
		return name;
	if (number == 1)
		return arena_printf(arena, "%s@%s", name, at);
	return arena_printf(arena, "%s.%d@%s", name, number, at);
}

/* --- audit ------------------------------------------------------------ */

static enum rc
write_audit(struct db *db, const struct outside_user *person,
	const char *action, const char *object, const char *before,
	const char *after, struct fault *fault)
{
	const struct audit_actor actor = {
		.kind = "service", .name = person->source};
	const struct audit what = {.action = action,
		.object = object,
		.result = AUDIT_OK,
		.before = before,
		.after = after};

	return audit_write_by(db, &actor, &what, fault);
}

/* --- groups ----------------------------------------------------------- */

static enum rc
move(struct db *db, struct arena *arena, int statement, const char *action,
	const struct outside_user *person, const struct user *user,
	struct fault *fault)
{
	struct rows *names = NULL;
	const char *member = audit_values(arena, "user", user->name, NULL);
	enum rc rc = db_query(db, arena, &user_link_stmts[statement],
		PARAMS(P_SHORT(user->id), P_TEXT(person->source),
			P_TEXTS(person->groups.items, person->groups.count)),
		&names, fault);

	for (size_t row = 0; rc == RC_OK && row < rows_count(names); row++)
		rc = write_audit(db, person, action,
			arena_printf(
				arena, "group:%s", rows_text(names, row, 0)),
			statement == STMT_LEAVE ? member : NULL,
			statement == STMT_JOIN ? member : NULL, fault);
	return rc;
}

static enum rc
take_over_groups(struct db *db, struct arena *arena,
	const struct outside_user *person, const struct user *user,
	struct fault *fault)
{
	enum rc rc =
		move(db, arena, STMT_LEAVE, "group.leave", person, user, fault);

	return rc == RC_OK ? move(db, arena, STMT_JOIN, "group.join", person,
				     user, fault)
			   : rc;
}

/* --- finding and making
 * --------------------------------------------------------- */

static enum rc
check(const struct outside_user *person, struct fault *fault)
{
	bool good = person->issuer[0] != '\0' &&
		    strnlen(person->issuer, LINK_BYTES + 1) <= LINK_BYTES &&
		    person->subject[0] != '\0' &&
		    strnlen(person->subject, LINK_BYTES + 1) <= LINK_BYTES &&
		    person->groups.count <= USER_LINK_GROUPS_MAX;

	return good ? RC_OK
		    : fault_set(fault, RC_BAD_INPUT,
			      "%s: no or too long a subject, or too many "
			      "groups",
			      person->source);
}

/* The first candidate that nobody has. */
static enum rc
create_account(struct db *db, struct arena *arena,
	const struct outside_user *person, struct rows **rows,
	struct fault *fault)
{
	uint8_t uuid[UUID_BYTES];

	uuid_random(uuid);
	for (int number = 0; number < NAME_TRIES; number++) {
		const char *name = candidate(arena, person, number);
		enum rc rc = RC_OK;

		if (name[0] == '\0' || name[0] == '@' || name[0] == '.')
			return fault_set(fault, RC_BAD_INPUT,
				"%s: %s has no name for a user", person->source,
				person->subject);
		rc = db_query(db, arena, &user_link_stmts[STMT_CREATE],
			PARAMS(P_UUID(uuid), P_TEXT(name),
				P_TEXT(cut(
					arena, person->full_name, TEXT_BYTES)),
				P_TEXT(cut(arena, person->email, TEXT_BYTES)),
				P_TEXT(person->source)),
			rows, fault);
		if (rc != RC_OK || rows_count(*rows) == 1)
			return rc;
	}
	return fault_set(fault, RC_CONFLICT, "%s: every name like %s is taken",
		person->source, person->name);
}

static enum rc
create(struct db *db, struct arena *arena, const struct outside_user *person,
	int64_t *id, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = create_account(db, arena, person, &rows, fault);

	if (rc != RC_OK)
		return rc;
	*id = rows_int(rows, 0, 0);
	rc = db_exec(db, &user_link_stmts[STMT_LINK],
		PARAMS(P_TEXT(person->issuer), P_TEXT(person->subject),
			P_SHORT(*id)),
		NULL, fault);
	if (rc == RC_OK)
		rc = write_audit(db, person, "account.create",
			arena_printf(arena, "user:%s", rows_text(rows, 0, 1)),
			NULL,
			audit_values(arena, "source", person->source, "issuer",
				person->issuer, "subject", person->subject,
				NULL),
			fault);
	if (rc == RC_OK)
		log_info(NULL, "account %s was made for %s of %s",
			rows_text(rows, 0, 1), person->subject, person->source);
	return rc;
}

/* Find or make the account; refuse a disabled one. */
static enum rc
get_account(struct db *db, struct arena *arena,
	const struct outside_user *person, int64_t *id, struct fault *fault)
{
	struct rows *found = NULL;
	enum rc rc = db_query(db, arena, &user_link_stmts[STMT_FIND],
		PARAMS(P_TEXT(person->issuer), P_TEXT(person->subject),
			P_TEXT(person->source)),
		&found, fault);

	if (rc != RC_OK)
		return rc;
	if (rows_count(found) == 0)
		return create(db, arena, person, id, fault);
	*id = rows_int(found, 0, 0);
	if (!rows_bool(found, 0, 2))
		return fault_set(fault, RC_UNAUTHENTICATED,
			"%s: the account of %s is disabled here",
			person->source, person->subject);
	if (!rows_bool(found, 0, 1))
		return RC_OK; /* only linked: its names are its own */
	return db_exec(db, &user_link_stmts[STMT_NAMES],
		PARAMS(P_SHORT(*id),
			P_TEXT(cut(arena, person->full_name, TEXT_BYTES)),
			P_TEXT(cut(arena, person->email, TEXT_BYTES))),
		NULL, fault);
}

static enum rc
adopt(struct db *db, struct arena *arena, const struct outside_user *person,
	struct user *user, struct fault *fault)
{
	struct rows *ignored = NULL;
	int64_t id = 0;
	enum rc rc = db_query(db, arena, &user_link_stmts[STMT_LOCK],
		PARAMS(P_TEXT(person->issuer), P_TEXT(person->subject)),
		&ignored, fault);

	if (rc == RC_OK)
		rc = get_account(db, arena, person, &id, fault);
	if (rc == RC_OK)
		rc = db_exec(db, &user_link_stmts[STMT_SEEN],
			PARAMS(P_TEXT(person->issuer), P_TEXT(person->subject),
				P_INT(person->good_s)),
			NULL, fault);
	if (rc == RC_OK)
		rc = user_find_id(db, arena, id, user, fault);
	if (rc == RC_OK && !person->groups_unknown)
		rc = take_over_groups(db, arena, person, user, fault);
	return rc;
}

enum rc
user_link_adopt(struct db *db, struct arena *arena,
	const struct outside_user *person, struct user *user,
	struct fault *fault)
{
	enum rc rc = check(person, fault);

	if (rc == RC_OK)
		rc = db_begin(db, DB_READ_COMMITTED, fault);
	if (rc != RC_OK)
		return rc;
	rc = adopt(db, arena, person, user, fault);
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

/* --- losing
 * ----------------------------------------------------------------------- */

static enum rc
lose(struct db *db, struct arena *arena, const struct outside_user *person,
	struct fault *fault)
{
	struct outside_user nothing = *person;
	struct user user = {.id = 0};
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &user_link_stmts[STMT_LOSE],
		PARAMS(P_TEXT(person->issuer), P_TEXT(person->subject),
			P_TEXT(person->source)),
		&rows, fault);

	if (rc != RC_OK || rows_count(rows) == 0)
		return rc;
	user.id = rows_int(rows, 0, 0);
	user.name = rows_text(rows, 0, 1);
	nothing.groups.count = 0;
	rc = move(db, arena, STMT_LEAVE, "group.leave", &nothing, &user, fault);
	if (rc != RC_OK || !rows_bool(rows, 0, 2))
		return rc;
	rc = user_end_access(db, user.id, fault);
	if (rc == RC_OK)
		rc = write_audit(db, person, "session.end",
			arena_printf(arena, "user:%s", user.name), NULL,
			audit_values(
				arena, "reason", "gone from its source", NULL),
			fault);
	return rc;
}

enum rc
user_link_lose(struct db *db, struct arena *arena,
	const struct outside_user *person, struct fault *fault)
{
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc != RC_OK)
		return rc;
	rc = lose(db, arena, person, fault);
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}
