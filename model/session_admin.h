/* session_admin: everybody's sessions, as an administrator sees them. */
#ifndef FG_MODEL_SESSION_ADMIN_H
#define FG_MODEL_SESSION_ADMIN_H

#include "lib/slice.h"
#include "model/session.h"

extern const struct stmt session_admin_stmts[];

/* What to look for; NULL is everything. */
struct session_filter {
	const char *user;   /* name */
	const char *search; /* part of the user's name, address or agent */
};

/* slice.sort of session_slice; ends with NULL. */
extern const char *const session_sorts[];

struct session_entry {
	struct session session; /* hash, sid, user_id, amr, issuer */
	const char *user;
	const char *full_name;
	int64_t created_us;
	int64_t seen_us;
	int64_t expires_us;
	const char *address;
	const char *agent;
};

struct session_entry_list {
	size_t count;
	struct session_entry *items;
};

/* Only sessions that still count. */
MUST_CHECK enum rc session_slice(struct db *db, struct arena *arena,
	const struct session_filter *filter, struct slice *slice,
	struct session_entry_list *list, struct fault *fault);

/* By what tokens call it. Fails: RC_NOT_FOUND with words for the client. */
MUST_CHECK enum rc session_look(struct db *db, struct arena *arena,
	const uint8_t sid[UUID_BYTES], struct session_entry *entry,
	struct fault *fault);

#endif
