/* fuzz/route: any bytes as method and path against a table like the API's. */

#include <stdlib.h>
#include <string.h>

#include "lib/route.h"
#include "lib/utf8.h"
#include "tests/unit/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static enum rc
never_called(struct req *req, struct resp *resp)
{
	(void)req;
	(void)resp;
	abort();
}

static const struct route routes[] = {
	{METHOD_GET, "/", never_called, NEED_NONE, 0, NULL},
	{METHOD_GET, "/a/{x}/b", never_called, NEED_NONE, 0, NULL},
	{METHOD_POST, "/a/{x}/b", never_called, NEED_NONE, 0, NULL},
	{METHOD_GET, "/a/{x}/{y}/c/{z}", never_called, NEED_NONE, 0, NULL},
	{METHOD_GET, "/v/{rest...}", never_called, NEED_NONE, 0, NULL},
	ROUTES_END,
};

/* Whatever matches has arguments that are whole UTF-8 text. */
static void
check_args(const struct req *req)
{
	for (size_t i = 0; i < req->args_count; i++)
		if (req->args[i].name == NULL ||
			!utf8_valid(
				req->args[i].value, strlen(req->args[i].value)))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct arena *arena;
	const struct route *route;
	struct req req;
	unsigned allowed;
	enum method method;

	if (length == 0)
		return 0;
	if (arena == NULL)
		arena = arena_new();
	method = data[0] % 2 == 0 ? METHOD_GET : METHOD_DELETE;
	request_make(&req, arena, method,
		arena_strndup(arena, (const char *)data + 1, length - 1), NULL,
		NULL, NULL);
	if (route_match(routes, &req, &route, &allowed) == RC_OK)
		check_args(&req);
	arena_reset(arena);
	return 0;
}
