/* jwt: what libjwt would accept and must not; the rows are those of the table
 * in doc/SECURITY.md. */

#include "tests/unit/unit.h"

#include <json-c/json.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/jwt.h"
#include "lib/tls_key.h"

#define NOW_S INT64_C(1800000000)

static const struct jwt_expect expect = {
	.issuer = "https://grid.test",
	.audience = "fieldgrid-api",
	.use = "access",
	.now_us = NOW_S * CLOCK_SECOND_US,
};

static const char good_header[] =
	"{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"JWT\"}";
static const char good_claims[] =
	"{\"iss\":\"https://grid.test\",\"aud\":\"fieldgrid-api\","
	"\"sub\":\"alice\",\"token_use\":\"access\","
	"\"exp\":1800000100,\"nbf\":1799999990,\"iat\":1799999990}";

struct grid {
	struct arena *arena;
	struct jwt_ring *ring;
	struct tls_key rsa;
	struct tls_key ec;
	struct fault fault;
};

static int
set_up(void **state)
{
	static struct grid grid;

	grid.arena = arena_new();
	grid.ring = jwt_ring_new();
	assert_int_equal(
		tls_key_new(grid.arena, TLS_RSA_2048, &grid.rsa, &grid.fault),
		RC_OK);
	assert_int_equal(
		tls_key_new(grid.arena, TLS_EC_P256, &grid.ec, &grid.fault),
		RC_OK);
	assert_int_equal(jwt_ring_add(grid.ring, "rsa", "RS256",
				 grid.rsa.public_pem, &grid.fault),
		RC_OK);
	assert_int_equal(jwt_ring_add(grid.ring, "ec", "ES256",
				 grid.ec.public_pem, &grid.fault),
		RC_OK);
	*state = &grid;
	return 0;
}

static int
tear_down(void **state)
{
	struct grid *grid = *state;

	jwt_ring_free(grid->ring);
	arena_free(grid->arena);
	return 0;
}

static const char *
part(struct grid *grid, const char *json)
{
	return encode_base64url(grid->arena, json, strlen(json));
}

/* A token with any header, rightly signed with the RSA key. */
static const char *
forge(struct grid *grid, const char *header, const char *claims)
{
	const char *text = arena_printf(
		grid->arena, "%s.%s", part(grid, header), part(grid, claims));
	BIO *bio = BIO_new_mem_buf(grid->rsa.private_pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t signature[512];
	size_t length = sizeof(signature);

	assert_int_equal(
		EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(context, signature, &length,
				 (const uint8_t *)text, strlen(text)),
		1);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	BIO_free(bio);
	return arena_printf(grid->arena, "%s.%s", text,
		encode_base64url(grid->arena, signature, length));
}

static enum rc
verify(struct grid *grid, const char *token)
{
	struct json_object *claims = NULL;

	return jwt_verify(
		grid->ring, grid->arena, token, &expect, &claims, &grid->fault);
}

static void
refused(struct grid *grid, const char *token, const char *why)
{
	assert_int_equal(verify(grid, token), RC_UNAUTHENTICATED);
	assert_string_equal(grid->fault.code, "InvalidToken");
	if (strstr(grid->fault.client, why) == NULL)
		fail_msg("\"%s\" instead of \"%s\"", grid->fault.client, why);
}

static const char *
signed_by(struct grid *grid, const char *kid, const char *algorithm,
	const struct tls_key *key)
{
	struct jwt_signer *signer = NULL;
	const char *token = NULL;

	assert_int_equal(jwt_signer_new(kid, algorithm, key->private_pem,
				 &signer, &grid->fault),
		RC_OK);
	assert_int_equal(jwt_sign(grid->arena, signer, good_claims, &token,
				 &grid->fault),
		RC_OK);
	jwt_signer_free(signer);
	return token;
}

static void
test_jwt_accepts_what_it_signed(void **state)
{
	struct grid *grid = *state;
	struct json_object *claims = NULL;

	/* Often enough to meet numbers with leading zeros. */
	for (int i = 0; i < 300; i++)
		assert_int_equal(
			verify(grid, signed_by(grid, "ec", "ES256", &grid->ec)),
			RC_OK);
	assert_int_equal(jwt_verify(grid->ring, grid->arena,
				 signed_by(grid, "rsa", "RS256", &grid->rsa),
				 &expect, &claims, &grid->fault),
		RC_OK);
	assert_string_equal(jwt_claim_text(claims, "sub"), "alice");
	assert_int_equal(
		verify(grid, forge(grid, good_header, good_claims)), RC_OK);
}

static void
test_jwt_row_1_hmac_with_the_public_key(void **state)
{
	struct grid *grid = *state;
	const char *text = arena_printf(grid->arena, "%s.%s",
		part(grid, "{\"alg\":\"HS256\",\"kid\":\"rsa\"}"),
		part(grid, good_claims));
	const char *pem = grid->rsa.public_pem;
	crypto_auth_hmacsha256_state hmac;
	uint8_t tag[crypto_auth_hmacsha256_BYTES];

	crypto_auth_hmacsha256_init(&hmac, (const uint8_t *)pem, strlen(pem));
	crypto_auth_hmacsha256_update(
		&hmac, (const uint8_t *)text, strlen(text));
	crypto_auth_hmacsha256_final(&hmac, tag);
	refused(grid,
		arena_printf(grid->arena, "%s.%s", text,
			encode_base64url(grid->arena, tag, sizeof(tag))),
		"algorithm");
}

static void
test_jwt_row_3_none(void **state)
{
	struct grid *grid = *state;
	const char *header = part(grid, "{\"alg\":\"none\",\"kid\":\"rsa\"}");
	const char *claims = part(grid, good_claims);

	refused(grid, arena_printf(grid->arena, "%s.%s.", header, claims),
		"algorithm");
	refused(grid, arena_printf(grid->arena, "%s.%s.AAAA", header, claims),
		"algorithm");
}

static void
test_jwt_row_7_key_of_another_kind(void **state)
{
	struct grid *grid = *state;

	refused(grid,
		forge(grid, "{\"alg\":\"RS256\",\"kid\":\"ec\"}", good_claims),
		"another algorithm");
	refused(grid, signed_by(grid, "rsa", "ES256", &grid->ec),
		"another algorithm");
	refused(grid,
		forge(grid, "{\"alg\":\"RS512\",\"kid\":\"rsa\"}", good_claims),
		"algorithm");
	refused(grid, forge(grid, "{\"alg\":\"RS256\"}", good_claims),
		"names no key");
}

static void
test_jwt_tells_of_an_unknown_key(void **state)
{
	struct grid *grid = *state;
	const char *token = forge(grid, good_header, good_claims);

	assert_int_equal(
		verify(grid, signed_by(grid, "new", "ES256", &grid->ec)),
		RC_NOT_FOUND);
	assert_int_equal(verify(grid, token), RC_OK);
	jwt_ring_clear(grid->ring);
	assert_int_equal(verify(grid, token), RC_NOT_FOUND);
}

static const char *
with_times(struct grid *grid, const char *times)
{
	return forge(grid, good_header,
		arena_printf(grid->arena,
			"{\"iss\":\"https://grid.test\","
			"\"aud\":\"fieldgrid-api\","
			"\"token_use\":\"access\"%s}",
			times));
}

static void
test_jwt_row_4_times(void **state)
{
	struct grid *grid = *state;
	struct jwt_expect old = expect;
	struct json_object *claims;

	refused(grid, with_times(grid, ",\"exp\":1"), "expired");
	refused(grid, with_times(grid, ",\"exp\":1800000000"), "expired");
	refused(grid, with_times(grid, ""), "when it expires");
	refused(grid, with_times(grid, ",\"exp\":\"1900000000\""), "expires");
	refused(grid, with_times(grid, ",\"exp\":1.9e9"), "expires");
	refused(grid, with_times(grid, ",\"exp\":-1"), "expires");
	refused(grid,
		with_times(grid, ",\"exp\":1900000000,\"nbf\":9999999999"),
		"not valid yet");
	refused(grid, with_times(grid, ",\"exp\":1900000000,\"nbf\":null"),
		"not valid yet");
	refused(grid,
		with_times(grid, ",\"exp\":1900000000,\"iat\":9999999999"),
		"future");
	old.ignore_expiry = true;
	assert_int_equal(jwt_verify(grid->ring, grid->arena,
				 with_times(grid, ",\"exp\":1"), &old, &claims,
				 &grid->fault),
		RC_OK);
}

static void
test_jwt_of_others_need_no_use_and_may_be_long(void **state)
{
	struct grid *grid = *state;
	struct jwt_expect foreign = expect;
	struct json_object *claims;
	const char *token = forge(grid, good_header,
		arena_printf(grid->arena,
			"{\"iss\":\"https://grid.test\","
			"\"aud\":\"fieldgrid-api\",\"exp\":1900000000,"
			"\"filler\":\"%09000d\"}",
			0));

	foreign.use = NULL;
	foreign.bytes_max = 16384;
	assert_int_equal(jwt_verify(grid->ring, grid->arena, token, &foreign,
				 &claims, &grid->fault),
		RC_OK);
	refused(grid, token, "too long");
	refused(grid, with_times(grid, ",\"exp\":1"), "expired");
}

static void
test_jwt_row_5_unknown_critical_headers(void **state)
{
	static const char *const members[] = {"\"crit\":[\"exp\"]",
		"\"b64\":false", "\"jku\":\"https://evil.test/\"",
		"\"x5u\":\"https://evil.test/\"", "\"jwk\":{\"kty\":\"RSA\"}",
		"\"x5c\":[]", "\"zip\":\"DEF\"", "\"crit\":null"};
	struct grid *grid = *state;

	for (size_t i = 0; i < ARRAY_LENGTH(members); i++)
		refused(grid,
			forge(grid,
				arena_printf(grid->arena,
					"{\"alg\":\"RS256\",\"kid\":\"rsa\","
					"%s}",
					members[i]),
				good_claims),
			"not allowed");
	refused(grid,
		forge(grid,
			"{\"alg\":\"RS256\",\"kid\":\"rsa\","
			"\"typ\":\"at+jwt\"}",
			good_claims),
		"another type");
}

static void
test_jwt_row_6_letters_behind_the_signature(void **state)
{
	struct grid *grid = *state;
	const char *token = forge(grid, good_header, good_claims);
	char *bent = arena_strdup(grid->arena, token);

	assert_int_equal(verify(grid, token), RC_OK);
	refused(grid, arena_printf(grid->arena, "%s==", token), "signature");
	refused(grid, arena_printf(grid->arena, "%s ", token), "signature");
	refused(grid, arena_printf(grid->arena, "%s.", token), "three parts");
	refused(grid, arena_printf(grid->arena, "%s.x", token), "three parts");
	/* 256 bytes leave 4 spare bits in the last letter: A, Q, g or w. */
	bent[strlen(bent) - 1]++;
	refused(grid, bent, "malformed signature");
	refused(grid, "", "three parts");
	refused(grid, "a.b", "three parts");
	refused(grid, "..", "malformed");
}

static void
test_jwt_row_7_changed_signatures(void **state)
{
	struct grid *grid = *state;
	const char *token = forge(grid, good_header, good_claims);
	size_t dot = (size_t)(strrchr(token, '.') - token);
	char *flipped = arena_strdup(grid->arena, token);
	char *stripped = arena_strndup(grid->arena, token, dot + 1);

	assert_int_equal(verify(grid, token), RC_OK); /* remembered */
	flipped[dot + 40] = flipped[dot + 40] == 'A' ? 'B' : 'A';
	refused(grid, flipped, "wrong signature");
	refused(grid, stripped, "wrong length");
	refused(grid, arena_printf(grid->arena, "%sAAAA", stripped),
		"wrong length");
	assert_int_equal(verify(grid, token), RC_OK);
}

static void
test_jwt_refuses_doubled_members(void **state)
{
	struct grid *grid = *state;

	refused(grid,
		forge(grid,
			"{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"rsa\"}",
			good_claims),
		"malformed header");
	refused(grid, with_times(grid, ",\"exp\":1,\"exp\":1900000000"),
		"malformed payload");
	refused(grid,
		with_times(grid, ",\"exp\":1900000000,"
				 "\"cnf\":{\"x\":\"1\",\"x\":\"2\"}"),
		"malformed payload");
	assert_int_equal(
		verify(grid,
			with_times(grid, ",\"exp\":1900000000,"
					 "\"a\":\"\\\":{\\\\\",\"b\":[{}]")),
		RC_OK);
}

static void
test_jwt_row_2_no_key(void **state)
{
	struct grid *grid = *state;
	const char *const tokens[] = {
		forge(grid, good_header, good_claims),
		signed_by(grid, "ec", "ES256", &grid->ec),
	};

	jwt_ring_clear(grid->ring);
	for (size_t i = 0; i < ARRAY_LENGTH(tokens); i++)
		assert_int_equal(verify(grid, tokens[i]), RC_NOT_FOUND);
	assert_int_equal(
		jwt_ring_add(grid->ring, "rsa", "RS256", "", &grid->fault),
		RC_BAD_INPUT);
	assert_int_equal(jwt_ring_add(grid->ring, "rsa", "RS256",
				 grid->ec.public_pem, &grid->fault),
		RC_BAD_INPUT);
	assert_int_equal(jwt_ring_add(grid->ring, "rsa", "HS256",
				 grid->rsa.public_pem, &grid->fault),
		RC_BAD_INPUT);
	assert_int_equal(jwt_ring_count(grid->ring), 0);
}

/* libjwt overwrites any other type; nobody may take ours for another one. */
static void
test_jwt_row_8_type_of_what_is_signed(void **state)
{
	struct grid *grid = *state;
	const char *token = signed_by(grid, "rsa", "RS256", &grid->rsa);
	size_t length = strcspn(token, ".");
	const char *header = (const char *)decode_base64url(
		grid->arena, token, length, &length);

	assert_string_equal(header, good_header);
}

/* libjwt refuses them too, so RFC 9068 is out of reach: see lib/jwt.h. */
static void
test_jwt_row_9_other_types(void **state)
{
	static const char *const types[] = {"\"at+jwt\"",
		"\"application/at+jwt\"", "\"logout+jwt\"", "\"jwt\"", "1",
		"null"};
	struct grid *grid = *state;

	for (size_t i = 0; i < ARRAY_LENGTH(types); i++)
		refused(grid,
			forge(grid,
				arena_printf(grid->arena,
					"{\"alg\":\"RS256\",\"kid\":\"rsa\","
					"\"typ\":%s}",
					types[i]),
				good_claims),
			"another type");
}

/* jwt_get_grant gives NULL and 0 for these; here they are read as they are. */
static void
test_jwt_row_10_lists_and_numbers(void **state)
{
	struct grid *grid = *state;
	struct json_object *claims = NULL;
	int64_t number = 0;
	const char *token = forge(grid, good_header,
		"{\"iss\":\"https://grid.test\",\"token_use\":\"access\","
		"\"aud\":[\"other\",\"fieldgrid-api\"],\"exp\":1900000000,"
		"\"big\":9007199254740993,\"real\":1.9e9}");

	assert_int_equal(jwt_verify(grid->ring, grid->arena, token, &expect,
				 &claims, &grid->fault),
		RC_OK);
	assert_true(jwt_claim_int(claims, "exp", &number));
	assert_int_equal(number, 1900000000);
	assert_true(jwt_claim_int(claims, "big", &number));
	assert_int_equal(number, INT64_C(9007199254740993));
	assert_false(jwt_claim_int(claims, "real", &number));
	assert_null(jwt_claim_text(claims, "aud"));
}

/* RFC 7518 3.4: two numbers of 32 bytes, and nothing else. */
static void
test_jwt_es256_has_64_bytes(void **state)
{
	struct grid *grid = *state;
	const char *token = signed_by(grid, "ec", "ES256", &grid->ec);
	size_t dot = (size_t)(strrchr(token, '.') - token);
	const char *text = arena_strndup(grid->arena, token, dot);
	size_t length = 0;
	uint8_t signature[80] = {0};
	const size_t wrong[] = {0, 1, 32, 63, 65, 70, 72, 80};

	memcpy(signature,
		decode_base64url(grid->arena, token + dot + 1,
			strlen(token + dot + 1), &length),
		64);
	assert_int_equal(length, 64);
	for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
		refused(grid,
			arena_printf(grid->arena, "%s.%s", text,
				encode_base64url(
					grid->arena, signature, wrong[i])),
			"wrong length");
	memset(signature, 0, 64);
	refused(grid,
		arena_printf(grid->arena, "%s.%s", text,
			encode_base64url(grid->arena, signature, 64)),
		"wrong signature");
	memset(signature, 0xff, 64);
	refused(grid,
		arena_printf(grid->arena, "%s.%s", text,
			encode_base64url(grid->arena, signature, 64)),
		"wrong signature");
	assert_int_equal(verify(grid, token), RC_OK);
}

/* json-c reads a zero byte in a text, libjwt does not. */
static void
test_jwt_refuses_what_two_readers_see_differently(void **state)
{
	struct grid *grid = *state;

	refused(grid,
		with_times(grid, ",\"exp\":1900000000,"
				 "\"sub\":\"admin\\u0000x\""),
		"two ways");
}

static void
test_jwt_signer_takes_only_fitting_keys(void **state)
{
	struct grid *grid = *state;
	struct jwt_signer *signer = NULL;
	const struct {
		const char *algorithm;
		const char *pem;
	} rows[] = {
		{"RS256", grid->ec.private_pem},
		{"ES256", grid->rsa.private_pem},
		{"HS256", grid->rsa.private_pem},
		{"none", grid->rsa.private_pem},
		{"RS256", grid->rsa.public_pem},
		{"RS256", ""},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		assert_int_equal(jwt_signer_new("k", rows[i].algorithm,
					 rows[i].pem, &signer, &grid->fault),
			RC_BAD_INPUT);
		assert_null(signer);
	}
}

static void
test_jwt_refuses_what_is_no_object(void **state)
{
	struct grid *grid = *state;

	refused(grid, forge(grid, "[]", good_claims), "malformed header");
	refused(grid, forge(grid, "null", good_claims), "malformed header");
	refused(grid, forge(grid, good_header, "\"text\""), "payload");
	refused(grid, forge(grid, good_header, "{\"iss\":"), "payload");
}

static void
test_jwt_checks_issuer_audience_and_use(void **state)
{
	static const struct {
		const char *issuer, *audience, *use, *why;
	} rows[] = {
		{"https://grid.test/", "\"fieldgrid-api\"", "access", "issuer"},
		{"https://grid.test", "\"fieldgrid-hub\"", "access",
			"audience"},
		{"https://grid.test", "[1,\"other\"]", "access", "audience"},
		{"https://grid.test", "\"fieldgrid-api\"", "id", "kind"},
		{"https://grid.test", "[\"x\",\"fieldgrid-api\"]", "access",
			NULL},
	};
	struct grid *grid = *state;

	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		const char *token = forge(grid, good_header,
			arena_printf(grid->arena,
				"{\"iss\":\"%s\",\"aud\":%s,"
				"\"token_use\":\"%s\",\"exp\":1900000000}",
				rows[i].issuer, rows[i].audience, rows[i].use));

		if (rows[i].why != NULL)
			refused(grid, token, rows[i].why);
		else
			assert_int_equal(verify(grid, token), RC_OK);
	}
}

static void
test_jwt_limits_the_length(void **state)
{
	struct grid *grid = *state;
	char *claims = arena_alloc(grid->arena, 9000);

	memset(claims, ' ', 8999);
	claims[0] = '{';
	refused(grid, forge(grid, good_header, claims), "too long");
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(test_jwt_accepts_what_it_signed),
		UNIT(test_jwt_row_1_hmac_with_the_public_key),
		UNIT(test_jwt_row_2_no_key),
		UNIT(test_jwt_row_3_none),
		UNIT(test_jwt_row_4_times),
		UNIT(test_jwt_row_5_unknown_critical_headers),
		UNIT(test_jwt_row_6_letters_behind_the_signature),
		UNIT(test_jwt_row_7_key_of_another_kind),
		UNIT(test_jwt_row_7_changed_signatures),
		UNIT(test_jwt_row_8_type_of_what_is_signed),
		UNIT(test_jwt_row_9_other_types),
		UNIT(test_jwt_row_10_lists_and_numbers),
		UNIT(test_jwt_es256_has_64_bytes),
		UNIT(test_jwt_signer_takes_only_fitting_keys),
		UNIT(test_jwt_tells_of_an_unknown_key),
		UNIT(test_jwt_of_others_need_no_use_and_may_be_long),
		UNIT(test_jwt_refuses_doubled_members),
		UNIT(test_jwt_refuses_what_two_readers_see_differently),
		UNIT(test_jwt_refuses_what_is_no_object),
		UNIT(test_jwt_checks_issuer_audience_and_use),
		UNIT(test_jwt_limits_the_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
