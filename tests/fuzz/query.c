/* fuzz/query: any bytes as a query string, a form and a cookie. */

#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"
#include "tests/unit/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void
check_text(const char *text)
{
	if (text == NULL || !utf8_valid(text, strlen(text)))
		abort();
}

static void
check_pairs(enum rc rc, const struct pairs *pairs)
{
	for (size_t i = 0; rc == RC_OK && i < pairs->count; i++) {
		check_text(pairs->items[i].name);
		check_text(pairs->items[i].value);
	}
}

/* What is encoded reads back as the same. */
static void
check_round_trip(struct arena *arena, const char *text)
{
	const char *encoded = percent_encode(arena, text);
	const char *decoded =
		percent_decode(arena, encoded, strlen(encoded), false);

	if (decoded == NULL || strcmp(text, decoded) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct arena *arena;
	struct pair params[] = {{"HTTP_COOKIE", NULL}, {NULL, NULL}};
	struct pairs pairs;
	struct req req;
	char *text;

	if (arena == NULL)
		arena = arena_new();
	text = arena_strndup(arena, (const char *)data, length);
	params[0].value = text;
	request_make(&req, arena, METHOD_POST,
		arena_printf(arena, "/?%s", text),
		"application/x-www-form-urlencoded", text, params);
	check_pairs(req_query(&req, &pairs), &pairs);
	check_pairs(req_form(&req, &pairs), &pairs);
	if (req_cookie(&req, "a") == text)
		abort();
	check_round_trip(arena, text);
	arena_reset(arena);
	return 0;
}
