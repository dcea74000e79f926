/*
 * memory: what outlives a request, and so is in no arena.
 *
 * Never NULL: a process without memory says so and ends, and is started anew.
 */
#ifndef FG_LIB_MEMORY_H
#define FG_LIB_MEMORY_H

#include <stddef.h>

/* Zeroed; what is never touched costs nothing. Owns: the caller, by free. */
void *memory_new(size_t count, size_t bytes);

/* As realloc; what is new is not zeroed. NULL grows to something. */
void *memory_grow(void *memory, size_t count, size_t bytes);

#endif
