/*
 * client: a program that asks for tokens: an application, a node's access
 * data, or a service.
 */
#ifndef FG_MODEL_CLIENT_H
#define FG_MODEL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"

#define CLIENT_GRANT_CODE    "authorization_code"
#define CLIENT_GRANT_REFRESH "refresh_token"
#define CLIENT_GRANT_CLIENT  "client_credentials"

extern const struct stmt client_stmts[];

/* Lists are NULL-terminated. */
struct client {
	int64_t id;
	const char *client_id;
	const char *name;
	int64_t node_id; /* 0 = not a node's */
	const char **grants;
	const char **scopes;
	const char **redirect_uris;
	const char **logout_uris;
	const char **origins;
	bool require_pkce;
	int64_t access_token_s;
	int64_t refresh_idle_s;
	int64_t refresh_absolute_s;
	bool active;
	int64_t epoch;
	bool confidential; /* it has a secret */
};

struct client_list {
	size_t count;
	struct client *items;
};

struct client_new {
	const char *client_id;
	const char *name;
	int64_t node_id;           /* 0 = none */
	const char *const *grants; /* NULL-terminated; CLIENT_GRANT_... */
	const char *const *scopes;
	const char *const *redirect_uris; /* NULL = none */
	const char *const *logout_uris;
	const char *const *origins;
	bool is_public;     /* no secret; then PKCE is always required */
	bool allow_no_pkce; /* only for a confidential client */
};

/*
 * Make a client. *secret (NULL for a public one) lives in "arena" and is
 * stored only as a hash: this is the one time it is seen.
 * Fails: RC_BAD_INPUT with words: an unknown grant or scope, a redirect URI
 *        that is neither https, loopback nor a private scheme; RC_CONFLICT.
 */
MUST_CHECK enum rc client_create(struct db *db, struct arena *arena,
	const struct client_new *wanted, struct client *client,
	const char **secret, struct fault *fault);

/* Fails: RC_NOT_FOUND. */
MUST_CHECK enum rc client_find(struct db *db, struct arena *arena,
	const char *client_id, struct client *client, struct fault *fault);

MUST_CHECK enum rc client_list(struct db *db, struct arena *arena,
	struct client_list *list, struct fault *fault);

/* A new secret; the old one is refused from now on. */
MUST_CHECK enum rc client_renew_secret(struct db *db, struct arena *arena,
	int64_t id, const char **secret, struct fault *fault);

/* A disabled client's tokens end at once. */
MUST_CHECK enum rc client_set_active(
	struct db *db, int64_t id, bool active, struct fault *fault);

/* Fails: RC_UNAUTHENTICATED it is another secret, or the client has none. */
MUST_CHECK enum rc client_check_secret(struct db *db, struct arena *arena,
	const struct client *client, const char *secret, struct fault *fault);

/* Is "text" in a NULL-terminated list? */
bool client_list_has(const char *const *list, const char *text);

/* Exactly a registered one; only the port of a loopback address may differ. */
bool client_redirect_allowed(const struct client *client, const char *uri);

/* Is "origin" (scheme://host[:port]) that of an active client's pages? */
MUST_CHECK enum rc client_origin_known(struct db *db, struct arena *arena,
	const char *origin, bool *known, struct fault *fault);

/* All scopes there are, NULL-terminated. */
extern const char *const client_scopes[];

#endif
