/* unit: what every unit test includes before it starts. */
#ifndef FG_TESTS_UNIT_UNIT_H
#define FG_TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The same numbers in every run (xorshift64). */
static inline uint64_t
unit_draw(void)
{
	static uint64_t state = 88172645463325252;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

#endif
