/* conf: one INI file into one struct. */

#include "tests/unit/unit.h"

#include <stdbool.h>
#include <string.h>

#include "lib/conf.h"

struct target {
	const char *name;
	const char *path;
	int64_t number;
	bool truth;
	const char **list;
};

static const struct conf_entry entries[] = {
	{"main", "name", CONF_TEXT, offsetof(struct target, name), NULL, 0, 0,
		"a name"},
	{"main", "path", CONF_PATH, offsetof(struct target, path), "x.pem", 0,
		0, "a file"},
	{"main", "number", CONF_INT, offsetof(struct target, number), "5", 1,
		10, "a number"},
	{"main", "truth", CONF_BOOL, offsetof(struct target, truth), "no", 0, 0,
		"a switch"},
	{"main", "list", CONF_LIST, offsetof(struct target, list), "", 0, 0,
		"words"},
	CONF_END,
};

static enum rc
parse(struct arena *arena, const char *text, struct target *target,
	struct fault *fault)
{
	return conf_parse(arena, "/etc/x/x.conf", text, entries, target, fault);
}

static void
test_conf_fills_values_and_defaults(void **state)
{
	struct arena *arena = arena_new();
	struct target target;
	struct fault fault;

	(void)state;
	assert_int_equal(parse(arena,
				 "; comment\n[main]\nname = plant A\n"
				 "truth=yes\nlist = a  b c\n",
				 &target, &fault),
		RC_OK);
	assert_string_equal(target.name, "plant A");
	assert_string_equal(target.path, "/etc/x/x.pem");
	assert_int_equal(target.number, 5);
	assert_true(target.truth);
	assert_string_equal(target.list[2], "c");
	assert_null(target.list[3]);
	arena_free(arena);
}

static void
test_conf_names_the_line_at_fault(void **state)
{
	static const struct {
		const char *text;
		const char *words;
	} cases[] = {
		{"[main]\nname=a\nnumbr=3\n", "x.conf:3: unknown key"},
		{"[main]\nname=a\nnumber=11\n", "x.conf:3: number = 11"},
		{"[main]\nname=a\nnumber=3x\n", "x.conf:3: number = 3x"},
		{"[main]\nname=a\ntruth=maybe\n", "x.conf:3: truth"},
		{"[main]\nname=a\nname=b\n", "x.conf:3: key \"name\" is given"},
		{"[main]\nname=a\nnonsense\n", "x.conf:3: neither"},
		{"[main]\nnumber=3\n", "\"name\" is missing"},
		{"[other]\nname=a\n", "x.conf:2: unknown key"},
	};
	struct arena *arena = arena_new();
	struct target target;
	struct fault fault;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		assert_int_equal(parse(arena, cases[i].text, &target, &fault),
			RC_BAD_INPUT);
		assert_non_null(strstr(fault.text, cases[i].words));
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conf_fills_values_and_defaults),
		cmocka_unit_test(test_conf_names_the_line_at_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
