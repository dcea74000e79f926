/*
 * input: the variables that an agent reads, as its variables CSV names them.
 *
 * doc/AGENT.md describes the columns. The file is refused as a whole, with
 * file, line and column, when any of it is not understood.
 */
#ifndef FG_AGENTS_INPUT_H
#define FG_AGENTS_INPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/arena.h"
#include "lib/fault.h"
#include "model/sample.h"

#define INPUT_COUNT_MAX      10000
#define INPUT_NAME_BYTES_MAX 256

struct input {
	const char *name;
	const char *address; /* the driver's; the name when the cell is empty */
	enum value_kind kind;
	const char *unit;
	const char *description;
	const char *access; /* "none", "read" or "read_write" */
	int decimals;
	bool stepped;
	double scale; /* value = raw * scale + offset */
	double offset;
	double minimum; /* NAN = no limit */
	double maximum;
	double dead_band; /* NAN = every sample counts */
	int line;         /* of the address, for messages of the driver */
	int column;
	int32_t id; /* the hub's; 0 = not known yet */
};

struct input_list {
	const char *path;
	size_t count;
	struct input *items;
};

/*
 * Names of the instances that a `*` in "address" stands for, as many as
 * "names" has room for. Returns their count.
 */
typedef size_t input_expand_fn(struct arena *arena, const char *address,
	const char **names, size_t room);

/*
 * Read the table at "path". A row whose address holds a `*` becomes one input
 * per instance that "expand" tells, with the `*` of name, address and
 * description replaced; a NULL "expand" refuses such rows.
 * Owns:  the inputs live in "arena".
 * Fails: RC_IO, or RC_BAD_INPUT with "path:line:column: why".
 */
MUST_CHECK enum rc input_list_load(struct arena *arena, const char *path,
	input_expand_fn *expand, struct input_list *list, struct fault *fault);

/* The same from an open file; "path" is for messages. */
MUST_CHECK enum rc input_list_read(struct arena *arena, FILE *file,
	const char *path, input_expand_fn *expand, struct input_list *list,
	struct fault *fault);

/* RC_BAD_INPUT with the place of the input's address before the words. */
enum rc input_fault(const struct input_list *list, const struct input *input,
	struct fault *fault, const char *format, ...) PRINTF_LIKE(4, 5);

/* The inputs in the order of their names. Freed by the caller. */
struct input **input_list_sort(struct input_list *list);

/* NULL when no input of the sorted ones has that name. */
struct input *input_find(
	struct input *const *sorted, size_t count, const char *name);

/* "bool", "float", "int", "string". */
const char *input_type(const struct input *input);

#endif
