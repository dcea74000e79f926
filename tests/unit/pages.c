/*
 * Unit tests of the templates and of web/page: golden files below
 * tests/golden/pages, and rules that hold for every template.
 *
 * FIELDGRID_GOLDEN=write writes the golden files instead of comparing.
 */

#include <dirent.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mustache.h"
#include "model/caller.h"
#include "tests/unit/request.h"
#include "web/page.h"

#define FILE_BYTES_MAX (64 * 1024)

static const char *
source(const char *path)
{
	static char full[1024];
	const char *folder = getenv("srcdir");

	snprintf(full, sizeof(full), "%s/%s", folder ? folder : ".", path);
	return full;
}

static struct mustache_set *
load_templates(void)
{
	struct mustache_set *set = NULL;
	struct fault fault = {0};

	if (mustache_set_load(source("templates"), &set, &fault) != RC_OK)
		fail_msg("%s", fault.text);
	return set;
}

static char *
read_text(const char *path)
{
	static char text[FILE_BYTES_MAX + 1];
	FILE *file = fopen(path, "r");
	size_t length;

	if (file == NULL)
		return NULL;
	length = fread(text, 1, FILE_BYTES_MAX, file);
	fclose(file);
	text[length] = '\0';
	return text;
}

/* --- every template ---------------------------------------------------- */

static void
test_pages_render_with_an_empty_view(void **state)
{
	struct mustache_set *set = load_templates();
	struct json_object *view = json_object_new_object();

	(void)state;
	assert_true(mustache_set_count(set) > 10);
	for (size_t i = 0; i < mustache_set_count(set); i++) {
		struct fault fault = {0};
		struct buf out;

		buf_init(&out, 0);
		if (mustache_render(set, mustache_set_name(set, i), view, &out,
			    &fault) != RC_OK)
			fail_msg("%s", fault.text);
		buf_free(&out);
	}
	json_object_put(view);
	mustache_set_free(set);
}

/* Raw output needs a comment on the line before that says why it is safe. */
static void
check_raw(const char *name, const char *text)
{
	static const char *const raw[] = {"{{{", "{{&", "{{ &"};

	for (size_t i = 0; i < ARRAY_LENGTH(raw); i++)
		for (const char *at = text; (at = strstr(at, raw[i])) != NULL;
			at++) {
			const char *line = at;
			const char *before;

			while (line > text && line[-1] != '\n')
				line--;
			before = line > text ? line - 1 : text;
			while (before > text && before[-1] != '\n')
				before--;
			if (strncmp(before, "{{!", 3) != 0)
				fail_msg("%s: %s without a comment", name,
					raw[i]);
		}
}

static void
check_inline(const char *name, const char *text)
{
	static const char *const forbidden[] = {"style=", "<style", "<script>",
		"javascript:", " onclick", " onload", " onchange", " onsubmit",
		" oninput", "http://", "https://"};

	for (size_t i = 0; i < ARRAY_LENGTH(forbidden); i++)
		if (strstr(text, forbidden[i]) != NULL)
			fail_msg("%s: holds %s", name, forbidden[i]);
}

static void
test_pages_hold_no_raw_value_and_nothing_inline(void **state)
{
	struct mustache_set *set = load_templates();

	(void)state;
	for (size_t i = 0; i < mustache_set_count(set); i++) {
		char path[512];
		char *text;

		snprintf(path, sizeof(path), "templates/%s.mustache",
			mustache_set_name(set, i));
		text = read_text(source(path));
		assert_non_null(text);
		check_raw(path, text);
		check_inline(path, text);
	}
	mustache_set_free(set);
}

/* --- golden files ------------------------------------------------------ */

static void
compare(const char *name, const char *text)
{
	const char *mode = getenv("FIELDGRID_GOLDEN");
	char path[512];
	char *wanted;

	snprintf(path, sizeof(path), "tests/golden/pages/%s.html", name);
	if (mode != NULL && strcmp(mode, "write") == 0) {
		FILE *file = fopen(source(path), "w");

		assert_non_null(file);
		fputs(text, file);
		fclose(file);
		return;
	}
	wanted = read_text(source(path));
	if (wanted == NULL)
		fail_msg("%s is missing", path);
	assert_string_equal(text, wanted);
}

static void
golden_case(const struct mustache_set *set, const char *name)
{
	char path[512];
	struct json_object *file;
	struct fault fault = {0};
	struct buf out;

	snprintf(path, sizeof(path), "tests/golden/pages/%s.json", name);
	file = json_object_from_file(source(path));
	assert_non_null(file);
	buf_init(&out, FILE_BYTES_MAX);
	if (mustache_render(set,
		    json_object_get_string(
			    json_object_object_get(file, "template")),
		    json_object_object_get(file, "view"), &out,
		    &fault) != RC_OK)
		fail_msg("%s", fault.text);
	compare(name, out.data);
	buf_free(&out);
	json_object_put(file);
}

static void
test_pages_are_as_the_golden_files(void **state)
{
	static const char *const names[] = {"fault", "overview",
		"overview-empty", "overview-empty-administrator",
		"overview-many", "screen", "trend", "variables",
		"variables-empty"};
	struct mustache_set *set = load_templates();

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		golden_case(set, names[i]);
	mustache_set_free(set);
}

/* --- faults ------------------------------------------------------------ */

struct answer {
	struct arena *arena;
	struct mustache_set *templates;
	struct web_app app;
	struct caller caller;
	struct req req;
	struct resp resp;
};

static void
answer_fault(
	struct answer *answer, enum method method, const char *uri, enum rc rc)
{
	struct fault fault = {.rc = rc};

	memset(answer, 0, sizeof(*answer));
	answer->arena = arena_new();
	answer->templates = load_templates();
	answer->app.templates = answer->templates;
	answer->app.assets = json_object_new_object();
	answer->app.site = answer->app.zone = "";
	request_make(
		&answer->req, answer->arena, method, uri, NULL, NULL, NULL);
	answer->caller.name = answer->caller.subject = "";
	answer->req.caller = &answer->caller;
	answer->req.app = &answer->app;
	strcpy(answer->req.id, "0123456789abcdef");
	resp_init(&answer->resp);
	page_fault(&answer->req, &answer->resp, &fault);
}

static void
answer_free(struct answer *answer)
{
	resp_free(&answer->resp);
	json_object_put(answer->app.assets);
	arena_free(answer->arena);
	mustache_set_free(answer->templates);
}

static const char *
header(const struct resp *resp, const char *name)
{
	for (size_t i = 0; i < resp->headers_count; i++)
		if (strcmp(resp->headers[i].name, name) == 0)
			return resp->headers[i].value;
	return "";
}

static void
test_pages_send_a_stranger_to_log_in(void **state)
{
	struct answer answer;

	(void)state;
	answer_fault(&answer, METHOD_GET, "/plants/a%2Fb?filter=x&y=1",
		RC_UNAUTHENTICATED);
	assert_int_equal(answer.resp.status, 303);
	assert_string_equal(header(&answer.resp, "Location"),
		"/login?next=%2Fplants%2Fa%252Fb%3Ffilter%3Dx%26y%3D1");
	assert_string_equal(header(&answer.resp, "Cache-Control"), "no-store");
	answer_free(&answer);
}

static void
test_pages_say_what_went_wrong(void **state)
{
	static const struct {
		enum rc rc;
		int status;
		const char *words;
	} cases[] = {
		{RC_NOT_FOUND, 404, "Not found"},
		{RC_DENIED, 403, "Not allowed"},
		{RC_BAD_INPUT, 400, "Not understood"},
		{RC_UNAVAILABLE, 503, "Data Storage is out of reach"},
		{RC_DB, 500, "Something went wrong"},
		{RC_UNPROCESSABLE, 422, "Something went wrong"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct answer answer;
		const char *body;

		answer_fault(&answer, METHOD_GET, "/x?<y>", cases[i].rc);
		body = answer.resp.body.data;
		assert_int_equal(answer.resp.status, cases[i].status);
		assert_non_null(strstr(body, cases[i].words));
		assert_non_null(strstr(body, "0123456789abcdef"));
		assert_true((strstr(body, "href=\"/x?&lt;y&gt;\"") != NULL) ==
			    (cases[i].status >= 500));
		answer_free(&answer);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages_render_with_an_empty_view),
		cmocka_unit_test(
			test_pages_hold_no_raw_value_and_nothing_inline),
		cmocka_unit_test(test_pages_are_as_the_golden_files),
		cmocka_unit_test(test_pages_send_a_stranger_to_log_in),
		cmocka_unit_test(test_pages_say_what_went_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
