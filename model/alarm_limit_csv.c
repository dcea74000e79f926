/* alarm_limit_csv: limits as a table, one row each. */

#include "model/alarm_limit_csv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/csv.h"

#define SLOTS (2 * ALARM_LIMITS_MAX + 1)

/* One load under way. */
struct load {
	struct arena *arena;
	struct csv csv;
	alarm_limit_kind_fn *kind;
	const void *context;
	int place[ALARM_LIMIT_COLUMNS]; /* index of the cell, -1 = none */
	size_t header_count;
	struct alarm_limit *items;
	int *lines;
	size_t count;
	size_t capacity;
	uint32_t *slots; /* hash table of index + 1 into items */
	struct fault *fault;
};

static size_t
hash_text(size_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) *
		       (size_t)UINT64_C(1099511628211); /* FNV-1a */
	return hash * 31 + 1;
}

/* The slot of the variable's limit, taken or free. */
static uint32_t *
find_slot(struct load *load, const struct alarm_limit *limit)
{
	size_t slot =
		hash_text(hash_text(14695981039346656037u, limit->variable),
			limit->name) %
		SLOTS;

	for (;; slot = (slot + 1) % SLOTS) {
		const struct alarm_limit *other;

		if (load->slots[slot] == 0)
			return &load->slots[slot];
		other = &load->items[load->slots[slot] - 1];
		if (strcmp(other->variable, limit->variable) == 0 &&
			strcmp(other->name, limit->name) == 0)
			return &load->slots[slot];
	}
}

static size_t
cell_index(const struct load *load, enum alarm_limit_column column)
{
	int place = load->place[column];

	return place >= 0 && (size_t)place < load->csv.count ? (size_t)place
							     : 0;
}

static const char *
cell(const struct load *load, enum alarm_limit_column column)
{
	int place = load->place[column];

	return place >= 0 && (size_t)place < load->csv.count
		       ? load->csv.fields[place].text
		       : "";
}

static enum rc
refuse(struct load *load, const struct alarm_limit_flaw *flaw)
{
	return csv_fault(&load->csv, cell_index(load, flaw->column),
		load->fault, "%s \"%.60s\": %s",
		alarm_limit_column(flaw->column), cell(load, flaw->column),
		flaw->why);
}

static enum rc
append(struct load *load, const struct alarm_limit *limit)
{
	uint32_t *slot = find_slot(load, limit);

	if (*slot != 0)
		return csv_fault(&load->csv, cell_index(load, ALARM_LIMIT_NAME),
			load->fault,
			"limit \"%.60s\" of \"%.80s\" is given twice, first in "
			"line %d",
			limit->name, limit->variable, load->lines[*slot - 1]);
	if (load->count == ALARM_LIMITS_MAX)
		return csv_fault(&load->csv, 0, load->fault,
			"there may be at most %d limits", ALARM_LIMITS_MAX);
	if (load->count == load->capacity) {
		load->capacity = load->capacity * 2 + 64;
		load->items = realloc(
			load->items, load->capacity * sizeof(*load->items));
		load->lines = realloc(
			load->lines, load->capacity * sizeof(*load->lines));
		if (load->items == NULL || load->lines == NULL)
			abort();
	}
	load->lines[load->count] =
		load->csv.fields[cell_index(load, ALARM_LIMIT_NAME)].line;
	load->items[load->count] = *limit;
	*slot = (uint32_t)++load->count;
	return RC_OK;
}

static enum rc
take_row(struct load *load)
{
	struct alarm_limit limit = alarm_limit_default();
	struct alarm_limit_flaw flaw;
	enum value_kind kind;

	for (size_t i = load->header_count; i < load->csv.count; i++)
		if (load->csv.fields[i].length > 0)
			return csv_fault(&load->csv, i, load->fault,
				"the header has no column for this cell");
	for (int column = 0; column < ALARM_LIMIT_COLUMNS; column++)
		if (!alarm_limit_take(load->arena,
			    (enum alarm_limit_column)column,
			    cell(load, (enum alarm_limit_column)column), &limit,
			    &flaw))
			return refuse(load, &flaw);
	kind = load->kind(load->context, limit.variable);
	if (kind == VALUE_NONE) {
		flaw = (struct alarm_limit_flaw){ALARM_LIMIT_VARIABLE,
			"there is no variable of this name"};
		return refuse(load, &flaw);
	}
	if (!alarm_limit_settle(&limit, kind, &flaw))
		return refuse(load, &flaw);
	if (limit.suppressed_by[0] != '\0' &&
		load->kind(load->context, limit.suppressed_by) != VALUE_BOOL) {
		flaw = (struct alarm_limit_flaw){ALARM_LIMIT_SUPPRESSED_BY,
			"there is no variable of this name and type bool"};
		return refuse(load, &flaw);
	}
	return append(load, &limit);
}

static int
find_column(const char *name)
{
	for (int column = 0; column < ALARM_LIMIT_COLUMNS; column++)
		if (strcasecmp(name,
			    alarm_limit_column(
				    (enum alarm_limit_column)column)) == 0)
			return column;
	return -1;
}

static enum rc
take_header(struct load *load)
{
	enum rc rc = csv_row(&load->csv, load->fault);

	for (int column = 0; column < ALARM_LIMIT_COLUMNS; column++)
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
	if (load->place[ALARM_LIMIT_VARIABLE] < 0 ||
		load->place[ALARM_LIMIT_NAME] < 0 ||
		load->place[ALARM_LIMIT_CONDITION] < 0)
		return csv_fault(&load->csv, 0, load->fault,
			"the columns variable, name and condition are "
			"required");
	return RC_OK;
}

static enum rc
take_rows(struct load *load)
{
	enum rc rc;

	while ((rc = csv_row(&load->csv, load->fault)) == RC_OK) {
		rc = take_row(load);
		if (rc != RC_OK)
			return rc;
	}
	if (rc == RC_NOT_FOUND)
		load->fault->rc = RC_OK;
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc
alarm_limit_csv_read(struct arena *arena, FILE *file, const char *path,
	alarm_limit_kind_fn *kind, const void *context,
	struct alarm_limit_list *list, struct fault *fault)
{
	struct load load = {.arena = arena,
		.kind = kind,
		.context = context,
		.fault = fault};
	enum rc rc;

	load.slots = calloc(SLOTS, sizeof(*load.slots));
	if (load.slots == NULL)
		abort();
	csv_open(&load.csv, file, path);
	rc = take_header(&load);
	if (rc == RC_OK)
		rc = take_rows(&load);
	csv_close(&load.csv);
	list->count = rc == RC_OK ? load.count : 0;
	list->items = list->count > 0
			      ? arena_memdup(arena, load.items,
					load.count * sizeof(*load.items))
			      : NULL;
	free(load.items);
	free(load.lines);
	free(load.slots);
	return rc;
}

/* --- writing -------------------------------------------------------------- */

static void
add_cell(struct buf *out, const char *text)
{
	if (strpbrk(text, ",;\t\"\r\n") == NULL) {
		buf_text(out, text);
		return;
	}
	buf_char(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"')
			buf_char(out, '"');
		buf_char(out, *text);
	}
	buf_char(out, '"');
}

void
alarm_limit_csv_write(
	struct buf *out, const struct alarm_limit *limits, size_t count)
{
	struct arena *arena = arena_new();

	for (int column = 0; column < ALARM_LIMIT_COLUMNS; column++) {
		if (column > 0)
			buf_char(out, ',');
		buf_text(out,
			alarm_limit_column((enum alarm_limit_column)column));
	}
	buf_text(out, "\r\n");
	for (size_t i = 0; i < count; i++) {
		for (int column = 0; column < ALARM_LIMIT_COLUMNS; column++) {
			if (column > 0)
				buf_char(out, ',');
			add_cell(out, alarm_limit_cell(arena, &limits[i],
					      (enum alarm_limit_column)column));
		}
		buf_text(out, "\r\n");
		arena_reset(arena);
	}
	arena_free(arena);
}
