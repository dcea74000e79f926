/*
 * session: a person who has logged in with a browser.
 *
 * The cookie is 256 random bits; only its hash is stored. A session ends 30
 * minutes after its last use and 12 hours after its start.
 */
#ifndef FG_MODEL_SESSION_H
#define FG_MODEL_SESSION_H

#include <stdint.h>

#include "lib/db.h"
#include "lib/encode.h"
#include "lib/secret.h"

/* A row of session that still counts. */
#define SESSION_OPEN                                                           \
	"(session.expires_at > now()"                                          \
	" AND session.seen_at > now() - interval '30 minutes')"

extern const struct stmt session_stmts[];

struct session {
	const char *cookie; /* only from session_create */
	uint8_t hash[SECRET_HASH_BYTES];
	uint8_t sid[UUID_BYTES]; /* what tokens call it */
	int64_t user_id;
	const char *csrf;
	int64_t auth_time_us;
	const char *const *amr; /* how the person was recognised */
	const char *issuer;     /* and by whose word */
};

struct session_new {
	int64_t user_id;
	const char *address;
	const char *agent;      /* what the browser calls itself */
	const char *const *amr; /* RFC 8176, NULL-terminated */
	const char *issuer;     /* who recognised the person */
};

/* Always a new cookie, so that nobody can plant one before a login. */
MUST_CHECK enum rc session_create(struct db *db, struct arena *arena,
	const struct session_new *wanted, struct session *session,
	struct fault *fault);

/* Counts as use of it.
 * Fails: RC_NOT_FOUND no such session, ended, or its user is disabled. */
MUST_CHECK enum rc session_find(struct db *db, struct arena *arena,
	const char *cookie, struct session *session, struct fault *fault);

/* End it, and the refresh and access tokens that came from it. */
MUST_CHECK enum rc session_end(
	struct db *db, const struct session *session, struct fault *fault);

/* A new cookie for the same session, so that an old copy is worth nothing. */
MUST_CHECK enum rc session_renew(struct db *db, struct arena *arena,
	struct session *session, struct fault *fault);

/* Every other session of the same person ends, and every token of them all.
 * Within a transaction. */
MUST_CHECK enum rc session_end_others(
	struct db *db, const struct session *session, struct fault *fault);

/*
 * How long "name" at "address" must wait before the next try to log in; grows
 * with failures, up to a minute, and is forgotten after a quarter of an hour.
 * Others at other addresses are not kept out.
 */
MUST_CHECK enum rc session_login_wait(struct db *db, struct arena *arena,
	const char *name, const char *address, int64_t *wait_s,
	struct fault *fault);
MUST_CHECK enum rc session_login_failed(struct db *db, struct arena *arena,
	const char *name, const char *address, struct fault *fault);
MUST_CHECK enum rc session_login_worked(struct db *db, struct arena *arena,
	const char *name, const char *address, struct fault *fault);

/* Forget the failures of this name, wherever they came from. */
MUST_CHECK enum rc session_login_unlock(struct db *db, struct arena *arena,
	const char *name, struct fault *fault);

#endif
