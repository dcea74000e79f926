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

enum rc
page_screens(struct req *req, struct resp *resp)
{
	const struct datasource *plant;
	struct page page;
	enum rc rc = page_begin(req, &page);

	if (rc == RC_OK)
		rc = page_plant(req, &page, &plant);
	if (rc != RC_OK)
		return rc;
	resp_redirect(resp, page_plant_url(req, &page, plant));
	return RC_OK;
}
