/* fuzz/form: any bytes as the body of a form, such as that of a token request.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"
#include "tests/unit/request.h"

#define PAIRS_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static enum rc
read_form(struct arena *arena, const char *body, struct pairs *pairs)
{
	static const struct pair params[] = {{NULL, NULL}};
	struct req req;

	request_make(&req, arena, METHOD_POST, "/connect/token",
		"application/x-www-form-urlencoded; charset=utf-8", body,
		params);
	return req_form(&req, pairs);
}

static const char *
write_form(struct arena *arena, const struct pairs *pairs)
{
	const char *text = "";

	for (size_t i = 0; i < pairs->count; i++)
		text = arena_printf(arena, "%s%s%s=%s", text, i > 0 ? "&" : "",
			percent_encode(arena, pairs->items[i].name),
			percent_encode(arena, pairs->items[i].value));
	return text;
}

/* The first value is found, and a repeated name is noticed. */
static void
check_names(const struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		const char *name = pairs->items[i].name;
		const char *first = pairs_find(pairs, name);
		size_t count = pairs_count(pairs, name);

		if (first == NULL || count == 0 || count > pairs->count)
			abort();
		if (count == 1 && first != pairs->items[i].value)
			abort();
		if (!utf8_valid(name, strlen(name)))
			abort();
	}
}

static void
check_same(const struct pairs *left, const struct pairs *right)
{
	if (left->count != right->count)
		abort();
	for (size_t i = 0; i < left->count; i++)
		if (strcmp(left->items[i].name, right->items[i].name) != 0 ||
			strcmp(left->items[i].value, right->items[i].value) !=
				0)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct arena *arena;
	struct pairs pairs = {0, NULL};
	struct pairs again = {0, NULL};

	if (arena == NULL)
		arena = arena_new();
	if (read_form(arena, arena_strndup(arena, (const char *)data, length),
		    &pairs) == RC_OK) {
		if (pairs.count > PAIRS_MAX)
			abort();
		check_names(&pairs);
		if (read_form(arena, write_form(arena, &pairs), &again) !=
			RC_OK)
			abort();
		check_same(&pairs, &again);
	}
	arena_reset(arena);
	return 0;
}
