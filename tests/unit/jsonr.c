/* jsonr: what it hands out and what it refuses. */

#include "lib/jsonr.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static enum jsonr_token
last_token(const char *text)
{
	struct jsonr json;
	enum jsonr_token token;

	jsonr_init(&json, text, strlen(text));
	do
		token = jsonr_next(&json);
	while (token != JSONR_END && token != JSONR_BROKEN);
	jsonr_free(&json);
	return token;
}

static double
read_number(const char *text, enum jsonr_token expected)
{
	struct jsonr json;
	double number;

	jsonr_init(&json, text, strlen(text));
	assert_int_equal(jsonr_next(&json), expected);
	number = json.number;
	assert_int_equal(jsonr_next(&json), JSONR_END);
	jsonr_free(&json);
	return number;
}

static void
test_jsonr_accepts_what_is_json(void **state)
{
	static const char *const texts[] = {"1", " [ ] ", "{}", "[1,2 , 3]",
		"{\"a\":{\"b\":[true,false,null]}}",
		"\"\\u00e4\\ud83d\\ude00\"", "-0", "0.5", "1e9", "[[[[]]]]"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		assert_int_equal(last_token(texts[i]), JSONR_END);
}

static void
test_jsonr_refuses_what_is_not(void **state)
{
	static const char *const texts[] = {"", "[1,]", "[,1]", "{\"a\"}",
		"{\"a\":}", "{\"a\":1,}", "{1:2}", "01", "1.", ".5", "1e",
		"- 1", "+1", "NaN", "[1 2]", "[1", "{\"a\":1]", "1 2", "tru",
		"\"a", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\u0000\"",
		"\"\n\"", "\"\xff\"", "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		assert_int_equal(last_token(texts[i]), JSONR_BROKEN);
}

static void
test_jsonr_reads_numbers_as_strtod_does(void **state)
{
	static const char *const texts[] = {"0.1", "-0.1", "3.141592653589793",
		"1234567.891", "1e-7", "4.9e-324", "1.7976931348623157e308",
		"0.000001", "123456789012345678.5", "9007199254740993.0",
		"0.30000000000000004", "-0.0"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
		double number = read_number(texts[i], JSONR_NUM);
		double expected = strtod(texts[i], NULL);

		assert_memory_equal(&number, &expected, sizeof(number));
	}
	assert_true(signbit(read_number("-0", JSONR_NUM)) != 0);
	assert_true(read_number("9223372036854775808", JSONR_NUM) == 0x1p63);
	assert_true(read_number("1234", JSONR_INT) == 1234);
}

static void
test_jsonr_keeps_integers_exact(void **state)
{
	static const char text[] = "[9223372036854775807,-9223372036854775808,"
				   "9007199254740993,-1,0]";
	static const int64_t expected[] = {
		INT64_MAX, INT64_MIN, INT64_C(9007199254740993), -1, 0};
	struct jsonr json;

	(void)state;
	jsonr_init(&json, text, strlen(text));
	assert_int_equal(jsonr_next(&json), JSONR_ARRAY);
	for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
		assert_int_equal(jsonr_next(&json), JSONR_INT);
		assert_true(json.integer == expected[i]);
	}
	jsonr_free(&json);
}

static void
test_jsonr_decodes_texts(void **state)
{
	static const char text[] =
		"{\"k\\n\":\"a\\\"\\\\\\/\\u20ac\\ud83d\\ude00\"}";
	struct jsonr json;

	(void)state;
	jsonr_init(&json, text, strlen(text));
	assert_int_equal(jsonr_next(&json), JSONR_OBJECT);
	assert_int_equal(jsonr_next(&json), JSONR_KEY);
	assert_string_equal(json.text.data, "k\n");
	assert_int_equal(jsonr_next(&json), JSONR_STRING);
	assert_string_equal(
		json.text.data, "a\"\\/\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_int_equal(jsonr_next(&json), JSONR_OBJECT_END);
	assert_int_equal(jsonr_next(&json), JSONR_END);
	jsonr_free(&json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jsonr_accepts_what_is_json),
		cmocka_unit_test(test_jsonr_refuses_what_is_not),
		cmocka_unit_test(test_jsonr_reads_numbers_as_strtod_does),
		cmocka_unit_test(test_jsonr_keeps_integers_exact),
		cmocka_unit_test(test_jsonr_decodes_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
