/* input: the variables that an agent reads, as its variables CSV names them. */

#include "agents/input.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/csv.h"

#define INSTANCES_MAX         64
#define UNIT_BYTES_MAX        64
#define DESCRIPTION_BYTES_MAX 1024
#define WHOLE_MAX             9007199254740992.0 /* 2^53: doubles count exactly */

enum column {
	COLUMN_NAME,
	COLUMN_ADDRESS,
	COLUMN_TYPE,
	COLUMN_UNIT,
	COLUMN_DECIMALS,
	COLUMN_SCALE,
	COLUMN_OFFSET,
	COLUMN_MINIMUM,
	COLUMN_MAXIMUM,
	COLUMN_DEAD_BAND,
	COLUMN_ACCESS,
	COLUMN_STEPPED,
	COLUMN_DESCRIPTION,
	COLUMN_COUNT
};

static const char *const column_names[COLUMN_COUNT] = {
	[COLUMN_NAME] = "name",
	[COLUMN_ADDRESS] = "address",
	[COLUMN_TYPE] = "type",
	[COLUMN_UNIT] = "unit",
	[COLUMN_DECIMALS] = "decimals",
	[COLUMN_SCALE] = "scale",
	[COLUMN_OFFSET] = "offset",
	[COLUMN_MINIMUM] = "minimum",
	[COLUMN_MAXIMUM] = "maximum",
	[COLUMN_DEAD_BAND] = "dead_band",
	[COLUMN_ACCESS] = "access",
	[COLUMN_STEPPED] = "stepped",
	[COLUMN_DESCRIPTION] = "description",
};

static const char *const type_names[] = {
	[VALUE_NONE] = "",
	[VALUE_BOOL] = "bool",
	[VALUE_FLOAT] = "float",
	[VALUE_INT] = "int",
	[VALUE_STRING] = "string",
};

/* One load under way. */
struct load {
	struct arena *arena;
	struct csv csv;
	input_expand_fn *expand;
	struct input_list *list;
	size_t capacity;
	int place[COLUMN_COUNT]; /* index of the field, -1 = not in the file */
	size_t header_count;
	size_t *names; /* hash table of index + 1 into the list */
	size_t name_slots;
	struct fault *fault;
};

const char *
input_type(const struct input *input)
{
	return type_names[input->kind];
}

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

/* --- cells --------------------------------------------------------------- */

static size_t
cell_index(const struct load *load, enum column column)
{
	int place = load->place[column];

	return place >= 0 && (size_t)place < load->csv.count ? (size_t)place
							     : SIZE_MAX;
}

/* The cell's text; empty when the column or the cell is not there. */
static const char *
cell(const struct load *load, enum column column)
{
	size_t index = cell_index(load, column);

	return index != SIZE_MAX ? load->csv.fields[index].text : "";
}

static enum rc
refuse(struct load *load, enum column column, const char *why)
{
	size_t index = cell_index(load, column);

	if (index == SIZE_MAX)
		index = 0;
	return csv_fault(&load->csv, index, load->fault, "%s \"%.60s\": %s",
		column_names[column], cell(load, column), why);
}

/* A spreadsheet that separates by `;` may write 0,5 for 0.5. */
static bool
parse_number(const char *text, double *number)
{
	char copy[64];
	char *comma;
	char *end;

	if (strlen(text) >= sizeof(copy))
		return false;
	snprintf(copy, sizeof(copy), "%s", text);
	comma = strchr(copy, ',');
	if (comma != NULL && strchr(copy, '.') == NULL)
		*comma = '.';
	*number = strtod(copy, &end);
	return end != copy && *end == '\0' && isfinite(*number);
}

static enum rc
take_number(struct load *load, enum column column, double *number)
{
	const char *text = cell(load, column);

	if (text[0] == '\0' || parse_number(text, number))
		return RC_OK;
	return refuse(load, column, "is not a number");
}

static enum rc
take_decimals(struct load *load, struct input *input)
{
	double number = input->kind == VALUE_FLOAT ? 2 : 0;
	enum rc rc = take_number(load, COLUMN_DECIMALS, &number);

	if (rc != RC_OK)
		return rc;
	if (number < 0 || number > 15 || number != floor(number))
		return refuse(load, COLUMN_DECIMALS,
			"must be a whole number from 0 to 15");
	input->decimals = (int)number;
	return RC_OK;
}

static enum rc
take_type(struct load *load, struct input *input)
{
	for (size_t kind = 1; kind < ARRAY_LENGTH(type_names); kind++)
		if (strcasecmp(cell(load, COLUMN_TYPE), type_names[kind]) ==
			0) {
			input->kind = (enum value_kind)kind;
			return RC_OK;
		}
	return refuse(load, COLUMN_TYPE, "must be bool, float, int or string");
}

static enum rc
take_access(struct load *load, struct input *input)
{
	static const char *const names[] = {"read", "none", "read_write"};
	const char *text = cell(load, COLUMN_ACCESS);

	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		if (strcasecmp(text, names[i]) == 0 ||
			(i == 0 && text[0] == '\0')) {
			input->access = names[i];
			return RC_OK;
		}
	return refuse(load, COLUMN_ACCESS, "must be none, read or read_write");
}

static enum rc
take_stepped(struct load *load, struct input *input)
{
	static const char *const words[][2] = {
		{"no", "yes"}, {"false", "true"}, {"0", "1"}};
	const char *text = cell(load, COLUMN_STEPPED);

	/* What is not a float does not move between its samples. */
	input->stepped = input->kind != VALUE_FLOAT;
	if (text[0] == '\0')
		return RC_OK;
	for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
		for (int truth = 0; truth < 2; truth++)
			if (strcasecmp(text, words[i][truth]) == 0) {
				input->stepped = truth == 1;
				return RC_OK;
			}
	return refuse(load, COLUMN_STEPPED, "must be yes or no");
}

static enum rc
take_scaling(struct load *load, struct input *input)
{
	enum rc rc;

	input->scale = 1;
	input->offset = 0;
	rc = take_number(load, COLUMN_SCALE, &input->scale);
	if (rc == RC_OK)
		rc = take_number(load, COLUMN_OFFSET, &input->offset);
	if (rc != RC_OK)
		return rc;
	if (input->scale == 0)
		return refuse(load, COLUMN_SCALE, "must not be 0");
	if (input->kind == VALUE_INT && (input->scale != trunc(input->scale) ||
						fabs(input->scale) > WHOLE_MAX))
		return refuse(load, COLUMN_SCALE,
			"must be a whole number for an int; or make it a "
			"float");
	if (input->kind == VALUE_INT &&
		(input->offset != trunc(input->offset) ||
			fabs(input->offset) > WHOLE_MAX))
		return refuse(load, COLUMN_OFFSET,
			"must be a whole number for an int; or make it a "
			"float");
	return RC_OK;
}

static enum rc
take_range(struct load *load, struct input *input)
{
	enum rc rc;

	input->minimum = input->maximum = input->dead_band = NAN;
	rc = take_number(load, COLUMN_MINIMUM, &input->minimum);
	if (rc == RC_OK)
		rc = take_number(load, COLUMN_MAXIMUM, &input->maximum);
	if (rc == RC_OK)
		rc = take_number(load, COLUMN_DEAD_BAND, &input->dead_band);
	if (rc != RC_OK)
		return rc;
	if (input->maximum <= input->minimum)
		return refuse(
			load, COLUMN_MAXIMUM, "must be above the minimum");
	if (input->dead_band < 0)
		return refuse(load, COLUMN_DEAD_BAND, "must not be negative");
	return RC_OK;
}

/* Numbers in the row of something that is not a number are a mistake. */
static enum rc
refuse_numeric_cells(struct load *load, const struct input *input)
{
	static const enum column numeric[] = {
		COLUMN_SCALE, COLUMN_OFFSET, COLUMN_MINIMUM, COLUMN_MAXIMUM};

	if (input->kind == VALUE_FLOAT || input->kind == VALUE_INT)
		return RC_OK;
	for (size_t i = 0; i < ARRAY_LENGTH(numeric); i++)
		if (cell(load, numeric[i])[0] != '\0')
			return refuse(load, numeric[i],
				"a bool or string has none; leave it empty");
	return RC_OK;
}

static enum rc
take_name(struct load *load, struct input *input)
{
	const char *name = cell(load, COLUMN_NAME);
	size_t length = strlen(name);
	size_t address = cell_index(load, COLUMN_ADDRESS);
	size_t place = cell(load, COLUMN_ADDRESS)[0] != '\0'
			       ? address
			       : cell_index(load, COLUMN_NAME);

	if (length == 0 || length > INPUT_NAME_BYTES_MAX)
		return refuse(load, COLUMN_NAME, "must have 1 to 256 bytes");
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return refuse(
				load, COLUMN_NAME, "holds a control character");
	input->name = arena_strdup(load->arena, name);
	input->address = place == address ? arena_strdup(load->arena,
						    cell(load, COLUMN_ADDRESS))
					  : input->name;
	input->line = load->csv.fields[place].line;
	input->column = load->csv.fields[place].column;
	return RC_OK;
}

static enum rc
take_input(struct load *load, struct input *input)
{
	enum rc rc;

	memset(input, 0, sizeof(*input));
	rc = take_name(load, input);
	if (rc == RC_OK)
		rc = take_type(load, input);
	if (rc == RC_OK)
		rc = refuse_numeric_cells(load, input);
	if (rc == RC_OK)
		rc = take_decimals(load, input);
	if (rc == RC_OK)
		rc = take_scaling(load, input);
	if (rc == RC_OK)
		rc = take_range(load, input);
	if (rc == RC_OK)
		rc = take_access(load, input);
	if (rc == RC_OK)
		rc = take_stepped(load, input);
	if (rc == RC_OK && strlen(cell(load, COLUMN_UNIT)) > UNIT_BYTES_MAX)
		rc = refuse(load, COLUMN_UNIT, "has more than 64 bytes");
	if (rc == RC_OK &&
		strlen(cell(load, COLUMN_DESCRIPTION)) > DESCRIPTION_BYTES_MAX)
		rc = refuse(
			load, COLUMN_DESCRIPTION, "has more than 1024 bytes");
	input->unit = arena_strdup(load->arena, cell(load, COLUMN_UNIT));
	input->description =
		arena_strdup(load->arena, cell(load, COLUMN_DESCRIPTION));
	return rc;
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
find_slot(struct load *load, const char *name)
{
	size_t slot = hash_name(name) % load->name_slots;

	while (load->names[slot] != 0 &&
		strcmp(load->list->items[load->names[slot] - 1].name, name) !=
			0)
		slot = (slot + 1) % load->name_slots;
	return &load->names[slot];
}

static enum rc
append(struct load *load, const struct input *input)
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
		return refuse(load, COLUMN_NAME,
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
append_instances(struct load *load, const struct input *input)
{
	const char *names[INSTANCES_MAX];
	size_t count;
	enum rc rc = RC_OK;

	if (load->expand == NULL)
		return refuse(load, COLUMN_ADDRESS,
			"this driver knows no addresses with *");
	if (strchr(input->name, '*') == NULL)
		return refuse(load, COLUMN_NAME,
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

/* Cells behind the header's last are a separator too many, unless empty. */
static enum rc
refuse_extra_cells(struct load *load)
{
	for (size_t i = load->header_count; i < load->csv.count; i++)
		if (load->csv.fields[i].length > 0)
			return csv_fault(&load->csv, i, load->fault,
				"the header has no column for this cell");
	return RC_OK;
}

static enum rc
take_rows(struct load *load)
{
	struct input input;
	enum rc rc;

	while ((rc = csv_row(&load->csv, load->fault)) == RC_OK) {
		rc = refuse_extra_cells(load);
		if (rc != RC_OK)
			return rc;
		rc = take_input(load, &input);
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

static int
find_column(const char *name)
{
	for (int column = 0; column < COLUMN_COUNT; column++)
		if (strcasecmp(name, column_names[column]) == 0)
			return column;
	return -1;
}

static enum rc
take_header(struct load *load)
{
	enum rc rc = csv_row(&load->csv, load->fault);

	for (int column = 0; column < COLUMN_COUNT; column++)
		load->place[column] = -1;
	if (rc == RC_NOT_FOUND)
		return fault_set(load->fault, RC_BAD_INPUT,
			"%s:1:1: the file is empty", load->csv.path);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < load->csv.count; i++) {
		const char *name = load->csv.fields[i].text;
		int column = find_column(name);

		if (name[0] == '\0') /* spreadsheets add empty columns */
			continue;
		if (column < 0)
			return csv_fault(&load->csv, i, load->fault,
				"unknown column \"%.60s\"", name);
		if (load->place[column] >= 0)
			return csv_fault(&load->csv, i, load->fault,
				"column \"%.60s\" is given twice", name);
		load->place[column] = (int)i;
	}
	load->header_count = load->csv.count;
	if (load->place[COLUMN_NAME] < 0 || load->place[COLUMN_TYPE] < 0)
		return csv_fault(&load->csv, 0, load->fault,
			"the columns name and type are required");
	return RC_OK;
}

enum rc
input_list_read(struct arena *arena, FILE *file, const char *path,
	input_expand_fn *expand, struct input_list *list, struct fault *fault)
{
	struct load load = {
		.arena = arena, .expand = expand, .list = list, .fault = fault};
	enum rc rc;

	memset(list, 0, sizeof(*list));
	list->path = arena_strdup(arena, path);
	load.name_slots = 2 * INPUT_COUNT_MAX + 1;
	load.names = calloc(load.name_slots, sizeof(*load.names));
	if (load.names == NULL)
		abort();
	csv_open(&load.csv, file, list->path);
	rc = take_header(&load);
	if (rc == RC_OK)
		rc = take_rows(&load);
	if (rc == RC_OK && list->count == 0)
		rc = fault_set(
			fault, RC_BAD_INPUT, "%s:1:1: names no variable", path);
	csv_close(&load.csv);
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
