/* screen_restrict: a picture without the names that its viewer may not know.
 *
 * screen_clean writes a double quote only around attributes, so what looks
 * like one is one. */

#include "model/screen.h"

#include <string.h>

#define MARK " data-fg-"

/* The attributes whose value is the name of a variable. */
static const char *const binders[] = {
	"text", "color", "visible", "rotate", "level", "faceplate"};

/* One binding: "start" is its blank, "end" is behind its closing quote. */
struct binding {
	const char *start;
	const char *value;
	const char *end;
	bool faceplate;
};

static bool
is_binder(const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_LENGTH(binders); i++)
		if (strlen(binders[i]) == length &&
			memcmp(binders[i], name, length) == 0)
			return true;
	return false;
}

static bool
next_binding(const char *at, struct binding *binding)
{
	while ((at = strstr(at, MARK)) != NULL) {
		const char *name = at + strlen(MARK);
		size_t length = strcspn(name, "=\"<> ");
		const char *quote;

		if (strncmp(name + length, "=\"", 2) != 0 ||
			!is_binder(name, length)) {
			at = name;
			continue;
		}
		binding->start = at;
		binding->value = name + length + 2;
		quote = strchr(binding->value, '"');
		if (quote == NULL)
			return false;
		binding->end = quote + 1;
		binding->faceplate = *name == 'f';
		return true;
	}
	return false;
}

/* The text behind the entities that screen_clean writes. */
static const char *
decode(struct arena *arena, const struct binding *binding)
{
	static const struct {
		const char *entity;
		char letter;
	} entities[] = {
		{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}};
	size_t length = (size_t)(binding->end - 1 - binding->value);
	char *text = arena_strndup(arena, binding->value, length);
	char *to = text;

	for (const char *from = text; *from != '\0';) {
		size_t i = 0;

		while (i < ARRAY_LENGTH(entities) &&
			strncmp(from, entities[i].entity,
				strlen(entities[i].entity)) != 0)
			i++;
		if (i == ARRAY_LENGTH(entities)) {
			*to++ = *from++;
			continue;
		}
		*to++ = entities[i].letter;
		from += strlen(entities[i].entity);
	}
	*to = '\0';
	return text;
}

const char **
screen_bindings(struct arena *arena, const char *svg, size_t *count)
{
	struct binding binding;
	const char **names;
	size_t room = 0;

	for (const char *at = svg; next_binding(at, &binding); at = binding.end)
		room++;
	names = arena_array(arena, room + 1, sizeof(*names));
	*count = 0;
	for (const char *at = svg; next_binding(at, &binding); at = binding.end)
		names[(*count)++] = decode(arena, &binding);
	return names;
}

/* An emptied binding shows that there is no value; one of a faceplate goes. */
const char *
screen_restrict(struct arena *arena, const char *svg,
	bool (*shown)(const void *context, const char *variable),
	const void *context)
{
	char *out = arena_alloc(arena, strlen(svg) + 1);
	struct binding binding;
	size_t length = 0;

	for (; next_binding(svg, &binding); svg = binding.end) {
		const char *stop = binding.end;

		if (!shown(context, decode(arena, &binding)))
			stop = binding.faceplate ? binding.start
						 : binding.value;
		memcpy(out + length, svg, (size_t)(stop - svg));
		length += (size_t)(stop - svg);
		if (stop == binding.value)
			out[length++] = '"';
	}
	strcpy(out + length, svg);
	return out;
}
