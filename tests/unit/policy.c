/* policy: patterns of variable names, and names of rights. */

#include "tests/unit/unit.h"

#include <string.h>

#include "lib/clock.h"
#include "model/policy.h"

static void
test_policy_patterns_match_whole_names(void **state)
{
	(void)state;
	assert_true(policy_matches("*", ""));
	assert_true(policy_matches("*", "site/power"));
	assert_true(policy_matches("site/*", "site/power"));
	assert_true(policy_matches("*/power", "inverter01/dc/power"));
	assert_true(policy_matches("a*b*c", "a-b-b-c"));
	assert_true(policy_matches("wt?"
				   "?/power",
		"wt01/power"));
	assert_false(policy_matches("wt?"
				    "?/power",
		"wt1/power"));
	assert_false(policy_matches("site/*", "Site/power"));
	assert_false(policy_matches("site", "site/power"));
	assert_false(policy_matches("", "a"));
	assert_true(policy_matches("", ""));
	assert_true(policy_matches("K?hler", "K\xc3\xbchler"));
	assert_false(policy_matches("K??hler", "K\xc3\xbchler"));
}

static void
test_policy_patterns_do_not_blow_up(void **state)
{
	static char name[4096];
	static char pattern[512];
	int64_t start_us = clock_steady_us();

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	for (size_t i = 0; i + 2 < sizeof(pattern); i += 2)
		memcpy(pattern + i, "a*", 2);
	strcpy(pattern + sizeof(pattern) - 2, "b");
	assert_false(policy_matches(pattern, name));
	assert_true(clock_steady_us() - start_us < CLOCK_SECOND_US);
}

static void
test_policy_rights_have_names(void **state)
{
	struct fault fault;
	uint32_t actions;

	(void)state;
	assert_int_equal(policy_actions_parse(
				 "ReadAll,WriteVariables", &actions, &fault),
		RC_OK);
	assert_int_equal(actions, POLICY_READ_ALL | POLICY_WRITE_VALUES);
	assert_int_equal(
		policy_actions_parse("ReadAll,Write", &actions, &fault),
		RC_BAD_INPUT);
	assert_non_null(strstr(fault.client, "\"Write\""));
	assert_int_equal(
		policy_actions_parse("", &actions, &fault), RC_BAD_INPUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy_patterns_match_whole_names),
		cmocka_unit_test(test_policy_patterns_do_not_blow_up),
		cmocka_unit_test(test_policy_rights_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
