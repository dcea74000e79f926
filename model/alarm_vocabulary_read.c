/* alarm_vocabulary_read: the words of a plant's alarms from a document. */

#include <json-c/json.h>
#include <stdio.h>

#include "lib/field.h"
#include "lib/jsonw.h"
#include "model/alarm_vocabulary.h"

#define PLACE_BYTES 64

/* A document under way: where it goes, and the words for what is wrong. */
struct reader {
	struct arena *arena;
	struct jsonw *json;
	struct fault *fault;
	const char *path[ALARM_CAUSE_LEVELS]; /* names down to a cause */
	size_t count;                         /* of causes */
};

/* "causes[2]" */
static const char *
place_of(struct reader *reader, const char *list, size_t index)
{
	return arena_printf(
		reader->arena, "%.*s[%zu]", PLACE_BYTES, list, index);
}

static enum rc
check_list(
	struct reader *reader, const struct json_object *list, const char *name)
{
	if (list == NULL || json_object_is_type(list, json_type_array))
		return RC_OK;
	return fault_tell(reader->fault, RC_BAD_INPUT, "BadRequest", name,
		"\"%s\" must be a list.", name);
}

/* --- classes, groups and areas ---------------------------------------------
 */

static const struct field category_fields[] = {
	{"number", FIELD_INT, offsetof(struct alarm_category, number),
		.required = true, .maximum = ALARM_CATEGORY_NUMBER_MAX},
	{"name", FIELD_TEXT, offsetof(struct alarm_category, name),
		.required = true, .maximum = NAMING_NAME_BYTES},
	{"colour", FIELD_TEXT, offsetof(struct alarm_category, colour),
		.maximum = 7},
	{"description", FIELD_TEXT,
		offsetof(struct alarm_category, description),
		.maximum = NAMING_DESCRIPTION_BYTES},
	FIELDS_END,
};

/* An area has no number. */
static const struct field *const area_fields = &category_fields[1];

static void
put_category(struct jsonw *json, const struct alarm_category *category)
{
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "kind", category->kind);
	if (!alarm_category_is_area(category))
		jsonw_int(json, "number", category->number);
	jsonw_str(json, "name", category->name);
	jsonw_str(json, "colour", category->colour);
	jsonw_str(json, "description", category->description);
	jsonw_close_obj(json);
}

static enum rc
read_category(struct reader *reader, struct json_object *object,
	const char *kind, const char *place)
{
	struct alarm_category category = {
		.kind = kind, .colour = "", .description = ""};
	enum rc rc = field_read(reader->arena, object,
		alarm_category_is_area(&category) ? area_fields
						  : category_fields,
		&category, place, reader->fault);

	if (rc == RC_OK)
		rc = alarm_category_check(&category, place, reader->fault);
	if (rc == RC_OK)
		put_category(reader->json, &category);
	return rc;
}

static enum rc
read_categories(struct reader *reader, struct json_object *list,
	const struct alarm_category_kind *kind)
{
	enum rc rc = check_list(reader, list, kind->many);
	size_t count = rc == RC_OK && list != NULL
			       ? json_object_array_length(list)
			       : 0;

	for (size_t i = 0; rc == RC_OK && i < count; i++)
		rc = read_category(reader, json_object_array_get_idx(list, i),
			kind->one, place_of(reader, kind->many, i));
	return rc;
}

/* --- causes ----------------------------------------------------------------
 */

struct cause {
	struct alarm_cause words;
	struct json_object *children;
};

static const struct field cause_fields[] = {
	{"name", FIELD_TEXT, offsetof(struct cause, words.name),
		.required = true, .maximum = NAMING_NAME_BYTES},
	{"description", FIELD_TEXT, offsetof(struct cause, words.description),
		.maximum = NAMING_DESCRIPTION_BYTES},
	{"removed", FIELD_BOOL,
		.offset = offsetof(struct cause, words.removed)},
	{"children", FIELD_ANY, .offset = offsetof(struct cause, children)},
	FIELDS_END,
};

static void
put_cause(struct reader *reader, const struct alarm_cause *cause, size_t level)
{
	struct jsonw *json = reader->json;

	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, "path");
	for (size_t i = 0; i <= level; i++)
		jsonw_str(json, NULL, reader->path[i]);
	jsonw_close_arr(json);
	jsonw_str(json, "description", cause->description);
	jsonw_bool(json, "removed", cause->removed);
	jsonw_close_obj(json);
}

static enum rc
read_cause(struct reader *reader, struct json_object *object, size_t level,
	const char *place, struct json_object **children)
{
	struct cause cause = {.words = {.description = ""}};
	enum rc rc = field_read(reader->arena, object, cause_fields, &cause,
		place, reader->fault);

	if (rc == RC_OK)
		rc = naming_check_name(cause.words.name, place, reader->fault);
	if (rc == RC_OK && ++reader->count > ALARM_CAUSE_MAX)
		rc = alarm_cause_too_many(reader->fault);
	if (rc != RC_OK)
		return rc;
	reader->path[level] = cause.words.name;
	put_cause(reader, &cause.words, level);
	*children = cause.children;
	return RC_OK;
}

/* Those below reader->path, "level" counted from 0. */
static enum rc
read_causes(struct reader *reader, struct json_object *list, size_t level,
	const char *place)
{
	enum rc rc = check_list(reader, list, place);
	size_t count = rc == RC_OK && list != NULL
			       ? json_object_array_length(list)
			       : 0;

	if (count > 0 && level == ALARM_CAUSE_LEVELS)
		return alarm_cause_too_deep(place, reader->fault);
	for (size_t i = 0; rc == RC_OK && i < count; i++) {
		const char *inner = place_of(reader, place, i);
		struct json_object *children = NULL;

		rc = read_cause(reader, json_object_array_get_idx(list, i),
			level, inner, &children);
		if (rc == RC_OK)
			rc = read_causes(reader, children, level + 1,
				arena_printf(
					reader->arena, "%s.children", inner));
	}
	return rc;
}

/* --- the document ----------------------------------------------------------
 */

struct document {
	struct json_object *categories[ALARM_CATEGORY_KINDS];
	struct json_object *causes;
};

/* In the order of alarm_category_kinds. */
static const struct field document_fields[] = {
	{"classes", FIELD_ANY,
		.offset = offsetof(struct document, categories[0])},
	{"groups", FIELD_ANY,
		.offset = offsetof(struct document, categories[1])},
	{"areas", FIELD_ANY,
		.offset = offsetof(struct document, categories[2])},
	{"causes", FIELD_ANY, .offset = offsetof(struct document, causes)},
	FIELDS_END,
};

enum rc
alarm_vocabulary_read(struct arena *arena, struct json_object *object,
	struct alarm_vocabulary *vocabulary, struct fault *fault)
{
	struct document document = {.causes = NULL};
	struct reader reader = {
		.arena = arena, .json = jsonw_in(arena), .fault = fault};
	enum rc rc = field_read(
		arena, object, document_fields, &document, "", fault);

	jsonw_open_arr(reader.json, NULL);
	for (size_t i = 0; rc == RC_OK && i < ALARM_CATEGORY_KINDS; i++)
		rc = read_categories(&reader, document.categories[i],
			&alarm_category_kinds[i]);
	jsonw_close_arr(reader.json);
	vocabulary->categories = reader.json->out->data;
	reader.json = jsonw_in(arena);
	jsonw_open_arr(reader.json, NULL);
	if (rc == RC_OK)
		rc = read_causes(&reader, document.causes, 0, "causes");
	jsonw_close_arr(reader.json);
	vocabulary->causes = reader.json->out->data;
	return rc;
}
