/*
 * user_admin: accounts as the administrator sees and changes them.
 *
 * Whether there is a password and how old a log-in is are told with it; a
 * password itself never is.
 */
#ifndef FG_MODEL_USER_ADMIN_H
#define FG_MODEL_USER_ADMIN_H

#include "lib/slice.h"
#include "model/user.h"

#define USER_TEXT_BYTES 256 /* full name, e-mail address */

extern const struct stmt user_admin_stmts[];

/* What to look for; NULL is everything. */
struct user_filter {
	const char *search; /* part of the name, full name or e-mail address */
	const char *state;  /* "active" or "disabled" */
	const char *administrator; /* "true" or "false" */
	const char *source;        /* "local", "ldap:NAME", "oidc:NAME" */
	const char *group;         /* a group that the user is directly in */
};

/* slice.sort of user_slice; ends with NULL. */
extern const char *const user_sorts[];
/* The words of user_filter.state and user_filter.administrator. */
extern const char *const user_states[];

struct user_entry {
	struct user user;
	const char *source;
	int64_t created_us;
	int64_t login_us;     /* last log-in; CLOCK_NEVER = none yet */
	const char *password; /* "own", "initial" or "none" */
	bool second_factor;
	int64_t sessions; /* that are open now */
};

struct user_entry_list {
	size_t count;
	struct user_entry *items;
};

MUST_CHECK enum rc user_slice(struct db *db, struct arena *arena,
	const struct user_filter *filter, struct slice *slice,
	struct user_entry_list *list, struct fault *fault);

/* Fails: RC_NOT_FOUND with words for the client. */
MUST_CHECK enum rc user_look(struct db *db, struct arena *arena,
	const char *name, struct user_entry *entry, struct fault *fault);

/* What the audit keeps of an account, as JSON in "arena". */
const char *user_describe(struct arena *arena, const struct user_entry *entry);

/* What an account shall be from now on. */
struct user_change {
	const char *full_name;
	const char *email;
	bool administrator;
	bool active;
};

/* Texts that people type. Fails: RC_BAD_INPUT, with the field. */
MUST_CHECK enum rc user_check_texts(
	const char *full_name, const char *email, struct fault *fault);

/*
 * Change an account. Whoever is disabled loses sessions and tokens at once.
 * Fails: RC_CONFLICT LastAdministrator: nobody could administer the grid any
 *        more; RC_BAD_INPUT name or address of an account that a directory or
 *        a provider tells us.
 */
MUST_CHECK enum rc user_alter(struct db *db, const struct user_entry *entry,
	const struct user_change *change, struct fault *fault);

/* For ever, with everything that belongs to it. Fails: RC_CONFLICT as above. */
MUST_CHECK enum rc user_remove(
	struct db *db, const struct user_entry *entry, struct fault *fault);

/* The second factor and its recovery codes; sessions and tokens end. */
MUST_CHECK enum rc user_reset_factor(
	struct db *db, int64_t user_id, struct fault *fault);

#endif
