/* route: which handler answers which path; req: what a request says. */

#include "tests/unit/unit.h"

#include <string.h>

#include "lib/route.h"
#include "tests/unit/request.h"

static enum rc
no_handler(struct req *req, struct resp *resp)
{
	(void)req;
	(void)resp;
	return RC_OK;
}

static const struct route routes[] = {
	{METHOD_GET, "/", no_handler, .need = NEED_NONE},
	{METHOD_GET, "/ds/{ds}/variables/{name...}", no_handler,
		.need = NEED_API},
	{METHOD_POST, "/ds/{ds}/variables/query", no_handler, .need = NEED_API},
	{METHOD_GET, "/ds/{ds}", no_handler, .need = NEED_API},
	{METHOD_GET, "/out-{who}", no_handler, .need = NEED_NONE},
	{METHOD_GET, "/out-{who}/start", no_handler, .need = NEED_NONE},
	ROUTES_END,
};

static enum rc
match(struct req *req, struct arena *arena, enum method method, const char *uri,
	unsigned *allowed)
{
	const struct route *route;

	request_make(req, arena, method, uri, NULL, NULL, NULL);
	return route_match(routes, req, &route, allowed);
}

static void
test_route_keeps_encoded_slashes_in_a_name(void **state)
{
	struct arena *arena = arena_new();
	struct req req;
	unsigned allowed;

	(void)state;
	assert_int_equal(
		match(&req, arena, METHOD_GET, "/ds/a%2Fb%20c", &allowed),
		RC_OK);
	assert_string_equal(req_arg(&req, "ds"), "a/b c");
	assert_null(req_arg(&req, "nothing"));
	arena_free(arena);
}

static void
test_route_rest_takes_slashes_and_doubles_are_ignored(void **state)
{
	struct arena *arena = arena_new();
	struct req req;
	unsigned allowed;

	(void)state;
	assert_int_equal(
		match(&req, arena, METHOD_GET,
			"//ds//x/variables/R1/Global%2FStatus", &allowed),
		RC_OK);
	assert_string_equal(req_arg(&req, "name"), "R1/Global/Status");
	arena_free(arena);
}

static void
test_route_name_may_follow_a_text(void **state)
{
	struct arena *arena = arena_new();
	struct req req;
	unsigned allowed;

	(void)state;
	assert_int_equal(
		match(&req, arena, METHOD_GET, "/out-x%2Fy/start", &allowed),
		RC_OK);
	assert_string_equal(req_arg(&req, "who"), "x/y");
	assert_int_equal(
		match(&req, arena, METHOD_GET, "/out-{who}", &allowed), RC_OK);
	assert_string_equal(req_arg(&req, "who"), "{who}");
	assert_int_equal(match(&req, arena, METHOD_GET, "/out-", &allowed),
		RC_NOT_FOUND);
	assert_int_equal(match(&req, arena, METHOD_GET, "/ou-x", &allowed),
		RC_NOT_FOUND);
	assert_int_equal(match(&req, arena, METHOD_GET, "/Out-x", &allowed),
		RC_NOT_FOUND);
	arena_free(arena);
}

static void
test_route_tells_not_found_from_wrong_method(void **state)
{
	struct arena *arena = arena_new();
	struct req req;
	unsigned allowed;

	(void)state;
	assert_int_equal(match(&req, arena, METHOD_GET, "/nothing", &allowed),
		RC_NOT_FOUND);
	assert_int_equal(
		match(&req, arena, METHOD_PUT, "/ds/x", &allowed), RC_METHOD);
	assert_int_equal(allowed, METHOD_GET | METHOD_HEAD);
	assert_int_equal(
		match(&req, arena, METHOD_HEAD, "/ds/x", &allowed), RC_OK);
	arena_free(arena);
}

static void
test_route_refuses_broken_escapes(void **state)
{
	static const char *const broken[] = {
		"/ds/%", "/ds/%4", "/ds/%zz", "/ds/a%00b", "/ds/%ff"};
	struct arena *arena = arena_new();
	struct req req;
	unsigned allowed;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(broken); i++)
		assert_int_equal(
			match(&req, arena, METHOD_GET, broken[i], &allowed),
			RC_BAD_INPUT);
	assert_int_equal(
		match(&req, arena, METHOD_GET, "/ds/%41", &allowed), RC_OK);
	assert_string_equal(req_arg(&req, "ds"), "A");
	arena_free(arena);
}

static void
test_route_table_is_checked(void **state)
{
	static const struct route no_need[] = {
		{METHOD_GET, "/x", no_handler, .need = NEED_UNSET}, ROUTES_END};
	static const struct route twice[] = {
		{METHOD_GET, "/x", no_handler, .need = NEED_NONE},
		{METHOD_GET, "/x", no_handler, .need = NEED_NONE}, ROUTES_END};
	struct fault fault;

	(void)state;
	assert_int_equal(route_check(routes, &fault), RC_OK);
	assert_int_equal(route_check(no_need, &fault), RC_BUG);
	assert_int_equal(route_check(twice, &fault), RC_BUG);
}

static void
test_req_splits_a_query(void **state)
{
	struct arena *arena = arena_new();
	struct req req;
	struct pairs pairs;

	(void)state;
	request_make(&req, arena, METHOD_GET, "/?a=1&b=x+y%26&a=2&c&&d=%C3%A4",
		NULL, NULL, NULL);
	assert_int_equal(req_query(&req, &pairs), RC_OK);
	assert_int_equal(pairs.count, 5);
	assert_string_equal(pairs_find(&pairs, "a"), "1");
	assert_int_equal(pairs_count(&pairs, "a"), 2);
	assert_string_equal(pairs_find(&pairs, "b"), "x y&");
	assert_string_equal(pairs_find(&pairs, "c"), "");
	assert_null(pairs_find(&pairs, "e"));
	request_make(&req, arena, METHOD_GET, "/?a=%f", NULL, NULL, NULL);
	assert_int_equal(req_query(&req, &pairs), RC_BAD_INPUT);
	arena_free(arena);
}

static void
test_req_form_needs_its_type(void **state)
{
	struct arena *arena = arena_new();
	struct req req;
	struct pairs pairs;

	(void)state;
	request_make(&req, arena, METHOD_POST, "/",
		"application/x-www-form-urlencoded; charset=utf-8", "a=b",
		NULL);
	assert_int_equal(req_form(&req, &pairs), RC_OK);
	assert_string_equal(pairs_find(&pairs, "a"), "b");
	req.content_type = "application/json";
	assert_int_equal(req_form(&req, &pairs), RC_UNSUPPORTED);
	arena_free(arena);
}

static void
test_req_finds_headers_and_cookies(void **state)
{
	static const struct pair params[] = {{"HTTP_IF_NONE_MATCH", "x"},
		{"HTTP_COOKIE", "aa=1; a=2;b=; c=3"}, {NULL, NULL}};
	struct arena *arena = arena_new();
	struct req req;

	(void)state;
	request_make(&req, arena, METHOD_GET, "/", NULL, NULL, params);
	assert_string_equal(req_header(&req, "If-None-Match"), "x");
	assert_null(req_header(&req, "Origin"));
	assert_string_equal(req_cookie(&req, "a"), "2");
	assert_string_equal(req_cookie(&req, "c"), "3");
	assert_null(req_cookie(&req, "d"));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_route_keeps_encoded_slashes_in_a_name),
		cmocka_unit_test(
			test_route_rest_takes_slashes_and_doubles_are_ignored),
		cmocka_unit_test(test_route_name_may_follow_a_text),
		cmocka_unit_test(test_route_tells_not_found_from_wrong_method),
		cmocka_unit_test(test_route_refuses_broken_escapes),
		cmocka_unit_test(test_route_table_is_checked),
		cmocka_unit_test(test_req_splits_a_query),
		cmocka_unit_test(test_req_form_needs_its_type),
		cmocka_unit_test(test_req_finds_headers_and_cookies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
