/* jwt: what libjwt would accept and must not, row by row. */

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
test_jwt_refuses_hmac_with_the_public_key(void **state)
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
test_jwt_refuses_none(void **state)
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
test_jwt_pins_the_algorithm_to_the_key(void **state)
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
test_jwt_checks_the_times(void **state)
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
test_jwt_refuses_headers_that_change_meaning(void **state)
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
test_jwt_has_one_spelling_only(void **state)
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
test_jwt_checks_the_signature_each_time(void **state)
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
		UNIT(test_jwt_refuses_hmac_with_the_public_key),
		UNIT(test_jwt_refuses_none),
		UNIT(test_jwt_pins_the_algorithm_to_the_key),
		UNIT(test_jwt_tells_of_an_unknown_key),
		UNIT(test_jwt_checks_the_times),
		UNIT(test_jwt_of_others_need_no_use_and_may_be_long),
		UNIT(test_jwt_refuses_headers_that_change_meaning),
		UNIT(test_jwt_has_one_spelling_only),
		UNIT(test_jwt_checks_the_signature_each_time),
		UNIT(test_jwt_refuses_doubled_members),
		UNIT(test_jwt_refuses_what_is_no_object),
		UNIT(test_jwt_checks_issuer_audience_and_use),
		UNIT(test_jwt_limits_the_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
