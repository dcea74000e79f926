/* input_parts: what the files of the variables CSV share. */
#ifndef FG_AGENTS_INPUT_PARTS_H
#define FG_AGENTS_INPUT_PARTS_H

#include "agents/input.h"
#include "lib/csv_table.h"

enum input_column {
	INPUT_NAME,
	INPUT_ADDRESS,
	INPUT_TYPE,
	INPUT_UNIT,
	INPUT_DECIMALS,
	INPUT_SCALE,
	INPUT_OFFSET,
	INPUT_MINIMUM,
	INPUT_MAXIMUM,
	INPUT_DEAD_BAND,
	INPUT_ACCESS,
	INPUT_STEPPED,
	INPUT_DESCRIPTION,
	INPUT_COLUMNS
};

/* One load under way. */
struct input_load {
	struct arena *arena;
	struct csv_table table;
	input_expand_fn *expand;
	struct input_list *list;
	size_t capacity;
	size_t *names; /* hash table of index + 1 into the list */
	size_t name_slots;
	struct fault *fault;
};

extern const char *const input_column_names[INPUT_COLUMNS];

/* The cell's text; empty when the column or the cell is not there. */
const char *input_cell(const struct input_load *load, enum input_column column);

/* RC_BAD_INPUT with the place, the column, the cell and why. */
enum rc input_refuse(
	struct input_load *load, enum input_column column, const char *why);

/* Read the row that load->table holds. Fails: RC_BAD_INPUT with the place. */
MUST_CHECK enum rc input_take_row(struct input_load *load, struct input *input);

#endif
