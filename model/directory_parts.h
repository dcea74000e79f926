/* directory_parts: what the files of model/directory share. */
#ifndef FG_MODEL_DIRECTORY_PARTS_H
#define FG_MODEL_DIRECTORY_PARTS_H

#include "model/directory_admin.h"
#include "model/user_link.h"

/* More than a person can have; see facts of Active Directory. */
#define DIRECTORY_GROUPS_MAX 500
#define DIRECTORY_DEPTH_MAX  10

/* Fails: RC_BAD_INPUT with words and field. */
MUST_CHECK enum rc directory_check(struct arena *arena,
	const struct directory *directory, struct fault *fault);

/* The service account's; NULL when it was sealed with another key. */
const char *directory_password(struct arena *arena, const struct seal *seal,
	const struct directory *directory);

/* One of its addresses, as lib/ldap wants it. */
struct ldap_server directory_server(
	const struct directory *directory, const char *uri);

/*
 * Bind as the service account at the first address that answers; *server is
 * that address. Fails: RC_UNAVAILABLE none does, or the account is refused.
 */
MUST_CHECK enum rc directory_connect(struct arena *arena,
	struct directory_gate *gate, const struct directory *directory,
	struct ldap_server *server, struct ldap_link **link,
	struct fault *fault);

/* Whom to look for: by what was typed, or by what never changes. */
struct directory_whom {
	const char *name; /* NULL = by subjects */
	const char *const *subjects;
	size_t count;
};

/* The filter that finds them; NULL when it would be too long. */
const char *directory_user_filter(struct arena *arena,
	const struct directory *directory, const struct directory_whom *whom);

/* Everything about people that is of use here. */
MUST_CHECK enum rc directory_search_users(struct ldap_link *link,
	struct arena *arena, const struct directory *directory,
	const struct directory_whom *whom, size_t limit,
	struct ldap_entries *entries, struct fault *fault);

/* Names and subject of an entry; no groups.
 * Fails: RC_UPSTREAM it has no subject or no name. */
MUST_CHECK enum rc directory_read_person(struct arena *arena,
	const struct directory *directory, const struct ldap_entry *entry,
	struct outside_user *person, struct fault *fault);

/* Active Directory: the account is disabled (userAccountControl, bit 2). */
bool directory_entry_disabled(const struct ldap_entry *entry);

/* Groups of several people; what is learnt of a group is kept. */
struct directory_walk;

struct directory_walk *directory_walk_new(struct arena *arena,
	struct ldap_link *link, const struct directory *directory);

/*
 * Every group that the entry is in, nested ones too, as normal DNs.
 * Fails: RC_TOO_LARGE more than DIRECTORY_GROUPS_MAX, or deeper than
 *        DIRECTORY_DEPTH_MAX: a group left out could be one that denies;
 *        as ldap_link_search.
 */
MUST_CHECK enum rc directory_groups(struct directory_walk *walk,
	const struct ldap_entry *entry, const char *name, struct texts *groups,
	struct fault *fault);

#endif
