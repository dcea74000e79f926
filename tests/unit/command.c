/* command: a command's value, its way into an agent, and what became of it. */

#include "tests/unit/unit.h"

#include <json-c/json.h>
#include <string.h>

#include "agents/command_order.h"
#include "lib/field.h"
#include "model/command_value.h"

static enum rc
read_value(struct arena *arena, enum value_kind kind, const char *json,
	struct value *value)
{
	const char *text = arena_printf(arena, "[%s]", json);
	struct json_object *list = NULL;
	struct fault fault;

	assert_int_equal(
		json_parse(arena, text, strlen(text), &list, &fault), RC_OK);
	return command_value_read(arena, kind,
		json_object_array_get_idx(list, 0), "value", value, &fault);
}

static void
test_command_value_takes_text_and_refuses_what_does_not_fit(void **state)
{
	static const struct {
		enum value_kind kind;
		const char *json;
		bool good;
		double number;
	} cases[] = {
		{VALUE_FLOAT, "\"20\"", true, 20},
		{VALUE_FLOAT, "-1.5e3", true, -1500},
		{VALUE_FLOAT, "\"1e400\"", false, 0},
		{VALUE_FLOAT, "\"inf\"", false, 0},
		{VALUE_FLOAT, "\"0x1p3\"", false, 0},
		{VALUE_FLOAT, "\"1 \"", false, 0},
		{VALUE_FLOAT, "\"\"", false, 0},
		{VALUE_FLOAT, "\"-\"", false, 0},
		{VALUE_FLOAT, "true", false, 0},
		{VALUE_INT, "7.0", true, 7},
		{VALUE_INT, "7.5", false, 0},
		{VALUE_INT, "\"2e1\"", true, 20},
		{VALUE_INT, "\"9223372036854775807\"", true,
			9223372036854775807.0},
		{VALUE_INT, "9223372036854775807", true, 9223372036854775807.0},
		{VALUE_INT, "9223372036854775808", false, 0},
		{VALUE_INT, "-9223372036854775809", false, 0},
		{VALUE_INT, "1e300", false, 0},
		{VALUE_INT, "\"-9223372036854775808\"", true,
			-9223372036854775808.0},
		{VALUE_BOOL, "1", true, 1},
		{VALUE_BOOL, "0.0", true, 0},
		{VALUE_BOOL, "0.5", false, 0},
		{VALUE_BOOL, "\"OFF\"", true, 0},
		{VALUE_BOOL, "\"Yes\"", true, 1},
		{VALUE_BOOL, "\"2\"", false, 0},
		{VALUE_BOOL, "null", false, 0},
		{VALUE_FLOAT, "1000000000000000000000000", false, 0},
		{VALUE_FLOAT, "-1000000000000000000000000", false, 0},
		{VALUE_FLOAT, "1e24", true, 1e24},
		{VALUE_FLOAT, "18446744073709551614", true,
			18446744073709551614.0},
		{VALUE_FLOAT, "\"1\\u00002\"", false, 0},
		{VALUE_INT, "\"1\\u00002\"", false, 0},
		{VALUE_BOOL, "\"on\\u0000off\"", false, 0},
		{VALUE_STRING, "\"a\\u0000b\"", false, 0},
		{VALUE_STRING, "1000000000000000000000000", false, 0},
		{VALUE_STRING, "[]", false, 0},
		{VALUE_STRING, "null", false, 0},
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct value value;
		enum rc rc =
			read_value(arena, cases[i].kind, cases[i].json, &value);

		if ((rc == RC_OK) != cases[i].good)
			fail_msg("%s of kind %d", cases[i].json,
				(int)cases[i].kind);
		if (cases[i].good && value_number(&value) != cases[i].number)
			fail_msg("%s is %g", cases[i].json,
				value_number(&value));
	}
	arena_free(arena);
}

static void
test_command_value_compares_as_it_is_shown(void **state)
{
	const struct value a = {.kind = VALUE_FLOAT, .number = 20.04};
	const struct value b = {.kind = VALUE_FLOAT, .number = 20.0};
	const struct value c = {.kind = VALUE_INT, .integer = 20};

	(void)state;
	assert_true(command_value_same(&a, &b, 1));
	assert_false(command_value_same(&a, &b, 2));
	assert_false(command_value_same(&b, &c, 0));
}

static void
test_command_order_names_what_it_cannot_read(void **state)
{
	static const char good[] =
		"{\"id\":\"6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1001\","
		"\"datasource\":\"6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1002\","
		"\"variable\":\"a\",\"value\":1,"
		"\"boot\":\"6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1003\","
		"\"sent\":1,\"expires\":2}";
	static const char *const bad[] = {"", "[]", "1", "{}", "{\"id\":1}",
		"{\"id\":\"x\",\"datasource\":\"x\",\"variable\":\"a\","
		"\"value\":1,\"boot\":\"x\",\"sent\":1,\"expires\":2}"};
	struct arena *arena = arena_new();
	struct command_order order;
	struct fault fault;

	(void)state;
	assert_int_equal(
		command_order_read(arena, good, strlen(good), &order, &fault),
		RC_OK);
	assert_string_equal(order.variable, "a");
	assert_int_equal(order.expires_us, 2);
	assert_null(order.expected);
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		assert_int_equal(command_order_read(arena, bad[i],
					 strlen(bad[i]), &order, &fault),
			RC_BAD_INPUT);
	arena_free(arena);
}

static void
test_command_outcome_tells_what_is_known(void **state)
{
	static const struct {
		enum rc rc;
		bool begun;
		const char *state;
		const char *code;
	} cases[] = {
		{RC_OK, true, "confirmed", ""},
		{RC_CONFLICT, false, "refused", "OldValueDiffers"},
		{RC_CONFLICT, true, "failed", "ValueDiffers"},
		{RC_UPSTREAM, false, "refused", "DeviceRefused"},
		{RC_UNAVAILABLE, false, "failed", "DeviceOffline"},
		{RC_IO, true, "failed", "Unconfirmed"},
		{RC_BUG, true, "failed", "Unconfirmed"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		const struct sampler_result result = {.rc = cases[i].rc,
			.begun = cases[i].begun,
			.why = "why"};
		struct command_outcome outcome = command_outcome_of(&result);

		assert_string_equal(outcome.state, cases[i].state);
		assert_string_equal(outcome.code, cases[i].code);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_command_value_takes_text_and_refuses_what_does_not_fit),
		cmocka_unit_test(test_command_value_compares_as_it_is_shown),
		cmocka_unit_test(test_command_order_names_what_it_cannot_read),
		cmocka_unit_test(test_command_outcome_tells_what_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
