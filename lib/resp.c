/* resp: the answer to a request, kept whole until the handler has succeeded. */

#include "lib/resp.h"

#include <string.h>
#include <strings.h>

#include "lib/log.h"

void
resp_init(struct resp *resp)
{
	memset(resp, 0, sizeof(*resp));
	buf_init(&resp->body, 0);
	resp->status = 200;
}

void
resp_free(struct resp *resp)
{
	buf_free(&resp->body);
}

void
resp_clear(struct resp *resp)
{
	resp->status = 200;
	resp->headers_count = 0;
	resp->started = false;
	resp->sent_bytes = 0;
	buf_clear(&resp->body);
}

void
resp_header_add(struct resp *resp, const char *name, const char *value)
{
	if (strpbrk(value, "\r\n") != NULL ||
		resp->headers_count == RESP_HEADERS_MAX) {
		log_error(NULL, "header %s dropped", name);
		return;
	}
	resp->headers[resp->headers_count++] = (struct pair){name, value};
}

void
resp_header(struct resp *resp, const char *name, const char *value)
{
	for (size_t i = 0; i < resp->headers_count; i++)
		if (strcasecmp(resp->headers[i].name, name) == 0) {
			resp->headers[i] = resp->headers[--resp->headers_count];
			i--;
		}
	resp_header_add(resp, name, value);
}

struct buf *
resp_body(struct resp *resp, int status, const char *type)
{
	resp->status = status;
	buf_clear(&resp->body);
	resp_header(resp, "Content-Type", type);
	return &resp->body;
}

struct jsonw *
resp_json(struct resp *resp, int status)
{
	jsonw_init(&resp->json, resp_body(resp, status, "application/json"));
	return &resp->json;
}

struct buf *
resp_html(struct resp *resp, int status)
{
	return resp_body(resp, status, "text/html; charset=utf-8");
}

void
resp_redirect(struct resp *resp, const char *location)
{
	resp_empty(resp, 303);
	resp_header(resp, "Location", location);
}

void
resp_empty(struct resp *resp, int status)
{
	resp->status = status;
	buf_clear(&resp->body);
}

bool
resp_flush(struct resp *resp)
{
	bool there;

	if (resp->send == NULL)
		return true;
	there = resp->send(resp);
	buf_clear(&resp->body);
	return there;
}

static const char *
or_else(const char *text, const char *fallback)
{
	return text[0] != '\0' ? text : fallback;
}

void
resp_fault(struct resp *resp, const struct fault *fault)
{
	const struct fault_public *public = fault_public(fault->rc);
	struct jsonw *json;

	json = resp_json(resp, public->status);
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "errorCode", or_else(fault->code, public->code));
	jsonw_str(
		json, "errorMessage", or_else(fault->client, public->message));
	if (fault->field[0] != '\0')
		jsonw_str(json, "field", fault->field);
	jsonw_close_obj(json);
}
