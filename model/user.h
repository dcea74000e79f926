/* user: a person's account. Names are lower case; passwords are argon2id. */
#ifndef FG_MODEL_USER_H
#define FG_MODEL_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/encode.h"

#define USER_NAME_BYTES 128

/* For statements that read accounts, and user_from_row. */
#define USER_COLUMNS                                                           \
	"account.id, account.uuid, account.name, account.full_name,"           \
	" account.email, account.administrator,"                               \
	" account.state = 'active', account.epoch, account.source"
#define USER_COLUMNS_COUNT 9

extern const struct stmt user_stmts[];

struct user {
	int64_t id;
	uint8_t uuid[UUID_BYTES]; /* the sub claim; never used again */
	const char *name;
	const char *full_name;
	const char *email;
	bool administrator;
	bool active;
	int64_t epoch;      /* tokens of another epoch are refused */
	const char *source; /* "local", "ldap:NAME" or "oidc:NAME" */
};

/* The first USER_COLUMNS_COUNT columns. */
void user_from_row(const struct rows *rows, size_t row, struct user *user);

struct user_new {
	const char *name; /* any case; kept in lower case */
	const char *full_name;
	const char *email;
	bool administrator;
	const char *password;
	bool initial; /* somebody else knows it: change it at first use */
};

/* Days in which an initial password must be used. */
#define USER_INITIAL_DAYS 7

/* A random password for a new user, 120 bits; shown once, kept nowhere. */
const char *user_random_password(struct arena *arena);

/*
 * Fails: RC_BAD_INPUT name or password with words for the user; RC_CONFLICT
 *        the name is taken.
 */
MUST_CHECK enum rc user_create(struct db *db, struct arena *arena,
	const struct user_new *new_user, struct user *user,
	struct fault *fault);

/* Fails: RC_NOT_FOUND. */
MUST_CHECK enum rc user_find(struct db *db, struct arena *arena,
	const char *name, struct user *user, struct fault *fault);
MUST_CHECK enum rc user_find_id(struct db *db, struct arena *arena, int64_t id,
	struct user *user, struct fault *fault);

/* The user's own word, or one that somebody else gave him and knows. */
enum user_password { USER_PASSWORD_OWN, USER_PASSWORD_INITIAL };

/* Also ends all sessions and tokens. Fails: as user_create; RC_CONFLICT the
 * account is of a directory or provider, which keeps the password. */
MUST_CHECK enum rc user_set_password(struct db *db, struct arena *arena,
	int64_t user_id, const char *password, enum user_password kind,
	struct fault *fault);

/* The user's own choice, in place of any initial one; sessions and tokens stay.
 * Fails: as user_create. */
MUST_CHECK enum rc user_replace_password(struct db *db, struct arena *arena,
	int64_t user_id, const char *password, struct fault *fault);

/* active or not; a disabled user's sessions and tokens end at once. */
MUST_CHECK enum rc user_set_active(
	struct db *db, int64_t user_id, bool active, struct fault *fault);

/* Everything that was given to this user before dies: sessions, access and
 * refresh tokens. Within a transaction. */
MUST_CHECK enum rc user_end_access(
	struct db *db, int64_t user_id, struct fault *fault);

/*
 * Find the active user whose name and password these are. It takes as long
 * for a name that nobody has. The stored hash is renewed when it is dated.
 * Fails: RC_UNAUTHENTICATED with one text for all reasons; but whoever knows
 *        an initial password that has expired is told so.
 */
MUST_CHECK enum rc user_log_in(struct db *db, struct arena *arena,
	const char *name, const char *password, struct user *user,
	struct fault *fault);

#endif
