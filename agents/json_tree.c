/* json_tree: many paths looked up in one pass over a JSON text. */

#include "agents/json_tree.h"

#include <stdlib.h>
#include <string.h>

#define STEPS_MAX JSONR_DEPTH_MAX
#define INDEX_MAX 1000000

void
json_tree_init(struct json_tree *tree)
{
	memset(tree, 0, sizeof(*tree));
	tree->root.leaf = SIZE_MAX;
	buf_init(&tree->texts, 0);
}

void
json_tree_free(struct json_tree *tree)
{
	free(tree->leaves);
	buf_free(&tree->texts);
}

/* --- paths --------------------------------------------------------------- */

/* A path being taken apart. */
struct route {
	struct arena *arena;
	const char *path;
	const char *at;
	struct fault *fault;
};

struct path_step {
	const char *key; /* NULL: an index */
	size_t index;
};

static enum rc
refuse(const struct route *route, const char *why)
{
	return fault_set(route->fault, RC_BAD_INPUT,
		"path \"%.80s\", character %zu: %s", route->path,
		(size_t)(route->at - route->path) + 1, why);
}

static enum rc
take_index(struct route *route, struct path_step *one)
{
	char *end;
	unsigned long index = strtoul(route->at, &end, 10);

	if (*route->at < '0' || *route->at > '9' || index > INDEX_MAX ||
		*end != ']')
		return refuse(route, "needs a number below 1000000 and ]");
	*one = (struct path_step){.index = index};
	route->at = end + 1;
	return RC_OK;
}

/* From behind `["` or `['`; the quote in the key is written with a \. */
static enum rc
take_quoted(struct route *route, struct path_step *one)
{
	char *key = arena_alloc(route->arena, strlen(route->at) + 1);
	char quote = *route->at++;
	size_t length = 0;

	for (; *route->at != '\0' && *route->at != quote; route->at++) {
		if (*route->at == '\\' && route->at[1] != '\0')
			route->at++;
		key[length++] = *route->at;
	}
	if (route->at[0] != quote || route->at[1] != ']')
		return refuse(route, "a quote and ] are missing");
	*one = (struct path_step){.key = key};
	route->at += 2;
	return RC_OK;
}

static enum rc
take_plain(struct route *route, struct path_step *one)
{
	size_t length = strcspn(route->at, ".[");

	if (length == 0)
		return refuse(route, "a name is missing");
	*one = (struct path_step){
		.key = arena_strndup(route->arena, route->at, length)};
	route->at += length;
	return RC_OK;
}

/* What stands at the start of a path, or behind a step. */
static enum rc
take_step(struct route *route, bool first, struct path_step *one)
{
	if (*route->at == '[' &&
		(route->at[1] == '"' || route->at[1] == '\'')) {
		route->at++;
		return take_quoted(route, one);
	}
	if (*route->at == '[') {
		route->at++;
		return take_index(route, one);
	}
	if (!first && *route->at != '.')
		return refuse(route, "must be . or [");
	route->at += !first;
	return take_plain(route, one);
}

static bool
is_same(const struct json_tree_node *node, const struct path_step *one)
{
	if (node->key == NULL || one->key == NULL)
		return node->key == one->key && node->index == one->index;
	return strcmp(node->key, one->key) == 0;
}

static struct json_tree_node *
descend(struct route *route, struct json_tree_node *parent,
	const struct path_step *one)
{
	struct json_tree_node **place = &parent->child;

	while (*place != NULL && !is_same(*place, one))
		place = &(*place)->next;
	if (*place == NULL) {
		*place = arena_alloc(route->arena, sizeof(**place));
		(*place)->key = one->key;
		(*place)->index = one->index;
		(*place)->leaf = SIZE_MAX;
	}
	return *place;
}

static size_t
new_leaf(struct json_tree *tree)
{
	if (tree->count == tree->capacity) {
		tree->capacity = tree->capacity * 2 + 4;
		tree->leaves = realloc(
			tree->leaves, tree->capacity * sizeof(*tree->leaves));
		if (tree->leaves == NULL)
			abort();
	}
	return tree->count++;
}

enum rc
json_tree_add(struct json_tree *tree, struct arena *arena, const char *path,
	size_t *leaf, struct fault *fault)
{
	struct route route = {
		.arena = arena, .path = path, .at = path, .fault = fault};
	struct json_tree_node *node = &tree->root;
	bool first = true;

	if (path[0] == '$' && (path[1] == '\0' || strchr(".[", path[1]))) {
		route.at++;
		first = false;
	}
	for (size_t steps = 0; first || *route.at != '\0'; steps++) {
		struct path_step one = {0};
		enum rc rc = take_step(&route, first, &one);

		if (rc != RC_OK)
			return rc;
		if (steps == STEPS_MAX)
			return refuse(&route, "is too deep");
		node = descend(&route, node, &one);
		first = false;
	}
	if (node->leaf == SIZE_MAX) {
		if (tree->count == JSON_TREE_LEAVES_MAX)
			return refuse(&route, "too many paths for one topic");
		node->leaf = new_leaf(tree);
	}
	*leaf = node->leaf;
	return RC_OK;
}

/* --- reading ------------------------------------------------------------- */

static void
keep_text(struct json_tree *tree, struct json_leaf *leaf, const char *text,
	size_t bytes)
{
	leaf->text = tree->texts.length;
	leaf->text_bytes = bytes;
	buf_add(&tree->texts, text, bytes);
	buf_char(&tree->texts, '\0');
}

static void
keep_leaf(struct json_tree *tree, const struct json_tree_node *node,
	const struct jsonr *json, enum jsonr_token token)
{
	struct json_leaf *leaf;

	if (node == NULL || node->leaf == SIZE_MAX)
		return;
	leaf = &tree->leaves[node->leaf];
	*leaf = (struct json_leaf){.token = token,
		.integer = json->integer,
		.number = json->number};
	if (token == JSONR_STRING)
		keep_text(tree, leaf, json->text.data, json->text.length);
	else if (token == JSONR_INT || token == JSONR_NUM)
		keep_text(tree, leaf, json->raw, json->raw_bytes);
}

/* Behind "last" first: messages have their keys in the same order each time,
 * and the list of variables often has them so too. */
static const struct json_tree_node *
find_key(const struct json_tree_node *parent, const struct json_tree_node *last,
	const struct buf *key)
{
	const struct json_tree_node *first =
		parent != NULL ? parent->child : NULL;
	const struct json_tree_node *start =
		last != NULL && last->next != NULL ? last->next : first;
	const struct json_tree_node *node = start;

	if (start == NULL)
		return NULL;
	do {
		if (node->key != NULL && strcmp(node->key, key->data) == 0)
			return node;
		node = node->next != NULL ? node->next : first;
	} while (node != start);
	return NULL;
}

static const struct json_tree_node *
find_index(const struct json_tree_node *parent, size_t index)
{
	const struct json_tree_node *node =
		parent != NULL ? parent->child : NULL;

	while (node != NULL && (node->key != NULL || node->index != index))
		node = node->next;
	return node;
}

/*
 * The value that starts with "token"; a NULL node is of no interest. The
 * reader refuses what is nested deeper than JSONR_DEPTH_MAX, which bounds the
 * recursion.
 */
static bool
read_value(struct json_tree *tree, struct jsonr *json,
	const struct json_tree_node *node, enum jsonr_token token)
{
	const struct json_tree_node *below;
	const struct json_tree_node *last = NULL;
	size_t index = 0;

	keep_leaf(tree, node, json, token);
	if (token == JSONR_OBJECT) {
		while ((token = jsonr_next(json)) == JSONR_KEY) {
			below = find_key(node, last, &json->text);
			last = below != NULL ? below : last;
			if (!read_value(tree, json, below, jsonr_next(json)))
				return false;
		}
		return token == JSONR_OBJECT_END;
	}
	if (token == JSONR_ARRAY) {
		while ((token = jsonr_next(json)) != JSONR_ARRAY_END) {
			below = find_index(node, index++);
			if (!read_value(tree, json, below, token))
				return false;
		}
		return true;
	}
	return token != JSONR_BROKEN && token != JSONR_END;
}

bool
json_tree_read(struct json_tree *tree, const char *text, size_t bytes)
{
	struct jsonr json;
	bool good;

	for (size_t i = 0; i < tree->count; i++)
		tree->leaves[i].token = JSONR_END;
	buf_clear(&tree->texts);
	jsonr_init(&json, text, bytes);
	good = read_value(tree, &json, &tree->root, jsonr_next(&json)) &&
	       jsonr_next(&json) == JSONR_END && !tree->texts.overflow;
	jsonr_free(&json);
	return good;
}

const char *
json_tree_text(const struct json_tree *tree, const struct json_leaf *leaf)
{
	return tree->texts.data + leaf->text;
}
