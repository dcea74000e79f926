/* fuzz/body: any bytes as the JSON body of a query endpoint. */

#include <string.h>

#include "lib/field.h"
#include "tests/unit/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* One field of every kind. */
struct target {
	const char *text;
	int64_t whole;
	double number;
	bool truth;
	int64_t time_us;
	struct texts texts;
	struct json_object *any;
};

static const struct field inner[] = {
	{.name = "time",
		.kind = FIELD_TIME,
		.offset = offsetof(struct target, time_us)},
	{.name = "texts",
		.kind = FIELD_TEXTS,
		.offset = offsetof(struct target, texts),
		.maximum = 4},
	FIELDS_END,
};

static const struct field fields[] = {
	{.name = "text",
		.kind = FIELD_TEXT,
		.offset = offsetof(struct target, text),
		.required = true,
		.maximum = 16},
	{.name = "whole",
		.kind = FIELD_INT,
		.offset = offsetof(struct target, whole),
		.minimum = -5,
		.maximum = 5},
	{.name = "number",
		.kind = FIELD_NUM,
		.offset = offsetof(struct target, number)},
	{.name = "truth",
		.kind = FIELD_BOOL,
		.offset = offsetof(struct target, truth)},
	{.name = "any",
		.kind = FIELD_ANY,
		.offset = offsetof(struct target, any)},
	{.name = "inner", .kind = FIELD_OBJECT, .fields = inner},
	FIELDS_END,
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct arena *arena;
	struct target target = {0};
	struct req req;

	if (arena == NULL)
		arena = arena_new();
	request_make(
		&req, arena, METHOD_POST, "/", "application/json", NULL, NULL);
	req.body = arena_strndup(arena, (const char *)data, length);
	req.body_bytes = length;
	if (req_json(&req, fields, &target) == RC_OK &&
		(strlen(target.text) > 16 || target.texts.count > 4 ||
			target.whole < -5 || target.whole > 5))
		__builtin_trap();
	arena_reset(arena);
	return 0;
}
