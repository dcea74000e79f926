/*
 * role: rights under a name. What a role may is told by rules whose subject it
 * is (model/policy_rule.h); who holds it, by grants, each for one datasource
 * or for every one.
 */
#ifndef FG_MODEL_ROLE_H
#define FG_MODEL_ROLE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/encode.h"
#include "lib/slice.h"
#include "model/policy_subject.h"

extern const struct stmt role_stmts[];

struct role {
	int64_t id;
	const char *uuid;
	const char *name;
	const char *description;
	bool built_in;  /* it and its rules stay as they are */
	int64_t grants; /* how often it is granted */
	int64_t created_us;
};

struct role_list {
	size_t count;
	struct role *items;
};

/* Make one; only name and description of "wanted" count.
 * Fails: RC_BAD_INPUT the name; RC_CONFLICT it is taken. */
MUST_CHECK enum rc role_create(struct db *db, struct arena *arena,
	const struct role *wanted, struct role *made, struct fault *fault);

/* By UUID or by name. Fails: RC_NOT_FOUND. */
MUST_CHECK enum rc role_find(struct db *db, struct arena *arena,
	const char *name, struct role *role, struct fault *fault);

/* Store name and description. Fails: as role_create; RC_DENIED built in. */
MUST_CHECK enum rc role_change(
	struct db *db, const struct role *role, struct fault *fault);

/* Rules and grants go with it. Fails: RC_DENIED built in. */
MUST_CHECK enum rc role_delete(
	struct db *db, const struct role *role, struct fault *fault);

/* NULL = not set. */
struct role_filter {
	const char *search; /* in name and description */
};

/* Orders: "name", "created". */
MUST_CHECK enum rc role_slice(struct db *db, struct arena *arena,
	const struct role_filter *filter, struct slice *slice,
	struct role_list *list, struct fault *fault);

/* --- grants -----------------------------------------------------------------
 */

/* Who holds a role, and where. */
struct role_grant {
	const char *id; /* UUID */
	struct policy_subject subject;
	int64_t datasource_id;  /* 0 = every one */
	const char *datasource; /* its UUID; NULL = every one */
};

struct role_grants {
	size_t count;
	struct role_grant *items;
};

/*
 * Give the role to the grant's subject; what is there already stays. Sets
 * grant->id.
 * Fails: RC_BAD_INPUT the subject is a role; or a role with the right to
 *        administer is given for one datasource or to everyone.
 */
MUST_CHECK enum rc role_give(struct db *db, struct arena *arena,
	const struct role *role, struct role_grant *grant, struct fault *fault);

/* One grant of a role by its UUID. Fails: RC_NOT_FOUND. */
MUST_CHECK enum rc role_find_grant(struct db *db, struct arena *arena,
	const struct role *role, const char *id, struct role_grant *grant,
	struct fault *fault);

MUST_CHECK enum rc role_take(struct db *db, const struct role *role,
	const struct role_grant *grant, struct fault *fault);

/* The grant of this role to grant->subject for grant->datasource_id; sets the
 * rest. Fails: RC_NOT_FOUND. */
MUST_CHECK enum rc role_find_held(struct db *db, struct arena *arena,
	const struct role *role, struct role_grant *grant, struct fault *fault);

/* NULL = not set. */
struct role_grant_filter {
	const char *subject_kind;
	const char *search; /* in the subject's name */
};

/* Orders: "subject" (kind and name), "created". */
MUST_CHECK enum rc role_grant_slice(struct db *db, struct arena *arena,
	const struct role *role, const struct role_grant_filter *filter,
	struct slice *slice, struct role_grants *grants, struct fault *fault);

#endif
