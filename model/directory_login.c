/* directory_login: a name and a password that directories may know. */

#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "model/directory_parts.h"

#define PASSWORD_BYTES 512
#define SLOT_WAIT_US   200000
#define ALL_US         (15 * CLOCK_SECOND_US) /* no more is asked then */

enum { STMT_ACCOUNT };

const struct stmt directory_login_stmts[] = {
	[STMT_ACCOUNT] = {"directory_account", "t",
		"SELECT account.source, account_link.subject"
		"  FROM account"
		"  LEFT JOIN account_link"
		"    ON account_link.account_id = account.id"
		"   AND account_link.issuer = account.source"
		" WHERE account.name = lower($1)"},
	STMT_END,
};

/* What was typed, and what is known about it. */
struct attempt {
	struct db *db;
	struct arena *arena;
	struct directory_gate *gate;
	const char *name;
	const char *password;
	const char *source;  /* of the account with this name; NULL = none */
	const char *subject; /* who it is there; NULL = not known */
	const char *only;    /* the one directory to ask; NULL = all */
};

static enum rc
refuse(struct fault *fault)
{
	fault_tell(fault, RC_UNAUTHENTICATED, "LoginFailed", NULL,
		"User name or password is wrong.");
	return RC_UNAUTHENTICATED;
}

static enum rc
out_of_reach(struct fault *fault)
{
	return fault_tell(fault, RC_UNAVAILABLE, "DirectoryUnavailable", NULL,
		"The directory of users is out of reach. Try again soon; local "
		"accounts work.");
}

/* --- one directory
 * --------------------------------------------------------------- */

/* The reasons that Active Directory hides in its words, for the log. */
static const char *
reason_of(const char *words)
{
	static const struct {
		const char *code;
		const char *words;
	} reasons[] = {
		{"data 525", ": there is no such user"},
		{"data 52e", ": wrong password"},
		{"data 530", ": not at this time of day"},
		{"data 531", ": not from this machine"},
		{"data 532", ": the password has expired"},
		{"data 533", ": the account is disabled"},
		{"data 701", ": the account has expired"},
		{"data 773", ": the password must be changed first"},
		{"data 775", ": the account is locked"},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(reasons); i++)
		if (strstr(words, reasons[i].code) != NULL)
			return reasons[i].words;
	return "";
}

/* The one entry with this name: RC_NOT_FOUND for none, or for two. */
static enum rc
find_entry(const struct attempt *attempt, const struct directory *directory,
	struct ldap_link *link, struct ldap_entry *entry, struct fault *fault)
{
	struct directory_whom whom = {.subjects = &attempt->subject,
		.count = attempt->subject != NULL};
	struct ldap_entries found = {.count = 0};
	enum rc rc = RC_OK;

	if (whom.count == 1)
		rc = directory_search_users(link, attempt->arena, directory,
			&whom, 2, &found, fault);
	if (rc == RC_OK && found.count == 0) {
		whom.name = attempt->name;
		rc = directory_search_users(link, attempt->arena, directory,
			&whom, 2, &found, fault);
	}
	if (rc == RC_TOO_LARGE || (rc == RC_OK && found.count > 1)) {
		log_warn(NULL, "directory %s: several entries are called %s",
			directory->name, attempt->name);
		return refuse(fault);
	}
	if (rc != RC_OK)
		return rc;
	if (found.count == 0)
		return fault_set(fault, RC_NOT_FOUND, "no such user");
	*entry = found.items[0];
	return RC_OK;
}

/* On a connection of its own, which is good for nothing else. */
static enum rc
bind_as(const struct attempt *attempt, const struct directory *directory,
	const struct ldap_server *server, const struct ldap_entry *entry,
	struct fault *fault)
{
	struct ldap_link *link = NULL;
	enum rc rc = ldap_link_open(attempt->arena, server, entry->dn,
		attempt->password, &link, fault);

	if (rc == RC_OK)
		ldap_link_close(link);
	if (rc == RC_UNAUTHENTICATED)
		log_info(NULL, "directory %s refused %s: %s%s", directory->name,
			attempt->name, fault->text, reason_of(fault->text));
	if (rc == RC_OK && directory_entry_disabled(entry)) {
		log_info(NULL, "directory %s: %s is disabled", directory->name,
			attempt->name);
		rc = RC_UNAUTHENTICATED;
	}
	return rc == RC_UNAUTHENTICATED ? refuse(fault) : rc;
}

static enum rc
ask_linked(const struct attempt *attempt, const struct directory *directory,
	const struct ldap_server *server, struct ldap_link *link,
	struct outside_user *person, struct fault *fault)
{
	struct ldap_entry entry;
	enum rc rc = find_entry(attempt, directory, link, &entry, fault);

	if (rc == RC_OK)
		rc = bind_as(attempt, directory, server, &entry, fault);
	if (rc == RC_OK)
		rc = directory_read_person(
			attempt->arena, directory, &entry, person, fault);
	if (rc == RC_OK)
		rc = directory_groups(
			directory_walk_new(attempt->arena, link, directory),
			&entry, person->name, &person->groups, fault);
	return rc;
}

/* RC_NOT_FOUND: the next may know the name. */
static enum rc
ask(const struct attempt *attempt, const struct directory *directory,
	struct outside_user *person, struct fault *fault)
{
	struct ldap_server server;
	struct ldap_link *link = NULL;
	enum rc rc = directory_connect(attempt->arena, attempt->gate, directory,
		&server, &link, fault);

	if (rc != RC_OK)
		return rc;
	rc = ask_linked(attempt, directory, &server, link, person, fault);
	ldap_link_close(link);
	if (rc == RC_OK || rc == RC_NOT_FOUND || rc == RC_UNAUTHENTICATED)
		return rc;
	log_warn(NULL, "directory %s at %s: %s", directory->name, server.uri,
		fault->text);
	return RC_UNAVAILABLE;
}

/* --- all of them
 * ------------------------------------------------------------------- */

static bool
is_asked(const struct attempt *attempt, const struct directory *directory)
{
	return attempt->only == NULL ||
	       strcmp(attempt->only, directory->name) == 0;
}

static enum rc
ask_all(const struct attempt *attempt, const struct directory_list *list,
	struct outside_user *person, struct fault *fault)
{
	int64_t end_us = clock_steady_us() + ALL_US;
	bool silent = false;

	for (size_t i = 0; i < list->count; i++) {
		enum rc rc;

		if (!is_asked(attempt, &list->items[i]))
			continue;
		if (clock_steady_us() > end_us) {
			log_warn(NULL,
				"directory %s was not asked: the ones "
				"before it took too long",
				list->items[i].name);
			silent = true;
			break;
		}
		rc = ask(attempt, &list->items[i], person, fault);
		if (rc == RC_UNAVAILABLE)
			silent = true;
		else if (rc != RC_NOT_FOUND)
			return rc;
	}
	return silent ? out_of_reach(fault) : refuse(fault);
}

/* "NAME@DIRECTORY", or an account that came from a directory. */
static void
narrow(struct attempt *attempt, const struct directory_list *list)
{
	const char *at = strrchr(attempt->name, '@');

	if (attempt->source != NULL)
		attempt->only =
			attempt->source + strlen(DIRECTORY_SOURCE_PREFIX);
	for (size_t i = 0; at != NULL && i < list->count; i++) {
		if (strcmp(at + 1, list->items[i].name) != 0 ||
			!is_asked(attempt, &list->items[i]))
			continue;
		attempt->only = list->items[i].name;
		attempt->name = arena_strndup(attempt->arena, attempt->name,
			(size_t)(at - attempt->name));
		return;
	}
}

/* Who has this name here; *local when it is nobody of a directory. */
static enum rc
find_account(struct attempt *attempt, bool *local, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(attempt->db, attempt->arena,
		&directory_login_stmts[STMT_ACCOUNT],
		PARAMS(P_TEXT(attempt->name)), &rows, fault);

	*local = false;
	if (rc != RC_OK || rows_count(rows) == 0)
		return rc;
	attempt->source = rows_text(rows, 0, 0);
	attempt->subject = rows_text(rows, 0, 1);
	*local = strncmp(attempt->source, DIRECTORY_SOURCE_PREFIX,
			 strlen(DIRECTORY_SOURCE_PREFIX)) != 0;
	return RC_OK;
}

static enum rc
ask_in_slot(struct attempt *attempt, const struct directory_list *list,
	struct outside_user *person, struct fault *fault)
{
	int slot = slots_take(&attempt->gate->slots, SLOT_WAIT_US);
	enum rc rc;

	if (slot < 0) {
		log_warn(NULL, "as many logins in directories as there may be");
		return out_of_reach(fault);
	}
	narrow(attempt, list);
	rc = ask_all(attempt, list, person, fault);
	slots_give(&attempt->gate->slots, slot);
	return rc;
}

static bool
is_possible(const char *name, const char *password)
{
	return name[0] != '\0' && password[0] != '\0' &&
	       strnlen(name, USER_NAME_BYTES + 1) <= USER_NAME_BYTES &&
	       strnlen(password, PASSWORD_BYTES + 1) <= PASSWORD_BYTES;
}

static enum rc
log_in(struct attempt *attempt, const struct directory_list *list,
	struct user *user, struct fault *fault)
{
	struct outside_user person;
	bool local = false;
	enum rc rc;

	if (!is_possible(attempt->name, attempt->password))
		return refuse(fault);
	rc = find_account(attempt, &local, fault);
	if (rc == RC_OK && local)
		return refuse(fault);
	if (rc == RC_OK)
		rc = ask_in_slot(attempt, list, &person, fault);
	if (rc == RC_OK)
		rc = user_link_adopt(
			attempt->db, attempt->arena, &person, user, fault);
	return rc == RC_UNAUTHENTICATED ? refuse(fault) : rc;
}

static void
wait_until(int64_t end_us)
{
	int64_t left_us = end_us - clock_steady_us();
	const struct timespec pause = {
		left_us / CLOCK_SECOND_US, left_us % CLOCK_SECOND_US * 1000};

	if (left_us > 0)
		nanosleep(&pause, NULL);
}

enum rc
directory_log_in(struct db *db, struct arena *arena,
	struct directory_gate *gate, const char *name, const char *password,
	struct user *user, struct fault *fault)
{
	int64_t floor_us = clock_steady_us() + gate->floor_ms * 1000;
	struct attempt attempt = {.db = db,
		.arena = arena,
		.gate = gate,
		.name = name,
		.password = password};
	struct directory_list list = {.count = 0};
	enum rc rc = directory_active(db, arena, &list, fault);

	if (rc != RC_OK)
		return rc;
	if (list.count == 0)
		return refuse(fault);
	rc = log_in(&attempt, &list, user, fault);
	if (rc == RC_UNAUTHENTICATED)
		wait_until(floor_us);
	return rc;
}
