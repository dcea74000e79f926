/* basic: the credentials of "Authorization: Basic ...". */

#include "lib/basic.h"

#include <string.h>
#include <strings.h>

#include "lib/encode.h"
#include "lib/req.h"

bool
basic_used(const char *header)
{
	return header != NULL && strncasecmp(header, "Basic", 5) == 0 &&
	       (header[5] == ' ' || header[5] == '\0');
}

static const char *
decode_half(struct arena *arena, const char *text, size_t length,
	enum basic_kind kind)
{
	if (kind == BASIC_FORM)
		return percent_decode(arena, text, length, true);
	return memchr(text, '\0', length) == NULL
		       ? arena_strndup(arena, text, length)
		       : NULL;
}

bool
basic_read(struct arena *arena, const char *header, enum basic_kind kind,
	struct basic *basic)
{
	const char *encoded;
	const char *text;
	const char *colon;
	size_t length = 0;

	if (!basic_used(header) || strlen(header) > BASIC_BYTES_MAX)
		return false;
	encoded = header + 5 + strspn(header + 5, " ");
	text = (const char *)decode_base64(
		arena, encoded, strlen(encoded), &length);
	colon = text != NULL ? memchr(text, ':', length) : NULL;
	if (colon == NULL)
		return false;
	basic->name = decode_half(arena, text, (size_t)(colon - text), kind);
	basic->secret = decode_half(
		arena, colon + 1, length - (size_t)(colon - text) - 1, kind);
	return basic->name != NULL && basic->secret != NULL;
}
