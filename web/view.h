/*
 * view: what a template sees, a json-c object that lives in an arena.
 *
 * Inside a list the key is NULL.
 */
#ifndef FG_WEB_VIEW_H
#define FG_WEB_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"

struct json_object;

struct json_object *view_new(struct arena *arena);

/* NULL text is null: false in a section, nothing as a value. */
void view_str(struct json_object *view, const char *key, const char *text);
void view_int(struct json_object *view, const char *key, int64_t number);
void view_bool(struct json_object *view, const char *key, bool truth);
/* ISO 8601 UTC; CLOCK_NEVER is null. */
void view_time(struct json_object *view, const char *key, int64_t time_us);

/* A new object or list inside of "view". */
struct json_object *view_object(struct json_object *view, const char *key);
struct json_object *view_list(struct json_object *view, const char *key);

/* Something that has an owner already, seen from here too. */
void view_share(
	struct json_object *view, const char *key, struct json_object *object);

#endif
