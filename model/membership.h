/* membership: the groups that one user is directly in. */
#ifndef FG_MODEL_MEMBERSHIP_H
#define FG_MODEL_MEMBERSHIP_H

#include "lib/db.h"

#define MEMBERSHIPS_MAX 1000

extern const struct stmt membership_stmts[];

struct membership {
	const char *group;
	/* "" = an administrator's word, else "ldap:NAME" or "oidc:NAME" */
	const char *source;
};

struct membership_list {
	size_t count;
	struct membership *items;
};

MUST_CHECK enum rc membership_query(struct db *db, struct arena *arena,
	int64_t user_id, struct membership_list *list, struct fault *fault);

/*
 * Make these the groups that administrators put the user into; those that a
 * directory or a provider tells stay as they are.
 * Fails: RC_BAD_INPUT there is no such group.
 */
MUST_CHECK enum rc membership_set(struct db *db, struct arena *arena,
	int64_t user_id, const char *const *groups, size_t count,
	struct fault *fault);

#endif
