/* hub_declared: what a node's declaration of variables changed. */

#include "fcgi/hub_declared.h"

#include <stdlib.h>
#include <string.h>

#include "lib/jsonw.h"
#include "model/audit.h"

/* Names in one row; the counts are of all. */
#define NAMES_MAX 100

struct changes {
	struct jsonw *before; /* access flags by name */
	struct jsonw *after;
	int64_t added;
	int64_t changed;
};

static int
compare_ids(const void *left, const void *right)
{
	const struct variable *one = left;
	const struct variable *other = right;

	return (one->id > other->id) - (one->id < other->id);
}

static const struct variable *
find(const struct variable_list *list, int32_t id)
{
	const struct variable key = {.id = id};

	return bsearch(&key, list->items, list->count, sizeof(*list->items),
		compare_ids);
}

static void
add(struct changes *changes, const struct variable *was,
	const struct variable *is)
{
	bool shown = changes->added + changes->changed < NAMES_MAX;

	if (was != NULL)
		changes->changed++;
	else
		changes->added++;
	if (!shown)
		return;
	if (was != NULL)
		jsonw_str(changes->before, is->name,
			variable_access_name(was->access));
	jsonw_str(changes->after, is->name, variable_access_name(is->access));
}

static struct variable_list
sorted(struct arena *arena, const struct variable_list *list)
{
	struct variable *items =
		arena_memdup(arena, list->items, list->count * sizeof(*items));

	qsort(items, list->count, sizeof(*items), compare_ids);
	return (struct variable_list){list->count, items};
}

static struct jsonw *
open_values(struct arena *arena)
{
	struct jsonw *json = jsonw_in(arena);

	jsonw_open_obj(json, NULL);
	jsonw_open_obj(json, "access");
	return json;
}

enum rc
hub_declared_audit(struct req *req, const char *datasource,
	const struct variable_list *before, const struct variable_list *after)
{
	const struct variable_list known = sorted(req->arena, before);
	struct changes changes = {.before = open_values(req->arena),
		.after = open_values(req->arena)};

	for (size_t i = 0; i < after->count; i++) {
		const struct variable *is = &after->items[i];
		const struct variable *was = find(&known, is->id);

		if (was == NULL || was->access != is->access)
			add(&changes, was, is);
	}
	if (changes.added + changes.changed == 0)
		return RC_OK;
	jsonw_close_obj(changes.before);
	jsonw_close_obj(changes.before);
	jsonw_close_obj(changes.after);
	jsonw_int(changes.after, "added", changes.added);
	jsonw_int(changes.after, "changed", changes.changed);
	jsonw_close_obj(changes.after);
	return audit_write(req, &(struct audit){.action = "variable.declare",
					.object = arena_printf(req->arena,
						"datasource:%s", datasource),
					.result = AUDIT_OK,
					.before = changes.before->out->data,
					.after = changes.after->out->data});
}
