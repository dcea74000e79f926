/* cursor: the base64url of "<sort>\n<uuid>\n<place>". */

#include "fcgi/cursor.h"

#include <string.h>

#include "lib/utf8.h"

const char *
cursor_text(struct arena *arena, const char *sort, const uint8_t id[UUID_BYTES],
	const char *place)
{
	char uuid[UUID_TEXT_BYTES];
	const char *text;

	uuid_format(uuid, id);
	text = arena_printf(arena, "%s\n%s\n%s", sort, uuid, place);
	return encode_base64url(arena, text, strlen(text));
}

/* The text behind the next line break, which is cut off; NULL = none. */
static char *
cut_line(char *text)
{
	char *end = text != NULL ? strchr(text, '\n') : NULL;

	if (end == NULL)
		return NULL;
	*end = '\0';
	return end + 1;
}

enum rc
cursor_read(struct req *req, const char *text, const char *sort,
	uint8_t id[UUID_BYTES], const char **place)
{
	size_t bytes = 0;
	char *order = (char *)decode_base64url(
		req->arena, text, strlen(text), &bytes);
	char *uuid = NULL;

	if (order != NULL && strlen(order) == bytes && utf8_valid(order, bytes))
		uuid = cut_line(order);
	*place = cut_line(uuid);
	if (*place != NULL && strcmp(order, sort) == 0 && uuid_parse(uuid, id))
		return RC_OK;
	return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest", "after",
		"\"after\" must be the \"next\" of an answer with the same "
		"\"sort\"; leave it out to start anew.");
}
