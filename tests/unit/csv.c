/* csv: what spreadsheets write, and what must be refused. */

#include "lib/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static FILE *
open_text(const char *text)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	assert_non_null(file);
	return file;
}

/* The rows as "a|b\nc|d\n", or the words of the fault. */
static const char *
read_all(const char *text)
{
	static char out[4096];
	struct csv csv;
	struct fault fault;
	FILE *file = open_text(text);
	enum rc rc;

	out[0] = '\0';
	csv_open(&csv, file, "t.csv");
	while ((rc = csv_row(&csv, &fault)) == RC_OK)
		for (size_t i = 0; i < csv.count; i++) {
			strcat(out, csv.fields[i].text);
			strcat(out, i + 1 < csv.count ? "|" : "\n");
		}
	if (rc != RC_NOT_FOUND)
		strcpy(out, fault.text);
	csv_close(&csv);
	fclose(file);
	return out;
}

static void
test_csv_reads_rows(void **state)
{
	(void)state;
	assert_string_equal(read_all("a,b\nc,d\n"), "a|b\nc|d\n");
	assert_string_equal(read_all("a,b\r\nc,\r\n"), "a|b\nc|\n");
	assert_string_equal(read_all("a,b\nc,d"), "a|b\nc|d\n");
	assert_string_equal(read_all("a,b\n\n\nc,d\n"), "a|b\nc|d\n");
}

static void
test_csv_unquotes(void **state)
{
	(void)state;
	assert_string_equal(
		read_all("\"a,1\",\"say \"\"hi\"\"\"\n"), "a,1|say \"hi\"\n");
	assert_string_equal(read_all("x,\"two\nlines\"\n"), "x|two\nlines\n");
	assert_string_equal(read_all("\"\",\"\"\n"), "|\n");
}

static void
test_csv_detects_the_separator(void **state)
{
	(void)state;
	assert_string_equal(read_all("a;b;c\n1,5;2;3\n"), "a|b|c\n1,5|2|3\n");
	assert_string_equal(read_all("a\tb\n1,5\t2\n"), "a|b\n1,5|2\n");
	assert_string_equal(read_all("\"a;b;c\",d\n"), "a;b;c|d\n");
}

static void
test_csv_skips_the_byte_order_mark(void **state)
{
	(void)state;
	assert_string_equal(read_all("\xef\xbb\xbfname,x\n"), "name|x\n");
}

static void
test_csv_says_where_it_is_wrong(void **state)
{
	(void)state;
	assert_string_equal(read_all("a,b\nc,\"d\n"),
		"t.csv:2:3: the quote is never closed");
	assert_string_equal(read_all("a,b\n\xc3\xa4,x\"y\n"),
		"t.csv:2:4: a quote inside a field; quote the whole field and "
		"double the quote");
	assert_string_equal(read_all("a,b\n\"c\"d,e\n"),
		"t.csv:2:4: text behind the closing quote");
	assert_string_equal(read_all("a,b\nc,\xff\n"),
		"t.csv:2:3: not UTF-8; save the file as \"CSV UTF-8\"");
}

static void
test_csv_goes_on_at_an_offset(void **state)
{
	static const char text[] = "\xef\xbb\xbf"
				   "a,b\n1,\"x\ny\"\n2,z\n3,w\n";
	struct csv csv;
	struct fault fault;
	FILE *file = open_text(text);
	int64_t offset;

	(void)state;
	csv_open(&csv, file, "t.csv");
	assert_int_equal(csv_row(&csv, &fault), RC_OK);
	assert_int_equal(csv_row(&csv, &fault), RC_OK);
	offset = csv.offset;
	assert_int_equal(csv_row(&csv, &fault), RC_OK);
	assert_string_equal(csv.fields[0].text, "2");
	assert_int_equal(csv_seek(&csv, offset, &fault), RC_OK);
	assert_int_equal(csv_row(&csv, &fault), RC_OK);
	assert_string_equal(csv.fields[0].text, "2");
	assert_int_equal(csv.fields[0].line, 4);
	assert_int_equal(csv_seek(&csv, 10000, &fault), RC_IO);
	csv_close(&csv);
	fclose(file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv_reads_rows),
		cmocka_unit_test(test_csv_unquotes),
		cmocka_unit_test(test_csv_detects_the_separator),
		cmocka_unit_test(test_csv_skips_the_byte_order_mark),
		cmocka_unit_test(test_csv_says_where_it_is_wrong),
		cmocka_unit_test(test_csv_goes_on_at_an_offset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
