/* csv: rows of a CSV file (RFC 4180) as spreadsheets write them. */

#include "lib/csv.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "lib/utf8.h"

static const char separators[] = ",;\t";

static int
next_char(struct csv *csv)
{
	int byte = getc_unlocked(csv->file);

	if (byte == EOF)
		return EOF;
	csv->offset++;
	if (byte == '\n') {
		csv->line++;
		csv->column = 1;
	} else if ((byte & 0xc0) != 0x80) { /* not inside a character */
		csv->column++;
	}
	return byte;
}

static int
peek_char(struct csv *csv)
{
	int byte = getc_unlocked(csv->file);

	if (byte != EOF)
		ungetc(byte, csv->file);
	return byte;
}

static void
skip_byte_order_mark(struct csv *csv)
{
	static const unsigned char mark[] = {0xef, 0xbb, 0xbf};
	unsigned char start[sizeof(mark)];
	size_t length = fread(start, 1, sizeof(start), csv->file);

	if (length == sizeof(mark) && memcmp(start, mark, length) == 0)
		csv->offset = (int64_t)length;
	else
		rewind(csv->file);
}

/* Count the candidates outside of quotes on the first line. */
static char
detect_separator(struct csv *csv)
{
	size_t counts[sizeof(separators)] = {0};
	size_t best = 0;
	bool quoted = false;
	int byte;

	while ((byte = getc_unlocked(csv->file)) != EOF &&
		(quoted || byte != '\n')) {
		const char *found = byte != 0 ? strchr(separators, byte) : NULL;

		if (byte == '"')
			quoted = !quoted;
		else if (found != NULL && !quoted)
			counts[found - separators]++;
	}
	for (size_t i = 1; separators[i] != '\0'; i++)
		if (counts[i] > counts[best])
			best = i;
	return separators[best];
}

void
csv_open(struct csv *csv, FILE *file, const char *path)
{
	memset(csv, 0, sizeof(*csv));
	csv->file = file;
	csv->path = path;
	csv->line = 1;
	csv->column = 1;
	buf_init(&csv->text, CSV_ROW_BYTES_MAX);
	skip_byte_order_mark(csv);
	csv->separator = detect_separator(csv);
	fseeko(file, (off_t)csv->offset, SEEK_SET);
}

void
csv_close(struct csv *csv)
{
	buf_free(&csv->text);
}

enum rc
csv_seek(struct csv *csv, int64_t offset, struct fault *fault)
{
	if (fseeko(csv->file, 0, SEEK_END) != 0 ||
		(int64_t)ftello(csv->file) < offset)
		return fault_set(fault, RC_IO,
			"%s: shorter than what was read of it before",
			csv->path);
	rewind(csv->file);
	csv->offset = 0;
	csv->line = 1;
	csv->column = 1;
	/* Counted, not jumped over: messages keep the right line. */
	while (csv->offset < offset && next_char(csv) != EOF)
		;
	return RC_OK;
}

static enum rc
refuse_here(struct csv *csv, struct fault *fault, const char *why)
{
	return fault_set(fault, RC_BAD_INPUT, "%s:%d:%d: %s", csv->path,
		csv->line, csv->column, why);
}

/* After the opening quote, up to the closing one. */
static enum rc
take_quoted(struct csv *csv, struct fault *fault)
{
	const struct csv_field *field = &csv->fields[csv->count];

	for (;;) {
		int byte = next_char(csv);

		if (byte == EOF)
			return fault_set(fault, RC_BAD_INPUT,
				"%s:%d:%d: the quote is never closed",
				csv->path, field->line, field->column);
		if (byte == '"') {
			if (peek_char(csv) != '"')
				return RC_OK;
			next_char(csv);
		}
		buf_char(&csv->text, (char)byte);
	}
}

static bool
ends_field(const struct csv *csv, int byte)
{
	return byte == EOF || byte == '\n' || byte == '\r' ||
	       byte == csv->separator;
}

static enum rc
take_plain(struct csv *csv, struct fault *fault)
{
	for (int byte = peek_char(csv); !ends_field(csv, byte);
		byte = peek_char(csv)) {
		if (byte == '"')
			return refuse_here(csv, fault,
				"a quote inside a field; quote the whole field "
				"and double the quote");
		buf_char(&csv->text, (char)next_char(csv));
	}
	return RC_OK;
}

/* Text moves while it grows, so the fields get their pointers at the end. */
static enum rc
take_field(struct csv *csv, struct fault *fault)
{
	struct csv_field *field = &csv->fields[csv->count];
	size_t start = csv->text.length;
	enum rc rc;

	field->line = csv->line;
	field->column = csv->column;
	if (peek_char(csv) == '"') {
		next_char(csv);
		rc = take_quoted(csv, fault);
		if (rc == RC_OK && !ends_field(csv, peek_char(csv)))
			rc = refuse_here(
				csv, fault, "text behind the closing quote");
	} else {
		rc = take_plain(csv, fault);
	}
	field->length = csv->text.length - start;
	buf_char(&csv->text, '\0');
	csv->count++;
	return rc;
}

/* True when the row goes on with another field. */
static bool
take_separator(struct csv *csv)
{
	int byte = next_char(csv);

	if (byte == '\r' && peek_char(csv) == '\n')
		byte = next_char(csv);
	csv->ended_by_newline = byte == '\n' || byte == '\r';
	return byte == csv->separator;
}

static enum rc
place_fields(struct csv *csv, struct fault *fault)
{
	const char *text = csv->text.data;

	if (csv->text.overflow)
		return refuse_here(csv, fault, "the row is longer than 64 KiB");
	for (size_t i = 0; i < csv->count; i++) {
		struct csv_field *field = &csv->fields[i];

		field->text = text;
		text += field->length + 1;
		if (strlen(field->text) != field->length)
			return csv_fault(csv, i, fault, "a zero byte");
		if (!utf8_valid(field->text, field->length))
			return csv_fault(csv, i, fault,
				"not UTF-8; save the file as \"CSV UTF-8\"");
	}
	return RC_OK;
}

static enum rc
take_row(struct csv *csv, struct fault *fault)
{
	enum rc rc;

	csv->count = 0;
	buf_clear(&csv->text);
	do {
		if (csv->count == CSV_FIELDS_MAX)
			return refuse_here(csv, fault, "too many columns");
		rc = take_field(csv, fault);
		if (rc != RC_OK)
			return rc;
	} while (take_separator(csv));
	return place_fields(csv, fault);
}

enum rc
csv_row(struct csv *csv, struct fault *fault)
{
	enum rc rc;

	do {
		clearerr(csv->file); /* a file that grows is read on */
		if (peek_char(csv) == EOF) {
			if (ferror(csv->file))
				return fault_set(fault, RC_IO, "%s: %s",
					csv->path, strerror(errno));
			return fault_set(fault, RC_NOT_FOUND,
				"%s: no more rows", csv->path);
		}
		rc = take_row(csv, fault);
	} while (rc == RC_OK && csv->count == 1 && csv->fields[0].length == 0);
	return rc;
}

enum rc
csv_fault(const struct csv *csv, size_t field, struct fault *fault,
	const char *format, ...)
{
	va_list args;
	char why[192];

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	return fault_set(fault, RC_BAD_INPUT, "%s:%d:%d: %s", csv->path,
		csv->fields[field].line, csv->fields[field].column, why);
}
