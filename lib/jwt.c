/* jwt: signed tokens, checked. */

#include "lib/jwt.h"

#include <json-c/json.h>
#include <jwt.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/field.h"
#include "lib/jwt_key.h"
#include "lib/secret.h"

#define KEYS_MAX     16
#define KID_BYTES    128
#define SEEN_ENTRIES 8192 /* 512 KiB, used as far as there are tokens */
#define NUMBER_MAX_S (INT64_MAX / CLOCK_SECOND_US)

struct key {
	char kid[KID_BYTES];
	jwt_alg_t algorithm;
	struct jwt_key *key;
};

/* A signature that was verified: digests of header.payload and of itself. */
struct seen {
	uint8_t signed_hash[SECRET_HASH_BYTES];
	uint8_t signature_hash[SECRET_HASH_BYTES];
};

struct jwt_ring {
	struct key keys[KEYS_MAX];
	size_t count;
	struct seen seen[SEEN_ENTRIES]; /* by the first bytes of signed_hash */
};

/* A token taken apart; the texts are decoded copies in the arena. */
struct token {
	const char *text;
	size_t signed_bytes; /* header.payload */
	struct json_object *header;
	struct json_object *payload;
	const char *signature; /* still as base64url */
	const uint8_t *signature_raw;
	size_t signature_bytes; /* of the raw one */
};

struct jwt_ring *
jwt_ring_new(void)
{
	struct jwt_ring *ring = calloc(1, sizeof(*ring));

	if (ring == NULL)
		abort();
	return ring;
}

void
jwt_ring_clear(struct jwt_ring *ring)
{
	for (size_t i = 0; i < ring->count; i++)
		jwt_key_free(ring->keys[i].key);
	memset(ring, 0, sizeof(*ring));
}

void
jwt_ring_free(struct jwt_ring *ring)
{
	if (ring == NULL)
		return;
	jwt_ring_clear(ring);
	free(ring);
}

static jwt_alg_t
parse_algorithm(const char *name)
{
	if (name != NULL && strcmp(name, "RS256") == 0)
		return JWT_ALG_RS256;
	if (name != NULL && strcmp(name, "ES256") == 0)
		return JWT_ALG_ES256;
	return JWT_ALG_NONE;
}

static const struct key *
find_key(const struct jwt_ring *ring, const char *kid)
{
	for (size_t i = 0; i < ring->count; i++)
		if (strcmp(ring->keys[i].kid, kid) == 0)
			return &ring->keys[i];
	return NULL;
}

bool
jwt_ring_has(const struct jwt_ring *ring, const char *kid)
{
	return find_key(ring, kid) != NULL;
}

size_t
jwt_ring_count(const struct jwt_ring *ring)
{
	return ring->count;
}

enum rc
jwt_ring_add(struct jwt_ring *ring, const char *kid, const char *algorithm,
	const char *public_pem, struct fault *fault)
{
	struct key *key = &ring->keys[ring->count];

	if (parse_algorithm(algorithm) == JWT_ALG_NONE ||
		strlen(kid) >= KID_BYTES)
		return fault_set(fault, RC_BAD_INPUT,
			"key %.40s: algorithm %.20s", kid, algorithm);
	if (find_key(ring, kid) != NULL)
		return fault_set(
			fault, RC_CONFLICT, "key %s is there already", kid);
	if (ring->count == KEYS_MAX)
		return fault_set(
			fault, RC_TOO_LARGE, "more than %d keys", KEYS_MAX);
	strcpy(key->kid, kid);
	key->algorithm = parse_algorithm(algorithm);
	key->key = jwt_key_new(public_pem, key->algorithm == JWT_ALG_ES256);
	if (key->key == NULL)
		return fault_set(fault, RC_BAD_INPUT,
			"key %.40s is none for %.20s", kid, algorithm);
	ring->count++;
	return RC_OK;
}

static enum rc
refuse(struct fault *fault, const char *why)
{
	fault_tell(fault, RC_UNAUTHENTICATED, "InvalidToken", NULL,
		"The token %s.", why);
	return RC_UNAUTHENTICATED;
}

/* Members in an object and all below it, as json-c kept them. */
static size_t
count_members(struct json_object *value)
{
	size_t count = 0;

	if (json_object_is_type(value, json_type_array))
		for (size_t i = 0; i < json_object_array_length(value); i++)
			count += count_members(
				json_object_array_get_idx(value, i));
	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, name, member)
		{
			(void)name;
			count += 1 + count_members(member);
		}
	}
	return count;
}

/* Members as written: each has one colon outside of strings. */
static size_t
count_colons(const char *json, size_t length)
{
	size_t count = 0;
	bool quoted = false;

	for (size_t i = 0; i < length; i++) {
		if (quoted && json[i] == '\\')
			i++;
		else if (json[i] == '"')
			quoted = !quoted;
		else if (!quoted && json[i] == ':')
			count++;
	}
	return count;
}

/* json-c keeps the last of two members with one name; here that is refused. */
static bool
parse_object(struct arena *arena, const char *part, size_t length,
	struct json_object **object)
{
	struct fault ignored;
	size_t bytes = 0;
	const char *json =
		(const char *)decode_base64url(arena, part, length, &bytes);

	return json != NULL && bytes > 0 &&
	       json_parse(arena, json, bytes, object, &ignored) == RC_OK &&
	       json_object_is_type(*object, json_type_object) &&
	       count_colons(json, bytes) == count_members(*object);
}

/* Exactly three parts, each of them canonical base64url. */
static enum rc
split(struct arena *arena, const char *text, size_t bytes_max,
	struct token *token, struct fault *fault)
{
	size_t length = strnlen(text, bytes_max + 1);
	const char *first = strchr(text, '.');
	const char *second = first != NULL ? strchr(first + 1, '.') : NULL;

	if (length > bytes_max)
		return refuse(fault, "is too long");
	if (second == NULL || strchr(second + 1, '.') != NULL)
		return refuse(fault, "does not have three parts");
	token->text = text;
	token->signed_bytes = (size_t)(second - text);
	token->signature = second + 1;
	token->signature_raw = decode_base64url(arena, token->signature,
		strlen(token->signature), &token->signature_bytes);
	if (token->signature_raw == NULL)
		return refuse(fault, "has a malformed signature");
	if (!parse_object(arena, text, (size_t)(first - text), &token->header))
		return refuse(fault, "has a malformed header");
	if (!parse_object(arena, first + 1, (size_t)(second - first - 1),
		    &token->payload))
		return refuse(fault, "has a malformed payload");
	return RC_OK;
}

const char *
jwt_claim_text(struct json_object *claims, const char *name)
{
	struct json_object *value = NULL;
	const char *text;

	if (!json_object_object_get_ex(claims, name, &value) ||
		!json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	return strlen(text) == (size_t)json_object_get_string_len(value) ? text
									 : NULL;
}

bool
jwt_claim_int(struct json_object *claims, const char *name, int64_t *number)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(claims, name, &value) ||
		!json_object_is_type(value, json_type_int))
		return false;
	*number = json_object_get_int64(value);
	return true;
}

/* Headers that would change what is verified or where the key comes from. */
static enum rc
check_header(struct json_object *header, struct fault *fault)
{
	static const char *const refused[] = {
		"crit", "b64", "jku", "x5u", "jwk", "x5c", "zip"};
	const char *type = jwt_claim_text(header, "typ");

	for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
		if (json_object_object_get_ex(header, refused[i], NULL))
			return refuse(
				fault, "has a header that is not allowed");
	if (json_object_object_get_ex(header, "typ", NULL) &&
		(type == NULL || strcmp(type, "JWT") != 0))
		return refuse(fault, "is of another type");
	return RC_OK;
}

/* The key id picks the key, and the key decides the algorithm. */
static enum rc
pick_key(const struct jwt_ring *ring, const struct token *token,
	const struct key **key, struct fault *fault)
{
	const char *kid = jwt_claim_text(token->header, "kid");
	const char *algorithm = jwt_claim_text(token->header, "alg");

	if (kid == NULL)
		return refuse(fault, "names no key");
	if (parse_algorithm(algorithm) == JWT_ALG_NONE)
		return refuse(fault, "has an algorithm that is not allowed");
	*key = find_key(ring, kid);
	if (*key == NULL)
		return fault_tell(fault, RC_NOT_FOUND, "InvalidToken", NULL,
			"The token is signed with an unknown key.");
	if ((*key)->algorithm != parse_algorithm(algorithm))
		return refuse(fault, "has another algorithm than its key");
	return RC_OK;
}

static bool
same_text(const char *left, const char *right)
{
	return left == NULL || right == NULL ? left == right
					     : strcmp(left, right) == 0;
}

/* A second reader of the same bytes: where two parsers disagree about who a
 * token is for, neither is believed. Without a key libjwt verifies nothing. */
static bool
libjwt_agrees(const struct token *token)
{
	static const char *const members[] = {"iss", "sub", "client_id"};
	jwt_t *jwt = NULL;
	bool good = jwt_decode(&jwt, token->text, NULL, 0) == 0 &&
		    same_text(jwt_get_header(jwt, "alg"),
			    jwt_claim_text(token->header, "alg")) &&
		    same_text(jwt_get_header(jwt, "kid"),
			    jwt_claim_text(token->header, "kid"));

	for (size_t i = 0; i < ARRAY_LENGTH(members) && good; i++)
		good = same_text(jwt_get_grant(jwt, members[i]),
			jwt_claim_text(token->payload, members[i]));
	jwt_free(jwt);
	return good;
}

static struct seen *
seen_place(struct jwt_ring *ring, const struct token *token, struct seen *now)
{
	size_t place;

	secret_hash(now->signed_hash, token->text, token->signed_bytes);
	secret_hash(now->signature_hash, token->signature,
		strlen(token->signature));
	memcpy(&place, now->signed_hash, sizeof(place));
	return &ring->seen[place % SEEN_ENTRIES];
}

/* Only good signatures are remembered, so nobody can push others out
 * without holding real tokens. */
static enum rc
check_signature(
	struct jwt_ring *ring, const struct token *token, struct fault *fault)
{
	const struct key *key = NULL;
	struct seen now;
	struct seen *place = seen_place(ring, token, &now);
	enum rc rc = pick_key(ring, token, &key, fault);

	if (rc != RC_OK)
		return rc;
	if (token->signature_bytes != jwt_key_bytes(key->key))
		return refuse(fault, "has a signature of the wrong length");
	if (memcmp(place, &now, sizeof(now)) == 0)
		return RC_OK;
	if (!jwt_key_verifies(key->key, token->text, token->signed_bytes,
		    token->signature_raw))
		return refuse(fault, "has a wrong signature");
	if (!libjwt_agrees(token))
		return refuse(fault, "reads in two ways");
	*place = now;
	return RC_OK;
}

static enum rc
check_times(struct json_object *claims, const struct jwt_expect *expect,
	struct fault *fault)
{
	int64_t now_s = expect->now_us / CLOCK_SECOND_US;
	int64_t number;

	if (!jwt_claim_int(claims, "exp", &number) || number < 0 ||
		number > NUMBER_MAX_S)
		return refuse(fault, "does not say when it expires");
	if (!expect->ignore_expiry && number <= now_s)
		return refuse(fault, "has expired");
	if (json_object_object_get_ex(claims, "nbf", NULL) &&
		(!jwt_claim_int(claims, "nbf", &number) ||
			number > now_s + JWT_SKEW_S))
		return refuse(fault, "is not valid yet");
	if (json_object_object_get_ex(claims, "iat", NULL) &&
		(!jwt_claim_int(claims, "iat", &number) ||
			number > now_s + JWT_SKEW_S))
		return refuse(fault, "was issued in the future");
	return RC_OK;
}

/* "aud" is one text or a list of texts. */
static bool
has_audience(struct json_object *claims, const char *audience)
{
	struct json_object *list = NULL;
	const char *single = jwt_claim_text(claims, "aud");

	if (single != NULL)
		return strcmp(single, audience) == 0;
	if (!json_object_object_get_ex(claims, "aud", &list) ||
		!json_object_is_type(list, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		if (json_object_is_type(item, json_type_string) &&
			strcmp(json_object_get_string(item), audience) == 0)
			return true;
	}
	return false;
}

static bool
claim_equals(struct json_object *claims, const char *name, const char *text)
{
	const char *value = jwt_claim_text(claims, name);

	return value != NULL && strcmp(value, text) == 0;
}

static enum rc
check_claims(struct json_object *claims, const struct jwt_expect *expect,
	struct fault *fault)
{
	if (!claim_equals(claims, "iss", expect->issuer))
		return refuse(fault, "is of another issuer");
	if (expect->use != NULL &&
		!claim_equals(claims, "token_use", expect->use))
		return refuse(fault, "is of another kind");
	if (expect->audience != NULL && !has_audience(claims, expect->audience))
		return refuse(fault, "is for another audience");
	return check_times(claims, expect, fault);
}

enum rc
jwt_verify(struct jwt_ring *ring, struct arena *arena, const char *text,
	const struct jwt_expect *expect, struct json_object **claims,
	struct fault *fault)
{
	struct token token = {.text = text};
	size_t bytes_max = expect->bytes_max != 0 ? expect->bytes_max
						  : JWT_TOKEN_BYTES_MAX;
	enum rc rc = split(arena, text, bytes_max, &token, fault);

	if (rc == RC_OK)
		rc = check_header(token.header, fault);
	if (rc == RC_OK)
		rc = check_signature(ring, &token, fault);
	if (rc == RC_OK)
		rc = check_claims(token.payload, expect, fault);
	if (rc == RC_OK)
		*claims = token.payload;
	return rc;
}
