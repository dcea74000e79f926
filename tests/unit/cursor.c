/* cursor: where the next page begins, there and back. */

#include "tests/unit/unit.h"

#include <string.h>

#include "fcgi/cursor.h"
#include "tests/unit/request.h"

static const uint8_t id[UUID_BYTES] = {0xde, 0xad, [15] = 7};

static void
test_cursor_reads_back_what_was_written(void **state)
{
	static const char *const places[] = {"", "0", "1770000000000000",
		"line/a\nb",
		"Gr\xc3\xb6\xc3\x9f"
		"e"};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
		uint8_t found[UUID_BYTES];
		const char *place;
		struct req req;

		request_make(&req, arena, METHOD_POST, "/", NULL, NULL, NULL);
		assert_int_equal(
			cursor_read(&req,
				cursor_text(arena, "-priority", id, places[i]),
				"-priority", found, &place),
			RC_OK);
		assert_string_equal(place, places[i]);
		assert_memory_equal(found, id, UUID_BYTES);
	}
	arena_free(arena);
}

static void
test_cursor_of_another_order_or_broken_is_refused(void **state)
{
	struct arena *arena = arena_new();
	const char *good = cursor_text(arena, "priority", id, "1");
	const char *const texts[] = {"", "x", "====", good + 4,
		arena_strndup(arena, good, strlen(good) - 2),
		encode_base64url(arena, "priority\nno-uuid\n1", 18),
		encode_base64url(arena, "priority", 8)};
	uint8_t found[UUID_BYTES];
	const char *place;
	struct req req;

	(void)state;
	request_make(&req, arena, METHOD_POST, "/", NULL, NULL, NULL);
	assert_int_equal(cursor_read(&req, good, "-priority", found, &place),
		RC_BAD_INPUT);
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		if (cursor_read(&req, texts[i], "priority", found, &place) ==
			RC_OK)
			/* A shorter place is a place, too. */
			assert_string_equal(place, "");
	assert_string_equal(req.fault.field, "after");
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cursor_reads_back_what_was_written),
		cmocka_unit_test(
			test_cursor_of_another_order_or_broken_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
