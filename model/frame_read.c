/* frame_read: the grammar of JSON frames. */

#include "model/frame_read.h"

#include <stdlib.h>
#include <string.h>

#include "lib/encode.h"

enum rc
frame_malformed(struct frame_reader *reader, const char *expected)
{
	return fault_tell(reader->fault, RC_BAD_INPUT, "FrameMalformed", NULL,
		"The JSON is wrong at byte %zu: %s expected.",
		jsonr_offset(&reader->json), expected);
}

enum rc
frame_too_large(struct frame_reader *reader, const char *what, size_t limit)
{
	return fault_tell(reader->fault, RC_TOO_LARGE, "TooLarge", NULL,
		"A frame may have %zu %s.", limit, what);
}

/* --- objects and arrays ------------------------------------------------- */

static const struct frame_member *
find_member(const struct frame_member *members, const char *name)
{
	for (; members->name != NULL; members++)
		if (strcmp(members->name, name) == 0)
			return members;
	return NULL;
}

enum rc
frame_read_members(struct frame_reader *reader,
	const struct frame_member *members, void *target)
{
	enum jsonr_token token;

	while ((token = jsonr_next(&reader->json)) == JSONR_KEY) {
		const struct frame_member *member =
			find_member(members, reader->json.text.data);
		enum rc rc;

		if (member == NULL)
			return fault_tell(reader->fault, RC_BAD_INPUT,
				"FrameMalformed", reader->json.text.data,
				"There is no member \"%.100s\" here.",
				reader->json.text.data);
		rc = member->read(reader, (char *)target + member->offset);
		if (rc != RC_OK)
			return rc;
	}
	return token == JSONR_OBJECT_END ? RC_OK
					 : frame_malformed(reader, "a member");
}

enum rc
frame_read_objects(struct frame_reader *reader,
	enum rc (*each)(struct frame_reader *, void *), void *target)
{
	enum jsonr_token token;

	if (jsonr_next(&reader->json) != JSONR_ARRAY)
		return frame_malformed(reader, "an array");
	while ((token = jsonr_next(&reader->json)) == JSONR_OBJECT) {
		enum rc rc = each(reader, target);

		if (rc != RC_OK)
			return rc;
	}
	return token == JSONR_ARRAY_END ? RC_OK
					: frame_malformed(reader, "an object");
}

/* --- single values ------------------------------------------------------ */

enum rc
frame_read_int(struct frame_reader *reader, void *target)
{
	if (jsonr_next(&reader->json) != JSONR_INT)
		return frame_malformed(reader, "an integer");
	*(int64_t *)target = reader->json.integer;
	return RC_OK;
}

enum rc
frame_read_text(struct frame_reader *reader, void *target)
{
	if (jsonr_next(&reader->json) != JSONR_STRING)
		return frame_malformed(reader, "a string");
	*(const char **)target = arena_strndup(reader->arena,
		reader->json.text.data, reader->json.text.length);
	return RC_OK;
}

enum rc
frame_read_uuid(struct frame_reader *reader, void *target)
{
	if (jsonr_next(&reader->json) != JSONR_STRING ||
		!uuid_parse(reader->json.text.data, target))
		return frame_malformed(reader, "a UUID");
	return RC_OK;
}

enum rc
frame_read_spool(struct frame_reader *reader, void *target)
{
	const char *text;
	char *end;

	if (jsonr_next(&reader->json) != JSONR_STRING)
		return frame_malformed(reader, "16 hexadecimal digits");
	text = reader->json.text.data;
	if (strspn(text, "0123456789abcdefABCDEF") != 16 || text[16] != '\0')
		return frame_malformed(reader, "16 hexadecimal digits");
	*(uint64_t *)target = strtoull(text, &end, 16);
	return RC_OK;
}

enum rc
frame_read_any(struct frame_reader *reader, void *target)
{
	const char **text = target;
	struct jsonr *json = &reader->json;

	switch (jsonr_next(json)) {
	case JSONR_STRING:
		*text = arena_strndup(
			reader->arena, json->text.data, json->text.length);
		return RC_OK;
	case JSONR_INT:
	case JSONR_NUM:
		*text = arena_strndup(
			reader->arena, json->raw, json->raw_bytes);
		return RC_OK;
	case JSONR_TRUE:
		*text = "true";
		return RC_OK;
	case JSONR_FALSE:
		*text = "false";
		return RC_OK;
	case JSONR_NULL:
		*text = NULL;
		return RC_OK;
	default:
		return frame_malformed(reader, "a value");
	}
}

enum rc
frame_read_maybe_text(struct frame_reader *reader, void *target)
{
	const char **text = target;
	struct jsonr *json = &reader->json;
	enum jsonr_token token = jsonr_next(json);

	if (token != JSONR_STRING && token != JSONR_NULL)
		return frame_malformed(reader, "a string");
	*text = token == JSONR_NULL
			? NULL
			: arena_strndup(reader->arena, json->text.data,
				  json->text.length);
	return RC_OK;
}

bool
frame_take_value(struct frame_reader *reader, enum jsonr_token token,
	struct value *value)
{
	const struct jsonr *json = &reader->json;

	memset(value, 0, sizeof(*value));
	switch (token) {
	case JSONR_INT:
		value->kind = VALUE_INT;
		value->integer = json->integer;
		return true;
	case JSONR_NUM:
		value->kind = VALUE_FLOAT;
		value->number = json->number;
		return true;
	case JSONR_TRUE:
	case JSONR_FALSE:
		value->kind = VALUE_BOOL;
		value->boolean = token == JSONR_TRUE;
		return true;
	case JSONR_STRING:
		value->kind = VALUE_STRING;
		value->string.data = arena_strndup(
			reader->arena, json->text.data, json->text.length);
		value->string.bytes = (uint32_t)json->text.length;
		return true;
	default:
		return token == JSONR_NULL;
	}
}

enum rc
frame_read_value(struct frame_reader *reader, void *target)
{
	return frame_take_value(reader, jsonr_next(&reader->json), target)
		       ? RC_OK
		       : frame_malformed(reader, "a value");
}
