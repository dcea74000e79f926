/* jsonw: a streaming writer of compact JSON; with it buf and utf8. */

#include "tests/unit/unit.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/jsonw.h"
#include "lib/utf8.h"

static void
test_jsonw_writes_compact_nested_json(void **state)
{
	struct buf out;
	struct jsonw json;

	(void)state;
	buf_init(&out, 0);
	jsonw_init(&json, &out);
	jsonw_open_obj(&json, NULL);
	jsonw_str(&json, "a", "x\"\\\n\x01");
	jsonw_open_arr(&json, "b");
	jsonw_int(&json, NULL, INT64_MIN);
	jsonw_bool(&json, NULL, true);
	jsonw_str(&json, NULL, NULL);
	jsonw_open_obj(&json, NULL);
	jsonw_close_obj(&json);
	jsonw_close_arr(&json);
	jsonw_time(&json, "t", 1500);
	jsonw_close_obj(&json);
	assert_string_equal(out.data,
		"{\"a\":\"x\\\"\\\\\\n\\u0001\","
		"\"b\":[-9223372036854775808,true,null,{}],"
		"\"t\":\"1970-01-01T00:00:00.001500Z\"}");
	buf_free(&out);
}

static void
test_jsonw_in_an_arena(void **state)
{
	struct arena *arena = arena_new();
	struct jsonw *json = jsonw_in(arena);

	(void)state;
	jsonw_open_obj(json, NULL);
	jsonw_bool(json, "good", true);
	jsonw_close_obj(json);
	assert_string_equal(json->out->data, "{\"good\":true}");
	arena_free(arena);
}

static void
test_jsonw_replaces_bytes_that_are_not_utf8(void **state)
{
	struct buf out;
	struct jsonw json;

	(void)state;
	buf_init(&out, 0);
	jsonw_init(&json, &out);
	jsonw_str(&json, NULL, "\xc3\xa4\xff\xc3");
	assert_string_equal(out.data, "\"\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\"");
	buf_free(&out);
}

static void
test_jsonw_numbers_read_back_as_the_same_double(void **state)
{
	static const double numbers[] = {0.1, 1e300, 5e-324, DBL_MAX, -1.5,
		123456789012345.6, 3, 1e15, 0.30000000000000004, -0.0, -0.05,
		21.5, 1e-9, 1e-10, 999999999999999, 0.001, 1013.25};
	struct buf out;
	struct jsonw json;

	(void)state;
	buf_init(&out, 0);
	for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
		double back;

		buf_clear(&out);
		jsonw_init(&json, &out);
		jsonw_num(&json, NULL, numbers[i]);
		back = strtod(out.data, NULL);
		assert_memory_equal(&back, &numbers[i], sizeof(back));
	}
	srand(1);
	for (int i = 0; i < 20000; i++) {
		double number = (rand() - RAND_MAX / 2) / 1000.0;
		double back;

		buf_clear(&out);
		jsonw_init(&json, &out);
		jsonw_num(&json, NULL, number);
		back = strtod(out.data, NULL);
		assert_memory_equal(&back, &number, sizeof(back));
	}
	buf_clear(&out);
	jsonw_init(&json, &out);
	jsonw_num(&json, NULL, -0.05);
	assert_string_equal(out.data, "-0.05");
	buf_clear(&out);
	jsonw_init(&json, &out);
	jsonw_num(&json, NULL, (double)NAN);
	assert_string_equal(out.data, "null");
	buf_free(&out);
}

static void
test_buf_stops_at_its_limit(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 10);
	buf_text(&out, "12345");
	buf_printf(&out, "%s", "678901");
	assert_true(out.overflow);
	assert_string_equal(out.data, "12345");
	buf_clear(&out);
	assert_false(out.overflow);
	buf_free(&out);
}

static void
test_utf8_refuses_overlong_and_surrogates(void **state)
{
	(void)state;
	assert_true(utf8_valid("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 10));
	assert_false(utf8_valid("\xc0\xaf", 2));
	assert_false(utf8_valid("\xed\xa0\x80", 3));
	assert_false(utf8_valid("\xf4\x90\x80\x80", 4));
	assert_false(utf8_valid("\xe2\x82", 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jsonw_writes_compact_nested_json),
		cmocka_unit_test(test_jsonw_in_an_arena),
		cmocka_unit_test(test_jsonw_replaces_bytes_that_are_not_utf8),
		cmocka_unit_test(
			test_jsonw_numbers_read_back_as_the_same_double),
		cmocka_unit_test(test_buf_stops_at_its_limit),
		cmocka_unit_test(test_utf8_refuses_overlong_and_surrogates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
