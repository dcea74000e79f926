/* Unit tests of screen_clean: what gets into a page, and what never does. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/screen.h"

#define HEAD   "<svg xmlns=\"http://www.w3.org/2000/svg\">"
#define TAIL   "</svg>"
#define DOC(s) HEAD s TAIL

static char *
clean(const char *svg, size_t *dropped)
{
	static char text[4096];
	struct fault fault = {0};
	struct buf out;
	enum rc rc;

	buf_init(&out, sizeof(text));
	rc = screen_clean(svg, strlen(svg), &out, dropped, &fault);
	snprintf(text, sizeof(text), "%s", rc == RC_OK ? out.data : fault.text);
	buf_free(&out);
	return text;
}

static void
test_screen_keeps_drawings_and_bindings(void **state)
{
	static const char *const same[] = {
		DOC("<g transform=\"translate(1 2)\"><path d=\"M0 0h9\" "
		    "fill=\"url(#g)\" class=\"s-line\"></path></g>"),
		DOC("<text x=\"1\" data-fg-text=\"a/b &lt;c&gt;\" "
		    "data-fg-when=\"&gt;0\">1 &lt; 2 &amp; 3</text>"),
		DOC("<a href=\"/trend?v=1\"><rect width=\"9\" height=\"9\">"
		    "</rect></a><use href=\"#x\"></use>"),
		DOC("<title>Über</title><desc>b</desc>"),
		DOC("<g role=\"button\" tabindex=\"0\" aria-label=\"x\" "
		    "data-fg-faceplate=\"url(x)\"></g>"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(same); i++)
		assert_string_equal(clean(same[i], NULL), same[i]);
}

static bool
starts_with_open(const void *context, const char *variable)
{
	(void)context;
	return strncmp(variable, "open", 4) == 0;
}

static void
test_screen_hides_names_from_who_may_not_know_them(void **state)
{
	const char *svg = DOC(
		"<text x=\"1\" data-fg-text=\"open/a\">1</text>"
		"<text data-fg-color=\"secret/b\" data-fg-map=\"*:on\">2</text>"
		"<g data-fg-faceplate=\"secret/&lt;c&gt;\" id=\"g\">"
		"<rect data-fg-level=\"open &amp; d\"></rect></g>"
		"<text> data-fg-text=&quot;e&quot;</text>");
	struct arena *arena = arena_new();
	size_t count;
	const char **names = screen_bindings(arena, svg, &count);

	(void)state;
	assert_int_equal(count, 4);
	assert_string_equal(names[2], "secret/<c>");
	assert_string_equal(names[3], "open & d");
	assert_string_equal(screen_restrict(arena, svg, starts_with_open, NULL),
		DOC("<text x=\"1\" data-fg-text=\"open/a\">1</text>"
		    "<text data-fg-color=\"\" data-fg-map=\"*:on\">2</text>"
		    "<g id=\"g\">"
		    "<rect data-fg-level=\"open &amp; d\"></rect></g>"
		    "<text> data-fg-text=&quot;e&quot;</text>"));
	arena_free(arena);
}

static void
test_screen_leaves_out_what_editors_keep(void **state)
{
	size_t dropped = 0;

	(void)state;
	assert_string_equal(
		clean("<?xml version=\"1.0\"?><!-- c --><svg "
		      "xmlns=\"http://www.w3.org/2000/svg\" "
		      "xmlns:i=\"http://inkscape\" i:v=\"1\" version=\"1.1\">"
		      "<i:view><rect/></i:view><metadata><g>x</g></metadata>"
		      "<rect id=\"r\" xml:space=\"preserve\"/></svg>",
			&dropped),
		DOC("<rect id=\"r\"></rect>"));
	assert_int_equal(dropped, 4);
}

static void
test_screen_turns_style_into_attributes(void **state)
{
	size_t dropped = 0;

	(void)state;
	assert_string_equal(
		clean(DOC("<rect fill=\"#fff\" style=\"fill: red; stroke:#000 ;"
			  "-inkscape-x:1;opacity:.5\"/>"),
			&dropped),
		DOC("<rect fill=\"#fff\" stroke=\"#000\" opacity=\".5\">"
		    "</rect>"));
	assert_int_equal(dropped, 1);
	assert_string_equal(
		clean(DOC("<g style=\"fill:red;fill:blue\"></g>"), NULL),
		DOC("<g fill=\"blue\"></g>"));
	assert_string_equal(
		clean(DOC("<use xmlns:x=\"http://www.w3.org/1999/xlink\" "
			  "x:href=\"#a\" href=\"#b\"></use>"),
			NULL),
		DOC("<use href=\"#b\"></use>"));
}

static void
test_screen_refuses_what_could_run_or_call_out(void **state)
{
	static const struct {
		const char *svg;
		const char *why;
	} cases[] = {
		{DOC("<script>alert(1)</script>"), "not allowed: script"},
		{DOC("<foreignObject/>"), "not allowed: foreignObject"},
		{DOC("<style>*{}</style>"), "not allowed: style"},
		{DOC("<image href=\"#a\"/>"), "not allowed: image"},
		{DOC("<animate attributeName=\"href\"/>"), "animate"},
		{DOC("<set attributeName=\"href\"/>"), "set"},
		{DOC("<iframe/>"), "iframe"},
		{DOC("<g onclick=\"x()\"/>"), "event handlers"},
		{DOC("<g onLoad=\"x()\"/>"), "event handlers"},
		{DOC("<a href=\"javascript:x\"/>"), "link to elsewhere"},
		{DOC("<a href=\"//evil\"/>"), "link to elsewhere"},
		{DOC("<a href=\"/\\evil\"/>"), "link to elsewhere"},
		{DOC("<a href=\"/&#9;/evil\"/>"), "link to elsewhere"},
		{DOC("<use href=\"/x.svg#a\"/>"), "link to elsewhere"},
		{DOC("<use xmlns:x=\"http://www.w3.org/1999/xlink\" "
		     "x:href=\"http://e/\"/>"),
			"link to elsewhere"},
		{DOC("<g fill=\"url(http://e)\"/>"), "points to elsewhere"},
		{DOC("<g style=\"fill:url(//e)\"/>"), "points to elsewhere"},
		{DOC("<g fill=\"u\\72l(//e)\"/>"), "points to elsewhere"},
		{DOC("<g id=\"fg-main\"/>"), "are the page's"},
		{DOC("<title><g/></title>"), "only text"},
		{"<!DOCTYPE svg [<!ENTITY a \"b\">]>" DOC("&a;"),
			"document type"},
		{"<html/>", "1:1: not an SVG document"},
		{"<svg/>", "not an SVG document"},
		{DOC("\n <g>"), "2:7: not well-formed"},
		{"", "not well-formed"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
		if (strstr(clean(cases[i].svg, NULL), cases[i].why) == NULL)
			fail_msg("%s gives \"%s\", not \"%s\"", cases[i].svg,
				clean(cases[i].svg, NULL), cases[i].why);
}

static void
test_screen_bounds_depth_and_size(void **state)
{
	static char svg[SCREEN_BYTES_MAX + 2];
	char deep[1024] = HEAD;

	(void)state;
	for (int i = 0; i < 64; i++)
		strcat(deep, "<g>");
	assert_non_null(strstr(clean(deep, NULL), "too deep"));
	memset(svg, ' ', sizeof(svg) - 1);
	assert_non_null(strstr(clean(svg, NULL), "may have"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_screen_keeps_drawings_and_bindings),
		cmocka_unit_test(
			test_screen_hides_names_from_who_may_not_know_them),
		cmocka_unit_test(test_screen_leaves_out_what_editors_keep),
		cmocka_unit_test(test_screen_turns_style_into_attributes),
		cmocka_unit_test(
			test_screen_refuses_what_could_run_or_call_out),
		cmocka_unit_test(test_screen_bounds_depth_and_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
