/*
 * csv_table: a CSV file whose first row names its columns, in any order.
 */
#ifndef FG_LIB_CSV_TABLE_H
#define FG_LIB_CSV_TABLE_H

#include <stddef.h>

#include "lib/csv.h"

#define CSV_TABLE_COLUMNS_MAX 64

struct csv_table {
	struct csv csv;
	const char *const *names; /* of the columns that may be there */
	size_t known;
	int place[CSV_TABLE_COLUMNS_MAX]; /* of the cell; -1 = not in the file
					   */
	size_t header_count;
};

/*
 * Read the header of "file", which the caller closes; "path" and "names" must
 * outlive the table. Columns without a name, as spreadsheets add them, are
 * skipped. Close it in any case.
 * Fails: RC_BAD_INPUT with "path:line:column: why": nothing in the file, a
 *        column that is not known, or twice; RC_IO.
 */
MUST_CHECK enum rc csv_table_open(struct csv_table *table, FILE *file,
	const char *path, const char *const *names, size_t known,
	struct fault *fault);
void csv_table_close(struct csv_table *table);

bool csv_table_has(const struct csv_table *table, size_t column);

/* The next row. Fails: as csv_row, and RC_BAD_INPUT for a cell behind the
 * last column. */
MUST_CHECK enum rc csv_table_row(struct csv_table *table, struct fault *fault);

/* The cell's text; "" when the column or the cell is not there. */
const char *csv_table_cell(const struct csv_table *table, size_t column);

/* Where the cell begins; the row's first one when it is not there. */
const struct csv_field *csv_table_field(
	const struct csv_table *table, size_t column);

/* RC_BAD_INPUT with the place, the column, the cell and why. */
enum rc csv_table_refuse(const struct csv_table *table, size_t column,
	const char *why, struct fault *fault);

#endif
