/* ldap_filter: search filters (RFC 4515) with values that nobody trusts. */

#include "lib/ldap_filter.h"

#include <stdint.h>
#include <string.h>

#include "lib/buf.h"

#define FILTER_BYTES_MAX ((size_t)16 * 1024)

static bool
is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte < 0x7f && strchr("\\*()", byte) == NULL;
}

char *
ldap_filter_escape(struct arena *arena, const void *value, size_t bytes)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *from = value;
	char *text = arena_alloc(arena, 3 * bytes + 1);
	char *to = text;

	for (size_t i = 0; i < bytes; i++) {
		if (is_plain(from[i])) {
			*to++ = (char)from[i];
			continue;
		}
		*to++ = '\\';
		*to++ = digits[from[i] >> 4];
		*to++ = digits[from[i] & 15];
	}
	*to = '\0';
	return text;
}

/* The value of the place at "place", which ends at "end". */
static const char *
value_of(const struct ldap_filter_part *parts, const char *place,
	const char *end)
{
	size_t length = (size_t)(end - place);

	for (; parts->name != NULL; parts++)
		if (strlen(parts->name) == length &&
			memcmp(parts->name, place, length) == 0)
			return parts->value;
	return NULL;
}

/* False when a place cannot be filled. */
static bool
fill(struct buf *out, const char *template,
	const struct ldap_filter_part *parts)
{
	const char *open;

	while ((open = strchr(template, '{')) != NULL) {
		const char *close = strchr(open, '}');
		const char *value = NULL;

		if (close != NULL)
			value = value_of(parts, open + 1, close);
		if (value == NULL)
			return false;
		buf_add(out, template, (size_t)(open - template));
		buf_text(out, value);
		template = close + 1;
	}
	buf_text(out, template);
	return !out->overflow;
}

char *
ldap_filter_fill(struct arena *arena, const char *template,
	const struct ldap_filter_part *parts)
{
	char *text = NULL;
	struct buf out;

	buf_init(&out, FILTER_BYTES_MAX);
	if (fill(&out, template, parts))
		text = arena_strndup(arena, out.data, out.length);
	buf_free(&out);
	return text;
}

/* One pair of parentheses around it all, and none left open. */
static bool
is_balanced(const char *text)
{
	int depth = 0;

	if (*text != '(')
		return false;
	for (; *text != '\0'; text++) {
		depth += (*text == '(') - (*text == ')');
		if (depth < 0 || (depth == 0 && text[1] != '\0'))
			return false;
	}
	return depth == 0;
}

bool
ldap_filter_good(const char *template, const char *name)
{
	size_t length = name == NULL ? 0 : strlen(name);
	bool found = name == NULL;

	if (!is_balanced(template))
		return false;
	for (const char *open = template; (open = strchr(open, '{')) != NULL;
		open++)
		if (name != NULL && strncmp(open + 1, name, length) == 0 &&
			open[1 + length] == '}')
			found = true;
	return found;
}
