/* field: a JSON request body into a struct, described by a table. */

#include "lib/field.h"

#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"

#define DEPTH_MAX  16
#define PATH_BYTES 64

static void
release(void *object)
{
	json_object_put(object);
}

enum rc
json_parse(struct arena *arena, const char *text, size_t length,
	struct json_object **object, struct fault *fault)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	enum json_tokener_error error;
	size_t end;

	json_tokener_set_flags(
		tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	*object = json_tokener_parse_ex(tokener, text, (int)length);
	error = json_tokener_get_error(tokener);
	end = json_tokener_get_parse_end(tokener);
	json_tokener_free(tokener);
	if (error == json_tokener_success && *object != NULL)
		arena_defer(arena, release, *object);
	else
		json_object_put(*object);
	if (error != json_tokener_success || end != length)
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest", NULL,
			"The body is not JSON: %s at byte %zu.",
			error == json_tokener_success
				? "something stands behind it"
			: error == json_tokener_continue
				? "it ends too early"
				: json_tokener_error_desc(error),
			end);
	return RC_OK;
}

static const struct field *
find_field(const struct field *fields, const char *name)
{
	for (; fields->name != NULL; fields++)
		if (strcasecmp(fields->name, name) == 0)
			return fields;
	return NULL;
}

static enum rc
refuse(struct fault *fault, const char *path, const char *expected)
{
	return fault_tell(fault, RC_BAD_INPUT, "BadRequest", path,
		"\"%s\" must be %s.", path, expected);
}

static enum rc
refuse_more(struct fault *fault, const char *path, const struct field *field)
{
	return fault_tell(fault, RC_BAD_INPUT, "BadRequest", path,
		"\"%s\" may have %lld items.", path, (long long)field->maximum);
}

static bool
get_text(struct arena *arena, struct json_object *value, const char **text)
{
	const char *data = json_object_get_string(value);
	size_t length = (size_t)json_object_get_string_len(value);

	if (json_object_get_type(value) != json_type_string ||
		strlen(data) != length)
		return false;
	*text = arena_strndup(arena, data, length);
	return true;
}

static enum rc
read_text(struct arena *arena, struct json_object *value,
	const struct field *field, const char **target, const char *path,
	struct fault *fault)
{
	if (!get_text(arena, value, target))
		return refuse(fault, path, "text");
	if (strlen(*target) > (size_t)field->maximum)
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest", path,
			"\"%s\" may have %lld bytes.", path,
			(long long)field->maximum);
	return RC_OK;
}

static enum rc
read_int(struct json_object *value, const struct field *field, int64_t *target,
	const char *path, struct fault *fault)
{
	if (json_object_get_type(value) != json_type_int)
		return refuse(fault, path, "a whole number");
	*target = json_object_get_int64(value);
	if (*target < field->minimum || *target > field->maximum)
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest", path,
			"\"%s\" must be from %lld to %lld.", path,
			(long long)field->minimum, (long long)field->maximum);
	return RC_OK;
}

static enum rc
read_num(struct json_object *value, double *target, const char *path,
	struct fault *fault)
{
	if (json_object_get_type(value) != json_type_int &&
		json_object_get_type(value) != json_type_double)
		return refuse(fault, path, "a number");
	*target = json_object_get_double(value);
	return isfinite(*target) ? RC_OK
				 : refuse(fault, path, "a finite number");
}

static enum rc
read_texts(struct arena *arena, struct json_object *value,
	const struct field *field, struct texts *target, const char *path,
	struct fault *fault)
{
	const char **items;
	size_t count;

	if (json_object_get_type(value) != json_type_array)
		return refuse(fault, path, "a list of texts");
	count = json_object_array_length(value);
	if (count > (size_t)field->maximum)
		return refuse_more(fault, path, field);
	items = arena_array(arena, count + 1, sizeof(*items));
	for (size_t i = 0; i < count; i++)
		if (!get_text(arena, json_object_array_get_idx(value, i),
			    &items[i]))
			return refuse(fault, path, "a list of texts");
	*target = (struct texts){count, items};
	return RC_OK;
}

static bool
get_int(struct json_object *value, int32_t *number)
{
	int64_t wide = json_object_get_int64(value);

	*number = (int32_t)wide;
	return json_object_get_type(value) == json_type_int && wide >= 0 &&
	       wide <= INT32_MAX;
}

static enum rc
read_ints(struct arena *arena, struct json_object *value,
	const struct field *field, struct ints *target, const char *path,
	struct fault *fault)
{
	int32_t *items;
	size_t count;

	if (json_object_get_type(value) != json_type_array)
		return refuse(fault, path, "a list of whole numbers");
	count = json_object_array_length(value);
	if (count > (size_t)field->maximum)
		return refuse_more(fault, path, field);
	items = arena_array(arena, count + 1, sizeof(*items));
	for (size_t i = 0; i < count; i++)
		if (!get_int(json_object_array_get_idx(value, i), &items[i]))
			return refuse(fault, path, "a list of whole numbers");
	*target = (struct ints){count, items};
	return RC_OK;
}

static enum rc
read_member(struct arena *arena, struct json_object *value,
	const struct field *field, void *target, const char *path,
	struct fault *fault)
{
	void *place = (char *)target + field->offset;
	const char *text;

	switch (field->kind) {
	case FIELD_TEXT:
		return read_text(arena, value, field, place, path, fault);
	case FIELD_INT:
		return read_int(value, field, place, path, fault);
	case FIELD_NUM:
		return read_num(value, place, path, fault);
	case FIELD_BOOL:
		if (json_object_get_type(value) != json_type_boolean)
			return refuse(fault, path, "true or false");
		*(bool *)place = json_object_get_boolean(value);
		return RC_OK;
	case FIELD_TIME:
		if (!get_text(arena, value, &text) || !clock_parse(text, place))
			return refuse(fault, path,
				"a time such as 2026-01-31T08:00:00Z");
		return RC_OK;
	case FIELD_TEXTS:
		return read_texts(arena, value, field, place, path, fault);
	case FIELD_INTS:
		return read_ints(arena, value, field, place, path, fault);
	case FIELD_OBJECT:
		if (json_object_get_type(value) != json_type_object)
			return refuse(fault, path, "an object");
		return field_read(
			arena, value, field->fields, place, path, fault);
	case FIELD_ANY:
		*(struct json_object **)place = value;
		return RC_OK;
	}
	return fault_set(fault, RC_BUG, "field kind of %s", path);
}

/* "shelve.reason", "variables[0].name" */
static void
join(char inner[PATH_BYTES], const char *path, const char *name)
{
	snprintf(inner, PATH_BYTES, "%s%s%.40s", path,
		path[0] != '\0' ? "." : "", name);
}

static enum rc
check_required(struct json_object *object, const struct field *fields,
	const char *path, struct fault *fault)
{
	char inner[PATH_BYTES];

	for (; fields->name != NULL; fields++) {
		bool found = false;

		if (!fields->required)
			continue;
		json_object_object_foreach(object, name, value) found |=
			value != NULL && strcasecmp(name, fields->name) == 0;
		if (found)
			continue;
		join(inner, path, fields->name);
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest", inner,
			"\"%s\" is missing.", inner);
	}
	return RC_OK;
}

enum rc
field_read(struct arena *arena, struct json_object *object,
	const struct field *fields, void *target, const char *path,
	struct fault *fault)
{
	char inner[PATH_BYTES];

	/* json-c ends the process over anything else. */
	if (!json_object_is_type(object, json_type_object))
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest", path,
			"%s must be an object.",
			path[0] != '\0' ? path : "The body");
	json_object_object_foreach(object, name, value)
	{
		const struct field *field = find_field(fields, name);
		enum rc rc;

		join(inner, path, name);
		if (field == NULL)
			return fault_tell(fault, RC_BAD_INPUT, "BadRequest",
				inner, "\"%s\" is not known here.", inner);
		if (value == NULL)
			continue;
		rc = read_member(arena, value, field, target, inner, fault);
		if (rc != RC_OK)
			return rc;
	}
	return check_required(object, fields, path, fault);
}

enum rc
req_object(struct req *req, struct json_object **object)
{
	static const char type[] = "application/json";
	enum rc rc;

	if (strncasecmp(req->content_type, type, sizeof(type) - 1) != 0)
		return fault_tell(&req->fault, RC_UNSUPPORTED,
			"UnsupportedMediaType", NULL, "Send the body as %s.",
			type);
	rc = json_parse(
		req->arena, req->body, req->body_bytes, object, &req->fault);
	if (rc == RC_OK && json_object_get_type(*object) != json_type_object)
		rc = refuse(&req->fault, "body", "a JSON object");
	return rc;
}

enum rc
req_json(struct req *req, const struct field *fields, void *target)
{
	struct json_object *object;
	enum rc rc = req_object(req, &object);

	return rc == RC_OK ? field_read(req->arena, object, fields, target, "",
				     &req->fault)
			   : rc;
}
