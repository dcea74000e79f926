/*
 * client: a program that asks for tokens: an application, a node's access
 * data, or a service.
 */
#ifndef FG_MODEL_CLIENT_H
#define FG_MODEL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/jsonw.h"
#include "lib/slice.h"

#define CLIENT_GRANT_CODE    "authorization_code"
#define CLIENT_GRANT_REFRESH "refresh_token"
#define CLIENT_GRANT_CLIENT  "client_credentials"
#define CLIENT_GRANT_DEVICE  "urn:ietf:params:oauth:grant-type:device_code"

/* How it proves who it is. */
#define CLIENT_BY_NOTHING     "none" /* a public client */
#define CLIENT_BY_SECRET      "secret"
#define CLIENT_BY_CERTIFICATE "tls_client_auth"

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
	bool confidential; /* it proves who it is */
	bool trusted;      /* one of ours: users are not asked for consent */
	bool introspects;  /* may ask about the tokens of other clients */
	const char *algorithm;        /* of its tokens: RS256 or ES256 */
	const char *authentication;   /* CLIENT_BY_... */
	const char *certificate_kind; /* see tls_names; NULL unless by one */
	const char *certificate_name;
	bool rotate_refresh;
	int64_t refresh_grace_s; /* a used refresh token works so long again */
	const char *backchannel_logout_uri; /* NULL = none */
	bool backchannel_session_required;
	const char *home_page; /* "" = none */
	int64_t created_us;
};

struct client_list {
	size_t count;
	struct client *items;
};

/* What an administrator decides; NULL lists are empty. */
struct client_new {
	const char *client_id;
	const char *name;
	int64_t node_id;           /* 0 = none */
	const char *const *grants; /* NULL-terminated; CLIENT_GRANT_... */
	const char *const *scopes;
	const char *const *redirect_uris; /* NULL = none */
	const char *const *logout_uris;
	const char *const *origins;
	const char *authentication; /* CLIENT_BY_...; NULL = by secret */
	const char *certificate_kind;
	const char *certificate_name;
	const char *algorithm; /* NULL = RS256, ES256 for a node */
	bool allow_no_pkce;    /* only for a confidential client */
	bool keep_refresh;     /* do not rotate; only for a confidential one */
	int64_t refresh_grace_s; /* 0..10 */
	bool trusted;
	bool introspects;
	int64_t access_token_s; /* these three: 0 = the default */
	int64_t refresh_idle_s;
	int64_t refresh_absolute_s;
	const char *backchannel_logout_uri; /* NULL or "" = none */
	bool backchannel_session_required;
	const char *home_page; /* NULL or "" = none */
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

/*
 * Give a client other settings; client_id and node stay. Its access tokens end
 * at once, so nobody keeps what has been taken away.
 * Fails: as client_create; RC_NOT_FOUND.
 */
MUST_CHECK enum rc client_change(struct db *db, struct arena *arena, int64_t id,
	const struct client_new *wanted, struct client *client,
	struct fault *fault);

/* With all its tokens and rules. Fails: RC_NOT_FOUND; RC_CONFLICT it is the
 * access data of a node. */
MUST_CHECK enum rc client_remove(
	struct db *db, const struct client *client, struct fault *fault);

/* What client_create or client_change would have to be given for it. */
struct client_new client_settings(const struct client *client);

/* Fails: RC_NOT_FOUND. */
MUST_CHECK enum rc client_find(struct db *db, struct arena *arena,
	const char *client_id, struct client *client, struct fault *fault);

MUST_CHECK enum rc client_list(struct db *db, struct arena *arena,
	struct client_list *list, struct fault *fault);

/* For administrators; NULL = any. */
struct client_filter {
	const char *search; /* part of its id or name */
	const char *state;  /* active or disabled */
	const char *authentication;
	const char *node; /* "true" only access data of nodes, "false" none */
};
extern const char *const client_sorts[];
extern const char *const client_states[];
extern const struct stmt client_slice_stmts[];
MUST_CHECK enum rc client_slice(struct db *db, struct arena *arena,
	const struct client_filter *filter, struct slice *slice,
	struct client_list *list, struct fault *fault);

/* A new secret; the old one is refused from now on.
 * Fails: RC_BAD_INPUT the client has none. */
MUST_CHECK enum rc client_renew_secret(struct db *db, struct arena *arena,
	const struct client *client, const char **secret, struct fault *fault);

/* A disabled client's tokens end at once. */
MUST_CHECK enum rc client_set_active(
	struct db *db, int64_t id, bool active, struct fault *fault);

/*
 * The active client that the secret proves. One that logs in by certificate
 * is found without a secret, and the caller checks the certificate. What is
 * wrong makes the next try of this client from this address wait, longer
 * every time; the client's other addresses are not kept out.
 * Fails: RC_UNAUTHENTICATED unknown, disabled, another secret or another way
 *        of authentication; RC_TOO_MANY with *wait_s.
 */
struct client_proof {
	const char *client_id;
	const char *secret;  /* NULL = none was sent */
	const char *address; /* where the request comes from */
};
MUST_CHECK enum rc client_log_in(struct db *db, struct arena *arena,
	const struct client_proof *proof, struct client *client,
	int64_t *wait_s, struct fault *fault);
/* The certificate was not that of the client: count it as a wrong secret.
 * Fails: always; RC_UNAUTHENTICATED. */
MUST_CHECK enum rc client_refuse(struct db *db, struct arena *arena,
	const struct client_proof *proof, struct fault *fault);

/* Is "text" in a NULL-terminated list? */
bool client_list_has(const char *const *list, const char *text);

/* Exactly a registered one; only the port of a loopback address may differ. */
bool client_redirect_allowed(const struct client *client, const char *uri);

/* Is "origin" (scheme://host[:port]) that of an active client's pages? */
MUST_CHECK enum rc client_origin_known(struct db *db, struct arena *arena,
	const char *origin, bool *known, struct fault *fault);

/* What is known of a client, without its id in the database: one JSON object;
 * its members, for an object that has more; its text in "arena". */
void client_write_members(struct jsonw *json, const struct client *client);
void client_write(struct jsonw *json, const struct client *client);
const char *client_json(struct arena *arena, const struct client *client);

/* All there are, NULL-terminated. */
extern const char *const client_authentications[];
/* All scopes there are, NULL-terminated. */
extern const char *const client_scopes[];

/* Is all of it allowed, and does it go together?
 * Fails: RC_BAD_INPUT names the field and what is expected. */
MUST_CHECK enum rc client_check(
	const struct client_new *wanted, struct fault *fault);

#endif
