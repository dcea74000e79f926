/* route: which handler answers which method and path. */

#include "lib/route.h"

#include <string.h>

#include "lib/utf8.h"

static const struct {
	enum method method;
	const char *name;
} methods[] = {
	{METHOD_GET, "GET"},
	{METHOD_POST, "POST"},
	{METHOD_PUT, "PUT"},
	{METHOD_PATCH, "PATCH"},
	{METHOD_DELETE, "DELETE"},
	{METHOD_HEAD, "HEAD"},
	{METHOD_OPTIONS, "OPTIONS"},
};

const char *
method_name(enum method method)
{
	for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
		if (methods[i].method == method)
			return methods[i].name;
	return "?";
}

enum method
method_parse(const char *name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			return methods[i].method;
	return 0;
}

/* A stretch of a path or pattern between slashes. */
struct segment {
	const char *text;
	size_t length;
};

static const char *
next_segment(const char *text, struct segment *segment)
{
	text += strspn(text, "/");
	segment->text = text;
	segment->length = strcspn(text, "/");
	return text + segment->length;
}

/* Letters before the brace; only meant for arguments. */
static size_t
prefix_length(const struct segment *segment)
{
	const char *brace = memchr(segment->text, '{', segment->length);

	return brace != NULL ? (size_t)(brace - segment->text)
			     : segment->length;
}

static bool
is_arg(const struct segment *segment)
{
	return segment->length > prefix_length(segment) + 2 &&
	       segment->text[segment->length - 1] == '}';
}

static bool
takes_rest(const struct segment *segment)
{
	return is_arg(segment) && segment->length > 5 &&
	       strncmp(segment->text + segment->length - 4, "...}", 4) == 0;
}

/* False also for text that cannot be decoded: the caller tells them apart. */
static bool
keep_arg(struct req *req, const struct segment *pattern,
	const struct segment *path, bool *broken)
{
	size_t prefix = prefix_length(pattern);
	size_t name_length = pattern->length - prefix - 2;
	char *value;

	if (path->length <= prefix ||
		strncmp(path->text, pattern->text, prefix) != 0)
		return false;
	if (takes_rest(pattern))
		name_length -= 3;
	value = percent_decode(
		req->arena, path->text + prefix, path->length - prefix, false);
	if (value == NULL || !utf8_valid(value, strlen(value))) {
		*broken = true;
		return false;
	}
	req->args[req->args_count++] =
		(struct pair){arena_strndup(req->arena,
				      pattern->text + prefix + 1, name_length),
			value};
	return true;
}

static bool
same_text(const struct segment *left, const struct segment *right)
{
	return left->length == right->length &&
	       strncmp(left->text, right->text, left->length) == 0;
}

static bool
match_pattern(struct req *req, const char *pattern, bool *broken)
{
	const char *path = req->path;
	struct segment want;
	struct segment have;

	req->args_count = 0;
	for (;;) {
		pattern = next_segment(pattern, &want);
		path = next_segment(path, &have);
		if (want.length == 0 || have.length == 0)
			return want.length == have.length;
		if (takes_rest(&want)) {
			have.length = strlen(have.text);
			return keep_arg(req, &want, &have, broken);
		}
		if (is_arg(&want) ? !keep_arg(req, &want, &have, broken)
				  : !same_text(&want, &have))
			return false;
	}
}

static bool
takes_method(const struct route *route, enum method method)
{
	return route->method == method ||
	       (method == METHOD_HEAD && route->method == METHOD_GET);
}

enum rc
route_match(const struct route *routes, struct req *req,
	const struct route **route, unsigned *allowed)
{
	bool broken = false;

	*allowed = 0;
	for (; routes->pattern != NULL; routes++) {
		if (!match_pattern(req, routes->pattern, &broken))
			continue;
		if (takes_method(routes, req->method)) {
			*route = routes;
			return RC_OK;
		}
		*allowed |= routes->method;
		if (routes->method == METHOD_GET)
			*allowed |= METHOD_HEAD;
	}
	if (*allowed != 0)
		return fault_set(&req->fault, RC_METHOD, "method");
	if (broken)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest", NULL,
			"The address is not percent-encoded UTF-8 text.");
	return fault_set(&req->fault, RC_NOT_FOUND, "no route");
}

static enum rc
check_pattern(const struct route *route, struct fault *fault)
{
	const char *rest = route->pattern;
	struct segment segment;
	size_t args = 0;

	if (rest[0] != '/')
		return fault_set(
			fault, RC_BUG, "route %s: no slash", route->pattern);
	for (rest = next_segment(rest, &segment); segment.length > 0;
		rest = next_segment(rest, &segment)) {
		args += is_arg(&segment);
		if (takes_rest(&segment) && *rest != '\0')
			return fault_set(fault, RC_BUG,
				"route %s: {...} must be last", route->pattern);
	}
	if (args > REQ_ARGS_MAX)
		return fault_set(fault, RC_BUG, "route %s: too many arguments",
			route->pattern);
	return RC_OK;
}

enum rc
route_check(const struct route *routes, struct fault *fault)
{
	for (const struct route *route = routes; route->pattern != NULL;
		route++) {
		enum rc rc = check_pattern(route, fault);

		if (rc != RC_OK)
			return rc;
		if (route->need == NEED_UNSET || route->handler == NULL)
			return fault_set(fault, RC_BUG,
				"route %s: need or handler is not set",
				route->pattern);
		for (const struct route *other = routes; other < route; other++)
			if (other->method == route->method &&
				strcmp(other->pattern, route->pattern) == 0)
				return fault_set(fault, RC_BUG,
					"route %s: given twice",
					route->pattern);
	}
	return RC_OK;
}
