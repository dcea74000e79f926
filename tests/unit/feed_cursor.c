/* feed_cursor: cursors come back as they were, and nothing else is one. */

#include "tests/unit/unit.h"

#include <string.h>

#include "model/feed_cursor.h"

static void
test_cursor_comes_back(void **state)
{
	struct arena *arena = arena_new();
	struct feed_source sources[] = {
		{1, 0, 0, 0, 0},
		{7, 12, 900, 1, INT64_C(1700000000000000)},
		{INT32_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX},
	};
	const struct feed_cursor cursor = {sources, ARRAY_LENGTH(sources)};
	struct feed_cursor read;
	struct fault fault;

	(void)state;
	assert_int_equal(
		feed_cursor_read(arena, feed_cursor_write(arena, &cursor),
			&read, &fault),
		RC_OK);
	assert_int_equal(read.count, cursor.count);
	for (size_t i = 0; i < read.count; i++) {
		assert_int_equal(read.sources[i].node_id, sources[i].node_id);
		assert_true(read.sources[i].sequence == sources[i].sequence);
		assert_true(read.sources[i].id == sources[i].id);
		assert_true(read.sources[i].fills == sources[i].fills);
		assert_true(read.sources[i].last_us == sources[i].last_us);
	}
	assert_ptr_equal(feed_cursor_find(&read, 7), &read.sources[1]);
	assert_null(feed_cursor_find(&read, 8));
	arena_free(arena);
}

static void
test_cursor_of_nothing_is_one(void **state)
{
	struct arena *arena = arena_new();
	const struct feed_cursor none = {NULL, 0};
	struct feed_cursor read;
	struct fault fault;

	(void)state;
	assert_string_equal(feed_cursor_write(arena, &none), "f1.");
	assert_int_equal(feed_cursor_read(arena, "f1.", &read, &fault), RC_OK);
	assert_int_equal(read.count, 0);
	assert_null(feed_cursor_find(&read, 1));
	arena_free(arena);
}

static void
test_cursor_refuses_others(void **state)
{
	static const char *const wrong[] = {"", "f", "f2.", "f1.!", "f1.AA",
		"f1.AQAAAA", "f1.AAAAAAA",
		"f1.AQAAAAAAAAAAAA", /* the second is node 1 again */
		"f1.AYCAgICAgICAgAEAAAA", "l1.1:1:..0.0"};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
		struct feed_cursor read;
		struct fault fault;

		assert_int_equal(
			feed_cursor_read(arena, wrong[i], &read, &fault),
			RC_BAD_INPUT);
		assert_string_equal(fault.code, "CursorInvalid");
	}
	arena_free(arena);
}

static void
test_look_comes_back(void **state)
{
	static const char *const good[] = {"l1.1:1:..0.0",
		"l1.10:20:10,14,19.15:15:.17.123",
		"l1.5:5:..0.00000000-0000-0000-0000-000000000000"};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
		struct feed_look look;
		struct fault fault;

		assert_int_equal(
			feed_look_read(arena, good[i], &look, &fault), RC_OK);
		assert_string_equal(feed_look_write(arena, &look), good[i]);
	}
	arena_free(arena);
}

/* What PostgreSQL would not read as a snapshot, a number or a UUID. */
static void
test_look_refuses_others(void **state)
{
	static const char *const wrong[] = {"", "l1.", "l1.1:1:", "l1.1:1:..0",
		"l1.1:1:..0.0.0", "l1.0:1:..0.0", "l1.2:1:..0.0",
		"l1.1:5:5..0.0", "l1.3:5:2..0.0", "l1.1:5:2,2..0.0",
		"l1.1:5:2,..0.0", "l1.1:5:2 ..0.0", "l1.1:1:.x.0.0",
		"l1.1:1:..-1.0", "l1.1:1:..0.x", "l1.1:1:..0.",
		"l1.1111111111111111111:1111111111111111111:..0.0", "f1.AA"};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
		struct feed_look look;
		struct fault fault;

		assert_int_equal(feed_look_read(arena, wrong[i], &look, &fault),
			RC_BAD_INPUT);
	}
	arena_free(arena);
}

/* What was seen of numbers from the base on was of another database. */
static void
test_look_is_cut(void **state)
{
	static const char *const pairs[][2] = {
		{"l1.10:12:..0.0", "l1.10:12:..0.0"},
		{"l1.10:100:..0.0", "l1.10:100:..0.0"},
		{"l1.150:160:155..0.0", "l1.100:100:..0.0"},
		{"l1.90:200:90,99,100,120..0.0", "l1.90:100:90,99..0.0"},
		{"l1.90:95:.98:130:98,110.97.7", "l1.90:95:.98:100:98.97.7"},
		{"l1.90:95:.98:130:98,110.100.7", "l1.98:100:98..0.0"},
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++) {
		struct feed_look look;
		struct fault fault;

		assert_int_equal(
			feed_look_read(arena, pairs[i][0], &look, &fault),
			RC_OK);
		feed_look_cut(arena, 100, FEED_NO_EVENT, &look);
		assert_string_equal(feed_look_write(arena, &look), pairs[i][1]);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cursor_comes_back),
		cmocka_unit_test(test_cursor_of_nothing_is_one),
		cmocka_unit_test(test_cursor_refuses_others),
		cmocka_unit_test(test_look_comes_back),
		cmocka_unit_test(test_look_refuses_others),
		cmocka_unit_test(test_look_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
