/*
 * application: a client that a user let in: with consent, or with refresh
 * tokens that still live.
 */
#ifndef FG_MODEL_APPLICATION_H
#define FG_MODEL_APPLICATION_H

#include "lib/db.h"

extern const struct stmt application_stmts[];

struct application {
	const char *client_id;
	const char *name;
	const char **scopes; /* NULL-terminated */
	int64_t since_us;    /* first let in */
	int64_t used_us;     /* last refresh; CLOCK_NEVER = none lives */
};

struct application_list {
	size_t count;
	struct application *items;
};

MUST_CHECK enum rc application_query(struct db *db, struct arena *arena,
	int64_t user_id, struct application_list *list, struct fault *fault);

/*
 * The user's consent goes, and every token from it is refused.
 * Fails: RC_NOT_FOUND the user has not let this client in.
 */
MUST_CHECK enum rc application_revoke(struct db *db, int64_t user_id,
	const char *client_id, struct fault *fault);

#endif
