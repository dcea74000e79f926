/*
 * provider_token: what a provider answers for a code, and who it says the
 * person is (OpenID Connect Core 1.0, 3.1.3).
 */
#ifndef FG_MODEL_PROVIDER_TOKEN_H
#define FG_MODEL_PROVIDER_TOKEN_H

#include "model/provider_metadata.h"
#include "model/provider_person.h"
#include "model/provider_transaction.h"

/* Azure puts up to 200 groups of 36 letters into one. */
#define PROVIDER_ID_TOKEN_BYTES_MAX ((size_t)32 * 1024)

/* What the check of an ID token needs to know. */
struct provider_expect {
	const struct provider *provider;
	const struct provider_transaction *transaction;
	const char *access_token; /* NULL = none came with it */
	int64_t now_us;
};

/*
 * Change a code for an ID token and check that: signature by a key of the
 * provider with the algorithm of that key, issuer, audience, times, nonce,
 * at_hash. No transaction may be open.
 * Fails:  RC_DENIED the answer or the token is not right, the reason for the
 *         log; RC_UNAVAILABLE the provider does not answer;
 *         RC_TOO_MANY too many wait for one already; RC_UPSTREAM it
 *         does not let us in, or answers what nobody can read.
 * Blocks: at most 5 s, 15 s when its keys have changed.
 */
MUST_CHECK enum rc provider_token_get(struct db *db, struct arena *arena,
	const struct provider_gate *gate, const struct provider *provider,
	const struct provider_transaction *transaction, const char *code,
	const char *redirect_uri, struct provider_metadata *metadata,
	struct provider_person *person, struct fault *fault);

/*
 * The check alone. Fails: RC_DENIED; RC_NOT_FOUND the key is not in "keys".
 */
MUST_CHECK enum rc provider_token_check(struct arena *arena,
	const struct provider_expect *expect, const struct jwk_set *keys,
	const char *id_token, struct provider_person *person,
	struct fault *fault);

#endif
