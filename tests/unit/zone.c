/* zone: local times with their offset, over the change of the clocks. */

#include "tests/unit/unit.h"

#include "lib/clock.h"
#include "lib/zone.h"

static int64_t
at(const char *text)
{
	int64_t time_us;

	assert_true(clock_parse(text, &time_us));
	return time_us;
}

static void
expect(const char *utc, const char *local)
{
	char text[ZONE_TEXT_BYTES];

	zone_format(text, at(utc));
	assert_string_equal(text, local);
}

static void
test_zone_autumn_has_two_hours_of_two(void **state)
{
	(void)state;
	assert_true(zone_use("Europe/Vienna"));
	expect("2026-10-25T00:59:59Z", "2026-10-25T02:59:59.000+02:00");
	expect("2026-10-25T01:00:00Z", "2026-10-25T02:00:00.000+01:00");
}

static void
test_zone_spring_has_no_hour_of_two(void **state)
{
	(void)state;
	assert_true(zone_use("Europe/Vienna"));
	expect("2026-03-29T00:59:59.999Z", "2026-03-29T01:59:59.999+01:00");
	expect("2026-03-29T01:00:00Z", "2026-03-29T03:00:00.000+02:00");
}

static void
test_zone_offsets_need_not_be_whole_hours(void **state)
{
	(void)state;
	assert_true(zone_use("Asia/Kathmandu"));
	expect("2026-01-01T00:00:00Z", "2026-01-01T05:45:00.000+05:45");
	assert_true(zone_use("America/St_Johns"));
	expect("2026-01-01T00:00:00Z", "2025-12-31T20:30:00.000-03:30");
}

static void
test_zone_keeps_microseconds(void **state)
{
	(void)state;
	assert_true(zone_use("UTC"));
	expect("2026-01-01T00:00:00.000001Z",
		"2026-01-01T00:00:00.000001+00:00");
}

static void
test_zone_refuses_what_is_none(void **state)
{
	static const char *const names[] = {"", "Nowhere", "../../etc/passwd",
		"/etc/localtime", "Europe", "CET-1CEST", "zone.tab",
		"Europe/Vienna:x", ":Europe/Vienna"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		assert_false(zone_use(names[i]));
		expect("2026-07-01T00:00:00Z", "2026-07-01T00:00:00.000+00:00");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zone_autumn_has_two_hours_of_two),
		cmocka_unit_test(test_zone_spring_has_no_hour_of_two),
		cmocka_unit_test(test_zone_offsets_need_not_be_whole_hours),
		cmocka_unit_test(test_zone_keeps_microseconds),
		cmocka_unit_test(test_zone_refuses_what_is_none),
	};

	if (!zone_use("Europe/Vienna"))
		return 77; /* no time zone database on this machine */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
