/* input: the variables CSV as an engineer writes it. */

#include "agents/input.h"
#include "tests/unit/with_arena.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct input_list list;
static struct fault fault;

static size_t
two_instances(struct arena *names_arena, const char *address,
	const char **names, size_t room)
{
	(void)names_arena;
	(void)address;
	assert_true(room >= 2);
	names[0] = "eth0";
	names[1] = "eth1";
	return 2;
}

static enum rc
load(const char *text)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	enum rc rc;

	assert_non_null(file);
	rc = input_list_read(
		arena, file, "v.csv", two_instances, &list, &fault);
	fclose(file);
	return rc;
}

static void
test_input_reads_every_column(void **state)
{
	const struct input *input;

	(void)state;
	assert_int_equal(
		load("name,address,type,unit,decimals,scale,offset,minimum,"
		     "maximum,dead_band,access,stepped,description\n"
		     "tank/level,40001,float,m,3,0.1,-2,0,12.5,0.05,read_write,"
		     "yes,\"Level, tank 1\"\n"),
		RC_OK);
	input = &list.items[0];
	assert_int_equal(list.count, 1);
	assert_string_equal(input->name, "tank/level");
	assert_string_equal(input->address, "40001");
	assert_int_equal(input->kind, VALUE_FLOAT);
	assert_int_equal(input->decimals, 3);
	assert_true(input->scale == 0.1 && input->offset == -2);
	assert_true(input->minimum == 0 && input->maximum == 12.5);
	assert_true(input->dead_band == 0.05);
	assert_string_equal(input->access, "read_write");
	assert_true(input->stepped);
	assert_string_equal(input->description, "Level, tank 1");
}

static void
test_input_has_defaults(void **state)
{
	(void)state;
	assert_int_equal(load("type;name\nfloat;a\nbool;b\n"), RC_OK);
	assert_string_equal(list.items[0].address, "a");
	assert_int_equal(list.items[0].decimals, 2);
	assert_true(list.items[0].scale == 1);
	assert_true(isnan(list.items[0].minimum));
	assert_true(isnan(list.items[0].dead_band));
	assert_string_equal(list.items[0].access, "read");
	assert_false(list.items[0].stepped);
	assert_true(list.items[1].stepped);
}

static void
test_input_takes_a_decimal_comma(void **state)
{
	(void)state;
	assert_int_equal(load("name;type;scale\na;float;0,25\n"), RC_OK);
	assert_true(list.items[0].scale == 0.25);
}

static void
test_input_expands_instances(void **state)
{
	(void)state;
	assert_int_equal(load("name,address,type,description\n"
			      "n/*/rx,net/*/rx,float,Rate of *\n"),
		RC_OK);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.items[1].name, "n/eth1/rx");
	assert_string_equal(list.items[1].address, "net/eth1/rx");
	assert_string_equal(list.items[1].description, "Rate of eth1");
}

static void
refuse(const char *text, const char *words)
{
	assert_int_equal(load(text), RC_BAD_INPUT);
	assert_string_equal(fault.text, words);
}

static void
test_input_refuses_with_the_place(void **state)
{
	(void)state;
	refuse("", "v.csv:1:1: the file is empty");
	refuse("name,type\n", "v.csv:1:1: names no variable");
	refuse("name,kind\n", "v.csv:1:6: unknown column \"kind\"");
	refuse("name,type,name\n",
		"v.csv:1:11: column \"name\" is given twice");
	refuse("name,unit\n",
		"v.csv:1:1: the columns name and type are required");
	refuse("name,type\na,real\n",
		"v.csv:2:3: type \"real\": must be bool, float, int or string");
	refuse("name,type,scale\na,float,x\n",
		"v.csv:2:9: scale \"x\": is not a number");
	refuse("name,type,scale\na,int,0.5\n",
		"v.csv:2:7: scale \"0.5\": must be a whole number for an int; "
		"or make it a float");
	refuse("name,type,minimum\na,bool,1\n",
		"v.csv:2:8: minimum \"1\": a bool or string has none; leave it "
		"empty");
	refuse("name,type,minimum,maximum\na,float,5,5\n",
		"v.csv:2:11: maximum \"5\": must be above the minimum");
	refuse("name,type\na,int\nb,int\na,int\n",
		"v.csv:4:1: name \"a\" is given twice, first in line 2");
	refuse("name,type\na,int,7\n",
		"v.csv:2:7: the header has no column for this cell");
	refuse("name,type\n,int\n",
		"v.csv:2:1: name \"\": must have 1 to 256 bytes");
}

static void
test_input_takes_empty_columns_of_a_spreadsheet(void **state)
{
	(void)state;
	assert_int_equal(load("name,type,,\na,int,,\n"), RC_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_input_reads_every_column),
		TEST(test_input_has_defaults),
		TEST(test_input_takes_a_decimal_comma),
		TEST(test_input_expands_instances),
		TEST(test_input_refuses_with_the_place),
		TEST(test_input_takes_empty_columns_of_a_spreadsheet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
