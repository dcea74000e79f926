/* directory_sync: what directories say of their people, between logins. */

#include "model/directory_sync.h"

#include <string.h>

#include "lib/log.h"
#include "model/directory_parts.h"

#define PORTION      200
#define PORTION_TEXT "200"

enum { STMT_CLAIM, STMT_STALE, STMT_WORKED, STMT_FAILED };

const struct stmt directory_sync_stmts[] = {
	[STMT_CLAIM] = {"directory_sync_claim", "t",
		"UPDATE account_link SET due_at = now() + interval '1 minute'"
		" WHERE (issuer, subject) IN"
		" (SELECT issuer, subject FROM account_link"
		"   WHERE issuer = $1 AND due_at <= now() AND gone_at IS NULL"
		"   ORDER BY due_at LIMIT " PORTION_TEXT
		"   FOR UPDATE SKIP LOCKED)"
		" RETURNING subject"},
	[STMT_STALE] = {"directory_sync_stale", "",
		"SELECT account_link.issuer, account_link.subject"
		"  FROM account_link"
		"  JOIN directory ON account_link.issuer = "
		"'" DIRECTORY_SOURCE_PREFIX "' || directory.name"
		" WHERE account_link.gone_at IS NULL"
		"   AND account_link.seen_at"
		"       < now() - directory.max_age_s * interval '1 s'"
		" LIMIT " PORTION_TEXT},
	[STMT_WORKED] = {"directory_sync_worked", "n",
		"UPDATE directory SET synced_at = now(), sync_fault = ''"
		" WHERE id = $1"},
	[STMT_FAILED] = {"directory_sync_failed", "nt",
		"UPDATE directory SET sync_fault = $2 WHERE id = $1"},
	STMT_END,
};

/* One portion of one directory. */
struct portion {
	struct db *db;
	struct arena *arena;
	const struct directory *directory;
	struct directory_walk *walk;
	struct ldap_entries entries;
	struct directory_counts *counts;
};

/* --- people
 * ------------------------------------------------------------------- */

static enum rc
lose(struct portion *portion, const char *subject, struct fault *fault)
{
	const char *source =
		directory_source(portion->arena, portion->directory);
	const struct outside_user person = {
		.source = source, .issuer = source, .subject = subject};

	portion->counts->lost++;
	return user_link_lose(portion->db, portion->arena, &person, fault);
}

static enum rc
keep(struct portion *portion, const struct ldap_entry *entry,
	struct outside_user *person, struct fault *fault)
{
	struct user user;
	struct fault why = {.rc = RC_OK};
	enum rc rc = directory_groups(
		portion->walk, entry, person->name, &person->groups, &why);

	if (rc == RC_OK)
		rc = user_link_adopt(
			portion->db, portion->arena, person, &user, fault);
	else if (rc == RC_TOO_LARGE) /* of this person: others come next */
		log_warn(NULL, "%s: %s", entry->dn, why.text);
	else
		*fault = why;
	/* An account that is disabled here stays so. */
	return rc == RC_TOO_LARGE || rc == RC_UNAUTHENTICATED ? RC_OK : rc;
}

static enum rc
settle(struct portion *portion, const char *subject, struct fault *fault)
{
	for (size_t i = 0; i < portion->entries.count; i++) {
		const struct ldap_entry *entry = &portion->entries.items[i];
		struct outside_user person;
		struct fault none;

		if (directory_read_person(portion->arena, portion->directory,
			    entry, &person, &none) != RC_OK ||
			strcmp(person.subject, subject) != 0)
			continue;
		if (directory_entry_disabled(entry))
			break;
		return keep(portion, entry, &person, fault);
	}
	return lose(portion, subject, fault);
}

/* --- a directory
 * --------------------------------------------------------------- */

static enum rc
ask(struct portion *portion, struct ldap_link *link,
	const struct directory_whom *whom, struct fault *fault)
{
	enum rc rc =
		directory_search_users(link, portion->arena, portion->directory,
			whom, (size_t)2 * PORTION, &portion->entries, fault);

	portion->walk =
		directory_walk_new(portion->arena, link, portion->directory);
	for (size_t i = 0; rc == RC_OK && i < whom->count; i++)
		rc = settle(portion, whom->subjects[i], fault);
	return rc;
}

static enum rc
note_result(struct portion *portion, enum rc rc, const struct fault *why,
	struct fault *fault)
{
	const struct directory *directory = portion->directory;

	if (rc == RC_OK)
		return db_exec(portion->db, &directory_sync_stmts[STMT_WORKED],
			PARAMS(P_SHORT(directory->id)), NULL, fault);
	log_warn(NULL, "directory %s: asking about its people failed: %s",
		directory->name, why->text);
	return db_exec(portion->db, &directory_sync_stmts[STMT_FAILED],
		PARAMS(P_SHORT(directory->id), P_TEXT(why->text)), NULL, fault);
}

static enum rc
ask_about(struct portion *portion, struct directory_gate *gate,
	const struct rows *due, struct fault *fault)
{
	size_t count = rows_count(due);
	const char **subjects =
		arena_array(portion->arena, count, sizeof(*subjects));
	const struct directory_whom whom = {
		.subjects = subjects, .count = count};
	struct ldap_server server;
	struct ldap_link *link = NULL;
	struct fault why = {.rc = RC_OK};
	enum rc rc;

	for (size_t i = 0; i < count; i++)
		subjects[i] = rows_text(due, i, 0);
	rc = directory_connect(
		portion->arena, gate, portion->directory, &server, &link, &why);
	if (rc == RC_OK) {
		rc = ask(portion, link, &whom, &why);
		ldap_link_close(link);
		portion->counts->asked += (int64_t)count;
		portion->counts->more |= count == PORTION;
	}
	return note_result(portion, rc, &why, fault);
}

static enum rc
sync_one(struct portion *portion, struct directory_gate *gate,
	struct fault *fault)
{
	struct rows *due = NULL;
	enum rc rc = db_query(portion->db, portion->arena,
		&directory_sync_stmts[STMT_CLAIM],
		PARAMS(P_TEXT(
			directory_source(portion->arena, portion->directory))),
		&due, fault);

	if (rc != RC_OK || rows_count(due) == 0)
		return rc;
	return ask_about(portion, gate, due, fault);
}

/* --- all of them
 * ----------------------------------------------------------------- */

static enum rc
lose_stale(struct db *db, struct arena *arena, struct directory_counts *counts,
	struct fault *fault)
{
	struct rows *stale = NULL;
	enum rc rc = db_query(db, arena, &directory_sync_stmts[STMT_STALE],
		NO_PARAMS, &stale, fault);

	for (size_t row = 0; rc == RC_OK && row < rows_count(stale); row++) {
		const struct outside_user person = {
			.source = rows_text(stale, row, 0),
			.issuer = rows_text(stale, row, 0),
			.subject = rows_text(stale, row, 1)};

		log_warn(NULL, "%s could not be asked about %s for too long",
			person.source, person.subject);
		counts->lost++;
		rc = user_link_lose(db, arena, &person, fault);
	}
	return rc;
}

enum rc
directory_sync(struct db *db, struct arena *arena, struct directory_gate *gate,
	struct directory_counts *counts, struct fault *fault)
{
	struct directory_list list;
	enum rc rc = directory_active(db, arena, &list, fault);

	*counts = (struct directory_counts){.asked = 0};
	for (size_t i = 0; rc == RC_OK && i < list.count; i++) {
		struct portion portion = {.db = db,
			.arena = arena,
			.directory = &list.items[i],
			.counts = counts};

		rc = sync_one(&portion, gate, fault);
	}
	return rc == RC_OK ? lose_stale(db, arena, counts, fault) : rc;
}
