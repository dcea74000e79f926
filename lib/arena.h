/*
 * arena: memory that is released all at once.
 *
 * A request, a frame or a page gets one arena; whatever lives in it is gone
 * after arena_reset. Out of memory ends the process: a supervisor restarts it.
 */
#ifndef FG_LIB_ARENA_H
#define FG_LIB_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);

/* Run the deferred destructors, newest first, wipe what was there, and keep
 * one block for reuse. */
void arena_reset(struct arena *arena);

/* Zeroed memory, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t bytes);
void *arena_array(struct arena *arena, size_t count, size_t bytes);

char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t length);
void *arena_memdup(struct arena *arena, const void *data, size_t bytes);
char *arena_printf(struct arena *arena, const char *format, ...)
	PRINTF_LIKE(2, 3);

/* Call destroy(object) when the arena is reset or freed. */
void arena_defer(struct arena *arena, void (*destroy)(void *), void *object);

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *arena);

#endif
