/* request: a request without a socket, for tests of handlers and parsers. */

#include "tests/unit/request.h"

#include <string.h>

static const char *
get_param(const struct req *req, const char *name)
{
	const struct pair *params = req->transport;

	for (; params != NULL && params->name != NULL; params++)
		if (strcmp(params->name, name) == 0)
			return params->value;
	return NULL;
}

void
request_make(struct req *req, struct arena *arena, enum method method,
	const char *uri, const char *content_type, const char *body,
	const struct pair *params)
{
	size_t length = strcspn(uri, "?");

	memset(req, 0, sizeof(*req));
	req->arena = arena;
	req->method = method;
	req->path = arena_strndup(arena, uri, length);
	req->query = uri[length] == '?' ? uri + length + 1 : "";
	req->content_type = content_type != NULL ? content_type : "";
	req->body = body != NULL ? body : "";
	req->body_bytes = strlen(req->body);
	req->address = "192.0.2.1";
	req->param = get_param;
	req->transport = (void *)(uintptr_t)params;
}
