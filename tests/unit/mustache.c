/* Unit tests of lib/mustache: our own cases and the official specification. */

#include <dirent.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mustache.h"

/* Render "text" with the partials "name", "text", ..., NULL. */
static char *
render(const char *text, const char *view, const char *const *partials)
{
	static char result[4096];
	struct mustache_set *set = mustache_set_new();
	struct json_object *object = json_tokener_parse(view);
	struct fault fault = {0};
	struct buf out;
	enum rc rc;

	buf_init(&out, sizeof(result));
	rc = mustache_set_add(set, "page", text, strlen(text), &fault);
	for (; rc == RC_OK && partials && *partials; partials += 2)
		rc = mustache_set_add(set, partials[0], partials[1],
			strlen(partials[1]), &fault);
	if (rc == RC_OK)
		rc = mustache_render(set, "page", object, &out, &fault);
	snprintf(result, sizeof(result), "%s",
		rc == RC_OK ? (out.data ? out.data : "") : fault.text);
	buf_free(&out);
	json_object_put(object);
	mustache_set_free(set);
	return result;
}

static void
test_mustache_writes_values(void **state)
{
	(void)state;
	assert_string_equal(
		render("{{a}} {{&a}} {{{a}}}", "{\"a\":\"<&\\\"'>\"}", NULL),
		"&lt;&amp;&quot;&#39;&gt; <&\"'> <&\"'>");
	assert_string_equal(
		render("{{i}} {{d}} {{b}} {{n}}|{{none}}",
			"{\"i\":-7,\"d\":0.1,\"b\":true,\"n\":null}", NULL),
		"-7 0.1 true |");
	assert_string_equal(
		render("<i data-x=\"{{o}}\">", "{\"o\":{\"a\":[1]}}", NULL),
		"<i data-x=\"{&quot;a&quot;:[1]}\">");
}

static void
test_mustache_knows_what_is_false(void **state)
{
	const char *text = "{{#x}}yes{{/x}}{{^x}}no{{/x}}";

	(void)state;
	assert_string_equal(render(text, "{}", NULL), "no");
	assert_string_equal(render(text, "{\"x\":\"\"}", NULL), "no");
	assert_string_equal(render(text, "{\"x\":[]}", NULL), "no");
	assert_string_equal(render(text, "{\"x\":0}", NULL), "yes");
	assert_string_equal(render(text, "{\"x\":[1,2]}", NULL), "yesyes");
}

static void
test_mustache_keeps_a_card_apart_from_its_page(void **state)
{
	const char *const partials[] = {"page_of",
		"<{{$title}}none{{/title}}>{{$main}}{{/main}}", "card",
		"[{{$title}}untitled{{/title}}]", NULL};

	(void)state;
	assert_string_equal(
		render("{{<page_of}}{{$title}}Page{{/title}}{{$main}}"
		       "{{<card}}{{/card}}{{<card}}{{$title}}Card{{/title}}"
		       "{{/card}}{{/main}}{{/page_of}}",
			"{}", partials),
		"<Page>[untitled][Card]");
}

static void
test_mustache_ends_a_block_that_names_itself(void **state)
{
	const char *const partials[] = {"p", "{{$a}}none{{/a}}", NULL};

	(void)state;
	assert_string_equal(render("{{<p}}{{$a}}x{{$a}}y{{/a}}{{/a}}{{/p}}",
				    "{}", partials),
		"xy");
}

static void
test_mustache_indents_a_page_in_its_layout(void **state)
{
	const char *const partials[] = {
		"layout", "<main>\n  {{$main}}\n  {{/main}}\n</main>\n", NULL};

	(void)state;
	assert_string_equal(
		render("{{<layout}}\n{{$main}}\n<ul>\n\t{{#l}}\n\t<li>{{.}}\n"
		       "\t{{/l}}\n\n</ul>\n{{/main}}\n{{/layout}}\n",
			"{\"l\":[1,2]}", partials),
		"<main>\n  <ul>\n  \t<li>1\n  \t<li>2\n\n  </ul>\n</main>\n");
	assert_string_equal(
		render("{{>layout}}", "{}", partials), "<main>\n</main>\n");
}

/* What the specification asks for, in our own words, so that it is tested
 * where its files are not at hand. */
static void
test_mustache_follows_the_rules(void **state)
{
	static const char *const partials[] = {"item", "<{{n}}>\n{{n}}\n",
		"bare", "one\ntwo", "tree",
		"{{n}}({{#kids}}{{>tree}}{{/kids}})", "box",
		"[{{$a}}A{{/a}}|{{$b}}B{{/b}}]", "frame",
		"{{<box}}{{$a}}frame{{/a}}{{/box}}", NULL};
	static const char view[] =
		"{\"n\":\"N\",\"no\":false,\"l\":[{\"n\":1},{\"n\":2}],"
		"\"in\":{\"deep\":{\"n\":3},\"n\":null},\"name\":\"item\","
		"\"kids\":[{\"n\":\"K\",\"kids\":[]}],\"ll\":[[1,2],[3]],"
		"\"two\":\"x\\ny\"}";
	static const struct {
		const char *text;
		const char *expected;
	} cases[] = {
		/* comments */
		{"a{{! n }}b", "ab"},
		{"a\n  {{! alone }}\nb", "a\nb"},
		{"a\r\n{{! alone }}\r\nb", "a\r\nb"},
		{"{{!\n over\n lines }}\nb", "b"},
		{" a {{! not alone }}\n", " a \n"},
		/* names */
		{"{{ n }}{{n}}", "NN"},
		{"{{in.deep.n}}|{{in.deep.none.n}}|{{none}}", "3||"},
		{"{{#in}}{{n}}{{deep.n}}{{/in}}", "3"},
		{"{{#l}}{{#in.deep}}{{n}}{{/in.deep}}{{/l}}", "33"},
		/* sections */
		{"{{#l}}\n{{n}}\n{{/l}}\nend", "1\n2\nend"},
		{"  {{#l}}\n {{n}}\n  {{/l}}\nend", " 1\n 2\nend"},
		{"{{#ll}}({{#.}}{{.}},{{/.}}){{/ll}}", "(1,2,)(3,)"},
		{"{{#no}}x{{/no}}{{^no}}y{{/no}}{{^l}}z{{/l}}", "y"},
		{"{{#l}}{{#l}}.{{/l}}{{/l}}", "...."},
		{"{{# n }}x{{/ n }}", "x"},
		/* delimiters */
		{"{{=<% %>=}}<%n%>{{n}}<%={{ }}=%>{{n}}", "N{{n}}N"},
		{"{{=| |=}}\n|#l||n||/l|\n|={{ }}=|\n{{n}}", "12\nN"},
		{"{{=[ ]=}}[>item]", "<N>\nN\n"},
		/* partials */
		{"{{>item}}", "<N>\nN\n"},
		{"a\n  {{>item}}\nb", "a\n  <N>\n  N\nb"},
		{"a {{>bare}} b", "a one\ntwo b"},
		{"  {{>bare}}\nb", "  one\n  twob"},
		{"[{{>none}}]", "[]"},
		{"{{>tree}}", "N(K())"},
		{"{{>*name}}", "<N>\nN\n"},
		{"[{{>*none}}{{>*no.such}}]", "[]"},
		{"  {{{two}}}", "  x\ny"},
		/* parents */
		{"{{<box}}{{/box}}", "[A|B]"},
		{"{{<box}}x{{$b}}{{n}}{{/b}}y{{/box}}", "[A|N]"},
		{"{{<frame}}{{/frame}}", "[frame|B]"},
		{"{{<frame}}{{$a}}mine{{/a}}{{/frame}}", "[mine|B]"},
		{"{{#l}}{{<box}}{{$a}}{{n}}{{/a}}{{/box}}{{/l}}", "[1|B][2|B]"},
		{"{{<*name}}{{/*name}}", "<N>\nN\n"},
		{"a {{<none}}{{$a}}x{{/a}}{{/none}} b", "a  b"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
		if (strcmp(render(cases[i].text, view, partials),
			    cases[i].expected) != 0)
			fail_msg("%s gives \"%s\", not \"%s\"", cases[i].text,
				render(cases[i].text, view, partials),
				cases[i].expected);
}

static void
test_mustache_says_where_a_template_is_wrong(void **state)
{
	static const struct {
		const char *text;
		const char *fault;
	} cases[] = {
		{"a\n {{x", "page:2:2: tag is not closed: {{"},
		{"{{{x}}", "page:1:1: tag is not closed: {{"},
		{"{{#a}}", "page:1:1: section has no end: a"},
		{"{{/a}}", "page:1:1: nothing to end: a"},
		{"{{#a}}\n{{/b}}",
			"page:2:1: ends another section than the last: b"},
		{"{{<*a}}{{/a}}",
			"page:1:8: ends another section than the last: a"},
		{"{{}}", "page:1:1: tag without a name"},
		{"{{> * }}", "page:1:1: tag without a name"},
		{"{{a b}}", "page:1:1: blank in a name: a b"},
		{"{{a..b}}", "page:1:1: empty part in a name: a..b"},
		{"{{=a=}}", "page:1:1: two delimiters are needed: a"},
		{"{{== ==}}", "page:1:1: = in a delimiter: = ="},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
		assert_string_equal(
			render(cases[i].text, "{}", NULL), cases[i].fault);
}

static void
test_mustache_bounds_nesting(void **state)
{
	const char *const partials[] = {"p", "x{{>p}}", NULL};
	char text[1024] = "";

	(void)state;
	assert_non_null(strstr(
		render("{{>p}}", "{}", partials), "partials nested too deep"));
	for (int i = 0; i < 65; i++)
		strcat(text, "{{#a}}");
	assert_string_equal(
		render(text, "{}", NULL), "page:1:385: nested too deep: a");
}

static void
test_mustache_bounds_the_page(void **state)
{
	char text[2048] = "";

	(void)state;
	assert_non_null(strstr(render("{{#l}}{{#l}}{{#l}}0123456789{{/l}}{{/l}}"
				      "{{/l}}",
				       "{\"l\":[1,2,3,4,5,6,7,8,9]}", NULL),
		"too large"));
	for (int i = 0; i < 50; i++)
		strcat(text, "{{#l}}");
	for (int i = 0; i < 50; i++)
		strcat(text, "{{/l}}");
	assert_non_null(
		strstr(render(text, "{\"l\":[1,2,3]}", NULL), "too large"));
}

static void
test_mustache_finds_a_missing_partial(void **state)
{
	struct mustache_set *set = mustache_set_new();
	struct fault fault = {0};

	(void)state;
	assert_int_equal(
		mustache_set_add(set, "a", "\n{{>b}}", 7, &fault), RC_OK);
	assert_int_equal(mustache_set_check(set, &fault), RC_BAD_INPUT);
	assert_string_equal(fault.text, "a:2:1: no template \"b\"");
	assert_int_equal(mustache_set_add(set, "b", "", 0, &fault), RC_OK);
	assert_int_equal(mustache_set_check(set, &fault), RC_OK);
	mustache_set_free(set);
}

/* --- the official specification ---------------------------------------- */

static const char *
text_of(struct json_object *object, const char *key)
{
	return json_object_get_string(json_object_object_get(object, key));
}

/* One case of the specification; false when the text differs. */
static bool
spec_case(struct json_object *test)
{
	struct json_object *partials = json_object_object_get(test, "partials");
	const char *text = text_of(test, "template");
	struct mustache_set *set = mustache_set_new();
	struct fault fault = {0};
	struct buf out;
	bool same;
	enum rc rc;

	buf_init(&out, 0);
	buf_text(&out, "");
	rc = mustache_set_add(set, "", text, strlen(text), &fault);
	if (partials != NULL) {
		json_object_object_foreach(partials, name, value)
		{
			if (rc == RC_OK)
				rc = mustache_set_add(set, name,
					json_object_get_string(value),
					strlen(json_object_get_string(value)),
					&fault);
		}
	}
	if (rc == RC_OK)
		rc = mustache_render(set, "",
			json_object_object_get(test, "data"), &out, &fault);
	same = rc == RC_OK &&
	       strcmp(out.data ? out.data : "", text_of(test, "expected")) == 0;
	if (!same)
		print_message("%s: \"%s\" is not \"%s\" %s\n",
			text_of(test, "name"), out.data,
			text_of(test, "expected"), fault.text);
	buf_free(&out);
	mustache_set_free(set);
	return same;
}

static size_t
spec_file(const char *folder, const char *name, size_t *failed)
{
	char path[1024];
	struct json_object *file;
	struct json_object *tests;
	size_t count;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = json_object_from_file(path);
	assert_non_null(file);
	tests = json_object_object_get(file, "tests");
	count = json_object_array_length(tests);
	for (size_t i = 0; i < count; i++)
		if (!spec_case(json_object_array_get_idx(tests, i)))
			++*failed;
	json_object_put(file);
	return count;
}

static void
test_mustache_passes_the_specification(void **state)
{
	static const char *const files[] = {"comments.json", "delimiters.json",
		"interpolation.json", "inverted.json", "partials.json",
		"sections.json", "~dynamic-names.json", "~inheritance.json"};
	const char *folder = getenv("FIELDGRID_MUSTACHE_SPEC");
	size_t failed = 0;
	size_t count = 0;

	(void)state;
	if (folder == NULL || *folder == '\0') {
		print_message("FIELDGRID_MUSTACHE_SPEC is not set\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
		count += spec_file(folder, files[i], &failed);
	print_message("%zu cases of the specification\n", count);
	assert_int_equal(failed, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mustache_writes_values),
		cmocka_unit_test(test_mustache_knows_what_is_false),
		cmocka_unit_test(
			test_mustache_keeps_a_card_apart_from_its_page),
		cmocka_unit_test(test_mustache_ends_a_block_that_names_itself),
		cmocka_unit_test(test_mustache_indents_a_page_in_its_layout),
		cmocka_unit_test(test_mustache_follows_the_rules),
		cmocka_unit_test(test_mustache_says_where_a_template_is_wrong),
		cmocka_unit_test(test_mustache_bounds_nesting),
		cmocka_unit_test(test_mustache_bounds_the_page),
		cmocka_unit_test(test_mustache_finds_a_missing_partial),
		cmocka_unit_test(test_mustache_passes_the_specification),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
