/* alarm_limit_list: many limits of one datasource as a document. */

#include "model/alarm_limit_list.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/alarm_limit_csv.h"

static int
compare_names(const void *left, const void *right)
{
	return strcmp(((const struct variable *)left)->name,
		((const struct variable *)right)->name);
}

struct alarm_limit_names
alarm_limit_names(struct arena *arena, const struct variable_list *variables)
{
	size_t bytes = sizeof(*variables->items);
	struct variable *items =
		arena_array(arena, variables->count + 1, bytes);

	if (variables->count > 0)
		memcpy(items, variables->items, variables->count * bytes);
	qsort(items, variables->count, bytes, compare_names);
	return (struct alarm_limit_names){{variables->count, items}};
}

const struct variable *
alarm_limit_variable(const struct alarm_limit_names *names, const char *name)
{
	const struct variable key = {.name = name};

	return bsearch(&key, names->variables.items, names->variables.count,
		sizeof(key), compare_names);
}

static enum value_kind
kind_of(const void *context, const char *name)
{
	const struct variable *variable = alarm_limit_variable(context, name);

	return variable != NULL ? variable->kind : VALUE_NONE;
}

enum rc
alarm_limit_settle_named(const struct alarm_limit_names *names,
	struct alarm_limit *limit, const char *path, struct fault *fault)
{
	enum value_kind kind = kind_of(names, limit->variable);
	struct alarm_limit_flaw flaw;

	if (kind == VALUE_NONE) {
		flaw = (struct alarm_limit_flaw){
			ALARM_LIMIT_VARIABLE, "names no variable"};
		return alarm_limit_refuse(&flaw, path, fault);
	}
	if (!alarm_limit_settle(limit, kind, &flaw))
		return alarm_limit_refuse(&flaw, path, fault);
	return RC_OK;
}

static enum rc
read_item(struct arena *arena, struct json_object *item, size_t index,
	const struct alarm_limit_names *names, struct alarm_limit *limit,
	struct fault *fault)
{
	char path[32];
	enum rc rc;

	snprintf(path, sizeof(path), "limits[%zu]", index);
	if (json_object_get_type(item) != json_type_object)
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest", path,
			"\"%s\" must be an object.", path);
	*limit = alarm_limit_default();
	rc = alarm_limit_read(arena, item, path, limit, fault);
	return rc == RC_OK ? alarm_limit_settle_named(names, limit, path, fault)
			   : rc;
}

enum rc
alarm_limit_list_read_json(struct arena *arena, struct json_object *limits,
	const struct alarm_limit_names *names, struct alarm_limit_list *list,
	struct fault *fault)
{
	struct alarm_limit *items;
	enum rc rc = RC_OK;

	if (json_object_get_type(limits) != json_type_array)
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest", "limits",
			"\"limits\" must be a list.");
	list->count = json_object_array_length(limits);
	if (list->count > ALARM_LIMITS_MAX)
		return fault_tell(fault, RC_TOO_LARGE, "TooManyLimits",
			"limits", "A datasource has at most %d limits.",
			ALARM_LIMITS_MAX);
	items = arena_array(arena, list->count + 1, sizeof(*items));
	for (size_t i = 0; rc == RC_OK && i < list->count; i++)
		rc = read_item(arena, json_object_array_get_idx(limits, i), i,
			names, &items[i], fault);
	list->items = items;
	return rc;
}

enum rc
alarm_limit_list_read_csv(struct arena *arena, const char *text, size_t length,
	const struct alarm_limit_names *names, struct alarm_limit_list *list,
	struct fault *fault)
{
	FILE *file = length > 0 ? fmemopen((void *)(uintptr_t)text, length, "r")
				: NULL;
	enum rc rc;

	if (file == NULL)
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest", NULL,
			"The table is empty; its first row names the columns.");
	rc = alarm_limit_csv_read(
		arena, file, "limits.csv", kind_of, names, list, fault);
	fclose(file);
	if (rc == RC_BAD_INPUT)
		rc = fault_tell(fault, rc, "BadRequest", NULL, "%s",
			arena_strdup(arena, fault->text));
	return rc;
}
