/* alarm_limit_csv: limits as a table, one row each. */

#include "model/alarm_limit_csv.h"

#include <stdlib.h>
#include <string.h>

#include "lib/csv_table.h"

#define SLOTS (2 * ALARM_LIMITS_MAX + 1)

/* One load under way. */
struct load {
	struct arena *arena;
	struct csv_table table;
	const char *names[ALARM_LIMIT_COLUMNS];
	alarm_limit_kind_fn *kind;
	const void *context;
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

static enum rc
refuse(struct load *load, enum alarm_limit_column column, const char *why)
{
	return csv_table_refuse(&load->table, column, why, load->fault);
}

static enum rc
tell_twice(struct load *load, const struct alarm_limit *limit, int line)
{
	const struct csv_field *field =
		csv_table_field(&load->table, ALARM_LIMIT_NAME);

	return fault_set(load->fault, RC_BAD_INPUT,
		"%s:%d:%d: limit \"%.60s\" of \"%.80s\" is given twice, "
		"first in line %d",
		load->table.csv.path, field->line, field->column, limit->name,
		limit->variable, line);
}

static enum rc
append(struct load *load, const struct alarm_limit *limit)
{
	uint32_t *slot = find_slot(load, limit);

	if (*slot != 0)
		return tell_twice(load, limit, load->lines[*slot - 1]);
	if (load->count == ALARM_LIMITS_MAX)
		return refuse(load, ALARM_LIMIT_NAME,
			"there may be at most 30000 limits");
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
		csv_table_field(&load->table, ALARM_LIMIT_NAME)->line;
	load->items[load->count] = *limit;
	*slot = (uint32_t)++load->count;
	return RC_OK;
}

static enum rc
take_cells(struct load *load, struct alarm_limit *limit)
{
	struct alarm_limit_flaw flaw;

	for (int i = 0; i < ALARM_LIMIT_COLUMNS; i++) {
		enum alarm_limit_column column = (enum alarm_limit_column)i;

		if (!alarm_limit_take(load->arena, column,
			    csv_table_cell(&load->table, column), limit, &flaw))
			return refuse(load, flaw.column, flaw.why);
	}
	return RC_OK;
}

static enum rc
take_row(struct load *load)
{
	struct alarm_limit limit = alarm_limit_default();
	struct alarm_limit_flaw flaw;
	enum value_kind kind;
	enum rc rc = take_cells(load, &limit);

	if (rc != RC_OK)
		return rc;
	kind = load->kind(load->context, limit.variable);
	if (kind == VALUE_NONE)
		return refuse(load, ALARM_LIMIT_VARIABLE,
			"there is no variable of this name");
	if (!alarm_limit_settle(&limit, kind, &flaw))
		return refuse(load, flaw.column, flaw.why);
	if (limit.suppressed_by[0] != '\0' &&
		load->kind(load->context, limit.suppressed_by) != VALUE_BOOL)
		return refuse(load, ALARM_LIMIT_SUPPRESSED_BY,
			"there is no variable of this name and type bool");
	return append(load, &limit);
}

static enum rc
take_header(struct load *load, FILE *file, const char *path)
{
	struct csv_table *table = &load->table;
	enum rc rc;

	for (int i = 0; i < ALARM_LIMIT_COLUMNS; i++)
		load->names[i] = alarm_limit_column((enum alarm_limit_column)i);
	rc = csv_table_open(table, file, path, load->names, ALARM_LIMIT_COLUMNS,
		load->fault);
	if (rc == RC_OK &&
		(!csv_table_has(table, ALARM_LIMIT_VARIABLE) ||
			!csv_table_has(table, ALARM_LIMIT_NAME) ||
			!csv_table_has(table, ALARM_LIMIT_CONDITION)))
		rc = csv_fault(&table->csv, 0, load->fault,
			"the columns variable, name and condition are "
			"required");
	return rc;
}

static enum rc
take_rows(struct load *load)
{
	enum rc rc;

	while ((rc = csv_table_row(&load->table, load->fault)) == RC_OK) {
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
	rc = take_header(&load, file, path);
	if (rc == RC_OK)
		rc = take_rows(&load);
	csv_table_close(&load.table);
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
