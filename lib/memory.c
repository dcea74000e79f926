/* memory: what outlives a request, and so is in no arena. */

#include "lib/memory.h"

#include <stdint.h>
#include <stdlib.h>

#include "lib/log.h"

static void *
present_or_die(void *memory, size_t count, size_t bytes)
{
	if (memory == NULL) {
		log_error(NULL, "out of memory: %zu times %zu bytes", count,
			bytes);
		abort();
	}
	return memory;
}

void *
memory_new(size_t count, size_t bytes)
{
	return present_or_die(
		calloc(count > 0 ? count : 1, bytes), count, bytes);
}

void *
memory_grow(void *memory, size_t count, size_t bytes)
{
	if (count == 0)
		count = 1;
	if (count > SIZE_MAX / bytes)
		return present_or_die(NULL, count, bytes);
	return present_or_die(realloc(memory, count * bytes), count, bytes);
}
