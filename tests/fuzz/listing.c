/* fuzz/listing: any bytes as the query string of a list. */

#include <stdlib.h>
#include <string.h>

#include "fcgi/listing.h"
#include "lib/utf8.h"
#include "tests/unit/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

struct filter {
	const char *search;
	const char *state;
	int64_t since_us;
};

static const char *const sorts[] = {"name", "created", NULL};
static const struct listing_filter filters[] = {
	{"search", offsetof(struct filter, search), LISTING_TEXT, NULL},
	{"state", offsetof(struct filter, state), LISTING_TEXT, listing_yes_no},
	{"since", offsetof(struct filter, since_us), LISTING_TIME, NULL},
	LISTING_FILTERS_END,
};
static const struct listing listing = {.sorts = sorts, .filters = filters};

/* Whatever is accepted is within its limits; whatever is not has words. */
static void
check(enum rc rc, const struct req *req, const struct slice *slice)
{
	if (rc != RC_OK) {
		if (rc != RC_BAD_INPUT || req->fault.client[0] == '\0')
			abort();
		return;
	}
	if (slice->limit < 1 || slice->limit > LISTING_LIMIT_MAX)
		abort();
	if (strcmp(slice->sort, "name") != 0 &&
		strcmp(slice->sort, "created") != 0)
		abort();
	if (slice->after != NULL &&
		!utf8_valid(slice->after, strlen(slice->after)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct arena *arena;
	struct filter filter = {NULL, NULL, 0};
	struct slice slice;
	struct req req;

	if (arena == NULL)
		arena = arena_new();
	request_make(&req, arena, METHOD_GET, "/", NULL, NULL, NULL);
	req.query = arena_strndup(arena, (const char *)data, length);
	check(listing_read(&req, &listing, &filter, &slice), &req, &slice);
	if (filter.state != NULL && strcmp(filter.state, "true") != 0 &&
		strcmp(filter.state, "false") != 0)
		abort();
	arena_reset(arena);
	return 0;
}
