/* arena: memory that is released all at once. */

#include "tests/unit/unit.h"

#include <string.h>

#include "lib/arena.h"

static char order[8];

static void
note(void *object)
{
	strcat(order, object);
}

static void
test_arena_runs_destructors_newest_first(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	order[0] = '\0';
	arena_defer(arena, note, "a");
	arena_defer(arena, note, "b");
	arena_reset(arena);
	assert_string_equal(order, "ba");
	arena_reset(arena);
	assert_string_equal(order, "ba");
	arena_free(arena);
}

static void
test_arena_gives_zeroed_aligned_memory_after_reset(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t bytes = 1; bytes < 200000; bytes = bytes * 3 + 1) {
			unsigned char *memory = arena_alloc(arena, bytes);

			assert_int_equal((uintptr_t)memory % 16, 0);
			for (size_t i = 0; i < bytes; i++)
				assert_int_equal(memory[i], 0);
			memset(memory, 0xff, bytes);
		}
		assert_true(arena_used(arena) > 0);
		arena_reset(arena);
		assert_int_equal(arena_used(arena), 0);
	}
	arena_free(arena);
}

static void
test_arena_prints_and_copies_text(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(arena_printf(arena, "%d-%s", 7, "x"), "7-x");
	assert_string_equal(arena_strndup(arena, "hello", 2), "he");
	assert_null(arena_strdup(arena, NULL));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena_runs_destructors_newest_first),
		cmocka_unit_test(
			test_arena_gives_zeroed_aligned_memory_after_reset),
		cmocka_unit_test(test_arena_prints_and_copies_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
