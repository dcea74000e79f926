/* totp: the codes of RFC 6238, each of them once. */

#include "tests/unit/unit.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/qr.h"
#include "lib/totp.h"

/* "12345678901234567890" of the RFC's appendix B, in base32. */
#define SECRET "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

static enum rc
check(const char *code, int64_t now_s, int64_t last_step, int64_t *step)
{
	struct fault fault;

	return totp_check(
		SECRET, code, now_s * CLOCK_SECOND_US, last_step, step, &fault);
}

static void
test_totp_fits_the_rfc(void **state)
{
	static const struct {
		int64_t time_s;
		const char *code; /* the last six of the RFC's eight digits */
	} rows[] = {{59, "287082"}, {1111111109, "081804"},
		{1111111111, "050471"}, {1234567890, "005924"},
		{2000000000, "279037"}, {20000000000, "353130"}};
	int64_t step;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		assert_int_equal(
			check(rows[i].code, rows[i].time_s, 0, &step), RC_OK);
		assert_int_equal(step, rows[i].time_s / TOTP_STEP_S);
	}
}

static void
test_totp_step_counts_once_and_one_beside_it_too(void **state)
{
	int64_t step;

	(void)state;
	assert_int_equal(check("28 70 82", 59 + 30, 0, &step), RC_OK);
	assert_int_equal(step, 1);
	assert_int_equal(
		check("287082", 59 + 30, 1, &step), RC_UNAUTHENTICATED);
	assert_int_equal(
		check("287082", 59 + 60, 0, &step), RC_UNAUTHENTICATED);
	assert_int_equal(check("287083", 59, 0, &step), RC_UNAUTHENTICATED);
	assert_int_equal(check("28708", 59, 0, &step), RC_UNAUTHENTICATED);
	assert_int_equal(check("2870822", 59, 0, &step), RC_UNAUTHENTICATED);
	assert_int_equal(check("28708a", 59, 0, &step), RC_UNAUTHENTICATED);
	assert_int_equal(check("", 59, 0, &step), RC_UNAUTHENTICATED);
}

static void
test_totp_secret_is_new_and_goes_into_a_qr_code(void **state)
{
	struct arena *arena = arena_new();
	const char *secret = totp_secret(arena);
	const char *address = totp_address(arena, "grid & co", "a@b", secret);
	struct fault fault;
	const char *svg;

	(void)state;
	assert_int_equal(strlen(secret), 32);
	assert_string_not_equal(secret, totp_secret(arena));
	assert_non_null(
		strstr(address, "otpauth://totp/grid%20%26%20co:a%40b"));
	assert_int_equal(qr_draw(arena, address, &svg, &fault), RC_OK);
	assert_int_equal(strncmp(svg, "<svg class=\"fg-qr\"", 18), 0);
	assert_null(strstr(svg, secret));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_totp_fits_the_rfc),
		cmocka_unit_test(
			test_totp_step_counts_once_and_one_beside_it_too),
		cmocka_unit_test(
			test_totp_secret_is_new_and_goes_into_a_qr_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
