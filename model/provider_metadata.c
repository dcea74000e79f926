/* provider_metadata: what an OpenID provider publishes, and its keys. */

#include "model/provider_metadata.h"

#include <json-c/json.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/field.h"
#include "lib/jwt.h"
#include "lib/log.h"
#include "model/provider_check.h"

#define CONNECT_MS   2000
#define REQUEST_MS   5000
#define SLOT_WAIT_US (CLOCK_SECOND_US / 2)
#define FRESH_US     CLOCK_HOUR_US
#define STALE_US     CLOCK_DAY_US

enum { STMT_FIND, STMT_CLAIM, STMT_STORE, STMT_FAILED, STMT_BLOCK };

const struct stmt provider_metadata_stmts[] = {
	[STMT_FIND] = {"provider_metadata_find", "n",
		"SELECT metadata, keys, fetched_at, problem"
		"     , coalesce(blocked_until > now(), false)"
		"  FROM provider_cache WHERE provider_id = $1"},
	/* One worker at a time asks: a row comes for it alone. */
	[STMT_CLAIM] = {"provider_metadata_claim", "n",
		"INSERT INTO provider_cache AS old (provider_id, tried_at)"
		" VALUES ($1, now())"
		" ON CONFLICT (provider_id) DO UPDATE SET tried_at = now()"
		" WHERE old.tried_at IS NULL OR old.tried_at < now() -"
		"   interval '1 second' * CASE WHEN old.failures = 0 THEN 30"
		"     ELSE least(60, 5 * 2 ^ least(10, old.failures - 1)) END"
		" RETURNING provider_id"},
	[STMT_STORE] = {"provider_metadata_store", "ntt",
		"INSERT INTO provider_cache (provider_id, metadata, keys"
		", fetched_at, tried_at) VALUES ($1, $2, $3, now(), now())"
		" ON CONFLICT (provider_id) DO UPDATE"
		" SET metadata = excluded.metadata, keys = excluded.keys"
		", fetched_at = now(), tried_at = now(), failures = 0"
		", problem = '', blocked_until = NULL"},
	[STMT_FAILED] = {"provider_metadata_failed", "nt",
		"INSERT INTO provider_cache AS old (provider_id, tried_at"
		", failures, problem) VALUES ($1, now(), 1, $2)"
		" ON CONFLICT (provider_id) DO UPDATE SET tried_at = now()"
		", failures = old.failures + 1, problem = $2"},
	[STMT_BLOCK] = {"provider_metadata_block", "nt",
		"INSERT INTO provider_cache (provider_id, problem"
		", blocked_until) VALUES ($1, $2, now() + interval '10 s')"
		" ON CONFLICT (provider_id) DO UPDATE SET problem = $2"
		", blocked_until = now() + interval '10 s'"},
	STMT_END,
};

/* --- reading ----------------------------------------------------------- */

#define WRONG(fault, ...)                                                      \
	fault_tell(fault, RC_UPSTREAM, "ProviderAnswer", NULL, __VA_ARGS__)

/* A list that is not there says nothing against "wanted". */
static bool
list_allows(struct json_object *document, const char *name, const char *wanted)
{
	struct json_object *list = NULL;

	if (!json_object_object_get_ex(document, name, &list))
		return true;
	if (!json_object_is_type(list, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		if (json_object_is_type(item, json_type_string) &&
			strcmp(json_object_get_string(item), wanted) == 0)
			return true;
	}
	return false;
}

/* The addresses of others must be where the administrator said. */
static enum rc
read_endpoint(struct json_object *document, const struct provider *provider,
	const char *name, const char **url, struct fault *fault)
{
	*url = jwt_claim_text(document, name);
	if (*url == NULL)
		return WRONG(fault, "Its discovery document has no %s.", name);
	if (!provider_url_allowed(provider, *url))
		return WRONG(fault,
			"Its %s is not an https address on the host of the "
			"issuer or one of the hosts that are allowed: %.120s",
			name, *url);
	return RC_OK;
}

static enum rc
check_issuer(struct json_object *document, const struct provider *provider,
	struct fault *fault)
{
	const char *issuer = jwt_claim_text(document, "issuer");

	if (issuer != NULL && strchr(issuer, '{') != NULL)
		return WRONG(fault,
			"Its discovery document is one for all tenants "
			"(%.100s): use the address of your own tenant.",
			issuer);
	if (issuer == NULL || strcmp(issuer, provider->issuer) != 0)
		return WRONG(fault,
			"Its discovery document is of another issuer, "
			"\"%.140s\".",
			issuer != NULL ? issuer : "");
	return RC_OK;
}

static enum rc
check_abilities(struct json_object *document, const struct provider *provider,
	struct fault *fault)
{
	if (!list_allows(document, "response_types_supported", "code") ||
		!list_allows(document, "response_modes_supported", "query"))
		return WRONG(fault, "It has no code flow with a query.");
	if (!list_allows(document, "code_challenge_methods_supported", "S256"))
		return WRONG(fault, "It does not do PKCE with S256.");
	if (!list_allows(document, "id_token_signing_alg_values_supported",
		    "RS256") &&
		!list_allows(document, "id_token_signing_alg_values_supported",
			"ES256"))
		return WRONG(fault,
			"It signs ID tokens neither with RS256 nor ES256.");
	if (!list_allows(document, "token_endpoint_auth_methods_supported",
		    provider->authentication))
		return WRONG(fault,
			"It does not let clients in by %s: change the "
			"authentication.",
			provider->authentication);
	return RC_OK;
}

enum rc
provider_metadata_read(struct arena *arena, const struct provider *provider,
	const char *text, size_t length, struct provider_metadata *metadata,
	struct fault *fault)
{
	struct json_object *document = NULL;
	struct json_object *says = NULL;
	enum rc rc = json_parse(arena, text, length, &document, fault);

	if (rc != RC_OK || !json_object_is_type(document, json_type_object))
		return WRONG(fault, "Its discovery document is not JSON.");
	rc = check_issuer(document, provider, fault);
	if (rc == RC_OK)
		rc = read_endpoint(document, provider, "authorization_endpoint",
			&metadata->authorization_endpoint, fault);
	if (rc == RC_OK)
		rc = read_endpoint(document, provider, "token_endpoint",
			&metadata->token_endpoint, fault);
	if (rc == RC_OK)
		rc = read_endpoint(document, provider, "jwks_uri",
			&metadata->jwks_uri, fault);
	if (rc == RC_OK)
		rc = check_abilities(document, provider, fault);
	metadata->says_issuer =
		json_object_object_get_ex(document,
			"authorization_response_iss_parameter_supported",
			&says) &&
		json_object_get_boolean(says);
	return rc;
}

static enum rc
read_keys(struct arena *arena, const char *text, size_t length,
	struct jwk_set *keys, struct fault *fault)
{
	enum rc rc = jwk_set_read(arena, text, length, keys, fault);
	const char *why = arena_strdup(arena, rc != RC_OK ? fault->text : "");

	if (rc != RC_OK)
		return WRONG(fault, "Its keys cannot be used: %s.", why);
	if (keys->count == 0)
		return WRONG(fault,
			"Among its %zu keys is none that signs with RS256 or "
			"ES256 and has a kid.",
			keys->ignored);
	return RC_OK;
}

/* --- fetching ---------------------------------------------------------- */

enum rc
provider_connect(const struct provider_gate *gate,
	const struct provider *provider, struct provider_line *line,
	struct fault *fault)
{
	const struct http_options options = {
		.ca_pem = provider->authority_pem[0] != '\0'
				  ? provider->authority_pem
				  : NULL,
		.connect_timeout_ms = CONNECT_MS,
		.timeout_ms = REQUEST_MS,
		.response_bytes_max = PROVIDER_ANSWER_BYTES_MAX,
	};

	line->http = NULL;
	line->slot = slots_take(&gate->slots, SLOT_WAIT_US);
	if (line->slot < 0)
		return fault_tell(fault, RC_TOO_MANY, "ProvidersBusy", NULL,
			"Too many log-ins wait for a provider.");
	return http_open(&options, &line->http, fault);
}

void
provider_disconnect(
	const struct provider_gate *gate, struct provider_line *line)
{
	http_close(line->http);
	if (line->slot >= 0)
		slots_give(&gate->slots, line->slot);
}

/* The body of an answer 200, in "arena". */
static enum rc
fetch(struct http *http, struct arena *arena, const char *url,
	const char **text, size_t *length, struct fault *fault)
{
	const struct http_call call = {
		.method = "GET", .url = url, .accept = "application/json"};
	struct http_reply reply;
	const char *why;
	enum rc rc;

	buf_init(&reply.body, PROVIDER_ANSWER_BYTES_MAX);
	rc = http_send(http, &call, &reply, fault);
	why = arena_strdup(arena, rc != RC_OK ? fault->text : "");
	if (rc == RC_OK && reply.status == 200 && reply.body.length > 0) {
		*text = arena_strndup(
			arena, reply.body.data, reply.body.length);
		*length = reply.body.length;
	} else if (rc == RC_OK) {
		rc = WRONG(fault, "%.150s answers %d%s.", url, reply.status,
			reply.status >= 300 && reply.status < 400
				? "; redirects are not followed"
				: "");
	} else {
		rc = fault_tell(fault, rc == RC_UNAVAILABLE ? rc : RC_UPSTREAM,
			"ProviderUnreachable", NULL, "%.240s", why);
	}
	buf_free(&reply.body);
	return rc;
}

/* OpenID Connect Discovery 4: appended, without a slash twice. */
static const char *
discovery_url(struct arena *arena, const char *issuer)
{
	size_t length = strlen(issuer);

	if (issuer[length - 1] == '/')
		length--;
	return arena_printf(arena, "%.*s/.well-known/openid-configuration",
		(int)length, issuer);
}

static enum rc
fetch_all(struct http *http, struct db *db, struct arena *arena,
	const struct provider *provider, struct provider_metadata *metadata,
	struct fault *fault)
{
	const char *document = NULL;
	const char *keys = NULL;
	size_t length = 0;
	enum rc rc = fetch(http, arena, discovery_url(arena, provider->issuer),
		&document, &length, fault);

	if (rc == RC_OK)
		rc = provider_metadata_read(
			arena, provider, document, length, metadata, fault);
	if (rc == RC_OK)
		rc = fetch(
			http, arena, metadata->jwks_uri, &keys, &length, fault);
	if (rc == RC_OK)
		rc = read_keys(arena, keys, length, &metadata->keys, fault);
	if (rc == RC_OK)
		rc = db_exec(db, &provider_metadata_stmts[STMT_STORE],
			PARAMS(P_SHORT(provider->id), P_TEXT(document),
				P_TEXT(keys)),
			NULL, fault);
	return rc;
}

static enum rc
note(struct db *db, const struct provider *provider, enum rc rc,
	struct fault *fault)
{
	struct fault noted;

	log_warn(NULL, "provider %s: %s", provider->name, fault->text);
	if (db_exec(db, &provider_metadata_stmts[STMT_FAILED],
		    PARAMS(P_SHORT(provider->id), P_TEXT(fault->text)), NULL,
		    &noted) != RC_OK)
		return fault_set(fault, noted.rc, "%s", noted.text);
	return rc;
}

static enum rc
ask(struct db *db, struct arena *arena, const struct provider_gate *gate,
	const struct provider *provider, struct provider_metadata *metadata,
	struct fault *fault)
{
	struct provider_line line;
	enum rc rc = provider_connect(gate, provider, &line, fault);

	if (rc == RC_OK)
		rc = fetch_all(line.http, db, arena, provider, metadata, fault);
	provider_disconnect(gate, &line);
	return rc == RC_UNAVAILABLE || rc == RC_UPSTREAM
		       ? note(db, provider, rc, fault)
		       : rc;
}

/* --- what is kept ------------------------------------------------------ */

struct kept {
	const char *document; /* NULL = nothing */
	const char *keys;
	int64_t age_us;
	const char *problem;
	bool blocked;
};

static enum rc
find_kept(struct db *db, struct arena *arena, const struct provider *provider,
	struct kept *kept, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &provider_metadata_stmts[STMT_FIND],
		PARAMS(P_SHORT(provider->id)), &rows, fault);

	*kept = (struct kept){.problem = ""};
	if (rc == RC_NOT_FOUND)
		return RC_OK;
	if (rc != RC_OK)
		return rc;
	kept->document = rows_text(rows, 0, 0);
	kept->keys = rows_text(rows, 0, 1);
	kept->problem = rows_text(rows, 0, 3);
	kept->blocked = rows_bool(rows, 0, 4);
	if (kept->document != NULL)
		kept->age_us = clock_now_us() - rows_time(rows, 0, 2);
	return RC_OK;
}

static bool
is_usable(const struct kept *kept, int64_t age_us)
{
	return kept->document != NULL && kept->age_us < age_us;
}

static enum rc
use_kept(struct arena *arena, const struct provider *provider,
	const struct kept *kept, struct provider_metadata *metadata,
	struct fault *fault)
{
	enum rc rc = provider_metadata_read(arena, provider, kept->document,
		strlen(kept->document), metadata, fault);

	if (rc == RC_OK)
		rc = read_keys(arena, kept->keys, strlen(kept->keys),
			&metadata->keys, fault);
	return rc;
}

static enum rc
not_long_ago(const struct kept *kept, struct fault *fault)
{
	return fault_tell(fault, RC_UNAVAILABLE, "ProviderUnreachable", NULL,
		"It is not asked again for some seconds. %.180s",
		kept->problem);
}

/* *mine: nobody else asks it now, or has lately. */
static enum rc
claim(struct db *db, struct arena *arena, const struct provider *provider,
	bool *mine, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &provider_metadata_stmts[STMT_CLAIM],
		PARAMS(P_SHORT(provider->id)), &rows, fault);

	*mine = rc == RC_OK && rows_count(rows) > 0;
	return rc;
}

/* Ask if that is allowed, else make do with what is kept. */
static enum rc
renew(struct db *db, struct arena *arena, const struct provider_gate *gate,
	const struct provider *provider, const struct kept *kept,
	struct provider_metadata *metadata, struct fault *fault)
{
	bool mine = false;
	enum rc rc = claim(db, arena, provider, &mine, fault);

	if (rc != RC_OK)
		return rc;
	if (mine)
		rc = ask(db, arena, gate, provider, metadata, fault);
	else
		rc = not_long_ago(kept, fault);
	if ((rc == RC_UNAVAILABLE || rc == RC_UPSTREAM || rc == RC_TOO_MANY) &&
		is_usable(kept, STALE_US))
		return use_kept(arena, provider, kept, metadata, fault);
	return rc;
}

enum rc
provider_metadata_get(struct db *db, struct arena *arena,
	const struct provider_gate *gate, const struct provider *provider,
	enum provider_want want, struct provider_metadata *metadata,
	struct fault *fault)
{
	struct kept kept;
	enum rc rc;

	memset(metadata, 0, sizeof(*metadata));
	if (want == PROVIDER_TRIED)
		return ask(db, arena, gate, provider, metadata, fault);
	rc = find_kept(db, arena, provider, &kept, fault);
	if (rc != RC_OK)
		return rc;
	if (kept.blocked)
		return not_long_ago(&kept, fault);
	if (want == PROVIDER_KNOWN && is_usable(&kept, FRESH_US))
		return use_kept(arena, provider, &kept, metadata, fault);
	return renew(db, arena, gate, provider, &kept, metadata, fault);
}

enum rc
provider_metadata_failed(struct db *db, const struct provider *provider,
	const char *problem, struct fault *fault)
{
	return db_exec(db, &provider_metadata_stmts[STMT_BLOCK],
		PARAMS(P_SHORT(provider->id), P_TEXT(problem)), NULL, fault);
}
