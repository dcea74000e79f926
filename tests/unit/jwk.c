/* jwk: public keys as JSON, our own and those of others. */

#include "tests/unit/unit.h"

#include <string.h>

#include "lib/jwk.h"
#include "lib/jwt.h"
#include "lib/tls_key.h"

static int
set_up(void **state)
{
	*state = arena_new();
	return 0;
}

static int
tear_down(void **state)
{
	arena_free(*state);
	return 0;
}

static void
test_jwk_thumbprint_is_that_of_the_rfc(void **state)
{
	static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
				  "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"
				  "0vx7agoebGcQSuuPiLJX\n"
				  "ZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86z"
				  "wu1RK7aPFFxuhDR1L6tS\n"
				  "oc/BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ/"
				  "2W+5JsGY4Hc5n9yBXArwl93lqt\n"
				  "7/RN5w6Cf0h4QyQ5v+65YGjQR0/"
				  "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0\n"
				  "zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt+"
				  "bFTWhAI4vMQFh6WeZu0f\n"
				  "M4lFd2NcRwr3XPksINHaQ+G/"
				  "xBniIqbw0Ls1jF44+csFCur+kEgU8awapJzKnqDK\n"
				  "gwIDAQAB\n"
				  "-----END PUBLIC KEY-----\n";
	struct jwk jwk;
	struct fault fault;

	assert_int_equal(jwk_read(*state, pem, &jwk, &fault), RC_OK);
	assert_false(jwk.elliptic);
	assert_string_equal(jwk.second, "AQAB");
	assert_string_equal(
		jwk.kid, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

static void
test_jwk_elliptic_numbers_keep_their_zeros(void **state)
{
	struct tls_key key;
	struct jwk jwk;
	struct fault fault;

	for (int i = 0; i < 300; i++) {
		assert_int_equal(
			tls_key_new(*state, TLS_EC_P256, &key, &fault), RC_OK);
		assert_int_equal(
			jwk_read(*state, key.public_pem, &jwk, &fault), RC_OK);
		assert_true(jwk.elliptic);
		assert_int_equal(strlen(jwk.first), 43);
		assert_int_equal(strlen(jwk.second), 43);
	}
}

static const char *
as_json(struct arena *arena, const struct jwk *jwk, const char *more)
{
	return jwk->elliptic ? arena_printf(arena,
				       "{\"kty\":\"EC\",\"crv\":\"P-256\","
				       "\"x\":\"%s\",\"y\":\"%s\"%s}",
				       jwk->first, jwk->second, more)
			     : arena_printf(arena,
				       "{\"kty\":\"RSA\",\"n\":\"%s\","
				       "\"e\":\"%s\"%s}",
				       jwk->first, jwk->second, more);
}

static struct jwk
make_jwk(struct arena *arena, enum tls_kind kind)
{
	struct tls_key key;
	struct jwk jwk;
	struct fault fault;

	assert_int_equal(tls_key_new(arena, kind, &key, &fault), RC_OK);
	assert_int_equal(jwk_read(arena, key.public_pem, &jwk, &fault), RC_OK);
	return jwk;
}

static void
test_jwk_comes_back_as_the_same_pem(void **state)
{
	static const enum tls_kind kinds[] = {TLS_RSA_2048, TLS_EC_P256};
	struct tls_key key;
	struct jwk jwk;
	struct fault fault;
	const char *pem = NULL;

	for (int i = 0; i < 40; i++) {
		assert_int_equal(
			tls_key_new(*state, kinds[i < 2 ? i : 1], &key, &fault),
			RC_OK);
		assert_int_equal(
			jwk_read(*state, key.public_pem, &jwk, &fault), RC_OK);
		assert_int_equal(jwk_pem(*state, &jwk, &pem, &fault), RC_OK);
		assert_string_equal(pem, key.public_pem);
	}
}

static void
test_jwk_numbers_that_make_no_key(void **state)
{
	struct jwk rsa = make_jwk(*state, TLS_RSA_2048);
	struct jwk ec = make_jwk(*state, TLS_EC_P256);
	const struct jwk bad[] = {
		{.first = rsa.first, .second = "AQ"},   /* e = 1 */
		{.first = rsa.first, .second = "AQAC"}, /* even */
		{.first = rsa.first, .second = ""},
		{.first = rsa.first, .second = "AQAB=="},
		{.first = rsa.first, .second = "AAAAAAAAAAAB"},
		{.first = "", .second = "AQAB"},
		{.first = rsa.first + 4, .second = "AQAB"}, /* 2024 bits */
		{.first = arena_printf(
			 *state, "%s%s%s", rsa.first, rsa.first, rsa.first),
			.second = "AQAB"},
		{.elliptic = true, .first = ec.first, .second = ec.first},
		{.elliptic = true, .first = ec.first, .second = "AAAA"},
		{.elliptic = true, .first = "AAAA", .second = ec.second},
		{.elliptic = true, .first = ec.first, .second = rsa.first},
	};
	struct fault fault;
	const char *pem = NULL;

	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		if (jwk_pem(*state, &bad[i], &pem, &fault) != RC_BAD_INPUT)
			fail_msg("key %zu was taken", i);
}

static enum rc
read_set(struct arena *arena, const char *text, struct jwk_set *set)
{
	struct fault fault;

	return jwk_set_read(arena, text, strlen(text), set, &fault);
}

static const char *
set_of(struct arena *arena, const char *keys)
{
	return arena_printf(arena, "{\"keys\":[%s]}", keys);
}

static void
test_jwk_set_keeps_what_can_verify(void **state)
{
	struct jwk rsa = make_jwk(*state, TLS_RSA_2048);
	struct jwk ec = make_jwk(*state, TLS_EC_P256);
	static const char *const passed_over[] = {
		"", /* no kid */
		",\"kid\":\"\"",
		",\"kid\":5",
		",\"kid\":\"k\",\"use\":\"enc\"",
		",\"kid\":\"k\",\"alg\":\"RS512\"",
		",\"kid\":\"k\",\"alg\":\"HS256\"",
		",\"kid\":\"k\",\"alg\":\"none\"",
		",\"kid\":\"k\",\"key_ops\":[\"encrypt\"]",
		",\"kid\":\"k\",\"key_ops\":\"verify\"",
	};
	struct jwk_set set;
	struct jwt_ring *ring = jwt_ring_new();
	struct fault fault;

	assert_int_equal(
		read_set(*state,
			set_of(*state,
				arena_printf(*state, "%s,%s,%s,%s",
					as_json(*state, &rsa,
						",\"kid\":\"r\",\"use\":"
						"\"sig\",\"alg\":\"RS256\""),
					as_json(*state, &ec,
						",\"kid\":\"e\",\"key_ops\":"
						"[\"verify\"]"),
					as_json(*state, &ec, ",\"kid\":\"r\""),
					"{\"kty\":\"oct\",\"k\":\"AAAA\","
					"\"kid\":\"s\"}")),
			&set),
		RC_OK);
	assert_int_equal(set.count, 2);
	assert_int_equal(set.ignored, 2);
	assert_string_equal(set.items[0].algorithm, "RS256");
	assert_string_equal(set.items[1].algorithm, "ES256");
	for (size_t i = 0; i < set.count; i++)
		assert_int_equal(jwt_ring_add(ring, set.items[i].kid,
					 set.items[i].algorithm,
					 set.items[i].public_pem, &fault),
			RC_OK);
	jwt_ring_free(ring);
	for (size_t i = 0; i < ARRAY_LENGTH(passed_over); i++) {
		assert_int_equal(
			read_set(*state,
				set_of(*state,
					as_json(*state, &rsa, passed_over[i])),
				&set),
			RC_OK);
		if (set.count != 0)
			fail_msg("%s was taken", passed_over[i]);
	}
}

static void
test_jwk_set_has_limits(void **state)
{
	static const char *const broken[] = {"", "[]", "{}", "null",
		"{\"keys\":{}}", "{\"keys\":[5]}", "{\"keys\":[]} x"};
	struct jwk ec = make_jwk(*state, TLS_EC_P256);
	struct jwk_set set;
	const char *keys = "{}";
	char *large;

	for (size_t i = 0; i < ARRAY_LENGTH(broken); i++)
		assert_int_equal(
			read_set(*state, broken[i], &set), RC_BAD_INPUT);
	for (int i = 0; i < JWK_SET_KEYS_MAX; i++)
		keys = arena_printf(*state, "%s,{}", keys);
	assert_int_equal(
		read_set(*state, set_of(*state, keys), &set), RC_TOO_LARGE);
	keys = as_json(*state, &ec, ",\"kid\":\"0\"");
	for (int i = 1; i <= JWK_USABLE_MAX; i++)
		keys = arena_printf(*state, "%s,%s", keys,
			as_json(*state, &ec,
				arena_printf(*state, ",\"kid\":\"%d\"", i)));
	assert_int_equal(
		read_set(*state, set_of(*state, keys), &set), RC_TOO_LARGE);
	large = arena_alloc(*state, JWK_SET_BYTES_MAX + 2);
	memset(large, ' ', JWK_SET_BYTES_MAX + 1);
	assert_int_equal(read_set(*state, large, &set), RC_TOO_LARGE);
}

static void
test_jwk_refuses_what_is_no_key(void **state)
{
	struct jwk jwk;
	struct fault fault;

	assert_int_equal(jwk_read(*state, "x", &jwk, &fault), RC_BAD_INPUT);
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(test_jwk_thumbprint_is_that_of_the_rfc),
		UNIT(test_jwk_elliptic_numbers_keep_their_zeros),
		UNIT(test_jwk_comes_back_as_the_same_pem),
		UNIT(test_jwk_numbers_that_make_no_key),
		UNIT(test_jwk_set_keeps_what_can_verify),
		UNIT(test_jwk_set_has_limits),
		UNIT(test_jwk_refuses_what_is_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
