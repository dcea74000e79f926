/* directory_group: the groups of a person, groups within groups too. */

#include <stdlib.h>
#include <string.h>

#include "lib/ldap_filter.h"
#include "model/directory_parts.h"

#define SIDS_AT_ONCE  50
#define SID_BYTES_MIN 12
#define SID_BYTES_MAX 68

/* What is known of one entry: the groups that it is a member of itself. */
struct known {
	const char *dn;
	struct texts parents;
	struct known *next;
};

struct directory_walk {
	struct arena *arena;
	struct ldap_link *link;
	const struct directory *directory;
	struct known *known;
};

/* Groups as they are found; the first "done" have been followed. */
struct found {
	const char **dns;
	size_t count;
};

struct directory_walk *
directory_walk_new(struct arena *arena, struct ldap_link *link,
	const struct directory *directory)
{
	struct directory_walk *walk = arena_alloc(arena, sizeof(*walk));

	*walk = (struct directory_walk){arena, link, directory, NULL};
	return walk;
}

static const char *
group_base(const struct directory *directory)
{
	return directory->group_base[0] != '\0' ? directory->group_base
						: directory->base;
}

/* The DNs, in normal form, of the groups that match. */
static enum rc
search_groups(struct directory_walk *walk, const char *filter,
	struct texts *groups, struct fault *fault)
{
	static const char *const no_attributes[] = {NULL};
	const struct ldap_search search = {.base = group_base(walk->directory),
		.scope = LDAP_SCOPE_TREE,
		.filter = filter,
		.attributes = no_attributes,
		.limit = DIRECTORY_GROUPS_MAX};
	struct ldap_entries entries;
	const char **dns;
	enum rc rc = ldap_link_search(
		walk->link, walk->arena, &search, &entries, fault);

	if (rc != RC_OK)
		return rc;
	dns = arena_array(walk->arena, entries.count + 1, sizeof(*dns));
	groups->items = dns;
	groups->count = 0;
	for (size_t i = 0; i < entries.count; i++) {
		dns[i] = ldap_dn_normal(walk->arena, entries.items[i].dn);
		if (dns[i] == NULL)
			return fault_set(fault, RC_UPSTREAM,
				"directory %s: \"%s\" is no DN",
				walk->directory->name, entries.items[i].dn);
		groups->count++;
	}
	return RC_OK;
}

/* The groups that "dn" is a member of, by the directory's filter; "name" is
 * NULL for a group. */
static enum rc
parents_of(struct directory_walk *walk, const char *dn, const char *name,
	struct texts *parents, struct fault *fault)
{
	struct arena *arena = walk->arena;
	const struct ldap_filter_part parts[] = {
		{"dn", ldap_filter_escape(arena, dn, strlen(dn))},
		{"name", name == NULL ? NULL
				      : ldap_filter_escape(
						arena, name, strlen(name))},
		{NULL, NULL}};
	const char *filter;

	*parents = (struct texts){0, NULL};
	filter = ldap_filter_fill(arena, walk->directory->group_filter, parts);
	/* A filter with {name} has nothing to say of groups. */
	return filter == NULL ? RC_OK
			      : search_groups(walk, filter, parents, fault);
}

static enum rc
parents_of_group(struct directory_walk *walk, const char *dn,
	struct texts *parents, struct fault *fault)
{
	struct known *known = walk->known;
	enum rc rc;

	while (known != NULL && strcmp(known->dn, dn) != 0)
		known = known->next;
	if (known != NULL) {
		*parents = known->parents;
		return RC_OK;
	}
	rc = parents_of(walk, dn, NULL, parents, fault);
	if (rc != RC_OK)
		return rc;
	known = arena_alloc(walk->arena, sizeof(*known));
	*known = (struct known){dn, *parents, walk->known};
	walk->known = known;
	return RC_OK;
}

/* --- what was found
 * ------------------------------------------------------------ */

static bool
is_found(const struct found *found, const char *dn)
{
	for (size_t i = 0; i < found->count; i++)
		if (strcmp(found->dns[i], dn) == 0)
			return true;
	return false;
}

static enum rc
add(const struct directory_walk *walk, struct found *found,
	const struct texts *dns, struct fault *fault)
{
	for (size_t i = 0; i < dns->count; i++) {
		if (is_found(found, dns->items[i]))
			continue;
		if (found->count == DIRECTORY_GROUPS_MAX)
			return fault_set(fault, RC_TOO_LARGE,
				"directory %s: somebody is in more than %d "
				"groups",
				walk->directory->name, DIRECTORY_GROUPS_MAX);
		found->dns[found->count++] = dns->items[i];
	}
	return RC_OK;
}

/* Follow the groups from number "done" on, level by level. */
static enum rc
follow(struct directory_walk *walk, struct found *found, size_t done,
	struct fault *fault)
{
	enum rc rc = RC_OK;

	for (int depth = 1; rc == RC_OK && done < found->count; depth++) {
		size_t level_end = found->count;

		for (; rc == RC_OK && done < level_end; done++) {
			struct texts parents;

			rc = parents_of_group(
				walk, found->dns[done], &parents, fault);
			if (rc == RC_OK)
				rc = add(walk, found, &parents, fault);
		}
		if (depth == DIRECTORY_DEPTH_MAX && found->count > level_end)
			return fault_set(fault, RC_TOO_LARGE,
				"directory %s: groups are nested deeper than "
				"%d",
				walk->directory->name, DIRECTORY_DEPTH_MAX);
	}
	return rc;
}

/* --- security identifiers of Active Directory
 * ------------------------------------- */

static enum rc
add_by_sids(struct directory_walk *walk, const struct ldap_value *sids,
	size_t count, struct found *found, struct fault *fault)
{
	struct texts groups = {0, NULL};
	const char *filter = "";
	enum rc rc;

	for (size_t i = 0; i < count; i++)
		filter = arena_printf(walk->arena, "%s(objectSid=%s)", filter,
			ldap_filter_escape(
				walk->arena, sids[i].data, sids[i].length));
	rc = search_groups(walk, arena_printf(walk->arena, "(|%s)", filter),
		&groups, fault);
	return rc == RC_OK ? add(walk, found, &groups, fault) : rc;
}

/* The group that primaryGroupID names is in no list of members. */
static enum rc
add_primary(struct directory_walk *walk, const struct ldap_entry *entry,
	struct found *found, struct fault *fault)
{
	const struct ldap_attribute *own =
		ldap_entry_attribute(entry, "objectSid");
	const char *number = ldap_entry_text(entry, "primaryGroupID");
	uint8_t sid[SID_BYTES_MAX];
	struct ldap_value value = {sid, 0};
	unsigned long id;

	if (own == NULL || own->count != 1 || number == NULL ||
		own->values[0].length < SID_BYTES_MIN ||
		own->values[0].length > sizeof(sid))
		return RC_OK;
	value.length = own->values[0].length;
	memcpy(sid, own->values[0].data, value.length);
	id = strtoul(number, NULL, 10);
	for (int i = 0; i < 4; i++) /* the last part, little-endian */
		sid[value.length - 4 + (size_t)i] = (uint8_t)(id >> (8 * i));
	return add_by_sids(walk, &value, 1, found, fault);
}

/* What Active Directory itself puts into a logon: nested and primary. */
static enum rc
add_token_groups(struct directory_walk *walk, const struct ldap_entry *entry,
	struct found *found, struct fault *fault)
{
	static const char *const attributes[] = {"tokenGroups", NULL};
	const struct ldap_search search = {.base = entry->dn,
		.scope = LDAP_SCOPE_ENTRY,
		.filter = "(objectClass=*)",
		.attributes = attributes,
		.limit = 1};
	const struct ldap_attribute *sids = NULL;
	struct ldap_entries entries;
	enum rc rc = ldap_link_search(
		walk->link, walk->arena, &search, &entries, fault);

	if (rc == RC_OK && entries.count == 1)
		sids = ldap_entry_attribute(&entries.items[0], "tokenGroups");
	/* Nobody there is in no group at all: this is another directory. */
	if (rc == RC_OK && sids == NULL)
		return fault_set(fault, RC_UPSTREAM,
			"directory %s: %s has no tokenGroups; is it an Active "
			"Directory, and may the service account read them?",
			walk->directory->name, entry->dn);
	for (size_t i = 0; rc == RC_OK && i < sids->count; i += SIDS_AT_ONCE) {
		size_t left = sids->count - i;

		rc = add_by_sids(walk, sids->values + i,
			left < SIDS_AT_ONCE ? left : SIDS_AT_ONCE, found,
			fault);
	}
	return rc;
}

/* --- all of it
 * ---------------------------------------------------------------------- */

static enum rc
find(struct directory_walk *walk, const struct ldap_entry *entry,
	const char *name, struct found *found, struct fault *fault)
{
	const char *mode = walk->directory->group_mode;
	struct texts direct;
	enum rc rc;

	if (strcmp(mode, "none") == 0)
		return RC_OK;
	if (strcmp(mode, "token_groups") == 0)
		return add_token_groups(walk, entry, found, fault);
	rc = parents_of(walk, entry->dn, name, &direct, fault);
	if (rc == RC_OK)
		rc = add(walk, found, &direct, fault);
	/* The rule names nested groups itself, but not around the primary. */
	if (rc == RC_OK && strcmp(mode, "search") == 0)
		rc = follow(walk, found, 0, fault);
	if (rc == RC_OK) {
		size_t before = found->count;

		rc = add_primary(walk, entry, found, fault);
		if (rc == RC_OK)
			rc = follow(walk, found, before, fault);
	}
	return rc;
}

enum rc
directory_groups(struct directory_walk *walk, const struct ldap_entry *entry,
	const char *name, struct texts *groups, struct fault *fault)
{
	struct found found = {.count = 0};
	enum rc rc;

	found.dns = arena_array(
		walk->arena, DIRECTORY_GROUPS_MAX, sizeof(*found.dns));
	rc = find(walk, entry, name, &found, fault);
	*groups = (struct texts){found.count, found.dns};
	return rc;
}
