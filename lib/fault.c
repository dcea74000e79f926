/* fault: the reasons an operation can fail, and their words. */

#include "lib/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef fault_set
#undef fault_tell

static const struct fault_public publics[RC_COUNT] = {
	[RC_OK] = {200, "Ok", ""},
	[RC_BAD_INPUT] = {400, "BadRequest", "The request is malformed."},
	[RC_UNAUTHENTICATED] = {401, "Unauthorized",
		"Log in, or send a valid access token."},
	[RC_DENIED] = {403, "Forbidden", "A right for this is missing."},
	[RC_NOT_FOUND] = {404, "NotFound", "There is nothing at this address."},
	[RC_METHOD] = {405, "MethodNotAllowed",
		"This address does not take that method; see Allow."},
	[RC_CONFLICT] = {409, "Conflict",
		"The request contradicts what is stored."},
	[RC_TOO_LARGE] = {413, "TooLarge", "The request is too large."},
	[RC_UNSUPPORTED] = {415, "UnsupportedMediaType",
		"The content type or encoding is not supported here."},
	[RC_UNPROCESSABLE] = {422, "Unprocessable",
		"The request is well formed but cannot be accepted."},
	[RC_TOO_MANY] = {429, "TooManyRequests", "Slow down and try again."},
	[RC_RETRY] = {503, "Unavailable", "Try again in a moment."},
	[RC_UNAVAILABLE] = {503, "Unavailable",
		"A part of the system is out of reach; try again in a moment."},
	[RC_UPSTREAM] = {502, "BadGateway",
		"A system behind this one did not answer properly."},
	[RC_DB] = {500, "InternalError", "Something went wrong on the server."},
	[RC_IO] = {500, "InternalError", "Something went wrong on the server."},
	[RC_BUG] = {500, "InternalError",
		"Something went wrong on the server."},
};

static const char *const names[RC_COUNT] = {
	[RC_OK] = "ok",
	[RC_BAD_INPUT] = "bad_input",
	[RC_UNAUTHENTICATED] = "unauthenticated",
	[RC_DENIED] = "denied",
	[RC_NOT_FOUND] = "not_found",
	[RC_METHOD] = "method",
	[RC_CONFLICT] = "conflict",
	[RC_TOO_LARGE] = "too_large",
	[RC_UNSUPPORTED] = "unsupported",
	[RC_UNPROCESSABLE] = "unprocessable",
	[RC_TOO_MANY] = "too_many",
	[RC_RETRY] = "retry",
	[RC_UNAVAILABLE] = "unavailable",
	[RC_UPSTREAM] = "upstream",
	[RC_DB] = "db",
	[RC_IO] = "io",
	[RC_BUG] = "bug",
};

enum rc
fault_set(struct fault *fault, enum rc rc, const char *format, ...)
{
	va_list args;

	memset(fault, 0, sizeof(*fault));
	fault->rc = rc;
	va_start(args, format);
	vsnprintf(fault->text, sizeof(fault->text), format, args);
	va_end(args);
	return rc;
}

enum rc
fault_tell(struct fault *fault, enum rc rc, const char *code, const char *field,
	const char *format, ...)
{
	va_list args;

	memset(fault, 0, sizeof(*fault));
	fault->rc = rc;
	va_start(args, format);
	vsnprintf(fault->client, sizeof(fault->client), format, args);
	va_end(args);
	snprintf(fault->code, sizeof(fault->code), "%s", code);
	snprintf(fault->field, sizeof(fault->field), "%s", field ? field : "");
	snprintf(fault->text, sizeof(fault->text), "%s", fault->client);
	return rc;
}

const struct fault_public *
fault_public(enum rc rc)
{
	return rc < RC_COUNT ? &publics[rc] : &publics[RC_BUG];
}

const char *
fault_name(enum rc rc)
{
	return rc < RC_COUNT ? names[rc] : "unknown";
}
