/*
 * provider_metadata: what an OpenID provider publishes about itself
 * (OpenID Connect Discovery 1.0, RFC 8414) and its keys.
 *
 * Fetched only over https, only from the host of the issuer and those that
 * the administrator named, 5 s and 256 KiB at most, no redirects; kept in the
 * database for all workers. Asked again when an hour old, or for an unknown
 * key id, but never twice within 30 s; while it does not answer, what is kept
 * is good for a day and tries become rarer, up to a minute apart.
 */
#ifndef FG_MODEL_PROVIDER_METADATA_H
#define FG_MODEL_PROVIDER_METADATA_H

#include "lib/http.h"
#include "lib/jwk.h"
#include "lib/slots.h"
#include "model/provider.h"

#define PROVIDER_ANSWER_BYTES_MAX JWK_SET_BYTES_MAX

extern const struct stmt provider_metadata_stmts[];

/* What a program needs to ask providers; one per process. */
struct provider_gate {
	const struct seal *seal; /* of the client secrets */
	struct slots slots;      /* requests to providers at once */
};

struct provider_metadata {
	const char *authorization_endpoint;
	const char *token_endpoint;
	const char *jwks_uri;
	bool says_issuer; /* answers carry "iss" (RFC 9207) */
	struct jwk_set keys;
};

/*
 * Check a discovery document: the issuer is exactly ours, endpoints are on
 * allowed hosts, and it can do what is asked of it. "keys" is not touched.
 * Fails: RC_UPSTREAM with words for the administrator.
 */
MUST_CHECK enum rc provider_metadata_read(struct arena *arena,
	const struct provider *provider, const char *text, size_t length,
	struct provider_metadata *metadata, struct fault *fault);

enum provider_want {
	PROVIDER_KNOWN, /* what is kept, when it is not too old */
	PROVIDER_NEWER, /* for an unknown key id: asked again if allowed */
	PROVIDER_TRIED, /* now, for a test by the administrator */
};

/*
 * Metadata and keys of "provider". No transaction may be open.
 * Fails:  RC_UNAVAILABLE it did not answer, or not long ago; RC_TOO_MANY too
 *         many wait for one already; RC_UPSTREAM its answer is not right. The
 * fault's words are for the administrator. Blocks: at most 10 s, two requests.
 */
MUST_CHECK enum rc provider_metadata_get(struct db *db, struct arena *arena,
	const struct provider_gate *gate, const struct provider *provider,
	enum provider_want want, struct provider_metadata *metadata,
	struct fault *fault);

/* Note that a request to it failed: nobody asks it for some seconds. */
MUST_CHECK enum rc provider_metadata_failed(struct db *db,
	const struct provider *provider, const char *problem,
	struct fault *fault);

/* A connection to a provider, and the slot that it takes. */
struct provider_line {
	struct http *http;
	int slot;
};

/* With its limits. Close it in any case.
 * Fails: RC_TOO_MANY all slots are taken; else as http_open. */
MUST_CHECK enum rc provider_connect(const struct provider_gate *gate,
	const struct provider *provider, struct provider_line *line,
	struct fault *fault);
void provider_disconnect(
	const struct provider_gate *gate, struct provider_line *line);

#endif
