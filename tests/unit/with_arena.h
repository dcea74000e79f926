/* with_arena: set up and tear down of tests that need an arena. */
#ifndef FG_TESTS_UNIT_WITH_ARENA_H
#define FG_TESTS_UNIT_WITH_ARENA_H

#include "lib/arena.h"
#include "tests/unit/unit.h"

static struct arena *arena;

static int
set_up(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

#endif
