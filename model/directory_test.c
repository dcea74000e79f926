/* directory_test: what works and what does not, in words. */

#include <string.h>

#include "model/directory_parts.h"

#define PEOPLE_MAX 100000

static void
note(struct directory_report *report, const char *what, const char *uri,
	bool good, const char *words)
{
	report->steps[report->count++] =
		(struct directory_step){what, uri, good, words};
	report->good = report->good && good;
}

/* What the words of libldap and of servers usually mean. */
static const char *
advice(const char *words)
{
	static const struct {
		const char *sign;
		const char *advice;
	} usual[] = {
		{"(49)", "Name or password of the service account is wrong."},
		{"(53)", "The server does not take this bind."},
		{"(13)", "The server wants another security."},
		{"(unknown error code)",
			"TLS failed: \"ca\" must be the authority that signed "
			"the server's certificate, and the certificate must "
			"name the host as the address does."},
		{"(-11)", "TLS failed: does the server know StartTLS?"},
		{"(-1)", "No connection: is the address right, and does the "
			 "server listen there?"},
		{"(-5)", "The server did not answer in time."},
		{"(32)", "There is no entry with the DN of \"base\"."},
		{"(10)", "The entries are on another server: name that one."},
		{"(-7)", "The filter is not well formed."},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(usual); i++)
		if (strstr(words, usual[i].sign) != NULL)
			return usual[i].advice;
	return "";
}

static void
note_fault(struct arena *arena, struct directory_report *report,
	const char *what, const char *uri, const struct fault *fault)
{
	note(report, what, uri, false,
		arena_printf(
			arena, "%s. %s", fault->text, advice(fault->text)));
}

/* Every address; the link of the first that works. */
static struct ldap_link *
connect_all(struct arena *arena, const struct directory *directory,
	const char *password, struct directory_report *report)
{
	struct ldap_link *first = NULL;

	for (size_t i = 0; i < directory->uris.count; i++) {
		const char *uri = directory->uris.items[i];
		const struct ldap_server server =
			directory_server(directory, uri);
		struct ldap_link *link = NULL;
		struct fault fault = {.rc = RC_OK};

		if (ldap_link_open(arena, &server, directory->bind_dn, password,
			    &link, &fault) != RC_OK)
			note_fault(arena, report, "connect", uri, &fault);
		else
			note(report, "connect", uri, true,
				"secured, and the service account is let in");
		if (first == NULL)
			first = link;
		else if (link != NULL)
			ldap_link_close(link);
	}
	return first;
}

static void
count_people(struct arena *arena, struct ldap_link *link,
	const struct directory *directory, struct directory_report *report)
{
	const struct directory_whom everybody = {.name = NULL};
	struct ldap_entries people = {.count = 0};
	struct fault fault = {.rc = RC_OK};

	if (directory_search_users(link, arena, directory, &everybody,
		    PEOPLE_MAX, &people, &fault) != RC_OK)
		note_fault(arena, report, "people", "", &fault);
	else
		note(report, "people", "", people.count > 0,
			arena_printf(arena,
				people.count > 0 ? "%zu match the user filter"
						 : "%zu match the user filter: "
						   "are base and filter right, "
						   "and may the service "
						   "account read them?",
				people.count));
}

static void
note_person(struct arena *arena, const struct ldap_entry *entry,
	const struct outside_user *person, struct directory_report *report)
{
	bool disabled = directory_entry_disabled(entry);

	note(report, "person", "", !disabled,
		arena_printf(arena, "%s, called %s, known by %s%s", entry->dn,
			person->name, person->subject,
			disabled ? "; disabled there, and not let in" : ""));
}

static void
find_groups(struct arena *arena, struct ldap_link *link,
	const struct directory *directory, const struct ldap_entry *entry,
	const char *name, struct directory_report *report)
{
	struct directory_walk *walk =
		directory_walk_new(arena, link, directory);
	struct fault fault = {.rc = RC_OK};

	if (directory_groups(walk, entry, name, &report->groups, &fault) !=
		RC_OK)
		note_fault(arena, report, "groups", "", &fault);
	else
		note(report, "groups", "", true,
			arena_printf(arena, "in %zu groups, nested ones too",
				report->groups.count));
}

static void
find_person(struct arena *arena, struct ldap_link *link,
	const struct directory *directory, const char *name,
	struct directory_report *report)
{
	const struct directory_whom whom = {.name = name};
	struct ldap_entries found = {.count = 0};
	struct outside_user person;
	struct fault fault = {.rc = RC_OK};
	enum rc rc = directory_search_users(
		link, arena, directory, &whom, 2, &found, &fault);

	if (rc == RC_OK && found.count == 1)
		rc = directory_read_person(
			arena, directory, &found.items[0], &person, &fault);
	if (rc == RC_TOO_LARGE || (rc == RC_OK && found.count > 1)) {
		note(report, "person", "", false,
			"Several people match: the user filter must find one.");
	} else if (rc != RC_OK) {
		note_fault(arena, report, "person", "", &fault);
	} else if (found.count == 0) {
		note(report, "person", "", false, "Nobody matches.");
	} else {
		note_person(arena, &found.items[0], &person, report);
		find_groups(arena, link, directory, &found.items[0],
			person.name, report);
	}
}

void
directory_test(struct arena *arena, const struct seal *seal,
	const struct directory *directory, const char *name,
	struct directory_report *report)
{
	const char *password = directory_password(arena, seal, directory);
	struct ldap_link *link = NULL;

	*report = (struct directory_report){.good = true};
	if (password == NULL)
		note(report, "connect", "", false,
			"The service account's password was sealed with "
			"another seal file. Set it anew.");
	else
		link = connect_all(arena, directory, password, report);
	if (link == NULL)
		return;
	count_people(arena, link, directory, report);
	if (name != NULL)
		find_person(arena, link, directory, name, report);
	ldap_link_close(link);
}
