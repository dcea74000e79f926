/* json_tree: paths into JSON, all in one pass. */

#include "agents/json_tree.h"
#include "tests/unit/unit.h"

#include <string.h>

static struct fault fault;

struct lookup {
	struct arena *arena;
	struct json_tree tree;
	size_t leaf;
};

static struct lookup
open_lookup(void)
{
	struct lookup lookup = {.arena = arena_new()};

	json_tree_init(&lookup.tree);
	return lookup;
}

static void
close_lookup(struct lookup *lookup)
{
	json_tree_free(&lookup->tree);
	arena_free(lookup->arena);
}

static enum rc
add(struct lookup *lookup, const char *path)
{
	return json_tree_add(
		&lookup->tree, lookup->arena, path, &lookup->leaf, &fault);
}

static bool
look(struct lookup *lookup, const char *text)
{
	return json_tree_read(&lookup->tree, text, strlen(text));
}

/* The token that one path leads to. */
static struct json_leaf
find(const char *path, const char *text)
{
	struct lookup lookup = open_lookup();
	struct json_leaf leaf;

	assert_int_equal(add(&lookup, path), RC_OK);
	assert_true(look(&lookup, text));
	leaf = lookup.tree.leaves[lookup.leaf];
	close_lookup(&lookup);
	return leaf;
}

static void
test_json_tree_follows_paths(void **state)
{
	static const char text[] =
		"{\"a\":{\"b\":7,\"c.d\":[1,{\"e\":8}]},\"\":9,\"q\\\"\":10,"
		"\"it's\":11}";

	(void)state;
	assert_int_equal(find("a.b", text).integer, 7);
	assert_int_equal(find("$.a.b", text).integer, 7);
	assert_int_equal(find("$['a']['b']", text).integer, 7);
	assert_int_equal(find("a[\"c.d\"][0]", text).integer, 1);
	assert_int_equal(find("a['c.d'][1].e", text).integer, 8);
	assert_int_equal(find("['']", text).integer, 9);
	assert_int_equal(find("[\"q\\\"\"]", text).integer, 10);
	assert_int_equal(find("['it\\'s']", text).integer, 11);
	assert_int_equal(find("a", text).token, JSONR_OBJECT);
	assert_int_equal(find("$", text).token, JSONR_OBJECT);
	assert_int_equal(find("$", "3").integer, 3);
	assert_int_equal(find("[2]", "[1,2,3]").integer, 3);
	assert_int_equal(find("$[1][0]", "[1,[5]]").integer, 5);
}

static void
test_json_tree_tells_what_is_not_there(void **state)
{
	(void)state;
	assert_int_equal(find("b", "{\"a\":1}").token, JSONR_END);
	assert_int_equal(find("a.b", "{\"a\":1}").token, JSONR_END);
	assert_int_equal(find("a[0]", "{\"a\":{\"0\":1}}").token, JSONR_END);
	assert_int_equal(find("a", "[1]").token, JSONR_END);
	assert_int_equal(find("[3]", "[1,2,3]").token, JSONR_END);
	assert_int_equal(find("a", "{\"a\":null}").token, JSONR_NULL);
	assert_int_equal(find("a", "{\"a\":1,\"a\":2}").integer, 2);
	assert_int_equal(find("a", "{\"b\":1,\"a\":2}").integer, 2);
}

static void
test_json_tree_refuses_paths(void **state)
{
	static const char *const wrong[] = {"", "$.", "a.", ".a", "a..b", "[",
		"[]", "[x]", "[1", "[-1]", "[1000001]", "a[0]b", "['a]", "['a'",
		"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
		struct lookup lookup = open_lookup();

		if (add(&lookup, wrong[i]) != RC_BAD_INPUT)
			fail_msg("\"%s\" is taken", wrong[i]);
		assert_non_null(strstr(fault.text, "character"));
		close_lookup(&lookup);
	}
}

static void
test_json_tree_reads_many_paths_in_one_pass(void **state)
{
	struct lookup lookup = open_lookup();
	size_t leaves[4];

	(void)state;
	static const char *const paths[] = {"t", "v.x", "v.y", "v.x"};
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(add(&lookup, paths[i]), RC_OK);
		leaves[i] = lookup.leaf;
	}
	assert_int_equal(leaves[1], leaves[3]); /* the same leaf */
	assert_int_equal(lookup.tree.count, 3);
	assert_true(look(&lookup,
		"{\"v\":{\"y\":\"\xc3\xa4\\n\",\"x\":1.50},\"t\":true}"));
	assert_int_equal(lookup.tree.leaves[leaves[0]].token, JSONR_TRUE);
	assert_true(lookup.tree.leaves[leaves[1]].number == 1.5);
	assert_string_equal(
		json_tree_text(&lookup.tree, &lookup.tree.leaves[leaves[1]]),
		"1.50");
	assert_string_equal(
		json_tree_text(&lookup.tree, &lookup.tree.leaves[leaves[2]]),
		"\xc3\xa4\n");
	/* The same in another order. */
	assert_true(look(
		&lookup, "{\"t\":false,\"no\":0,\"v\":{\"x\":3,\"y\":4}}"));
	assert_int_equal(lookup.tree.leaves[leaves[0]].token, JSONR_FALSE);
	assert_int_equal(lookup.tree.leaves[leaves[1]].integer, 3);
	assert_int_equal(lookup.tree.leaves[leaves[2]].integer, 4);
	/* The next message starts with nothing. */
	assert_true(look(&lookup, "{}"));
	assert_int_equal(lookup.tree.leaves[leaves[0]].token, JSONR_END);
	close_lookup(&lookup);
}

static void
test_json_tree_refuses_what_is_no_json(void **state)
{
	static const char *const wrong[] = {"", "{", "[1,", "{\"a\":}", "1 2",
		"{\"a\" 1}", "[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", "nul",
		"\"\xff\""};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
		struct lookup lookup = open_lookup();

		assert_int_equal(add(&lookup, "a"), RC_OK);
		if (look(&lookup, wrong[i]))
			fail_msg("\"%s\" is taken", wrong[i]);
		close_lookup(&lookup);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_tree_follows_paths),
		cmocka_unit_test(test_json_tree_tells_what_is_not_there),
		cmocka_unit_test(test_json_tree_refuses_paths),
		cmocka_unit_test(test_json_tree_reads_many_paths_in_one_pass),
		cmocka_unit_test(test_json_tree_refuses_what_is_no_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
