/* hub_call: requests to the hub, with its token, and what it answers. */

#include "agents/hub_parts.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/secret.h"

#define TOKEN_FORM "grant_type=client_credentials&scope=hub"
/* A token is renewed when so much of its life is left. */
#define TOKEN_SPARE_US (30 * CLOCK_SECOND_US)

/* --- answers ------------------------------------------------------------- */

struct json_object *
hub_reply(const struct hub *hub)
{
	const struct buf *body = &hub->reply.body;
	struct json_tokener *tokener;
	struct json_object *object;

	if (body->length == 0 || body->length > INT32_MAX)
		return NULL;
	tokener = json_tokener_new();
	object = json_tokener_parse_ex(tokener, body->data, (int)body->length);
	json_tokener_free(tokener);
	if (object == NULL || json_object_is_type(object, json_type_object))
		return object;
	json_object_put(object);
	return NULL;
}

const char *
hub_text(struct json_object *object, const char *name)
{
	struct json_object *member;

	if (!json_object_object_get_ex(object, name, &member) ||
		!json_object_is_type(member, json_type_string))
		return "";
	return json_object_get_string(member);
}

bool
hub_number(struct json_object *object, const char *name, int64_t *number)
{
	struct json_object *member;

	if (!json_object_object_get_ex(object, name, &member) ||
		!json_object_is_type(member, json_type_int))
		return false;
	*number = json_object_get_int64(member);
	return true;
}

/*
 * Only a hub that named an error code has looked at the request: an error
 * page of something in between is never a reason to give a frame up.
 */
static enum rc
rate_status(int status, const char *code)
{
	if (status == 401 || status == 403 ||
		strstr(code, "Certificate") != NULL)
		return RC_DENIED;
	if (code[0] == '\0')
		return RC_UNAVAILABLE;
	switch (status) {
	case 400:
		return RC_BAD_INPUT;
	case 409:
		return RC_CONFLICT;
	case 413:
		return RC_TOO_LARGE;
	case 415:
		return RC_UNSUPPORTED;
	case 422:
		return RC_UNPROCESSABLE;
	default:
		return RC_UNAVAILABLE;
	}
}

static enum rc
explain_status(const struct hub *hub, const char *what, struct fault *fault)
{
	struct json_object *object = hub_reply(hub);
	const char *code = object != NULL ? hub_text(object, "errorCode") : "";
	const char *message =
		object != NULL ? hub_text(object, "errorMessage") : "";
	enum rc rc = rate_status(hub->reply.status, code);

	fault_set(fault, rc, "%s %s: status %d %s %s", hub_url(hub), what,
		hub->reply.status, code, message);
	snprintf(fault->code, sizeof(fault->code), "%s", code);
	json_object_put(object);
	return rc;
}

enum rc
hub_not_understood(const struct hub *hub, const char *path, struct fault *fault)
{
	return fault_set(fault, RC_UNAVAILABLE,
		"%s %s: the answer is not understood", hub_url(hub), path);
}

/* --- requests ------------------------------------------------------------ */

void
hub_forget_token(struct hub *hub)
{
	free(hub->token);
	hub->token = NULL;
}

static enum rc
keep_token(struct hub *hub, struct fault *fault)
{
	struct json_object *object = hub_reply(hub);
	const char *token;
	int64_t life_s;
	enum rc rc = RC_OK;

	if (object == NULL)
		return fault_set(fault, RC_UNAVAILABLE,
			"%s: the token answer is not JSON", hub_url(hub));
	token = hub_text(object, "access_token");
	if (token[0] == '\0' || !hub_number(object, "expires_in", &life_s) ||
		life_s < 0 || life_s > INT32_MAX) {
		rc = fault_set(fault, RC_UNAVAILABLE,
			"%s: the token answer holds no token", hub_url(hub));
	} else {
		hub_forget_token(hub);
		hub->token = strdup(token);
		hub->token_until_us =
			clock_steady_us() + life_s * CLOCK_SECOND_US -
			(life_s > 120 ? TOKEN_SPARE_US
				      : life_s * CLOCK_SECOND_US / 4);
	}
	json_object_put(object);
	return rc;
}

static enum rc
fetch_token(struct hub *hub, struct fault *fault)
{
	struct arena *arena = arena_new();
	char *secret;
	enum rc rc =
		secret_read(arena, hub->options.client_secret, &secret, fault);

	if (rc == RC_OK) {
		struct http_call call = {.method = "POST",
			.url = arena_printf(
				arena, "%s/connect/token", hub_url(hub)),
			.user = hub->options.client_id,
			.password = secret,
			.content_type = "application/x-www-form-urlencoded",
			.body = TOKEN_FORM,
			.body_bytes = strlen(TOKEN_FORM)};

		rc = http_send(hub->http, &call, &hub->reply, fault);
	}
	arena_free(arena);
	if (rc != RC_OK)
		return rc;
	if (hub->reply.status == 400) /* OAuth's invalid_client and friends */
		return fault_set(fault, RC_DENIED,
			"%s /connect/token: refused: %.120s", hub_url(hub),
			hub->reply.body.data);
	if (hub->reply.status != 200)
		return explain_status(hub, "/connect/token", fault);
	return keep_token(hub, fault);
}

static enum rc
call_once(struct hub *hub, struct http_call *call, struct fault *fault)
{
	enum rc rc = RC_OK;

	if (hub->token == NULL || clock_steady_us() >= hub->token_until_us)
		rc = fetch_token(hub, fault);
	if (rc != RC_OK)
		return rc;
	call->bearer = hub->token;
	call->place = hub->options.place;
	return http_send(hub->http, call, &hub->reply, fault);
}

enum rc
hub_call(struct hub *hub, const char *method, const char *path,
	const char *content_type, const struct buf *body, struct fault *fault)
{
	char url[512];
	struct http_call call = {
		.method = method, .url = url, .content_type = content_type};
	enum rc rc;

	snprintf(url, sizeof(url), "%s%s", hub_url(hub), path);
	if (body != NULL) {
		call.body = body->data;
		call.body_bytes = body->length;
	}
	rc = call_once(hub, &call, fault);
	if (rc == RC_OK && hub->reply.status == 401) {
		hub_forget_token(hub);
		rc = call_once(hub, &call, fault);
	}
	if (rc != RC_OK)
		return rc;
	if (hub->reply.status != 200)
		return explain_status(hub, path, fault);
	return RC_OK;
}

enum rc
hub_put(struct hub *hub, const char *path, const struct buf *body,
	const struct buf **answer, struct fault *fault)
{
	*answer = &hub->reply.body;
	return hub_call(hub, "PUT", path, "application/json", body, fault);
}

enum rc
hub_get(struct hub *hub, const char *path, const struct buf **answer,
	struct fault *fault)
{
	*answer = &hub->reply.body;
	return hub_call(hub, "GET", path, NULL, NULL, fault);
}

enum rc
hub_post(struct hub *hub, const char *path, const struct buf *body,
	const struct buf **answer, struct fault *fault)
{
	*answer = &hub->reply.body;
	return hub_call(hub, "POST", path, "application/json", body, fault);
}

enum rc
hub_patch(struct hub *hub, const char *path, const struct buf *body,
	const struct buf **answer, struct fault *fault)
{
	*answer = &hub->reply.body;
	return hub_call(hub, "PATCH", path, "application/json", body, fault);
}

static enum rc
follow_once(struct hub *hub, const char *url, const struct http_stream *stream,
	struct fault *fault)
{
	struct http_call call = {.method = "GET", .url = url};
	enum rc rc = RC_OK;

	if (hub->token == NULL || clock_steady_us() >= hub->token_until_us)
		rc = fetch_token(hub, fault);
	if (rc != RC_OK)
		return rc;
	call.bearer = hub->token;
	call.place = hub->options.place;
	return http_follow(hub->http, &call, stream, &hub->reply, fault);
}

enum rc
hub_follow(struct hub *hub, const char *path, const struct http_stream *stream,
	struct fault *fault)
{
	char url[512];
	enum rc rc;

	snprintf(url, sizeof(url), "%s%s", hub_url(hub), path);
	rc = follow_once(hub, url, stream, fault);
	if (rc == RC_OK && hub->reply.status == 401) {
		hub_forget_token(hub);
		rc = follow_once(hub, url, stream, fault);
	}
	if (rc == RC_OK && hub->reply.status != 200)
		return explain_status(hub, path, fault);
	return rc;
}
