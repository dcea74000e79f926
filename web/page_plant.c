/* page_plant: all variables of a plant, and its screens. */

#include <stdlib.h>
#include <string.h>

#include "web/page.h"
#include "web/view.h"
#include "web/web_routes.h"

/* --- variables --------------------------------------------------------- */

static void
add_variable(struct req *req, struct json_object *list,
	const struct datasource *plant, const struct variable *variable)
{
	struct json_object *row = view_object(list, NULL);

	view_str(row, "name", variable->name);
	view_str(row, "type", variable_kind_name(variable->kind));
	view_str(row, "unit", variable->unit);
	view_int(row, "decimals", variable->decimals);
	view_bool(row, "stepped", variable->stepped);
	view_str(row, "description", variable->description);
	view_str(row, "trend", page_trend_url(req, plant, variable->name));
}

static enum rc
add_variables(
	struct req *req, struct page *page, const struct datasource *plant)
{
	static const char *const all[] = {"*"};
	struct json_object *list = view_list(page->view, "variables");
	struct variable_list found;
	int64_t count = 0;
	enum rc rc = variable_query(
		req->db, req->arena, plant->id, all, 1, &found, &req->fault);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < found.count; i++)
		if (page_may_read(page, &found.items[i])) {
			add_variable(req, list, plant, &found.items[i]);
			count++;
		}
	view_int(page->view, "variables_count", count);
	view_bool(page->view, "has_variables", count > 0);
	return RC_OK;
}

enum rc
page_variables(struct req *req, struct resp *resp)
{
	const struct datasource *plant;
	struct pairs query;
	struct page page;
	enum rc rc;

	rc = req_query(req, &query);
	if (rc == RC_OK)
		rc = page_open_plant(req, &page, PAGE_VARIABLES, NULL, &plant);
	if (rc == RC_OK)
		rc = add_variables(req, &page, plant);
	if (rc != RC_OK)
		return rc;
	view_str(page.view, "filter", pairs_find(&query, "filter"));
	return page_render(req, resp, &page, "plant");
}

/* --- screens ----------------------------------------------------------- */

static int
by_name(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Names that the viewer may read, in order. */
struct known {
	const char **names;
	size_t count;
};

static bool
is_known(const void *context, const char *variable)
{
	const struct known *known = context;

	return bsearch(&variable, known->names, known->count,
		       sizeof(*known->names), by_name) != NULL;
}

/* A picture names variables; what the viewer may not read is not named. */
static enum rc
restrict_screen(struct req *req, const struct page *page,
	const struct datasource *plant, struct screen *screen)
{
	size_t bound;
	const char **names = screen_bindings(req->arena, screen->svg, &bound);
	struct variable_list found;
	struct known known = {.count = 0};
	enum rc rc = variable_query_names(req->db, req->arena, plant->id, names,
		bound, &found, &req->fault);

	if (rc != RC_OK)
		return rc;
	known.names =
		arena_array(req->arena, found.count, sizeof(*known.names));
	for (size_t i = 0; i < found.count; i++)
		if (page_may_read(page, &found.items[i]))
			known.names[known.count++] = found.items[i].name;
	qsort(known.names, known.count, sizeof(*known.names), by_name);
	screen->svg =
		screen_restrict(req->arena, screen->svg, is_known, &known);
	return RC_OK;
}

enum rc
page_screen(struct req *req, struct resp *resp)
{
	const char *name = req_arg(req, "name");
	const struct datasource *plant;
	struct json_object *object;
	struct screen screen;
	struct page page;
	enum rc rc;

	rc = page_open_plant(req, &page, PAGE_SCREEN, name, &plant);
	if (rc == RC_OK)
		rc = screen_find(req->db, req->arena, plant->id, name, &screen,
			&req->fault);
	if (rc == RC_OK)
		rc = restrict_screen(req, &page, plant, &screen);
	if (rc != RC_OK)
		return rc;
	object = view_object(page.view, "screen");
	view_str(object, "name", screen.name);
	view_str(object, "title", screen.title);
	view_str(object, "svg", screen.svg);
	return page_render(req, resp, &page, "screen");
}

/* The first screen of the plant that shows "variable", or its first one. */
static enum rc
find_screen(struct req *req, const struct page *page,
	const struct datasource *plant, const char *variable, const char **name)
{
	*name = NULL;
	for (size_t i = 0; i < page->screens.count; i++) {
		struct screen screen = page->screens.items[i];
		const char **names;
		size_t count;
		enum rc rc;

		if (screen.datasource_id != plant->id)
			continue;
		if (*name == NULL)
			*name = screen.name;
		rc = screen_find(req->db, req->arena, plant->id, screen.name,
			&screen, &req->fault);
		if (rc != RC_OK)
			return rc;
		names = screen_bindings(req->arena, screen.svg, &count);
		for (size_t j = 0; j < count; j++)
			if (strcmp(names[j], variable) == 0) {
				*name = screen.name;
				return RC_OK;
			}
	}
	return RC_OK;
}

/* Whose variable cannot be read goes where it would go without it. */
static enum rc
variable_url(struct req *req, const struct page *page,
	const struct datasource *plant, const char *variable, const char **url)
{
	struct variable_list found;
	const char *name = NULL;
	enum rc rc = variable_query_names(req->db, req->arena, plant->id,
		&variable, 1, &found, &req->fault);

	*url = page_plant_url(req, page, plant);
	if (rc != RC_OK || found.count == 0 ||
		!page_may_read(page, &found.items[0]))
		return rc;
	rc = find_screen(req, page, plant, variable, &name);
	if (rc == RC_OK && name != NULL)
		*url = arena_printf(req->arena, "%s#v=%s",
			page_screen_url(req, plant, name),
			percent_encode(req->arena, variable));
	return rc;
}

enum rc
page_screens(struct req *req, struct resp *resp)
{
	const struct datasource *plant;
	const char *variable, *url;
	struct pairs query;
	struct page page;
	enum rc rc = req_query(req, &query);

	if (rc == RC_OK)
		rc = page_begin(req, &page);
	if (rc == RC_OK)
		rc = page_plant(req, &page, &plant);
	if (rc != RC_OK)
		return rc;
	variable = pairs_find(&query, "v");
	if (variable == NULL)
		url = page_plant_url(req, &page, plant);
	else
		rc = variable_url(req, &page, plant, variable, &url);
	if (rc == RC_OK)
		resp_redirect(resp, url);
	return rc;
}
