/* limits: what an agent evaluates. */

#include "agents/limits.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/alarm_limit_csv.h"

/* Inputs by name. */
struct known {
	struct input **sorted;
	size_t count;
};

static struct known
know(const struct input_list *inputs)
{
	struct input_list list = *inputs;

	return (struct known){input_list_sort(&list), list.count};
}

static const struct input *
find(const struct known *known, const char *name)
{
	return input_find(known->sorted, known->count, name);
}

static enum value_kind
kind_of(const void *context, const char *variable)
{
	const struct input *input = find(context, variable);

	return input != NULL ? input->kind : VALUE_NONE;
}

/* --- the CSV file --------------------------------------------------------- */

static enum rc
check_evaluator(const char *path, const struct alarm_limit_list *list,
	struct fault *fault)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].evaluated_by == ALARM_BY_HUB)
			return fault_set(fault, RC_BAD_INPUT,
				"%s: limit \"%.60s\" of \"%.80s\": "
				"evaluated_by must be empty or agent here",
				path, list->items[i].name,
				list->items[i].variable);
	return RC_OK;
}

enum rc
limits_load(struct arena *arena, const char *path,
	const struct input_list *inputs, struct alarm_limit_list *own,
	struct fault *fault)
{
	struct known known;
	FILE *file;
	enum rc rc;

	*own = (struct alarm_limit_list){0, NULL};
	if (path[0] == '\0')
		return RC_OK;
	file = fopen(path, "re");
	if (file == NULL)
		return fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
	known = know(inputs);
	rc = alarm_limit_csv_read(
		arena, file, path, kind_of, &known, own, fault);
	free(known.sorted);
	fclose(file);
	return rc == RC_OK ? check_evaluator(path, own, fault) : rc;
}

/* --- the hub's ------------------------------------------------------------ */

/* One load under way. */
struct hub_load {
	struct arena *arena;
	struct known known;
	const struct alarm_limit **own;
	size_t own_count;
};

static int
compare_limits(const void *left, const void *right)
{
	const struct alarm_limit *a = *(const struct alarm_limit *const *)left;
	const struct alarm_limit *b = *(const struct alarm_limit *const *)right;
	int order = strcmp(a->variable, b->variable);

	return order != 0 ? order : strcmp(a->name, b->name);
}

/* Pointers to the own limits by their names, in "arena". */
static const struct alarm_limit **
sort_own(struct arena *arena, const struct alarm_limit_list *own)
{
	const struct alarm_limit **sorted =
		arena_array(arena, own->count, sizeof(struct alarm_limit *));

	for (size_t i = 0; i < own->count; i++)
		sorted[i] = &own->items[i];
	if (own->count > 0)
		qsort(sorted, own->count, sizeof(*sorted), compare_limits);
	return sorted;
}

static bool
is_own(const struct hub_load *load, const struct alarm_limit *limit)
{
	return load->own_count > 0 &&
	       bsearch(&limit, load->own, load->own_count, sizeof(*load->own),
		       compare_limits) != NULL;
}

/* Whether it can be evaluated here; if not, that is the hub's mistake or its
 * knowledge of other agents. */
static bool
take_limit(const struct hub_load *load, struct json_object *object,
	struct alarm_limit *limit)
{
	struct alarm_limit_flaw flaw;
	struct fault fault;

	*limit = alarm_limit_default();
	if (!json_object_is_type(object, json_type_object) ||
		alarm_limit_read(load->arena, object, "", limit, &fault) !=
			RC_OK ||
		find(&load->known, limit->variable) == NULL ||
		is_own(load, limit))
		return false;
	return alarm_limit_settle(
		limit, kind_of(&load->known, limit->variable), &flaw);
}

static struct alarm_limit_list
take_all(struct arena *arena, const struct input_list *inputs,
	const struct alarm_limit_list *own, struct json_object *array)
{
	size_t count = json_object_array_length(array);
	struct alarm_limit *items = arena_array(arena, count, sizeof(*items));
	struct alarm_limit_list list = {0, items};
	struct hub_load load = {.arena = arena,
		.known = know(inputs),
		.own = sort_own(arena, own),
		.own_count = own->count};

	for (size_t i = 0; i < count; i++)
		list.count +=
			take_limit(&load, json_object_array_get_idx(array, i),
				&items[list.count]);
	free(load.known.sorted);
	return list;
}

enum rc
limits_take(struct limits *limits, const struct input_list *inputs,
	const char *text, size_t length, size_t *left_out, struct fault *fault)
{
	struct arena *arena = arena_new();
	struct alarm_limit_list list = {0, NULL};
	struct json_object *object;
	struct json_object *array = NULL;
	enum rc rc = json_parse(arena, text, length, &object, fault);

	if (rc == RC_OK &&
		(!json_object_is_type(object, json_type_object) ||
			!json_object_object_get_ex(object, "limits", &array) ||
			!json_object_is_type(array, json_type_array) ||
			json_object_array_length(array) > ALARM_LIMITS_MAX))
		rc = fault_set(fault, RC_BAD_INPUT,
			"the limits of the hub are not understood");
	if (rc != RC_OK) {
		arena_free(arena);
		return rc;
	}
	list = take_all(arena, inputs, &limits->own, array);
	*left_out = json_object_array_length(array) - list.count;
	limits_free(limits);
	limits->arena = arena;
	limits->hub = list;
	limits->version++;
	return RC_OK;
}

void
limits_free(struct limits *limits)
{
	if (limits->arena != NULL)
		arena_free(limits->arena);
	limits->arena = NULL;
	limits->hub = (struct alarm_limit_list){0, NULL};
}

/* --- targets -------------------------------------------------------------- */

static void
add_targets(const struct known *known, const struct input *first,
	const struct alarm_limit_list *list, struct alarm_target *targets,
	size_t *count)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct alarm_limit *limit = &list->items[i];
		const struct input *input = find(known, limit->variable);
		const struct input *suppressor =
			find(known, limit->suppressed_by);

		if (input == NULL || input->id == 0)
			continue;
		targets[(*count)++] = (struct alarm_target){.limit = limit,
			.variable_id = (int32_t)(input - first) + 1,
			.kind = input->kind,
			.unit = input->unit,
			.decimals = input->decimals,
			.suppressor_id =
				suppressor != NULL
					? (int32_t)(suppressor - first) + 1
					: 0};
	}
}

size_t
limits_targets(struct arena *arena, const struct limits *limits,
	const struct input_list *inputs, struct alarm_target **targets)
{
	struct known known = know(inputs);
	size_t count = 0;

	*targets = arena_array(arena, limits->own.count + limits->hub.count,
		sizeof(**targets));
	add_targets(&known, inputs->items, &limits->own, *targets, &count);
	add_targets(&known, inputs->items, &limits->hub, *targets, &count);
	free(known.sorted);
	return count;
}
