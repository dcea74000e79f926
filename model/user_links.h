/*
 * user_links: the persons of providers that an account of its own is linked
 * to, so that its owner can log in either way. Accounts that a source made
 * have such a link, too (user_link.h).
 */
#ifndef FG_MODEL_USER_LINKS_H
#define FG_MODEL_USER_LINKS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "model/provider.h"

extern const struct stmt user_links_stmts[];

/* An active provider, and whether the account is linked to a person of it. */
struct user_link {
	const char *provider;
	const char *title;
	bool linked;
};

struct user_links {
	size_t count;
	struct user_link *items;
};

MUST_CHECK enum rc user_links_query(struct db *db, struct arena *arena,
	int64_t user_id, struct user_links *links, struct fault *fault);

/* Does somebody here belong to this person? */
MUST_CHECK enum rc user_links_known(struct db *db, struct arena *arena,
	const char *issuer, const char *subject, bool *known,
	struct fault *fault);

/* Fails: RC_CONFLICT the person is linked to an account, maybe another. */
MUST_CHECK enum rc user_links_add(struct db *db, int64_t user_id,
	const char *issuer, const char *subject, struct fault *fault);

/* Memberships that came from "provider" go with it.
 * Fails: RC_NOT_FOUND there is no such link. */
MUST_CHECK enum rc user_links_remove(struct db *db, struct arena *arena,
	int64_t user_id, const struct provider *provider, struct fault *fault);

#endif
