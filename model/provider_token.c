/* provider_token: what a provider answers for a code. */

#include "model/provider_token.h"

#include <json-c/json.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/jwt.h"
#include "lib/log.h"
#include "lib/secret.h"

#define AUTH_TIME_SKEW_US (60 * CLOCK_SECOND_US)

static enum rc
deny(struct fault *fault, const char *why)
{
	return fault_set(fault, RC_DENIED, "the ID token %s", why);
}

/* --- claims that must be right ----------------------------------------- */

static bool
equal_texts(const char *left, const char *right)
{
	return left != NULL && strlen(left) == strlen(right) &&
	       secret_equal(left, right, strlen(right));
}

/* Core 3.1.3.7: for several, or when it is there, it must be us. */
static enum rc
check_party(const struct provider *provider, struct json_object *claims,
	struct fault *fault)
{
	struct json_object *audience = NULL;
	const char *party = jwt_claim_text(claims, "azp");
	bool present = json_object_object_get_ex(claims, "azp", NULL);

	json_object_object_get_ex(claims, "aud", &audience);
	if (json_object_is_type(audience, json_type_array) &&
		json_object_array_length(audience) > 1 && !present)
		return deny(fault, "is for several clients and names none");
	if (present &&
		(party == NULL || strcmp(party, provider->client_id) != 0))
		return deny(fault, "was made for another client (azp)");
	return RC_OK;
}

/* Core 3.1.3.6: the left half of the hash of the access token. */
static enum rc
check_access_hash(struct arena *arena, const struct provider_expect *expect,
	struct json_object *claims, struct fault *fault)
{
	const char *given = jwt_claim_text(claims, "at_hash");
	uint8_t hash[SECRET_HASH_BYTES];

	if (!json_object_object_get_ex(claims, "at_hash", NULL))
		return RC_OK;
	if (expect->access_token == NULL)
		return deny(fault, "has an at_hash, and no access token came");
	secret_hash(hash, expect->access_token, strlen(expect->access_token));
	if (!equal_texts(
		    given, encode_base64url(arena, hash, sizeof(hash) / 2)))
		return deny(fault, "belongs to another access token (at_hash)");
	return RC_OK;
}

/* Of a person who was to prove it anew. A provider need not say when; Azure
 * does so only when it is told to. */
static enum rc
check_fresh(const struct provider_expect *expect, struct json_object *claims,
	struct fault *fault)
{
	int64_t auth_time_s = 0;

	if (!expect->transaction->fresh ||
		!json_object_object_get_ex(claims, "auth_time", NULL))
		return RC_OK;
	if (!jwt_claim_int(claims, "auth_time", &auth_time_s) ||
		auth_time_s * CLOCK_SECOND_US <
			expect->transaction->created_us - AUTH_TIME_SKEW_US)
		return deny(fault, "is of an older log-in (auth_time)");
	return RC_OK;
}

static enum rc
check_claims(struct arena *arena, const struct provider_expect *expect,
	struct json_object *claims, struct fault *fault)
{
	enum rc rc;

	if (!json_object_object_get_ex(claims, "iat", NULL))
		return deny(fault, "does not say when it was issued (iat)");
	if (!equal_texts(jwt_claim_text(claims, "nonce"),
		    expect->transaction->nonce))
		return deny(fault, "is of another log-in (nonce)");
	rc = check_party(expect->provider, claims, fault);
	if (rc == RC_OK)
		rc = check_access_hash(arena, expect, claims, fault);
	return rc == RC_OK ? check_fresh(expect, claims, fault) : rc;
}

/* --- the token --------------------------------------------------------- */

static void
free_ring(void *ring)
{
	jwt_ring_free(ring);
}

static enum rc
fill_ring(struct arena *arena, const struct jwk_set *keys,
	struct jwt_ring **ring, struct fault *fault)
{
	enum rc rc = RC_OK;

	*ring = jwt_ring_new();
	arena_defer(arena, free_ring, *ring);
	for (size_t i = 0; i < keys->count && rc == RC_OK; i++)
		rc = jwt_ring_add(*ring, keys->items[i].kid,
			keys->items[i].algorithm, keys->items[i].public_pem,
			fault);
	return rc;
}

/* "The token is old." without what "deny" puts around it. */
static const char *
reason_of(struct arena *arena, const struct fault *fault)
{
	static const char begin[] = "The token ";
	const char *words = fault->client;

	if (strncmp(words, begin, strlen(begin)) == 0)
		words += strlen(begin);
	return arena_strndup(arena, words, strcspn(words, "."));
}

enum rc
provider_token_check(struct arena *arena, const struct provider_expect *expect,
	const struct jwk_set *keys, const char *id_token,
	struct provider_person *person, struct fault *fault)
{
	const struct jwt_expect wanted = {
		.issuer = expect->provider->issuer,
		.audience = expect->provider->client_id,
		.bytes_max = PROVIDER_ID_TOKEN_BYTES_MAX,
		.now_us = expect->now_us,
	};
	struct jwt_ring *ring = NULL;
	struct json_object *claims = NULL;
	enum rc rc = fill_ring(arena, keys, &ring, fault);

	if (rc != RC_OK)
		return rc;
	rc = jwt_verify(ring, arena, id_token, &wanted, &claims, fault);
	if (rc == RC_UNAUTHENTICATED)
		return deny(fault, reason_of(arena, fault));
	if (rc == RC_OK)
		rc = check_claims(arena, expect, claims, fault);
	if (rc == RC_OK)
		rc = provider_person_read(
			arena, expect->provider, claims, person, fault);
	return rc;
}

/* --- the code ---------------------------------------------------------- */

struct exchange {
	const struct provider_gate *gate;
	const struct provider *provider;
	const char *secret;
	const char *form;
	struct http_reply reply;
};

static const char *
add_field(struct arena *arena, const char *form, const char *name,
	const char *value)
{
	return arena_printf(arena, "%s%s%s=%s", form,
		form[0] != '\0' ? "&" : "", name, percent_encode(arena, value));
}

static void
make_form(struct arena *arena, struct exchange *exchange, const char *code,
	const char *verifier, const char *redirect_uri)
{
	const struct provider *provider = exchange->provider;
	const char *form = "";

	form = add_field(arena, form, "grant_type", "authorization_code");
	form = add_field(arena, form, "code", code);
	form = add_field(arena, form, "redirect_uri", redirect_uri);
	form = add_field(arena, form, "code_verifier", verifier);
	if (strcmp(provider->authentication, "client_secret_basic") != 0)
		form = add_field(arena, form, "client_id", provider->client_id);
	if (strcmp(provider->authentication, "client_secret_post") == 0)
		form = add_field(
			arena, form, "client_secret", exchange->secret);
	exchange->form = form;
}

static enum rc
send_form(struct arena *arena, struct exchange *exchange, const char *url,
	struct fault *fault)
{
	struct http_call call = {
		.method = "POST",
		.url = url,
		.accept = "application/json",
		.content_type = "application/x-www-form-urlencoded",
		.body = exchange->form,
		.body_bytes = strlen(exchange->form),
	};
	struct provider_line line;
	enum rc rc = provider_connect(
		exchange->gate, exchange->provider, &line, fault);

	/* RFC 6749 2.3.1: both halves are encoded as in a form. */
	if (strcmp(exchange->provider->authentication, "client_secret_basic") ==
		0) {
		call.user =
			percent_encode(arena, exchange->provider->client_id);
		call.password = percent_encode(arena, exchange->secret);
	}
	if (rc == RC_OK)
		rc = http_send(line.http, &call, &exchange->reply, fault);
	provider_disconnect(exchange->gate, &line);
	return rc;
}

/* Letters of somebody else, for the log. */
static const char *
plain(struct arena *arena, const char *text)
{
	char *copy = arena_strndup(arena, text, strnlen(text, 120));

	for (char *at = copy; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	return copy;
}

static enum rc
read_refusal(struct arena *arena, int status, struct json_object *answer,
	struct fault *fault)
{
	const char *error = jwt_claim_text(answer, "error");
	const char *why = jwt_claim_text(answer, "error_description");

	error = plain(arena, error != NULL ? error : "");
	why = plain(arena, why != NULL ? why : "");
	/* A code that is worth nothing is the browser's; the rest is ours. */
	return fault_set(fault,
		strcmp(error, "invalid_grant") == 0 ? RC_DENIED : RC_UPSTREAM,
		"the token endpoint answers %d %s: %s", status, error, why);
}

static enum rc
read_answer(struct arena *arena, const struct exchange *exchange,
	const char **id_token, const char **access_token, struct fault *fault)
{
	const struct http_reply *reply = &exchange->reply;
	struct json_object *answer = NULL;

	if (reply->body.length == 0 ||
		json_parse(arena, reply->body.data, reply->body.length, &answer,
			fault) != RC_OK ||
		!json_object_is_type(answer, json_type_object))
		return fault_set(fault, RC_UPSTREAM,
			"the token endpoint answers %d and no JSON",
			reply->status);
	if (reply->status != 200)
		return read_refusal(arena, reply->status, answer, fault);
	*access_token = jwt_claim_text(answer, "access_token");
	*id_token = jwt_claim_text(answer, "id_token");
	if (*id_token == NULL)
		return fault_set(fault, RC_DENIED,
			"the token endpoint gave no ID token");
	return RC_OK;
}

/* Whatever keeps it from answering keeps others waiting as well. */
static enum rc
note_failure(struct db *db, struct arena *arena,
	const struct provider *provider, enum rc rc, struct fault *fault)
{
	const char *why = arena_strdup(arena, fault->text);
	struct fault noted;

	if (rc == RC_UNAVAILABLE &&
		provider_metadata_failed(db, provider, why, &noted) != RC_OK)
		return fault_set(fault, noted.rc, "%s", noted.text);
	return rc;
}

static enum rc
redeem(struct db *db, struct arena *arena, struct exchange *exchange,
	const char *url, const char **id_token, const char **access_token,
	struct fault *fault)
{
	enum rc rc;

	buf_init(&exchange->reply.body, PROVIDER_ANSWER_BYTES_MAX);
	rc = send_form(arena, exchange, url, fault);
	if (rc == RC_OK)
		rc = read_answer(
			arena, exchange, id_token, access_token, fault);
	else
		rc = note_failure(db, arena, exchange->provider, rc, fault);
	buf_free(&exchange->reply.body);
	return rc;
}

/* An unknown key may be a new one. */
static enum rc
check_twice(struct db *db, struct arena *arena,
	const struct provider_gate *gate, const struct provider_expect *expect,
	const char *id_token, struct provider_metadata *metadata,
	struct provider_person *person, struct fault *fault)
{
	enum rc rc = provider_token_check(
		arena, expect, &metadata->keys, id_token, person, fault);

	if (rc != RC_NOT_FOUND)
		return rc;
	log_info(NULL, "provider %s: unknown key, asking for its keys",
		expect->provider->name);
	rc = provider_metadata_get(db, arena, gate, expect->provider,
		PROVIDER_NEWER, metadata, fault);
	if (rc == RC_OK)
		rc = provider_token_check(arena, expect, &metadata->keys,
			id_token, person, fault);
	return rc == RC_NOT_FOUND ? deny(fault, "is signed with an unknown key")
				  : rc;
}

enum rc
provider_token_get(struct db *db, struct arena *arena,
	const struct provider_gate *gate, const struct provider *provider,
	const struct provider_transaction *transaction, const char *code,
	const char *redirect_uri, struct provider_metadata *metadata,
	struct provider_person *person, struct fault *fault)
{
	struct exchange exchange = {.gate = gate, .provider = provider};
	struct provider_expect expect = {
		.provider = provider, .transaction = transaction};
	const char *id_token = NULL;
	enum rc rc = provider_secret(
		db, arena, provider, gate->seal, &exchange.secret, fault);

	if (rc != RC_OK)
		return rc;
	if (exchange.secret == NULL)
		exchange.secret = "";
	make_form(arena, &exchange, code, transaction->verifier, redirect_uri);
	rc = redeem(db, arena, &exchange, metadata->token_endpoint, &id_token,
		&expect.access_token, fault);
	if (rc != RC_OK)
		return rc;
	expect.now_us = clock_now_us();
	return check_twice(
		db, arena, gate, &expect, id_token, metadata, person, fault);
}
