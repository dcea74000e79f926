/*
 * mustache_node: a compiled template. Only for lib/mustache*.c.
 *
 * A template is a tree of nodes in one arena, never changed after it is
 * compiled, so that threads can render it at the same time.
 */
#ifndef FG_LIB_MUSTACHE_NODE_H
#define FG_LIB_MUSTACHE_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/arena.h"
#include "lib/fault.h"
#include "lib/mustache.h"

#define MUSTACHE_DEPTH_MAX 64

enum node_kind {
	NODE_LINE, /* a line of the template starts here: write the indent */
	NODE_TEXT,
	NODE_VALUE, /* {{name}} */
	NODE_RAW,   /* {{{name}}} {{&name}} */
	NODE_SECTION,
	NODE_INVERTED,
	NODE_PARTIAL,
	NODE_PARENT, /* children: the blocks that are its arguments */
	NODE_BLOCK,
};

struct span {
	const char *data;
	size_t length;
};

struct node {
	enum node_kind kind;
	struct span text; /* of NODE_TEXT */

	const char *name;        /* as written, without '*' */
	const char *const *path; /* the name split at its dots */
	size_t path_count;       /* 0 = "." */
	bool dynamic;            /* the name of the template is a value */

	/* Partial, parent: alone on its line, and "indent" stood before it.
	 * Block: opened alone on its line, and "indent" is what each line of
	 * its content starts with at this place. */
	bool standalone;
	struct span indent;

	size_t line;
	size_t column;
	struct node *children;
	struct node *next;
};

/*
 * Compile "text", which must live as long as "arena", into *nodes (NULL for an
 * empty template). Fails: RC_BAD_INPUT "name:line:column: why".
 */
MUST_CHECK enum rc mustache_compile(struct arena *arena, const char *name,
	const char *text, size_t length, struct node **nodes,
	struct fault *fault);

/* The template "name" of "set"; *nodes may be NULL. False = there is none. */
bool mustache_set_find(const struct mustache_set *set, const char *name,
	const struct node **nodes);

#endif
