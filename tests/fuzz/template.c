/* fuzz/template: any bytes as a template, with itself as a partial. */

#include <json-c/json.h>
#include <stdint.h>

#include "lib/mustache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static const char view_text[] =
	"{\"a\":{\"b\":{\"c\":[1,2.5,\"<x>\"]},\"n\":\"p\"},\"l\":[{\"a\":1},"
	"[true,null]],\"n\":\"p\",\"t\":true,\"s\":\"two\\nlines\"}";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static const char other[] = "  {{$a}}\n  x\n  {{/a}}\n{{$b}}{{/b}}\n";
	struct mustache_set *set = mustache_set_new();
	struct fault fault = {0};
	struct json_object *view;
	struct buf out;

	if (mustache_set_add(set, "p", (const char *)data, length, &fault) ==
			RC_OK &&
		mustache_set_add(set, "o", other, sizeof(other) - 1, &fault) ==
			RC_OK) {
		view = json_tokener_parse(view_text);
		buf_init(&out, 1024 * 1024);
		if (mustache_render(set, "p", view, &out, &fault) != RC_OK)
			buf_clear(&out);
		buf_free(&out);
		json_object_put(view);
	}
	mustache_set_free(set);
	return 0;
}
