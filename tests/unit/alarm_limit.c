/* alarm_limit: what a limit may be, as JSON and as a row of a table. */

#include "model/alarm_limit_csv.h"
#include "tests/unit/with_arena.h"

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Names say the kind: float, int, bool, text. */
static enum value_kind
kind_of(const void *context, const char *variable)
{
	(void)context;
	switch (variable[0]) {
	case 'f':
		return VALUE_FLOAT;
	case 'i':
		return VALUE_INT;
	case 'b':
		return VALUE_BOOL;
	case 's':
		return VALUE_STRING;
	default:
		return VALUE_NONE;
	}
}

static enum rc
read_table(const char *text, struct alarm_limit_list *list, struct fault *fault)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	enum rc rc = alarm_limit_csv_read(
		arena, file, "limits.csv", kind_of, NULL, list, fault);

	fclose(file);
	return rc;
}

static void
assert_refused(const char *text, const char *words)
{
	struct alarm_limit_list list;
	struct fault fault = {0};

	assert_int_equal(read_table(text, &list, &fault), RC_BAD_INPUT);
	assert_string_equal(fault.text, words);
}

static struct alarm_limit
read_object(const char *text, enum value_kind kind)
{
	struct alarm_limit limit = alarm_limit_default();
	struct alarm_limit_flaw flaw;
	struct json_object *object;
	struct fault fault = {0};

	assert_int_equal(
		json_parse(arena, text, strlen(text), &object, &fault), RC_OK);
	assert_int_equal(
		alarm_limit_read(arena, object, "", &limit, &fault), RC_OK);
	assert_true(alarm_limit_settle(&limit, kind, &flaw));
	return limit;
}

/* --- cells ---------------------------------------------------------------- */

static void
test_limit_reads_a_table(void **state)
{
	static const char text[] =
		"variable;name;condition;value;low;high;hysteresis;on_delay_ms;"
		"off_delay_ms;text;class;group;areas;priority;must_acknowledge;"
		"each_change;reactivates;suppressed_by;enabled\n"
		"f1;high;greater;80,5;;;0.5;2000;500;hot: {value} {unit};3;7;"
		"Boiler|Ground floor;1;no;yes;yes;b1;no\n"
		"i1;fault;bit;5;;;;;;;;;;;;;;;\n"
		"s1;state;EQUAL;Störung;;;;;;;;;;;;;;;\n";
	struct alarm_limit_list list;
	struct fault fault = {0};
	const struct alarm_limit *limit;

	(void)state;
	assert_int_equal(read_table(text, &list, &fault), RC_OK);
	assert_int_equal(list.count, 3);
	limit = &list.items[0];
	assert_string_equal(limit->variable, "f1");
	assert_int_equal(limit->condition, ALARM_GREATER);
	assert_true(limit->value == 80.5 && limit->hysteresis == 0.5);
	assert_null(limit->match);
	assert_int_equal(limit->on_delay_ms, 2000);
	assert_int_equal(limit->off_delay_ms, 500);
	assert_int_equal(limit->class_number, 3);
	assert_int_equal(limit->group_number, 7);
	assert_int_equal(limit->areas.count, 2);
	assert_string_equal(limit->areas.items[1], "Ground floor");
	assert_int_equal(limit->priority, 1);
	assert_false(limit->must_acknowledge);
	assert_true(limit->each_change && limit->reactivates);
	assert_string_equal(limit->suppressed_by, "b1");
	assert_false(limit->enabled);
	assert_true(list.items[1].value == 5);
	assert_true(list.items[1].must_acknowledge && list.items[1].enabled);
	assert_int_equal(list.items[1].priority, 3);
	assert_string_equal(list.items[2].match, "Störung");
}

static void
test_limit_tells_the_place(void **state)
{
	static const char head[] = "variable,name,condition,value,low,high\n";
	char text[1024];

	(void)state;
#define ROW(row) (snprintf(text, sizeof(text), "%s%s\n", head, row), text)
	assert_refused(ROW("f1,a,greater,x,,"),
		"limits.csv:2:14: value \"x\": is not a number");
	assert_refused(ROW("f1,a,greater,,,"),
		"limits.csv:2:14: value \"\": is missing");
	assert_refused(ROW("f1,a,range,,5,4"),
		"limits.csv:2:15: high \"4\": must not be below low");
	assert_refused(ROW("f1,a,bit,3,,"),
		"limits.csv:2:6: condition \"bit\": needs a variable of type "
		"int");
	assert_refused(ROW("i1,a,bit,64,,"),
		"limits.csv:2:10: value \"64\": must be the number of a bit, 0 "
		"to 63");
	assert_refused(ROW("x1,a,greater,3,,"),
		"limits.csv:2:1: variable \"x1\": there is no variable of this "
		"name");
	assert_refused(ROW("f1,a,greater,3,,\nf1,b,less,1,,\nf1,a,less,3,,"),
		"limits.csv:4:4: limit \"a\" of \"f1\" is given twice, first "
		"in line 2");
	assert_refused(ROW("f1,a,change,1,,"),
		"limits.csv:2:13: value \"1\": this condition has none; leave "
		"it empty");
	assert_refused(ROW("f1,a,greater,1,2,"),
		"limits.csv:2:16: low \"2\": only range and outside have one");
	assert_refused(ROW("b1,a,equal,2,,"),
		"limits.csv:2:12: value \"2\": must be true or false");
	assert_refused(ROW("f1,a,smaller,2,,"),
		"limits.csv:2:6: condition \"smaller\": must be greater, less, "
		"equal, range, outside, bit, change or status");
	assert_refused(ROW("f1,a,greater,2,,,x"),
		"limits.csv:2:18: the header has no column for this cell");
#undef ROW
	assert_refused("variable,name,condition,colour\n",
		"limits.csv:1:25: unknown column \"colour\"");
	assert_refused("variable,name\n",
		"limits.csv:1:1: the columns variable, name and condition are "
		"required");
}

static void
test_limit_hysteresis_leaves_a_way_out(void **state)
{
	(void)state;
	assert_refused("variable,name,condition,low,high,hysteresis\n"
		       "f1,a,outside,10,12,1.5\n",
		"limits.csv:2:20: hysteresis \"1.5\": must be at most half of "
		"what is between low and high");
	assert_refused("variable,name,condition,value,hysteresis\n"
		       "s1,a,equal,on,1\n",
		"limits.csv:2:15: hysteresis \"1\": only comparisons of "
		"numbers have one");
}

static void
test_limit_suppressor_is_a_bool(void **state)
{
	(void)state;
	assert_refused("variable,name,condition,value,suppressed_by\n"
		       "f1,a,greater,1,f2\n",
		"limits.csv:2:16: suppressed_by \"f2\": there is no variable "
		"of this name and type bool");
}

/* --- both forms ----------------------------------------------------------- */

static const char *const objects[] = {
	"{\"variable\":\"f1\",\"name\":\"high\",\"condition\":\"greater\","
	"\"value\":0.1,\"hysteresis\":1e-3,\"onDelayMs\":86400000,"
	"\"text\":\"a \\\"quoted\\\", long\\ntext; {value}\","
	"\"class\":65535,\"group\":1,\"areas\":[\"A b\",\"Ü\"],"
	"\"priority\":4,\"mustAcknowledge\":false,\"commentRequired\":true,"
	"\"causeRequired\":true,\"suppressedBy\":\"b1\",\"enabled\":false,"
	"\"evaluatedBy\":\"hub\"}",
	"{\"variable\":\"f1\",\"name\":\"in\",\"condition\":\"range\","
	"\"low\":-5.25,\"high\":1e300}",
	"{\"variable\":\"s1\",\"name\":\"text\",\"condition\":\"equal\","
	"\"value\":\"12\"}",
	"{\"variable\":\"b1\",\"name\":\"on\",\"condition\":\"equal\","
	"\"value\":true,\"eachChange\":true,\"reactivates\":true}",
	"{\"variable\":\"i1\",\"name\":\"any\",\"condition\":\"change\","
	"\"offDelayMs\":500}",
	"{\"variable\":\"i1\",\"name\":\"bad\",\"condition\":\"status\","
	"\"value\":18}",
};

static const char *
as_json(const struct alarm_limit *limit)
{
	struct jsonw *json = jsonw_in(arena);

	jsonw_open_obj(json, NULL);
	alarm_limit_write(json, limit);
	jsonw_close_obj(json);
	return json->out->data;
}

static void
test_limit_goes_round_in_json_and_csv(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(objects); i++) {
		const char *name = strchr(objects[i], ':') + 2;
		struct alarm_limit first =
			read_object(objects[i], kind_of(NULL, name));
		const char *json = as_json(&first);
		struct alarm_limit again =
			read_object(json, kind_of(NULL, name));
		struct alarm_limit_list list;
		struct fault fault = {0};
		struct buf table;

		assert_string_equal(as_json(&again), json);
		buf_init(&table, 0);
		alarm_limit_csv_write(&table, &first, 1);
		assert_int_equal(read_table(table.data, &list, &fault), RC_OK);
		assert_int_equal(list.count, 1);
		assert_string_equal(as_json(&list.items[0]), json);
		buf_free(&table);
	}
}

static void
assert_object_refused(const char *text, const char *field, const char *words)
{
	struct alarm_limit limit = alarm_limit_default();
	struct alarm_limit_flaw flaw;
	struct json_object *object;
	struct fault fault = {0};
	enum rc rc;

	assert_int_equal(
		json_parse(arena, text, strlen(text), &object, &fault), RC_OK);
	rc = alarm_limit_read(arena, object, "limits[2]", &limit, &fault);
	if (rc == RC_OK && !alarm_limit_settle(&limit, VALUE_FLOAT, &flaw))
		rc = alarm_limit_refuse(&flaw, "limits[2]", &fault);
	assert_int_equal(rc, RC_BAD_INPUT);
	assert_string_equal(fault.field, field);
	assert_string_equal(fault.client, words);
}

static void
test_limit_names_the_member(void **state)
{
	(void)state;
	assert_object_refused("{\"colour\":1}", "limits[2].colour",
		"\"limits[2].colour\" is not known here.");
	assert_object_refused("{\"variable\":\"f\",\"name\":\"a\","
			      "\"condition\":\"less\",\"value\":[]}",
		"limits[2].value",
		"\"limits[2].value\" must be a number, a text, true or false.");
	assert_object_refused("{\"variable\":\"f\",\"name\":\"a\","
			      "\"condition\":\"less\",\"value\":1,"
			      "\"priority\":5}",
		"limits[2].priority",
		"\"limits[2].priority\" must be from 1 to 4.");
	assert_object_refused("{\"variable\":\"f\",\"name\":\" a\","
			      "\"condition\":\"less\",\"value\":1}",
		"limits[2].name",
		"\"limits[2].name\" must have 1 to 64 bytes.");
	assert_object_refused("{\"evaluatedBy\":\"me\"}",
		"limits[2].evaluatedBy",
		"\"limits[2].evaluatedBy\" must be agent or hub.");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit_reads_a_table),
		cmocka_unit_test(test_limit_tells_the_place),
		cmocka_unit_test(test_limit_hysteresis_leaves_a_way_out),
		cmocka_unit_test(test_limit_suppressor_is_a_bool),
		cmocka_unit_test(test_limit_goes_round_in_json_and_csv),
		cmocka_unit_test(test_limit_names_the_member),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
