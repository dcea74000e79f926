/* csv_table: a CSV file whose first row names its columns, in any order. */

#include "lib/csv_table.h"

#include <stdlib.h>
#include <strings.h>

static size_t
find_column(const struct csv_table *table, const char *name)
{
	size_t column = 0;

	while (column < table->known &&
		strcasecmp(name, table->names[column]) != 0)
		column++;
	return column;
}

static enum rc
take_header(struct csv_table *table, struct fault *fault)
{
	for (size_t i = 0; i < table->csv.count; i++) {
		const char *name = table->csv.fields[i].text;
		size_t column = find_column(table, name);

		if (name[0] == '\0')
			continue;
		if (column == table->known)
			return csv_fault(&table->csv, i, fault,
				"unknown column \"%.60s\"", name);
		if (table->place[column] >= 0)
			return csv_fault(&table->csv, i, fault,
				"column \"%.60s\" is given twice", name);
		table->place[column] = (int)i;
	}
	table->header_count = table->csv.count;
	return RC_OK;
}

enum rc
csv_table_open(struct csv_table *table, FILE *file, const char *path,
	const char *const *names, size_t known, struct fault *fault)
{
	enum rc rc;

	if (known > CSV_TABLE_COLUMNS_MAX)
		abort();
	csv_open(&table->csv, file, path);
	table->names = names;
	table->known = known;
	for (size_t i = 0; i < known; i++)
		table->place[i] = -1;
	rc = csv_row(&table->csv, fault);
	if (rc == RC_NOT_FOUND)
		return fault_set(
			fault, RC_BAD_INPUT, "%s:1:1: the file is empty", path);
	return rc == RC_OK ? take_header(table, fault) : rc;
}

void
csv_table_close(struct csv_table *table)
{
	csv_close(&table->csv);
}

bool
csv_table_has(const struct csv_table *table, size_t column)
{
	return table->place[column] >= 0;
}

enum rc
csv_table_row(struct csv_table *table, struct fault *fault)
{
	enum rc rc = csv_row(&table->csv, fault);

	if (rc != RC_OK)
		return rc;
	/* A separator too many does no harm. */
	for (size_t i = table->header_count; i < table->csv.count; i++)
		if (table->csv.fields[i].length > 0)
			return csv_fault(&table->csv, i, fault,
				"the header has no column for this cell");
	return RC_OK;
}

static bool
is_there(const struct csv_table *table, size_t column)
{
	int place = table->place[column];

	return place >= 0 && (size_t)place < table->csv.count;
}

const char *
csv_table_cell(const struct csv_table *table, size_t column)
{
	return is_there(table, column)
		       ? table->csv.fields[table->place[column]].text
		       : "";
}

const struct csv_field *
csv_table_field(const struct csv_table *table, size_t column)
{
	return &table->csv.fields[is_there(table, column) ? table->place[column]
							  : 0];
}

enum rc
csv_table_refuse(const struct csv_table *table, size_t column, const char *why,
	struct fault *fault)
{
	const struct csv_field *field = csv_table_field(table, column);

	return csv_fault(&table->csv, (size_t)(field - table->csv.fields),
		fault, "%s \"%.60s\": %s", table->names[column],
		csv_table_cell(table, column), why);
}
