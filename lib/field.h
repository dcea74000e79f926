/*
 * field: a JSON request body into a struct, described by a table.
 *
 * Member names match without regard to case, because clients in the field
 * spell them both ways; an unknown name is refused and named in the error.
 */
#ifndef FG_LIB_FIELD_H
#define FG_LIB_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/req.h"

struct json_object;

enum field_kind {
	FIELD_TEXT,   /* const char *; up to "maximum" bytes */
	FIELD_INT,    /* int64_t; minimum..maximum */
	FIELD_NUM,    /* double */
	FIELD_BOOL,   /* bool */
	FIELD_TIME,   /* int64_t microseconds from ISO 8601 text */
	FIELD_TEXTS,  /* struct texts; up to "maximum" items */
	FIELD_INTS,   /* struct ints of 0..INT32_MAX; up to "maximum" items */
	FIELD_OBJECT, /* a nested struct described by "fields" */
	FIELD_ANY,    /* struct json_object *; lives in the request's arena */
};

struct texts {
	size_t count;
	const char *const *items;
};

struct ints {
	size_t count;
	const int32_t *items;
};

struct field {
	const char *name;
	enum field_kind kind;
	size_t offset;
	bool required;
	int64_t minimum;
	int64_t maximum;
	const struct field *fields;
};

#define FIELDS_END                                                             \
	{                                                                      \
		.name = NULL                                                   \
	}

/*
 * Parse req->body into "target". Members that are absent keep what "target"
 * had; null counts as absent. Depth is limited to 16.
 * Fails: RC_BAD_INPUT with the field at fault; RC_UNSUPPORTED when the body
 *        is not application/json.
 */
MUST_CHECK enum rc req_json(
	struct req *req, const struct field *fields, void *target);

/* The same from a parsed object; "path" is the prefix for messages or "". */
MUST_CHECK enum rc field_read(struct arena *arena, struct json_object *object,
	const struct field *fields, void *target, const char *path,
	struct fault *fault);

/* req->body as an object that lives in the request's arena.
 * Fails: RC_BAD_INPUT, RC_UNSUPPORTED as req_json. */
MUST_CHECK enum rc req_object(struct req *req, struct json_object **object);

/* Parse text into an object that lives in "arena".
 * Fails: RC_BAD_INPUT: not JSON, too deep, not UTF-8, or text behind it. */
MUST_CHECK enum rc json_parse(struct arena *arena, const char *text,
	size_t length, struct json_object **object, struct fault *fault);

#endif
