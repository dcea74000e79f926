/* listing: what a list's query string may say, and its cursor. */

#include "tests/unit/unit.h"

#include <string.h>

#include "fcgi/listing.h"
#include "lib/clock.h"
#include "tests/unit/request.h"

struct filter {
	const char *search;
	const char *state;
	const char *owner;
	int64_t since_us;
};

static const char *const states[] = {"active", "disabled", NULL};
static const char *const sorts[] = {"name", "created", NULL};
static const struct listing_filter filters[] = {
	{"search", offsetof(struct filter, search), LISTING_TEXT, NULL},
	{"state", offsetof(struct filter, state), LISTING_TEXT, states},
	{"owner", offsetof(struct filter, owner), LISTING_UUID, NULL},
	{"since", offsetof(struct filter, since_us), LISTING_TIME, NULL},
	LISTING_FILTERS_END,
};
static const struct listing listing = {.sorts = sorts, .filters = filters};

static enum rc
read_query(struct arena *arena, const char *query, struct req *req,
	struct filter *filter, struct slice *slice)
{
	*filter = (struct filter){.since_us = CLOCK_NEVER};
	request_make(req, arena, METHOD_GET, arena_printf(arena, "/?%s", query),
		NULL, NULL, NULL);
	return listing_read(req, &listing, filter, slice);
}

static void
test_listing_begins_at_the_start_of_its_first_order(void **state)
{
	struct arena *arena = arena_new();
	struct filter filter;
	struct slice slice;
	struct req req;

	(void)state;
	assert_int_equal(read_query(arena, "search=&after=&limit=&sort=", &req,
				 &filter, &slice),
		RC_OK);
	assert_string_equal(slice.sort, "name");
	assert_false(slice.descending);
	assert_null(slice.after);
	assert_int_equal(slice.limit, LISTING_LIMIT_DEFAULT);
	assert_null(filter.search);
	arena_free(arena);
}

static void
test_listing_reads_orders_and_filters(void **state)
{
	struct arena *arena = arena_new();
	struct filter filter;
	struct slice slice;
	struct req req;

	(void)state;
	assert_int_equal(read_query(arena,
				 "limit=500&sort=-created&search=J%C3%BCrgen+K"
				 "&state=disabled&since=1970-01-01T00:00:01Z"
				 "&owner=6f8b5b0e-2a1c-4b6e-9a55-0f2d3c4b5a69",
				 &req, &filter, &slice),
		RC_OK);
	assert_string_equal(slice.sort, "created");
	assert_true(slice.descending);
	assert_int_equal(slice.limit, 500);
	assert_string_equal(filter.search, "Jürgen K");
	assert_string_equal(filter.state, "disabled");
	assert_string_equal(
		filter.owner, "6f8b5b0e-2a1c-4b6e-9a55-0f2d3c4b5a69");
	assert_int_equal(filter.since_us, 1000000);
	arena_free(arena);
}

static void
test_listing_names_the_parameter_at_fault(void **state)
{
	static const struct {
		const char *query;
		const char *field;
	} cases[] = {
		{"limit=0", "limit"},
		{"limit=501", "limit"},
		{"limit=5x", "limit"},
		{"limit=99999999999999999999", "limit"},
		{"sort=mail", "sort"},
		{"sort=--name", "sort"},
		{"sort=-", "sort"},
		{"state=gone", "state"},
		{"owner=1", "owner"},
		{"since=today", "since"},
		{"other=1", "other"},
		{"state=active&state=active", "state"},
		{"after=!", "after"},
		{"after=bmFtZQ", "after"},  /* "name" */
		{"search=%zz", NULL},       /* no text at all: no parameter */
		{"after=bmFtZQoxCmIK", ""}, /* "name\n1\nb\n": good */
		{"after=bmFtZQoxeApi", "after"}, /* "name\n1x\nb" */
		{"sort=-name&after=bmFtZQoxCmIK", "after"},
		{"sort=created&after=bmFtZQoxCmIK", "after"},
	};
	struct arena *arena = arena_new();
	struct filter filter;
	struct slice slice;
	struct req req;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		const char *field = cases[i].field;
		enum rc expected = field == NULL || field[0] != '\0'
					   ? RC_BAD_INPUT
					   : RC_OK;

		assert_int_equal(read_query(arena, cases[i].query, &req,
					 &filter, &slice),
			expected);
		assert_string_equal(
			req.fault.field, field != NULL ? field : "");
	}
	arena_free(arena);
}

static void
test_listing_refuses_a_long_filter(void **state)
{
	struct arena *arena = arena_new();
	char *text = arena_alloc(arena, LISTING_FILTER_BYTES + 2);
	struct filter filter;
	struct slice slice;
	struct req req;

	(void)state;
	memset(text, 'a', LISTING_FILTER_BYTES);
	assert_int_equal(
		read_query(arena, arena_printf(arena, "search=%s", text), &req,
			&filter, &slice),
		RC_OK);
	text[LISTING_FILTER_BYTES] = 'a';
	assert_int_equal(
		read_query(arena, arena_printf(arena, "search=%s", text), &req,
			&filter, &slice),
		RC_BAD_INPUT);
	assert_string_equal(req.fault.field, "search");
	arena_free(arena);
}

/* What "next" says is where the next page starts. */
static void
test_listing_cursor_reads_back(void **state)
{
	struct arena *arena = arena_new();
	struct filter filter;
	struct slice slice;
	struct resp resp;
	struct req req;
	char *cursor;

	(void)state;
	assert_int_equal(
		read_query(arena, "sort=-name", &req, &filter, &slice), RC_OK);
	slice.more = true;
	slice.next = "a\nb \"ü\"";
	slice.next_id = -7;
	resp_init(&resp);
	listing_close(listing_open(&resp), &req, &slice);
	assert_memory_equal(resp.body.data, "{\"items\":[],\"next\":\"", 20);
	cursor = arena_strdup(arena, resp.body.data + 20);
	cursor[strlen(cursor) - 2] = '\0';
	assert_int_equal(
		read_query(arena,
			arena_printf(arena, "after=%s&sort=-name", cursor),
			&req, &filter, &slice),
		RC_OK);
	assert_string_equal(slice.after, "a\nb \"ü\"");
	assert_int_equal(slice.after_id, -7);
	resp_free(&resp);
	arena_free(arena);
}

static void
test_listing_ends_with_null(void **state)
{
	struct arena *arena = arena_new();
	struct slice slice = {.sort = "name"};
	struct resp resp;
	struct req req;

	(void)state;
	request_make(&req, arena, METHOD_GET, "/", NULL, NULL, NULL);
	resp_init(&resp);
	listing_close(listing_open(&resp), &req, &slice);
	assert_string_equal(resp.body.data, "{\"items\":[],\"next\":null}");
	resp_free(&resp);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_listing_begins_at_the_start_of_its_first_order),
		cmocka_unit_test(test_listing_reads_orders_and_filters),
		cmocka_unit_test(test_listing_names_the_parameter_at_fault),
		cmocka_unit_test(test_listing_refuses_a_long_filter),
		cmocka_unit_test(test_listing_cursor_reads_back),
		cmocka_unit_test(test_listing_ends_with_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
