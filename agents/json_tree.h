/*
 * json_tree: many paths looked up in one pass over a JSON text.
 *
 * A path names one value: `a.b`, `list[2].value`, `['a key.with dots'].x`;
 * `$` is the whole document, and `$.` may stand before any path.
 */
#ifndef FG_AGENTS_JSON_TREE_H
#define FG_AGENTS_JSON_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/fault.h"
#include "lib/jsonr.h"

#define JSON_TREE_LEAVES_MAX 10000

/* What a path led to; of objects and arrays only that they are there. */
struct json_leaf {
	enum jsonr_token token; /* JSONR_END: the path leads nowhere */
	int64_t integer;        /* JSONR_INT */
	double number;          /* JSONR_INT and JSONR_NUM */
	size_t text;            /* offset into tree->texts: strings, and numbers
				   as they are written */
	size_t text_bytes;
};

struct json_tree_node {
	const char *key; /* NULL: an index of an array */
	size_t index;
	size_t leaf; /* SIZE_MAX: no path ends here */
	struct json_tree_node *child;
	struct json_tree_node *next; /* below the same parent */
};

struct json_tree {
	struct json_tree_node root;
	size_t count;
	size_t capacity;
	struct json_leaf *leaves;
	struct buf texts;
};

void json_tree_init(struct json_tree *tree);
void json_tree_free(struct json_tree *tree);

/*
 * Add a path; the same path again gives the same leaf. Nodes live in "arena".
 * Fails: RC_BAD_INPUT the words say where the path is wrong.
 */
MUST_CHECK enum rc json_tree_add(struct json_tree *tree, struct arena *arena,
	const char *path, size_t *leaf, struct fault *fault);

/*
 * Fill the leaves from "text", behind which a zero byte stands. The last of
 * equal keys counts. False: it is no JSON, or deeper than JSONR_DEPTH_MAX.
 */
MUST_CHECK bool json_tree_read(
	struct json_tree *tree, const char *text, size_t bytes);

/* Zero-terminated; valid until the next read. */
const char *json_tree_text(
	const struct json_tree *tree, const struct json_leaf *leaf);

#endif
