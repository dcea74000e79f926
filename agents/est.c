/* est: certificates over EST, as a machine asks for them. */

#include "agents/est.h"

#include <json-c/json.h>
#include <string.h>

#include "lib/field.h"
#include "lib/tls_message.h"

#define RETRY_MIN_S 1
#define RETRY_MAX_S 3600

static const char *
text_member(struct json_object *object, const char *name)
{
	struct json_object *member;

	if (!json_object_object_get_ex(object, name, &member) ||
		!json_object_is_type(member, json_type_string))
		return "";
	return json_object_get_string(member);
}

static enum rc
rate_status(int status)
{
	switch (status) {
	case 401:
		return RC_UNAUTHENTICATED;
	case 403:
		return RC_DENIED;
	case 404:
		return RC_NOT_FOUND;
	case 409:
		return RC_CONFLICT;
	case 429:
		return RC_TOO_MANY;
	default:
		return status >= 500 ? RC_UNAVAILABLE : RC_BAD_INPUT;
	}
}

/* The grid's own words, when it has said some. */
static enum rc
explain(struct arena *arena, const char *url, const struct http_reply *reply,
	struct fault *fault)
{
	struct json_object *object = NULL;
	struct fault ignored;
	const char *code = "";
	const char *words = "";

	if (json_parse(arena, reply->body.data, reply->body.length, &object,
		    &ignored) == RC_OK) {
		code = text_member(object, "errorCode");
		words = text_member(object, "errorMessage");
	}
	if (words[0] == '\0')
		return fault_set(fault, rate_status(reply->status),
			"%s answers with status %d", url, reply->status);
	return fault_tell(
		fault, rate_status(reply->status), code, NULL, "%s", words);
}

static enum rc
send(struct http *http, struct arena *arena, const struct http_call *call,
	struct http_reply *reply, const char **body, struct fault *fault)
{
	enum rc rc;

	buf_init(&reply->body, 0);
	rc = http_send(http, call, reply, fault);
	if (rc == RC_OK && reply->status != 200 && reply->status != 202)
		rc = explain(arena, call->url, reply, fault);
	*body = arena_strndup(arena,
		reply->body.data != NULL ? reply->body.data : "",
		reply->body.length);
	buf_free(&reply->body);
	return rc;
}

enum rc
est_call(struct http *http, struct arena *arena, const struct http_call *call,
	const char **body, struct fault *fault)
{
	struct http_reply reply;

	return send(http, arena, call, &reply, body, fault);
}

static enum rc
read_message(struct arena *arena, const char *url, const char *body,
	const char **pem, struct fault *fault)
{
	if (tls_message_read(arena, body, strlen(body), pem, fault) == RC_OK)
		return RC_OK;
	return fault_set(fault, RC_UPSTREAM,
		"%s: the answer holds no certificate; is this a fieldgrid?",
		url);
}

enum rc
est_bundle(struct http *http, struct arena *arena, const char *url,
	const char **pem, struct fault *fault)
{
	const struct http_call call = {.method = "GET",
		.url = arena_printf(arena, "%s/.well-known/est/cacerts", url)};
	const char *body = NULL;
	enum rc rc = est_call(http, arena, &call, &body, fault);

	return rc == RC_OK ? read_message(arena, url, body, pem, fault) : rc;
}

static int64_t
retry_s(const struct http_reply *reply)
{
	if (reply->retry_after_s < RETRY_MIN_S)
		return RETRY_MIN_S;
	return reply->retry_after_s > RETRY_MAX_S ? RETRY_MAX_S
						  : reply->retry_after_s;
}

enum rc
est_certificate(struct http *http, struct arena *arena,
	const struct est_request *request, struct est_answer *answer,
	struct fault *fault)
{
	const struct http_call call = {.method = "POST",
		.url = arena_printf(arena, "%s/.well-known/est/%s",
			request->url,
			request->user != NULL ? "simpleenroll"
					      : "simplereenroll"),
		.user = request->user,
		.password = request->password,
		.content_type = "application/pkcs10",
		.body = request->csr,
		.body_bytes = strlen(request->csr)};
	struct http_reply reply;
	const char *body = NULL;
	enum rc rc = send(http, arena, &call, &reply, &body, fault);

	if (rc != RC_OK)
		return rc;
	answer->pending = reply.status == 202;
	answer->retry_s = retry_s(&reply);
	return answer->pending ? RC_OK
			       : read_message(arena, request->url, body,
					 &answer->pem, fault);
}
