/*
 * screen: a process picture of a datasource, an SVG with bindings.
 *
 * A picture comes from outside and is shown inside of a page, so only what
 * the allow-list of screen_clean knows gets into the table.
 */
#ifndef FG_MODEL_SCREEN_H
#define FG_MODEL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/db.h"

#define SCREEN_BYTES_MAX   ((size_t)1024 * 1024)
#define SCREEN_TITLE_BYTES 128

struct screen {
	int64_t datasource_id;
	const char *name; /* a-z 0-9 -, part of the address */
	const char *title;
	const char *svg; /* NULL in a list */
};

struct screen_list {
	size_t count;
	const struct screen *items; /* by datasource, then by name */
};

extern const struct stmt screen_stmts[];

/* All screens of all datasources; rights are the caller's business.
 * Owns:  everything lives in "arena".  Fails: RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc screen_query(struct db *db, struct arena *arena,
	struct screen_list *list, struct fault *fault);

/* Fails: RC_NOT_FOUND, RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc screen_find(struct db *db, struct arena *arena,
	int64_t datasource_id, const char *name, struct screen *screen,
	struct fault *fault);

/* Store the screen, in place of one of the same name; its SVG must have gone
 * through screen_clean. Fails: RC_BAD_INPUT name or title; RC_DB. */
MUST_CHECK enum rc screen_put(
	struct db *db, const struct screen *screen, struct fault *fault);

/* Fails: RC_NOT_FOUND, RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc screen_delete(struct db *db, int64_t datasource_id,
	const char *name, struct fault *fault);

/*
 * Rewrite an SVG document with what is known to be harmless: drawing elements
 * and attributes, data-fg-* bindings, links within the site. A style attribute
 * becomes presentation attributes, what editors store for themselves is left
 * out ("dropped" counts it, may be NULL).
 * Fails: RC_BAD_INPUT "line:column: why": not XML, not SVG, a document type,
 *        script, foreignObject, style, image, animation, on*, a link to
 *        elsewhere, an id that begins with fg-; RC_TOO_LARGE.
 */
MUST_CHECK enum rc screen_clean(const char *svg, size_t length, struct buf *out,
	size_t *dropped, struct fault *fault);

/* The variables that the bindings of a picture name, in the order in which
 * they come; lives in "arena". "svg" is what screen_clean wrote. */
const char **screen_bindings(
	struct arena *arena, const char *svg, size_t *count);

/* The picture without the names that "shown" says no to; lives in "arena". */
const char *screen_restrict(struct arena *arena, const char *svg,
	bool (*shown)(const void *context, const char *variable),
	const void *context);

#endif
