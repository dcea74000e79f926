/* arena: memory that is released all at once. */

#include "lib/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

#define BLOCK_BYTES ((size_t)64 * 1024)
#define ALIGNMENT   ((size_t)16)

struct block {
	struct block *next;
	size_t size_bytes;
	size_t used_bytes;
	_Alignas(16) unsigned char data[];
};

struct deferred {
	struct deferred *next;
	void (*destroy)(void *);
	void *object;
};

struct arena {
	struct block *blocks; /* the newest first */
	struct deferred *deferred;
	size_t used_bytes;
};

static void *
allocate_or_die(size_t bytes)
{
	void *memory = malloc(bytes);

	if (memory == NULL) {
		log_error(NULL, "out of memory: %zu bytes", bytes);
		abort();
	}
	return memory;
}

static struct block *
block_new(size_t size_bytes)
{
	struct block *block = allocate_or_die(sizeof(*block) + size_bytes);

	block->next = NULL;
	block->size_bytes = size_bytes;
	block->used_bytes = 0;
	return block;
}

struct arena *
arena_new(void)
{
	struct arena *arena = allocate_or_die(sizeof(*arena));

	arena->blocks = block_new(BLOCK_BYTES);
	arena->deferred = NULL;
	arena->used_bytes = 0;
	return arena;
}

static void
run_deferred(struct arena *arena)
{
	while (arena->deferred != NULL) {
		struct deferred *deferred = arena->deferred;

		arena->deferred = deferred->next;
		deferred->destroy(deferred->object);
	}
}

/* There may have been passwords and tokens in it. */
static void
wipe(struct block *block)
{
	explicit_bzero(block->data, block->used_bytes);
	block->used_bytes = 0;
}

void
arena_reset(struct arena *arena)
{
	run_deferred(arena);
	while (arena->blocks->next != NULL ||
		arena->blocks->size_bytes > BLOCK_BYTES) {
		struct block *block = arena->blocks;

		arena->blocks = block->next != NULL ? block->next
						    : block_new(BLOCK_BYTES);
		wipe(block);
		free(block);
	}
	wipe(arena->blocks);
	arena->used_bytes = 0;
}

void
arena_free(struct arena *arena)
{
	if (arena == NULL)
		return;
	arena_reset(arena);
	free(arena->blocks);
	free(arena);
}

void *
arena_alloc(struct arena *arena, size_t bytes)
{
	struct block *block = arena->blocks;
	size_t rounded = (bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	void *memory;

	if (rounded < bytes) {
		log_error(NULL, "allocation overflow: %zu bytes", bytes);
		abort();
	}
	if (block->size_bytes - block->used_bytes < rounded) {
		block = block_new(
			rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES);
		block->next = arena->blocks;
		arena->blocks = block;
	}
	memory = block->data + block->used_bytes;
	block->used_bytes += rounded;
	arena->used_bytes += rounded;
	return memset(memory, 0, rounded);
}

void *
arena_array(struct arena *arena, size_t count, size_t bytes)
{
	if (bytes != 0 && count > SIZE_MAX / bytes) {
		log_error(NULL, "array overflow: %zu x %zu", count, bytes);
		abort();
	}
	return arena_alloc(arena, count * bytes);
}

char *
arena_strndup(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_alloc(arena, length + 1);

	if (length > 0)
		memcpy(copy, text, length);
	return copy;
}

char *
arena_strdup(struct arena *arena, const char *text)
{
	return text == NULL ? NULL : arena_strndup(arena, text, strlen(text));
}

void *
arena_memdup(struct arena *arena, const void *data, size_t bytes)
{
	void *copy = arena_alloc(arena, bytes);

	if (bytes > 0)
		memcpy(copy, data, bytes);
	return copy;
}

char *
arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	va_list again;
	char *text;
	int length;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = arena_alloc(arena, (size_t)(length < 0 ? 0 : length) + 1);
	if (length > 0)
		vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	return text;
}

void
arena_defer(struct arena *arena, void (*destroy)(void *), void *object)
{
	struct deferred *deferred = arena_alloc(arena, sizeof(*deferred));

	deferred->destroy = destroy;
	deferred->object = object;
	deferred->next = arena->deferred;
	arena->deferred = deferred;
}

size_t
arena_used(const struct arena *arena)
{
	return arena->used_bytes;
}
