/* input: the variables that an agent reads, as its variables CSV names them. */

#include "agents/input_parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define INSTANCES_MAX 64

enum rc
input_fault(const struct input_list *list, const struct input *input,
	struct fault *fault, const char *format, ...)
{
	va_list args;
	char why[192];

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	return fault_set(fault, RC_BAD_INPUT, "%s:%d:%d: %s", list->path,
		input->line, input->column, why);
}

/* --- the list ------------------------------------------------------------ */

static size_t
hash_name(const char *name)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
	return (size_t)(hash ^ (hash >> 32));
}

/* The slot of "name", taken or free. */
static size_t *
find_slot(struct input_load *load, const char *name)
{
	size_t slot = hash_name(name) % load->name_slots;

	while (load->names[slot] != 0 &&
		strcmp(load->list->items[load->names[slot] - 1].name, name) !=
			0)
		slot = (slot + 1) % load->name_slots;
	return &load->names[slot];
}

static enum rc
append(struct input_load *load, const struct input *input)
{
	struct input_list *list = load->list;
	size_t *slot = find_slot(load, input->name);

	if (*slot != 0)
		return fault_set(load->fault, RC_BAD_INPUT,
			"%s:%d:%d: name \"%.80s\" is given twice, first in "
			"line %d",
			list->path, input->line, input->column, input->name,
			list->items[*slot - 1].line);
	if (list->count == INPUT_COUNT_MAX)
		return input_refuse(load, INPUT_NAME,
			"one agent reads at most 10000 variables");
	if (list->count == load->capacity) {
		size_t capacity = load->capacity * 2 + 64;
		struct input *items =
			arena_array(load->arena, capacity, sizeof(*items));

		if (list->count > 0)
			memcpy(items, list->items,
				list->count * sizeof(*items));
		list->items = items;
		load->capacity = capacity;
	}
	*slot = list->count + 1;
	list->items[list->count++] = *input;
	return RC_OK;
}

/* "text" with the first `*` replaced. */
static const char *
put_instance(struct arena *arena, const char *text, const char *instance)
{
	const char *star = strchr(text, '*');

	if (star == NULL)
		return text;
	return arena_printf(arena, "%.*s%s%s", (int)(star - text), text,
		instance, star + 1);
}

static enum rc
append_instances(struct input_load *load, const struct input *input)
{
	const char *names[INSTANCES_MAX];
	size_t count;
	enum rc rc = RC_OK;

	if (load->expand == NULL)
		return input_refuse(load, INPUT_ADDRESS,
			"this driver knows no addresses with *");
	if (strchr(input->name, '*') == NULL)
		return input_refuse(load, INPUT_NAME,
			"needs a * because the address has one");
	count = load->expand(load->arena, input->address, names, INSTANCES_MAX);
	for (size_t i = 0; rc == RC_OK && i < count; i++) {
		struct input one = *input;

		one.name = put_instance(load->arena, input->name, names[i]);
		one.address =
			put_instance(load->arena, input->address, names[i]);
		one.description =
			put_instance(load->arena, input->description, names[i]);
		rc = append(load, &one);
	}
	return rc;
}

static enum rc
take_rows(struct input_load *load)
{
	struct input input;
	enum rc rc;

	while ((rc = csv_table_row(&load->table, load->fault)) == RC_OK) {
		rc = input_take_row(load, &input);
		if (rc != RC_OK)
			return rc;
		rc = strchr(input.address, '*') != NULL
			     ? append_instances(load, &input)
			     : append(load, &input);
		if (rc != RC_OK)
			return rc;
	}
	if (rc != RC_NOT_FOUND)
		return rc;
	load->fault->rc = RC_OK;
	return RC_OK;
}

static enum rc
take_header(struct input_load *load, FILE *file)
{
	struct csv_table *table = &load->table;
	enum rc rc = csv_table_open(table, file, load->list->path,
		input_column_names, INPUT_COLUMNS, load->fault);

	if (rc == RC_OK && (!csv_table_has(table, INPUT_NAME) ||
				   !csv_table_has(table, INPUT_TYPE)))
		rc = csv_fault(&table->csv, 0, load->fault,
			"the columns name and type are required");
	return rc;
}

enum rc
input_list_read(struct arena *arena, FILE *file, const char *path,
	input_expand_fn *expand, struct input_list *list, struct fault *fault)
{
	struct input_load load = {
		.arena = arena, .expand = expand, .list = list, .fault = fault};
	enum rc rc;

	memset(list, 0, sizeof(*list));
	list->path = arena_strdup(arena, path);
	load.name_slots = 2 * INPUT_COUNT_MAX + 1;
	load.names = calloc(load.name_slots, sizeof(*load.names));
	if (load.names == NULL)
		abort();
	rc = take_header(&load, file);
	if (rc == RC_OK)
		rc = take_rows(&load);
	if (rc == RC_OK && list->count == 0)
		rc = fault_set(
			fault, RC_BAD_INPUT, "%s:1:1: names no variable", path);
	csv_table_close(&load.table);
	free(load.names);
	return rc;
}

enum rc
input_list_load(struct arena *arena, const char *path, input_expand_fn *expand,
	struct input_list *list, struct fault *fault)
{
	FILE *file = fopen(path, "re");
	enum rc rc;

	if (file == NULL)
		return fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
	rc = input_list_read(arena, file, path, expand, list, fault);
	fclose(file);
	return rc;
}

/* --- by name ------------------------------------------------------------- */

static int
compare_inputs(const void *left, const void *right)
{
	return strcmp((*(struct input *const *)left)->name,
		(*(struct input *const *)right)->name);
}

struct input **
input_list_sort(struct input_list *list)
{
	struct input **sorted = calloc(list->count, sizeof(struct input *));

	if (sorted == NULL)
		abort();
	for (size_t i = 0; i < list->count; i++)
		sorted[i] = &list->items[i];
	qsort(sorted, list->count, sizeof(struct input *), compare_inputs);
	return sorted;
}

struct input *
input_find(struct input *const *sorted, size_t count, const char *name)
{
	struct input key = {.name = name};
	struct input *wanted = &key;
	struct input *const *found = bsearch(
		&wanted, sorted, count, sizeof(struct input *), compare_inputs);

	return found != NULL ? *found : NULL;
}
