/* mustache: the set of templates. */

#include "lib/mustache.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/log.h"
#include "lib/mustache_node.h"

#define SUFFIX             ".mustache"
#define TEMPLATE_BYTES_MAX ((size_t)1024 * 1024)
#define FOLDERS_DEPTH_MAX  8

struct page_template {
	struct arena *arena;
	const char *name;
	struct node *nodes;
};

struct mustache_set {
	struct page_template *items; /* sorted by name */
	size_t count;
};

struct mustache_set *
mustache_set_new(void)
{
	struct mustache_set *set = calloc(1, sizeof(*set));

	if (set == NULL) {
		log_error(NULL, "out of memory");
		abort();
	}
	return set;
}

void
mustache_set_free(struct mustache_set *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->count; i++)
		arena_free(set->items[i].arena);
	free(set->items);
	free(set);
}

static int
compare_names(const void *left, const void *right)
{
	const struct page_template *a = left;
	const struct page_template *b = right;

	return strcmp(a->name, b->name);
}

static struct page_template *
search(const struct mustache_set *set, const char *name)
{
	const struct page_template key = {.name = name};

	if (set->count == 0)
		return NULL;
	return bsearch(&key, set->items, set->count, sizeof(*set->items),
		compare_names);
}

bool
mustache_set_find(const struct mustache_set *set, const char *name,
	const struct node **nodes)
{
	const struct page_template *found = search(set, name);

	if (found == NULL)
		return false;
	*nodes = found->nodes;
	return true;
}

static void
insert(struct mustache_set *set, struct page_template item)
{
	struct page_template *items =
		realloc(set->items, (set->count + 1) * sizeof(*items));

	if (items == NULL) {
		log_error(NULL, "out of memory");
		abort();
	}
	items[set->count++] = item;
	qsort(items, set->count, sizeof(*items), compare_names);
	set->items = items;
}

enum rc
mustache_set_add(struct mustache_set *set, const char *name, const char *text,
	size_t length, struct fault *fault)
{
	struct page_template item = {.arena = arena_new()};
	struct page_template *old;
	enum rc rc;

	item.name = arena_strdup(item.arena, name);
	rc = mustache_compile(item.arena, item.name,
		arena_strndup(item.arena, text, length), length, &item.nodes,
		fault);
	if (rc != RC_OK) {
		arena_free(item.arena);
		return rc;
	}
	old = search(set, name);
	if (old != NULL) {
		arena_free(old->arena);
		*old = item;
	} else {
		insert(set, item);
	}
	return RC_OK;
}

/* --- files ------------------------------------------------------------- */

static enum rc
load_file(struct mustache_set *set, struct arena *arena, const char *path,
	const char *name, struct fault *fault)
{
	char *text = arena_alloc(arena, TEMPLATE_BYTES_MAX + 1);
	FILE *file = fopen(path, "r");
	size_t length;
	bool failed;

	if (file == NULL)
		return fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
	length = fread(text, 1, TEMPLATE_BYTES_MAX + 1, file);
	failed = ferror(file) != 0;
	fclose(file);
	if (failed)
		return fault_set(fault, RC_IO, "%s: cannot be read", path);
	if (length > TEMPLATE_BYTES_MAX)
		return fault_set(fault, RC_BAD_INPUT, "%s:1:1: larger than %zu",
			path, TEMPLATE_BYTES_MAX);
	return mustache_set_add(set, name, text, length, fault);
}

static bool
has_suffix(const char *name)
{
	size_t length = strlen(name);

	return length > strlen(SUFFIX) &&
	       strcmp(name + length - strlen(SUFFIX), SUFFIX) == 0;
}

static enum rc load_folder(struct mustache_set *set, const char *folder,
	const char *prefix, int depth, struct fault *fault);

static enum rc
load_entry(struct mustache_set *set, const char *folder, const char *prefix,
	const char *entry, int depth, struct fault *fault)
{
	struct arena *arena;
	struct stat status;
	char *path;
	enum rc rc = RC_OK;

	if (entry[0] == '.')
		return RC_OK;
	arena = arena_new();
	path = arena_printf(arena, "%s/%s", folder, entry);
	if (stat(path, &status) != 0)
		rc = fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
	else if (S_ISDIR(status.st_mode))
		rc = load_folder(set, path,
			arena_printf(arena, "%s%s/", prefix, entry), depth + 1,
			fault);
	else if (has_suffix(entry))
		rc = load_file(set, arena, path,
			arena_printf(arena, "%s%.*s", prefix,
				(int)(strlen(entry) - strlen(SUFFIX)), entry),
			fault);
	arena_free(arena);
	return rc;
}

static enum rc
load_folder(struct mustache_set *set, const char *folder, const char *prefix,
	int depth, struct fault *fault)
{
	struct dirent *entry;
	enum rc rc = RC_OK;
	DIR *dir;

	if (depth > FOLDERS_DEPTH_MAX)
		return fault_set(fault, RC_IO, "%s: too deep", folder);
	dir = opendir(folder);
	if (dir == NULL)
		return fault_set(
			fault, RC_IO, "%s: %s", folder, strerror(errno));
	while (rc == RC_OK && (entry = readdir(dir)) != NULL)
		rc = load_entry(
			set, folder, prefix, entry->d_name, depth, fault);
	closedir(dir);
	return rc;
}

enum rc
mustache_set_load(
	const char *folder, struct mustache_set **set, struct fault *fault)
{
	struct mustache_set *made = mustache_set_new();
	enum rc rc = load_folder(made, folder, "", 0, fault);

	if (rc == RC_OK)
		rc = mustache_set_check(made, fault);
	if (rc != RC_OK) {
		mustache_set_free(made);
		return rc;
	}
	*set = made;
	return RC_OK;
}

/* --- names ------------------------------------------------------------- */

static enum rc
check_nodes(const struct mustache_set *set, const char *name,
	const struct node *nodes, struct fault *fault)
{
	for (; nodes != NULL; nodes = nodes->next) {
		enum rc rc;

		if ((nodes->kind == NODE_PARTIAL ||
			    nodes->kind == NODE_PARENT) &&
			!nodes->dynamic && search(set, nodes->name) == NULL)
			return fault_set(fault, RC_BAD_INPUT,
				"%s:%zu:%zu: no template \"%s\"", name,
				nodes->line, nodes->column, nodes->name);
		rc = check_nodes(set, name, nodes->children, fault);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

enum rc
mustache_set_check(const struct mustache_set *set, struct fault *fault)
{
	for (size_t i = 0; i < set->count; i++) {
		enum rc rc = check_nodes(
			set, set->items[i].name, set->items[i].nodes, fault);

		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

size_t
mustache_set_count(const struct mustache_set *set)
{
	return set->count;
}

const char *
mustache_set_name(const struct mustache_set *set, size_t i)
{
	return set->items[i].name;
}
