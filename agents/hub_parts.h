/*
 * hub_parts: what the files of the hub share; nobody else includes this.
 */
#ifndef FG_AGENTS_HUB_PARTS_H
#define FG_AGENTS_HUB_PARTS_H

#include "agents/hub.h"

struct json_object;

struct hub {
	struct hub_options options;
	struct http *http;
	size_t url; /* index into options.urls */
	size_t url_count;
	char *token;
	int64_t token_until_us; /* steady clock */
	struct http_reply reply;
	struct buf body;
	int64_t limits_version;
	int64_t told_us;  /* the hub's time in the last answer to a beat */
	int64_t asked_us; /* when that was asked for, clock_boot_us */
};

/* --- hub_call.c ---------------------------------------------------------- */

void hub_forget_token(struct hub *hub);

/* One request, answered by 200 into hub->reply; a 401 is tried again with a
 * fresh token. "content_type" and "body" may be NULL. */
MUST_CHECK enum rc hub_call(struct hub *hub, const char *method,
	const char *path, const char *content_type, const struct buf *body,
	struct fault *fault);

/* NULL when the answer is not a JSON object. Put by the caller. */
struct json_object *hub_reply(const struct hub *hub);
/* "" and false: there is no such member of that type. */
const char *hub_text(struct json_object *object, const char *name);
bool hub_number(struct json_object *object, const char *name, int64_t *number);
enum rc hub_not_understood(
	const struct hub *hub, const char *path, struct fault *fault);

#endif
