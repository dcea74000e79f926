/* fuzz/feed_cursor: any text as a cursor of a feed. */

#include <stdlib.h>
#include <string.h>

#include "model/feed_cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* What is taken is written as it is read, and its senders rise. */
static void
try_cursor(struct arena *arena, const char *text)
{
	struct feed_cursor cursor;
	struct feed_cursor again;
	struct fault fault;

	if (feed_cursor_read(arena, text, &cursor, &fault) != RC_OK)
		return;
	for (size_t i = 0; i < cursor.count; i++)
		if (feed_cursor_find(&cursor, cursor.sources[i].node_id) !=
			&cursor.sources[i])
			abort();
	text = feed_cursor_write(arena, &cursor);
	if (feed_cursor_read(arena, text, &again, &fault) != RC_OK ||
		strcmp(feed_cursor_write(arena, &again), text) != 0)
		abort();
}

static void
try_look(struct arena *arena, const char *text)
{
	struct feed_look look;
	struct fault fault;

	if (feed_look_read(arena, text, &look, &fault) != RC_OK)
		return;
	if (strcmp(feed_look_write(arena, &look), text) != 0)
		abort();
	feed_look_cut(arena, 12, FEED_NO_EVENT, &look);
	text = feed_look_write(arena, &look);
	if (feed_look_read(arena, text, &look, &fault) != RC_OK)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct arena *arena = arena_new();
	const char *text = arena_strndup(arena, (const char *)data, length);

	try_cursor(arena, text);
	try_look(arena, text);
	arena_free(arena);
	return 0;
}
