/*
 * mustache: the Mustache template language (github.com/mustache/spec 1.4:
 * comments, delimiters, interpolation, inverted, partials, sections,
 * ~inheritance, ~dynamic-names).
 *
 * A template is compiled once and rendered many times, by several threads if
 * need be. {{name}} escapes & < > " ' for HTML; {{{name}}} and {{&name}} do
 * not. False are null, false, "" and []; an object or a list as a value is
 * written as JSON. A block that a parent tag fills sees the arguments around
 * the place where its filling was written, so a card's title is not the page's.
 */
#ifndef FG_LIB_MUSTACHE_H
#define FG_LIB_MUSTACHE_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/fault.h"

struct json_object;
struct mustache;
struct mustache_set;

/*
 * Compile every *.mustache below "folder"; the name of a template is its path
 * there without the suffix, "page" or "part/_row", and partials are found by
 * that name. Freed by mustache_set_free.
 * Fails: RC_IO the folder; RC_BAD_INPUT "name:line:column: why", also for a
 *        partial that is not there.
 */
MUST_CHECK enum rc mustache_set_load(
	const char *folder, struct mustache_set **set, struct fault *fault);
void mustache_set_free(struct mustache_set *set);

/* An empty set, for tests and for templates that are not files. */
struct mustache_set *mustache_set_new(void);
/* Add or replace one template. Fails: RC_BAD_INPUT "name:line:column: why". */
MUST_CHECK enum rc mustache_set_add(struct mustache_set *set, const char *name,
	const char *text, size_t length, struct fault *fault);

/* Is every template there that another one names? The specification writes
 * nothing for a missing one; in our own pages it is a slip of the pen.
 * Fails: RC_BAD_INPUT "name:line:column: why". */
MUST_CHECK enum rc mustache_set_check(
	const struct mustache_set *set, struct fault *fault);

/* The names, sorted: i below count. */
size_t mustache_set_count(const struct mustache_set *set);
const char *mustache_set_name(const struct mustache_set *set, size_t i);

/*
 * Render template "name" with "view" (a json-c object; not changed) to "out".
 * Fails: RC_NOT_FOUND no such template; RC_BAD_INPUT partials nested deeper
 *        than 64; RC_TOO_LARGE "out" overflowed or loops never end.
 */
MUST_CHECK enum rc mustache_render(const struct mustache_set *set,
	const char *name, struct json_object *view, struct buf *out,
	struct fault *fault);

#endif
