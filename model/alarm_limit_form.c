/* alarm_limit_form: a limit as JSON and as cells of a CSV row. */

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/word.h"
#include "model/alarm_limit.h"

/* A limit while it is read: words that become numbers stand behind it. */
struct draft {
	struct alarm_limit limit; /* first */
	const char *condition;
	const char *evaluated_by;
	struct json_object *value;
};

struct column {
	const char *name; /* in a CSV file */
	struct field field;
};

#define COLUMN(name, member, kind, place, least, most)                         \
	{                                                                      \
		name,                                                          \
		{                                                              \
			member, kind, offsetof(struct draft, place), false,    \
				least, most, NULL                              \
		}                                                              \
	}

/* Limits of length and range are alarm_limit_settle's; these only keep
 * nonsense out of memory. */
#define LONG_TEXT 4096

static const struct column columns[ALARM_LIMIT_COLUMNS] = {
	[ALARM_LIMIT_VARIABLE] = COLUMN("variable", "variable", FIELD_TEXT,
		limit.variable, 0, LONG_TEXT),
	[ALARM_LIMIT_NAME] =
		COLUMN("name", "name", FIELD_TEXT, limit.name, 0, LONG_TEXT),
	[ALARM_LIMIT_CONDITION] = COLUMN(
		"condition", "condition", FIELD_TEXT, condition, 0, LONG_TEXT),
	[ALARM_LIMIT_VALUE] = COLUMN("value", "value", FIELD_ANY, value, 0, 0),
	[ALARM_LIMIT_LOW] = COLUMN("low", "low", FIELD_NUM, limit.low, 0, 0),
	[ALARM_LIMIT_HIGH] =
		COLUMN("high", "high", FIELD_NUM, limit.high, 0, 0),
	[ALARM_LIMIT_HYSTERESIS] = COLUMN(
		"hysteresis", "hysteresis", FIELD_NUM, limit.hysteresis, 0, 0),
	[ALARM_LIMIT_ON_DELAY] = COLUMN("on_delay_ms", "onDelayMs", FIELD_INT,
		limit.on_delay_ms, INT32_MIN, INT32_MAX),
	[ALARM_LIMIT_OFF_DELAY] = COLUMN("off_delay_ms", "offDelayMs",
		FIELD_INT, limit.off_delay_ms, INT32_MIN, INT32_MAX),
	[ALARM_LIMIT_TEXT] =
		COLUMN("text", "text", FIELD_TEXT, limit.text, 0, LONG_TEXT),
	[ALARM_LIMIT_CLASS] = COLUMN("class", "class", FIELD_INT,
		limit.class_number, INT32_MIN, INT32_MAX),
	[ALARM_LIMIT_GROUP] = COLUMN("group", "group", FIELD_INT,
		limit.group_number, INT32_MIN, INT32_MAX),
	[ALARM_LIMIT_AREAS] =
		COLUMN("areas", "areas", FIELD_TEXTS, limit.areas, 0, 16),
	[ALARM_LIMIT_PRIORITY] = COLUMN("priority", "priority", FIELD_INT,
		limit.priority, INT32_MIN, INT32_MAX),
	[ALARM_LIMIT_MUST_ACKNOWLEDGE] = COLUMN("must_acknowledge",
		"mustAcknowledge", FIELD_BOOL, limit.must_acknowledge, 0, 0),
	[ALARM_LIMIT_COMMENT_REQUIRED] = COLUMN("comment_required",
		"commentRequired", FIELD_BOOL, limit.comment_required, 0, 0),
	[ALARM_LIMIT_CAUSE_REQUIRED] = COLUMN("cause_required", "causeRequired",
		FIELD_BOOL, limit.cause_required, 0, 0),
	[ALARM_LIMIT_EACH_CHANGE] = COLUMN("each_change", "eachChange",
		FIELD_BOOL, limit.each_change, 0, 0),
	[ALARM_LIMIT_REACTIVATES] = COLUMN("reactivates", "reactivates",
		FIELD_BOOL, limit.reactivates, 0, 0),
	[ALARM_LIMIT_SUPPRESSED_BY] = COLUMN("suppressed_by", "suppressedBy",
		FIELD_TEXT, limit.suppressed_by, 0, LONG_TEXT),
	[ALARM_LIMIT_ENABLED] =
		COLUMN("enabled", "enabled", FIELD_BOOL, limit.enabled, 0, 0),
	[ALARM_LIMIT_EVALUATED_BY] = COLUMN("evaluated_by", "evaluatedBy",
		FIELD_TEXT, evaluated_by, 0, LONG_TEXT),
};

const char *
alarm_limit_column(enum alarm_limit_column column)
{
	return columns[column].name;
}

const char *
alarm_limit_member(enum alarm_limit_column column)
{
	return columns[column].field.name;
}

enum rc
alarm_limit_refuse(const struct alarm_limit_flaw *flaw, const char *path,
	struct fault *fault)
{
	const char *dot = path[0] != '\0' ? "." : "";
	const char *member = alarm_limit_member(flaw->column);
	char field[sizeof(fault->field)];

	snprintf(field, sizeof(field), "%.40s%s%s", path, dot, member);
	return fault_tell(fault, RC_BAD_INPUT, "BadRequest", field,
		"\"%s\" %s.", field, flaw->why);
}

/* --- JSON ----------------------------------------------------------------- */

static bool
take_words(struct draft *draft, struct alarm_limit_flaw *flaw)
{
	struct alarm_limit *limit = &draft->limit;

	if (draft->condition != NULL)
		limit->condition = alarm_condition_parse(draft->condition);
	if (draft->evaluated_by == NULL ||
		alarm_evaluator_parse(
			draft->evaluated_by, &limit->evaluated_by))
		return true;
	*flaw = (struct alarm_limit_flaw){
		ALARM_LIMIT_EVALUATED_BY, "must be agent or hub"};
	return false;
}

static bool
take_json_value(
	struct arena *arena, struct draft *draft, struct alarm_limit_flaw *flaw)
{
	struct alarm_limit *limit = &draft->limit;
	enum json_type type = json_object_get_type(draft->value);

	if (type == json_type_null)
		return true;
	limit->match = NULL;
	limit->value = NAN;
	if (type == json_type_boolean)
		limit->value = json_object_get_boolean(draft->value);
	else if (type == json_type_int || type == json_type_double)
		limit->value = json_object_get_double(draft->value);
	else if (type == json_type_string)
		limit->match = arena_strdup(
			arena, json_object_get_string(draft->value));
	else {
		*flaw = (struct alarm_limit_flaw){ALARM_LIMIT_VALUE,
			"must be a number, a text, true or false"};
		return false;
	}
	return true;
}

enum rc
alarm_limit_read(struct arena *arena, struct json_object *object,
	const char *path, struct alarm_limit *limit, struct fault *fault)
{
	struct field fields[ALARM_LIMIT_COLUMNS + 1];
	struct draft draft = {.limit = *limit};
	struct alarm_limit_flaw flaw;
	enum rc rc;

	for (size_t i = 0; i < ALARM_LIMIT_COLUMNS; i++)
		fields[i] = columns[i].field;
	fields[ALARM_LIMIT_COLUMNS] = (struct field)FIELDS_END;
	rc = field_read(arena, object, fields, &draft, path, fault);
	if (rc != RC_OK)
		return rc;
	if (!take_words(&draft, &flaw) ||
		!take_json_value(arena, &draft, &flaw))
		return alarm_limit_refuse(&flaw, path, fault);
	*limit = draft.limit;
	return RC_OK;
}

static void
write_number(struct jsonw *json, enum alarm_limit_column column, double number)
{
	if (!isnan(number))
		jsonw_num(json, alarm_limit_member(column), number);
}

static void
write_areas(struct jsonw *json, const struct texts *areas)
{
	jsonw_open_arr(json, alarm_limit_member(ALARM_LIMIT_AREAS));
	for (size_t i = 0; i < areas->count; i++)
		jsonw_str(json, NULL, areas->items[i]);
	jsonw_close_arr(json);
}

static void
write_member(struct jsonw *json, const struct alarm_limit *limit,
	const struct field *field)
{
	const void *place = (const char *)limit + field->offset;

	switch (field->kind) {
	case FIELD_TEXT:
		jsonw_str(json, field->name, *(const char *const *)place);
		break;
	case FIELD_INT:
		jsonw_int(json, field->name, *(const int64_t *)place);
		break;
	case FIELD_NUM:
		if (!isnan(*(const double *)place))
			jsonw_num(json, field->name, *(const double *)place);
		break;
	case FIELD_BOOL:
		jsonw_bool(json, field->name, *(const bool *)place);
		break;
	default:
		break;
	}
}

void
alarm_limit_write(struct jsonw *json, const struct alarm_limit *limit)
{
	for (size_t i = 0; i < ALARM_LIMIT_COLUMNS; i++)
		switch (i) {
		case ALARM_LIMIT_CONDITION:
			jsonw_str(json, columns[i].field.name,
				alarm_condition_name(limit->condition));
			break;
		case ALARM_LIMIT_VALUE:
			if (limit->match != NULL)
				jsonw_str(json, columns[i].field.name,
					limit->match);
			else
				write_number(
					json, ALARM_LIMIT_VALUE, limit->value);
			break;
		case ALARM_LIMIT_AREAS:
			write_areas(json, &limit->areas);
			break;
		case ALARM_LIMIT_EVALUATED_BY:
			if (limit->evaluated_by != ALARM_BY_DEFAULT)
				jsonw_str(json, columns[i].field.name,
					alarm_evaluator_name(
						limit->evaluated_by));
			break;
		default:
			write_member(json, limit, &columns[i].field);
		}
}

/* --- cells ---------------------------------------------------------------- */

static bool
parse_whole(const char *text, int64_t *number)
{
	char *end;
	long long parsed = strtoll(text, &end, 10);

	if (end == text || *end != '\0' || parsed < INT32_MIN ||
		parsed > INT32_MAX)
		return false;
	*number = parsed;
	return true;
}

/* "Boiler house|Ground floor" */
static void
split_areas(struct arena *arena, const char *text, struct texts *areas)
{
	const char **items;
	size_t count = 1;

	for (const char *at = text; *at != '\0'; at++)
		count += *at == '|';
	items = arena_array(arena, count, sizeof(*items));
	for (size_t i = 0; i < count; i++) {
		size_t length = strcspn(text, "|");

		items[i] = arena_strndup(arena, text, length);
		text += length + 1;
	}
	*areas = (struct texts){count, items};
}

/* NULL, or why not. */
static const char *
take_cell(struct arena *arena, const struct field *field, const char *text,
	struct alarm_limit *limit)
{
	void *place = (char *)limit + field->offset;

	switch (field->kind) {
	case FIELD_TEXT:
		*(const char **)place = arena_strdup(arena, text);
		return NULL;
	case FIELD_INT:
		return parse_whole(text, place) ? NULL
						: "is not a whole number";
	case FIELD_NUM:
		return word_number(text, place) ? NULL : "is not a number";
	case FIELD_BOOL:
		return word_truth(text, place) ? NULL : "must be yes or no";
	case FIELD_TEXTS:
		split_areas(arena, text, place);
		return NULL;
	default:
		return "has no text form";
	}
}

bool
alarm_limit_take(struct arena *arena, enum alarm_limit_column column,
	const char *text, struct alarm_limit *limit,
	struct alarm_limit_flaw *flaw)
{
	struct draft draft = {.limit = *limit};
	const char *why = NULL;

	if (text[0] == '\0')
		return true; /* as if the column were not there */
	switch (column) {
	case ALARM_LIMIT_CONDITION:
		limit->condition = alarm_condition_parse(text);
		return true;
	case ALARM_LIMIT_EVALUATED_BY:
		draft.evaluated_by = text;
		if (!take_words(&draft, flaw))
			return false;
		limit->evaluated_by = draft.limit.evaluated_by;
		return true;
	case ALARM_LIMIT_VALUE:
		limit->match = arena_strdup(arena, text);
		return true;
	default:
		why = take_cell(arena, &columns[column].field, text, limit);
	}
	if (why != NULL)
		*flaw = (struct alarm_limit_flaw){column, why};
	return why == NULL;
}

/* The shortest digits that read back as the same number. */
static const char *
number_cell(struct arena *arena, double number)
{
	const char *text = "";

	for (int digits = 15; !isnan(number) && digits <= 17; digits++) {
		text = arena_printf(arena, "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	return text;
}

static const char *
join_areas(struct arena *arena, const struct texts *areas)
{
	const char *text = areas->count > 0 ? areas->items[0] : "";

	for (size_t i = 1; i < areas->count; i++)
		text = arena_printf(arena, "%s|%s", text, areas->items[i]);
	return text;
}

static const char *
member_cell(struct arena *arena, const struct field *field,
	const struct alarm_limit *limit)
{
	const void *place = (const char *)limit + field->offset;

	switch (field->kind) {
	case FIELD_TEXT:
		return *(const char *const *)place;
	case FIELD_INT:
		return arena_printf(
			arena, "%lld", (long long)*(const int64_t *)place);
	case FIELD_NUM:
		return number_cell(arena, *(const double *)place);
	case FIELD_BOOL:
		return *(const bool *)place ? "yes" : "no";
	default:
		return join_areas(arena, place);
	}
}

const char *
alarm_limit_cell(struct arena *arena, const struct alarm_limit *limit,
	enum alarm_limit_column column)
{
	switch (column) {
	case ALARM_LIMIT_CONDITION:
		return alarm_condition_name(limit->condition);
	case ALARM_LIMIT_EVALUATED_BY:
		return alarm_evaluator_name(limit->evaluated_by);
	case ALARM_LIMIT_VALUE:
		return limit->match != NULL ? limit->match
					    : number_cell(arena, limit->value);
	default:
		return member_cell(arena, &columns[column].field, limit);
	}
}
