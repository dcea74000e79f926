/*
 * provider: an OpenID provider upstream (Azure AD, Keycloak, …) whose users
 * may log in here; as it is configured.
 *
 * What it publishes is provider_metadata.h, a login that is on its way there
 * provider_transaction.h, its answer provider_token.h. People are known by
 * the issuer and what never changes there ("sub", or Azure's "tid" and
 * "oid"), never by name or e-mail address (user_link.h).
 */
#ifndef FG_MODEL_PROVIDER_H
#define FG_MODEL_PROVIDER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/jsonw.h"
#include "lib/seal.h"
#include "lib/slice.h"

#define PROVIDER_NAME_BYTES   32
#define PROVIDER_TITLE_BYTES  64
#define PROVIDER_URL_BYTES    1024
#define PROVIDER_TEXT_BYTES   256 /* client id, claim, scope, host */
#define PROVIDER_SECRET_BYTES 1024
#define PROVIDER_PEM_BYTES    65536
#define PROVIDER_LIST_MAX     32 /* scopes, hosts, factor values */

extern const struct stmt provider_stmts[];

struct provider {
	int64_t id;
	const char *name;  /* of the callback, /signin-<name> */
	const char *title; /* on its button */
	const char *issuer;
	const char *client_id;
	const char *authentication; /* at the token endpoint */
	const char **scopes;
	const char **hosts;        /* that may serve it, beside the issuer's */
	const char *authority_pem; /* "" = the system's list */
	const char *subject;       /* "sub" or "tid+oid" */
	const char *name_claim;
	const char *groups_claim;   /* "" = groups mean nothing */
	const char **factor_values; /* of amr and acr: a second factor */
	bool create_accounts;       /* at the first login */
	bool active;
	bool has_secret;
	int64_t created_us;
	int64_t changed_us;
};

struct provider_list {
	size_t count;
	struct provider *items;
};

struct provider_filter {
	const char *search; /* in name, title or issuer */
	const char *state;
};

/* The source of its accounts and memberships, "oidc:NAME". */
const char *provider_source(
	struct arena *arena, const struct provider *provider);

/* A new one as it is when nothing is said. */
struct provider provider_defaults(void);

/*
 * "secret" NULL or "" = none; it is sealed and never read out again.
 * Fails: RC_BAD_INPUT with the field at fault; RC_CONFLICT name or issuer are
 *        taken.
 */
MUST_CHECK enum rc provider_create(struct db *db, struct arena *arena,
	const struct provider *wanted, const char *secret,
	const struct seal *seal, struct fault *fault);

/*
 * Store what "wanted" says for the provider with its id; name and issuer
 * cannot change, because accounts hang on them. A NULL secret stays, "" is
 * removed. What was remembered of the provider is forgotten.
 * Fails: as provider_create.
 */
MUST_CHECK enum rc provider_change(struct db *db, struct arena *arena,
	const struct provider *wanted, const char *secret,
	const struct seal *seal, struct fault *fault);

/* Links, mappings and memberships that came from it go with it; accounts
 * stay, but nobody can log in to them from there. */
MUST_CHECK enum rc provider_remove(struct db *db, struct arena *arena,
	const struct provider *provider, struct fault *fault);

/* Fails: RC_NOT_FOUND. */
MUST_CHECK enum rc provider_find(struct db *db, struct arena *arena,
	const char *name, struct provider *provider, struct fault *fault);

MUST_CHECK enum rc provider_slice(struct db *db, struct arena *arena,
	const struct provider_filter *filter, struct slice *slice,
	struct provider_list *list, struct fault *fault);

/* Those with a button on the login page, by title. */
MUST_CHECK enum rc provider_active(struct db *db, struct arena *arena,
	struct provider_list *list, struct fault *fault);

/*
 * The client secret, NULL when there is none.
 * Fails: RC_BUG it was sealed with another key.
 */
MUST_CHECK enum rc provider_secret(struct db *db, struct arena *arena,
	const struct provider *provider, const struct seal *seal,
	const char **secret, struct fault *fault);

/* Its members for people who administer it, never a secret; and the same as
 * an object in "arena", for the audit. */
void provider_write(struct jsonw *json, const struct provider *provider);
const char *provider_json(struct arena *arena, const struct provider *provider);

#endif
