/* limits: what an agent takes of what the hub hands out. */

#include "agents/limits.h"
#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct input items[] = {
	{.name = "b", .kind = VALUE_BOOL, .unit = "", .id = 7},
	{.name = "f", .kind = VALUE_FLOAT, .unit = "K", .id = 8},
	{.name = "new", .kind = VALUE_FLOAT, .unit = ""},
};
static const struct input_list inputs = {"v.csv", ARRAY_LENGTH(items), items};

static const struct alarm_limit own[] = {
	{.variable = "f",
		.name = "high",
		.condition = ALARM_GREATER,
		.value = 5,
		.low = NAN,
		.high = NAN,
		.text = "",
		.priority = 1,
		.suppressed_by = "",
		.enabled = true},
};

static void
take(struct limits *limits, const char *text, size_t expected_out)
{
	struct fault fault = {0};
	size_t left_out = 99;

	assert_int_equal(limits_take(limits, &inputs, text, strlen(text),
				 &left_out, &fault),
		RC_OK);
	assert_int_equal(left_out, expected_out);
}

static const char hub[] =
	"{\"limits\":["
	"{\"variable\":\"f\",\"name\":\"low\",\"condition\":\"less\","
	"\"value\":1,\"suppressedBy\":\"b\"},"
	"{\"variable\":\"f\",\"name\":\"high\",\"condition\":\"greater\","
	"\"value\":9},"
	"{\"variable\":\"x\",\"name\":\"high\",\"condition\":\"greater\","
	"\"value\":9},"
	"{\"variable\":\"b\",\"name\":\"high\",\"condition\":\"greater\","
	"\"value\":9},"
	"{\"variable\":\"new\",\"name\":\"high\",\"condition\":\"greater\","
	"\"value\":9},7]}";

static void
test_limits_take_what_fits(void **state)
{
	struct limits limits = {.own = {ARRAY_LENGTH(own), own}};
	struct arena *arena = arena_new();
	struct alarm_target *targets;

	(void)state;
	/* Its own one stands before the hub's; "x", what needs a number, and
	 * what is no limit at all are left out. */
	take(&limits, hub, 4);
	assert_int_equal(limits.hub.count, 2);
	/* The new variable has no id yet. */
	assert_int_equal(limits_targets(arena, &limits, &inputs, &targets), 2);
	assert_true(targets[0].limit == &own[0]);
	assert_int_equal(targets[0].variable_id, 2);
	assert_string_equal(targets[1].limit->name, "low");
	assert_int_equal(targets[1].suppressor_id, 1);
	assert_string_equal(targets[1].unit, "K");
	take(&limits, "{\"limits\":[]}", 0);
	assert_int_equal(limits_targets(arena, &limits, &inputs, &targets), 1);
	assert_int_equal(limits.version, 2);
	limits_free(&limits);
	arena_free(arena);
}

static void
test_limits_keep_what_they_have_of_nonsense(void **state)
{
	static const char *const answers[] = {
		"", "[]", "{}", "{\"limits\":3}", "{\"limits\":[}"};
	struct limits limits = {.own = {0, NULL}};
	struct fault fault;
	size_t left_out;

	(void)state;
	take(&limits, hub, 3);
	for (size_t i = 0; i < ARRAY_LENGTH(answers); i++)
		assert_int_equal(limits_take(&limits, &inputs, answers[i],
					 strlen(answers[i]), &left_out, &fault),
			RC_BAD_INPUT);
	assert_int_equal(limits.hub.count, 3);
	limits_free(&limits);
}

static void
test_limits_of_an_agent_are_the_agents(void **state)
{
	struct arena *arena = arena_new();
	struct alarm_limit_list list;
	struct fault fault;
	char path[] = "/tmp/fieldgrid-limits-XXXXXX";
	FILE *file = fdopen(mkstemp(path), "w");

	(void)state;
	assert_int_equal(limits_load(arena, "", &inputs, &list, &fault), RC_OK);
	assert_int_equal(list.count, 0);
	assert_int_equal(limits_load(arena, "/nowhere/limits.csv", &inputs,
				 &list, &fault),
		RC_IO);
	fputs("variable,name,condition,value,evaluated_by\nf,a,less,1,hub\n",
		file);
	fclose(file);
	assert_int_equal(
		limits_load(arena, path, &inputs, &list, &fault), RC_BAD_INPUT);
	assert_non_null(strstr(fault.text, "evaluated_by must be empty"));
	remove(path);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits_take_what_fits),
		cmocka_unit_test(test_limits_keep_what_they_have_of_nonsense),
		cmocka_unit_test(test_limits_of_an_agent_are_the_agents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
