/* clock: points in time as text; encode: uuids and base64. */

#include "tests/unit/unit.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/encode.h"

static void
test_clock_reads_what_it_writes(void **state)
{
	static const int64_t times[] = {
		0, 1, 999999, 1500000, 1700000000123456, 9214646399000000};
	char text[CLOCK_TEXT_BYTES];
	int64_t back;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(times); i++) {
		clock_format(text, times[i]);
		assert_true(clock_parse(text, &back));
		assert_int_equal(back, times[i]);
	}
}

static void
test_clock_writes_leap_days_and_the_past(void **state)
{
	static const struct {
		int64_t time_us;
		const char *text;
	} known[] = {
		{INT64_C(951782400000000), "2000-02-29T00:00:00.000Z"},
		{INT64_C(1709251199999000), "2024-02-29T23:59:59.999Z"},
		{INT64_C(4107542400000000), "2100-03-01T00:00:00.000Z"},
		{-1, "1969-12-31T23:59:59.999999Z"},
		{INT64_C(-2203891200000000), "1900-03-01T00:00:00.000Z"},
	};
	char text[CLOCK_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(known); i++) {
		clock_format(text, known[i].time_us);
		assert_string_equal(text, known[i].text);
	}
}

static void
test_clock_reads_zones_and_fractions(void **state)
{
	int64_t time_us;

	(void)state;
	assert_true(clock_parse("2021-07-15T12:00:00+02:00", &time_us));
	assert_int_equal(time_us, INT64_C(1626343200000000));
	assert_true(clock_parse("2021-07-15T10:00:00.1234567Z", &time_us));
	assert_int_equal(time_us, INT64_C(1626343200123456));
}

static void
test_clock_latest_goes_with_the_wall(void **state)
{
	int64_t before_us = clock_now_us();
	int64_t latest_us = clock_latest_us();

	(void)state;
	assert_true(latest_us >= before_us - 1000);
	assert_true(latest_us <= clock_now_us() + 1000);
	assert_true(clock_latest_us() >= latest_us);
}

static void
test_clock_refuses_what_is_no_time(void **state)
{
	static const char *const wrong[] = {"", "now", "2021-07-15",
		"2021-07-15T10:00:00", "2021-02-30T10:00:00Z",
		"2021-13-01T10:00:00Z", "1969-12-31T23:59:59Z",
		"2021-07-15T24:00:00Z", "2021-07-15T10:00:00Zx",
		"2021-07-15T10:00:00+15:00", "2021-07-15T10:00:00.Z"};
	int64_t time_us;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
		assert_false(clock_parse(wrong[i], &time_us));
}

static void
test_encode_refuses_base64url_that_is_not_canonical(void **state)
{
	static const char *const wrong[] = {"QQ==", "QR", "Q", "Q+8", "QQ\n"};
	struct arena *arena = arena_new();
	size_t bytes;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
		assert_null(decode_base64url(
			arena, wrong[i], strlen(wrong[i]), &bytes));
	assert_non_null(decode_base64url(arena, "QQ", 2, &bytes));
	assert_int_equal(bytes, 1);
	assert_string_equal(encode_base64url(arena, "\xff\xef", 2), "_-8");
	arena_free(arena);
}

static void
test_uuid_round_trip(void **state)
{
	static const char *const wrong[] = {"",
		"824816c9-5580-4e74-a1e7-799a6ea6f38",
		"824816c9-5580-4e74-a1e7-799a6ea6f38dd",
		"824816c9x5580-4e74-a1e7-799a6ea6f38d",
		"824816c9-5580-4e74-a1e7-799a6ea6f38g"};
	uint8_t uuid[UUID_BYTES];
	char text[UUID_TEXT_BYTES];

	(void)state;
	assert_true(uuid_parse("824816C9-5580-4e74-a1e7-799a6ea6f38d", uuid));
	uuid_format(text, uuid);
	assert_string_equal(text, "824816c9-5580-4e74-a1e7-799a6ea6f38d");
	for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
		assert_false(uuid_parse(wrong[i], uuid));
	uuid_random(uuid);
	assert_int_equal(uuid[6] >> 4, 4);
	assert_int_equal(uuid[8] >> 6, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock_reads_what_it_writes),
		cmocka_unit_test(test_clock_writes_leap_days_and_the_past),
		cmocka_unit_test(test_clock_reads_zones_and_fractions),
		cmocka_unit_test(test_clock_latest_goes_with_the_wall),
		cmocka_unit_test(test_clock_refuses_what_is_no_time),
		cmocka_unit_test(
			test_encode_refuses_base64url_that_is_not_canonical),
		cmocka_unit_test(test_uuid_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
