/*
 * group: people with the same rights. A group may have groups as members:
 * theirs are its members as well; circles are refused.
 */
#ifndef FG_MODEL_GROUP_H
#define FG_MODEL_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/slice.h"

extern const struct stmt group_stmts[];

struct group {
	int64_t id;
	const char *uuid;
	const char *name;
	const char *description;
	bool require_second_factor; /* of all members, nested ones as well */
	int64_t members;            /* direct ones, users and groups */
	int64_t created_us;
};

struct group_list {
	size_t count;
	struct group *items;
};

/* Make one; only name, description and require_second_factor of "wanted"
 * count. Fails: RC_BAD_INPUT the name; RC_CONFLICT it is taken. */
MUST_CHECK enum rc group_create(struct db *db, struct arena *arena,
	const struct group *wanted, struct group *made, struct fault *fault);

/* By UUID or by name. Fails: RC_NOT_FOUND. */
MUST_CHECK enum rc group_find(struct db *db, struct arena *arena,
	const char *name, struct group *group, struct fault *fault);

/* Store name, description and require_second_factor of the group with this
 * id. Fails: as group_create. */
MUST_CHECK enum rc group_change(
	struct db *db, const struct group *group, struct fault *fault);

/* Memberships, nestings, rules and grants go with it. */
MUST_CHECK enum rc group_delete(struct db *db, int64_t id, struct fault *fault);

/* NULL = not set. */
struct group_filter {
	const char *search; /* in name and description */
};

/* Orders: "name", "created". */
MUST_CHECK enum rc group_slice(struct db *db, struct arena *arena,
	const struct group_filter *filter, struct slice *slice,
	struct group_list *list, struct fault *fault);

/* As an administrator says; a directory says so for itself. Both succeed when
 * nothing is left to do. */
MUST_CHECK enum rc group_add_user(struct db *db, int64_t group_id,
	int64_t account_id, struct fault *fault);
MUST_CHECK enum rc group_remove_user(struct db *db, int64_t group_id,
	int64_t account_id, struct fault *fault);

/* Fails: RC_CONFLICT GroupCircle: the member contains the group. */
MUST_CHECK enum rc group_add_group(struct db *db, struct arena *arena,
	int64_t group_id, int64_t member_id, struct fault *fault);
MUST_CHECK enum rc group_remove_group(struct db *db, int64_t group_id,
	int64_t member_id, struct fault *fault);

/* Does a group around this user require a second factor? */
MUST_CHECK enum rc group_requires_factor(struct db *db, struct arena *arena,
	int64_t account_id, bool *required, struct fault *fault);

/* A member of one group. */
struct group_member {
	const char *kind; /* "user" or "group" */
	const char *id;   /* UUID */
	const char *name;
	const char *source; /* "" = an administrator; else ldap:… or oidc:… */
};

struct group_members {
	size_t count;
	struct group_member *items;
};

/* NULL = not set. */
struct group_member_filter {
	const char *kind;   /* "user" or "group" */
	const char *search; /* in the name */
};

/* The direct members. Orders: "name" (groups first). */
MUST_CHECK enum rc group_member_slice(struct db *db, struct arena *arena,
	int64_t group_id, const struct group_member_filter *filter,
	struct slice *slice, struct group_members *members,
	struct fault *fault);

#endif
