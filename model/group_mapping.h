/*
 * group_mapping: what the groups of an outside source are here.
 *
 * Members of "external" at "source" (ldap:NAME, oidc:NAME) become members of a
 * group here when they log in, and stay it as long as the source says so. A
 * directory's groups are called by their DN (ldap_dn_normal), a provider's by
 * what stands in its claim.
 */
#ifndef FG_MODEL_GROUP_MAPPING_H
#define FG_MODEL_GROUP_MAPPING_H

#include <stdint.h>

#include "lib/db.h"

#define GROUP_MAPPING_EXTERNAL_BYTES 1024

extern const struct stmt group_mapping_stmts[];

struct group_mapping {
	const char *external;
	const char *group; /* name */
};

struct group_mapping_list {
	size_t count;
	struct group_mapping *items;
};

MUST_CHECK enum rc group_mapping_list(struct db *db, struct arena *arena,
	const char *source, struct group_mapping_list *list,
	struct fault *fault);

enum group_mapping_change { GROUP_MAP, GROUP_UNMAP };

/*
 * Map a group there to one here, or no longer. Everybody of the source is asked
 * about again soon; memberships that nothing else maps end at once. A
 * directory's group may be written in any form of its DN.
 *
 * Fails: RC_BAD_INPUT "external" is empty, too long, or no DN where it must be
 *        one; RC_NOT_FOUND it was not mapped.
 */
MUST_CHECK enum rc group_mapping_set(struct db *db, struct arena *arena,
	const char *source, const char *external, int64_t group_id,
	enum group_mapping_change change, struct fault *fault);

/* The source is no more: its mappings and memberships end. */
MUST_CHECK enum rc group_mapping_forget(
	struct db *db, const char *source, struct fault *fault);

#endif
