/* fuzz/cursor: any bytes as the "after" of a question. */

#include <stdlib.h>
#include <string.h>

#include "fcgi/cursor.h"
#include "lib/utf8.h"
#include "tests/unit/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* What is accepted is text, and is written the same way again. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct arena *arena;
	uint8_t id[UUID_BYTES];
	const char *place;
	const char *text;
	struct req req;

	if (arena == NULL)
		arena = arena_new();
	request_make(&req, arena, METHOD_POST, "/", NULL, NULL, NULL);
	text = arena_strndup(arena, (const char *)data, length);
	if (cursor_read(&req, text, "priority", id, &place) == RC_OK) {
		uint8_t again[UUID_BYTES];
		const char *same;

		if (!utf8_valid(place, strlen(place)))
			abort();
		if (cursor_read(&req, cursor_text(arena, "priority", id, place),
			    "priority", again, &same) != RC_OK ||
			strcmp(same, place) != 0 ||
			memcmp(again, id, sizeof(id)) != 0)
			abort();
	} else if (req.fault.client[0] == '\0') {
		abort();
	}
	arena_reset(arena);
	return 0;
}
