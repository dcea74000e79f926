/* challenge: what a refusal says about access tokens. */

#include "fcgi/challenge.h"

#include <string.h>

#include "model/caller.h"

#define REALM "Bearer realm=\"fieldgrid\""

/* RFC 6750 3: printable ASCII without quotes and backslashes. */
static const char *
description(struct arena *arena, const struct fault *fault)
{
	char *text = arena_strdup(arena,
		fault->client[0] != '\0' ? fault->client
					 : fault_public(fault->rc)->message);

	for (char *at = text; *at != '\0'; at++)
		if (*at < ' ' || *at > '~' || *at == '"' || *at == '\\')
			*at = '\'';
	return text;
}

/* Nobody who sent nothing is told what was wrong with it. */
static const char *
error_of(const struct fault *fault)
{
	if (strcmp(fault->code, "InsufficientScope") == 0)
		return "insufficient_scope";
	if (strcmp(fault->code, "InvalidRequest") == 0)
		return "invalid_request";
	if (strcmp(fault->code, "Unauthenticated") == 0 ||
		strcmp(fault->code, "NoSession") == 0)
		return "";
	return fault->rc == RC_UNAUTHENTICATED ? "invalid_token" : NULL;
}

static bool
is_set(const struct resp *resp)
{
	for (size_t i = 0; i < resp->headers_count; i++)
		if (strcmp(resp->headers[i].name, "WWW-Authenticate") == 0)
			return true;
	return false;
}

void
challenge_add(struct req *req, struct resp *resp, const struct fault *fault,
	enum need need)
{
	const char *error = error_of(fault);
	const char *text = REALM;

	if (error == NULL || is_set(resp))
		return;
	if (error[0] != '\0')
		text = arena_printf(req->arena,
			REALM ", error=\"%s\", error_description=\"%s\"", error,
			description(req->arena, fault));
	if (strcmp(error, "insufficient_scope") == 0)
		text = arena_printf(req->arena, "%s, scope=\"%s\"", text,
			need == NEED_NODE ? CALLER_SCOPE_HUB
					  : CALLER_SCOPE_API);
	resp_header(resp, "WWW-Authenticate", text);
}
