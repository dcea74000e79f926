/* view: what a template sees. */

#include "web/view.h"

#include <json-c/json.h>

#include "lib/clock.h"

static void
put_object(void *object)
{
	json_object_put(object);
}

struct json_object *
view_new(struct arena *arena)
{
	struct json_object *view = json_object_new_object();

	arena_defer(arena, put_object, view);
	return view;
}

static void
add(struct json_object *view, const char *key, struct json_object *value)
{
	if (key == NULL)
		json_object_array_add(view, value);
	else
		json_object_object_add(view, key, value);
}

void
view_str(struct json_object *view, const char *key, const char *text)
{
	add(view, key, text == NULL ? NULL : json_object_new_string(text));
}

void
view_int(struct json_object *view, const char *key, int64_t number)
{
	add(view, key, json_object_new_int64(number));
}

void
view_bool(struct json_object *view, const char *key, bool truth)
{
	add(view, key, json_object_new_boolean(truth));
}

void
view_time(struct json_object *view, const char *key, int64_t time_us)
{
	char text[CLOCK_TEXT_BYTES];

	if (time_us == CLOCK_NEVER) {
		view_str(view, key, NULL);
		return;
	}
	/* Whole seconds are enough for a person. */
	clock_format(text, time_us - time_us % CLOCK_SECOND_US);
	view_str(view, key, text);
}

struct json_object *
view_object(struct json_object *view, const char *key)
{
	struct json_object *object = json_object_new_object();

	add(view, key, object);
	return object;
}

struct json_object *
view_list(struct json_object *view, const char *key)
{
	struct json_object *list = json_object_new_array();

	add(view, key, list);
	return list;
}

void
view_share(
	struct json_object *view, const char *key, struct json_object *object)
{
	add(view, key, json_object_get(object));
}
