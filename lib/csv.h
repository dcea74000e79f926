/*
 * csv: rows of a CSV file (RFC 4180) as spreadsheets write them.
 *
 * A byte order mark is skipped, lines may end in LF or CRLF, a field between
 * quotes may hold separators, doubled quotes and line breaks. The separator
 * is the one of `,` `;` and tab that the first line has most of.
 */
#ifndef FG_LIB_CSV_H
#define FG_LIB_CSV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/buf.h"
#include "lib/fault.h"

#define CSV_FIELDS_MAX    256
#define CSV_ROW_BYTES_MAX ((size_t)64 * 1024)

struct csv_field {
	const char *text; /* valid until the next csv_row */
	size_t length;
	int line;   /* where it starts, both from 1 */
	int column; /* in characters, not bytes */
};

struct csv {
	FILE *file;
	const char *path; /* for messages */
	char separator;
	int line;
	int column;
	int64_t offset;        /* byte where the next row starts */
	bool ended_by_newline; /* false: the last row may be half written */
	struct csv_field fields[CSV_FIELDS_MAX];
	size_t count;
	struct buf text;
};

/* Reads "file" from where it stands, which must be the start; the caller
 * closes it. "path" must outlive the reader. */
void csv_open(struct csv *csv, FILE *file, const char *path);
void csv_close(struct csv *csv);

/* Go on at "offset", which an earlier csv_row left in csv->offset. */
MUST_CHECK enum rc csv_seek(
	struct csv *csv, int64_t offset, struct fault *fault);

/*
 * Read the next row that is not an empty line into fields and count.
 * Fails: RC_NOT_FOUND at the end; RC_BAD_INPUT with "path:line:column: why"
 *        for a quote out of place, a zero byte, text that is not UTF-8, more
 *        than CSV_FIELDS_MAX fields or CSV_ROW_BYTES_MAX bytes; RC_IO.
 */
MUST_CHECK enum rc csv_row(struct csv *csv, struct fault *fault);

/* RC_BAD_INPUT with "path:line:column: " of that field before the words. */
enum rc csv_fault(const struct csv *csv, size_t field, struct fault *fault,
	const char *format, ...) PRINTF_LIKE(4, 5);

#endif
