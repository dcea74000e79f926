/* field: a JSON request body into a struct; resp: the error envelope. */

#include "tests/unit/unit.h"

#include <json-c/json.h>
#include <string.h>

#include "lib/field.h"
#include "lib/resp.h"
#include "tests/unit/request.h"

struct inner {
	int64_t from_us;
};

struct target {
	const char *name;
	int64_t limit;
	bool deep;
	struct texts list;
	struct ints numbers;
	struct inner time;
};

static const struct field inner_fields[] = {
	{"from", FIELD_TIME, offsetof(struct inner, from_us), .required = true},
	FIELDS_END,
};

static const struct field fields[] = {
	{"name", FIELD_TEXT, offsetof(struct target, name), .required = true,
		.maximum = 8},
	{"limit", FIELD_INT, offsetof(struct target, limit), .minimum = 1,
		.maximum = 10},
	{"deep", FIELD_BOOL, offsetof(struct target, deep), .required = false},
	{"list", FIELD_TEXTS, offsetof(struct target, list), .maximum = 2},
	{"numbers", FIELD_INTS, offsetof(struct target, numbers), .maximum = 3},
	{"time", FIELD_OBJECT, offsetof(struct target, time),
		.fields = inner_fields},
	FIELDS_END,
};

static enum rc
read_body(struct arena *arena, const char *body, struct target *target,
	struct req *req)
{
	memset(target, 0, sizeof(*target));
	target->limit = 5;
	request_make(
		req, arena, METHOD_POST, "/", "application/json", body, NULL);
	return req_json(req, fields, target);
}

static void
test_field_fills_the_struct_without_regard_to_case(void **state)
{
	struct arena *arena = arena_new();
	struct target target;
	struct req req;

	(void)state;
	assert_int_equal(
		read_body(arena,
			"{\"NAME\":\"a\",\"deep\":true,\"list\":[\"x\",\"y\"],"
			"\"numbers\":[0,2147483647],"
			"\"time\":{\"From\":\"1970-01-01T00:00:01Z\"}}",
			&target, &req),
		RC_OK);
	assert_string_equal(target.name, "a");
	assert_int_equal(target.limit, 5);
	assert_true(target.deep);
	assert_int_equal(target.list.count, 2);
	assert_string_equal(target.list.items[1], "y");
	assert_int_equal(target.numbers.count, 2);
	assert_int_equal(target.numbers.items[1], INT32_MAX);
	assert_int_equal(target.time.from_us, 1000000);
	arena_free(arena);
}

static void
test_field_names_what_is_wrong(void **state)
{
	static const struct {
		const char *body;
		const char *field;
	} cases[] = {
		{"{}", "name"},
		{"{\"name\":1}", "name"},
		{"{\"name\":\"123456789\"}", "name"},
		{"{\"name\":\"a\\u0000b\"}", "name"},
		{"{\"name\":\"a\",\"limit\":11}", "limit"},
		{"{\"name\":\"a\",\"limit\":1.5}", "limit"},
		{"{\"name\":\"a\",\"list\":[\"1\",\"2\",\"3\"]}", "list"},
		{"{\"name\":\"a\",\"list\":[1]}", "list"},
		{"{\"name\":\"a\",\"numbers\":[1,2,3,4]}", "numbers"},
		{"{\"name\":\"a\",\"numbers\":[-1]}", "numbers"},
		{"{\"name\":\"a\",\"numbers\":[2147483648]}", "numbers"},
		{"{\"name\":\"a\",\"numbers\":[1.5]}", "numbers"},
		{"{\"name\":\"a\",\"numbers\":1}", "numbers"},
		{"{\"name\":\"a\",\"other\":1}", "other"},
		{"{\"name\":\"a\",\"time\":{\"from\":\"x\"}}", "time.from"},
		{"{\"name\":\"a\",\"time\":{}}", "time.from"},
		{"{\"name\":\"a\"", ""},
		{"{\"name\":\"a\"}x", ""},
		{"[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", ""},
		{"[]", "body"},
		{"", ""},
	};
	struct arena *arena = arena_new();
	struct target target;
	struct req req;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		assert_int_equal(read_body(arena, cases[i].body, &target, &req),
			RC_BAD_INPUT);
		assert_string_equal(req.fault.field, cases[i].field);
	}
	arena_free(arena);
}

static void
test_resp_fault_is_a_compact_envelope(void **state)
{
	struct resp resp;
	struct fault fault;

	(void)state;
	resp_init(&resp);
	fault_set(&fault, RC_NOT_FOUND, "secret words");
	resp_fault(&resp, &fault);
	assert_int_equal(resp.status, 404);
	assert_string_equal(resp.body.data,
		"{\"errorCode\":\"NotFound\",\"errorMessage\":"
		"\"There is nothing at this address.\"}");
	fault_tell(&fault, RC_BAD_INPUT, "WrongType", "a", "Not %d.", 3);
	resp_fault(&resp, &fault);
	assert_string_equal(resp.body.data,
		"{\"errorCode\":\"WrongType\",\"errorMessage\":\"Not 3.\","
		"\"field\":\"a\"}");
	resp_free(&resp);
}

static void
test_resp_drops_headers_with_line_breaks(void **state)
{
	struct resp resp;

	(void)state;
	resp_init(&resp);
	resp_header(&resp, "Location", "/a\r\nSet-Cookie: x");
	assert_int_equal(resp.headers_count, 0);
	resp_header(&resp, "A", "1");
	resp_header(&resp, "a", "2");
	assert_int_equal(resp.headers_count, 1);
	assert_string_equal(resp.headers[0].value, "2");
	resp_free(&resp);
}

static void
test_field_refuses_what_is_no_object(void **state)
{
	static const char *const texts[] = {
		"[]", "[1]", "\"x\"", "1", "1.5", "true", "null"};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
		const char *text = arena_printf(arena, "[%s]", texts[i]);
		struct json_object *list = NULL;
		struct target target;
		struct fault fault;

		assert_int_equal(
			json_parse(arena, text, strlen(text), &list, &fault),
			RC_OK);
		assert_int_equal(
			field_read(arena, json_object_array_get_idx(list, 0),
				fields, &target, "items[0]", &fault),
			RC_BAD_INPUT);
		assert_string_equal(fault.field, "items[0]");
	}
	arena_free(arena);
}

static void
test_field_says_which_member_and_how_much(void **state)
{
	static const struct {
		const char *body;
		const char *field;
		const char *text;
	} cases[] = {
		{"{\"name\":\"123456789\"}", "name",
			"\"name\" may have 8 bytes."},
		{"{\"name\":\"a\",\"list\":[\"1\",\"2\",\"3\"]}", "list",
			"\"list\" may have 2 items."},
		{"{\"name\":\"a\",\"numbers\":[1,2,3,4]}", "numbers",
			"\"numbers\" may have 3 items."},
		{"{\"name\":\"a\",\"time\":{}}", "time.from",
			"\"time.from\" is missing."},
		{"{\"name\":", "",
			"The body is not JSON: it ends too early at byte 8."},
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct target target;
		struct req req;

		assert_int_equal(read_body(arena, cases[i].body, &target, &req),
			RC_BAD_INPUT);
		assert_string_equal(req.fault.field, cases[i].field);
		assert_string_equal(req.fault.client, cases[i].text);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_field_fills_the_struct_without_regard_to_case),
		cmocka_unit_test(test_field_names_what_is_wrong),
		cmocka_unit_test(test_field_refuses_what_is_no_object),
		cmocka_unit_test(test_field_says_which_member_and_how_much),
		cmocka_unit_test(test_resp_fault_is_a_compact_envelope),
		cmocka_unit_test(test_resp_drops_headers_with_line_breaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
