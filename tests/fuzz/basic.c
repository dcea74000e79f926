/* fuzz/basic: any bytes as the header "Authorization". */

#include <stdlib.h>
#include <string.h>

#include "lib/basic.h"
#include "lib/encode.h"
#include "lib/req.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* What was read, written as RFC 6749 wants it, reads back as the same. */
static void
check_round_trip(struct arena *arena, const struct basic *basic)
{
	const char *both =
		arena_printf(arena, "%s:%s", percent_encode(arena, basic->name),
			percent_encode(arena, basic->secret));
	const char *header = arena_printf(
		arena, "bAsIc  %s", encode_base64(arena, both, strlen(both)));
	struct basic again;

	if (strlen(header) > BASIC_BYTES_MAX)
		return;
	if (!basic_read(arena, header, BASIC_FORM, &again) ||
		strcmp(again.name, basic->name) != 0 ||
		strcmp(again.secret, basic->secret) != 0)
		abort();
}

static void
check(struct arena *arena, const char *header)
{
	struct basic plain;
	struct basic decoded;
	bool is_plain = basic_read(arena, header, BASIC_PLAIN, &plain);

	/* The first colon divides, so no name has one. */
	if (is_plain &&
		(!basic_used(header) || strchr(plain.name, ':') != NULL))
		abort();
	if (!basic_read(arena, header, BASIC_FORM, &decoded))
		return;
	if (!basic_used(header))
		abort();
	check_round_trip(arena, &decoded);
}

/* The bytes as a header, and what their base64 would hold. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct arena *arena;
	struct basic basic;

	if (arena == NULL)
		arena = arena_new();
	check(arena, arena_strndup(arena, (const char *)data, length));
	check(arena, arena_printf(arena, "Basic %s",
			     encode_base64(arena, data, length)));
	if (basic_read(arena, NULL, BASIC_FORM, &basic))
		abort();
	arena_reset(arena);
	return 0;
}
