/* page: what every page does around its own content. */

#include "web/page.h"

#include <json-c/json.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/utf8.h"
#include "model/caller.h"
#include "web/view.h"

/* More plants than this go into a menu. */
#define NAVIGATION_PLANTS 6

/* --- the view ---------------------------------------------------------- */

static void
add_user(struct req *req, struct json_object *view)
{
	const struct caller *caller = req->caller;
	struct json_object *user;
	size_t bytes;

	if (caller->kind != CALLER_USER)
		return;
	user = view_object(view, "user");
	bytes = utf8_sequence(caller->name, strlen(caller->name));
	view_str(user, "name", caller->name);
	view_str(user, "initial",
		arena_strndup(req->arena, caller->name, bytes));
	view_bool(user, "administrator", caller->administrator);
	view_str(user, "csrf", caller->csrf);
}

/* What the layout needs of everyone. */
static struct json_object *
base_view(struct req *req)
{
	const struct web_app *app = req->app;
	struct json_object *view = view_new(req->arena);

	view_share(view, "asset", app->assets);
	view_str(view, "version", FG_VERSION);
	view_str(view, "site", app->site);
	view_str(view, "zone", app->zone);
	add_user(req, view);
	return view;
}

/* --- plants ------------------------------------------------------------ */

static void
keep_visible(struct req *req, struct page *page)
{
	struct datasource *seen =
		arena_array(req->arena, page->plants.count + 1, sizeof(*seen));
	size_t count = 0;

	for (size_t i = 0; i < page->plants.count; i++)
		if (policy_sees(page->policy, page->plants.items[i].id))
			seen[count++] = page->plants.items[i];
	page->plants.items = seen;
	page->plants.count = count;
}

enum rc
page_begin(struct req *req, struct page *page)
{
	enum rc rc;

	page->view = base_view(req);
	rc = policy_of(req, &page->policy);
	if (rc == RC_OK)
		rc = datasource_query(
			req->db, req->arena, &page->plants, &req->fault);
	if (rc == RC_OK)
		rc = screen_query(
			req->db, req->arena, &page->screens, &req->fault);
	if (rc == RC_OK)
		keep_visible(req, page);
	return rc;
}

void
page_navigate(struct req *req, struct page *page, enum page_place place,
	const struct datasource *plant)
{
	struct json_object *list = view_list(page->view, "plants");
	struct fault why;

	view_bool(page->view, "at_overview", place == PAGE_OVERVIEW);
	view_bool(page->view, "at_trend", place == PAGE_TREND);
	view_bool(page->view, "at_admin", place == PAGE_ADMIN);
	view_bool(page->view, "administration",
		policy_check_administrator(page->policy, &why) == RC_OK);
	view_bool(page->view, "many_plants",
		page->plants.count > NAVIGATION_PLANTS);
	for (size_t i = 0; i < page->plants.count; i++) {
		const struct datasource *item = &page->plants.items[i];
		struct json_object *link = view_object(list, NULL);

		view_str(link, "id", item->uuid_text);
		view_str(link, "name", item->name);
		view_str(link, "url", page_plant_url(req, page, item));
		view_str(link, "current", item == plant ? "true" : NULL);
	}
}

enum rc
page_plant(struct req *req, struct page *page, const struct datasource **plant)
{
	uint8_t uuid[UUID_BYTES];
	enum rc rc = req_arg_uuid(req, "ds", uuid);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < page->plants.count; i++)
		if (memcmp(page->plants.items[i].uuid, uuid, UUID_BYTES) == 0) {
			*plant = &page->plants.items[i];
			return RC_OK;
		}
	return fault_set(&req->fault, RC_NOT_FOUND,
		"no such plant, or not for this caller");
}

static void
add_screens(struct req *req, struct page *page, const struct datasource *plant,
	const char *screen)
{
	struct json_object *list = view_list(page->view, "screens");
	size_t count = 0;

	for (size_t i = 0; i < page->screens.count; i++) {
		const struct screen *item = &page->screens.items[i];
		struct json_object *link;

		if (item->datasource_id != plant->id)
			continue;
		link = view_object(list, NULL);
		view_str(link, "title", item->title);
		view_str(link, "url", page_screen_url(req, plant, item->name));
		view_bool(link, "current",
			screen != NULL && strcmp(screen, item->name) == 0);
		count++;
	}
	view_bool(page->view, "has_screens", count > 0);
}

/* A list of which nothing may be read has no tab. */
static void
add_tabs(struct page *page, const struct datasource *plant, enum page_tab tab)
{
	struct json_object *view = page->view;

	view_bool(view, "at_variables", tab == PAGE_VARIABLES);
	view_bool(view, "at_alarms", tab == PAGE_ALARMS);
	view_bool(view, "at_events", tab == PAGE_EVENTS);
	view_bool(view, "at_figures", tab == PAGE_FIGURES);
	view_bool(view, "has_alarms",
		policy_touches(page->policy, plant->id, POLICY_READ_ALARMS));
	view_bool(view, "has_events",
		policy_touches(page->policy, plant->id, POLICY_READ_EVENTS));
}

enum rc
page_open_plant(struct req *req, struct page *page, enum page_tab tab,
	const char *screen, const struct datasource **plant)
{
	struct json_object *object;
	enum rc rc = page_begin(req, page);

	if (rc == RC_OK)
		rc = page_plant(req, page, plant);
	if (rc != RC_OK)
		return rc;
	page_navigate(req, page, PAGE_PLANT, *plant);
	object = view_object(page->view, "plant");
	view_str(object, "id", (*plant)->uuid_text);
	view_str(object, "name", (*plant)->name);
	view_str(object, "description", (*plant)->description);
	view_bool(object, "online", (*plant)->online);
	view_str(object, "variables_url", page_variables_url(req, *plant));
	add_screens(req, page, *plant, screen);
	add_tabs(page, *plant, tab);
	return RC_OK;
}

bool
page_may_read(const struct page *page, const struct variable *variable)
{
	return policy_may(page->policy, variable, POLICY_READ_VALUES);
}

/* --- addresses --------------------------------------------------------- */

const char *
page_variables_url(struct req *req, const struct datasource *plant)
{
	return arena_printf(req->arena, "/plants/%s", plant->uuid_text);
}

const char *
page_screen_url(
	struct req *req, const struct datasource *plant, const char *screen)
{
	return arena_printf(req->arena, "/plants/%s/screens/%s",
		plant->uuid_text, percent_encode(req->arena, screen));
}

const char *
page_trend_url(
	struct req *req, const struct datasource *plant, const char *variable)
{
	return arena_printf(req->arena, "/trend?v=%s:%s", plant->uuid_text,
		percent_encode(req->arena, variable));
}

const char *
page_plant_url(struct req *req, const struct page *page,
	const struct datasource *plant)
{
	for (size_t i = 0; i < page->screens.count; i++)
		if (page->screens.items[i].datasource_id == plant->id)
			return page_screen_url(
				req, plant, page->screens.items[i].name);
	return page_variables_url(req, plant);
}

/* --- answers ----------------------------------------------------------- */

static enum rc
answer(struct req *req, struct resp *resp, int status, const char *name,
	struct json_object *view)
{
	const struct web_app *app = req->app;
	struct fault fault;

	resp_header(resp, "Cache-Control", "no-store");
	if (mustache_render(app->templates, name, view, resp_html(resp, status),
		    &fault) != RC_OK)
		return fault_set(&req->fault, RC_BUG, "%s", fault.text);
	return RC_OK;
}

enum rc
page_render(struct req *req, struct resp *resp, const struct page *page,
	const char *name)
{
	return answer(req, resp, 200, name, page->view);
}

/* What a person is told about a fault, and what to do about it. */
static const struct {
	int status;
	const char *title;
	const char *message;
	const char *advice;
} fault_words[] = {
	{400, "Not understood", "The address has a part that is not valid.",
		"Go back, or start from the overview."},
	{403, "Not allowed", "You have no right to see this page.",
		"An administrator can give it to you."},
	{404, "Not found",
		"There is no such page, or you have no right to see it.",
		"The address may be old: a plant or a screen may have been "
		"renamed or removed."},
	{503, "Data Storage is out of reach",
		"The database does not answer, so this page has nothing true "
		"to show.",
		"Nothing is lost: the agents at the plants keep their samples "
		"and send them when it is back. Try again in some seconds."},
	{500, "Something went wrong",
		"The page could not be made; the reason is in the server's "
		"log.",
		"Try again. If it stays, give the request number below to an "
		"administrator."},
};

static struct json_object *
fault_view(struct req *req, int status)
{
	struct json_object *view = base_view(req);
	struct json_object *object = view_object(view, "fault");
	size_t i = 0;

	while (i + 1 < ARRAY_LENGTH(fault_words) &&
		fault_words[i].status != status)
		i++;
	view_int(object, "status", status);
	view_str(object, "title", fault_words[i].title);
	view_str(object, "message", fault_words[i].message);
	view_str(object, "advice", fault_words[i].advice);
	view_str(object, "request", req->id);
	view_time(object, "time", clock_now_us());
	if (status >= 500 && req->method == METHOD_GET)
		view_str(object, "retry",
			arena_printf(req->arena, "%s%s%s", req->path,
				*req->query ? "?" : "", req->query));
	return view;
}

/* Only a path of this site: what the login page accepts as "next". */
static void
send_to_login(struct req *req, struct resp *resp)
{
	const char *next = arena_printf(req->arena, "%s%s%s", req->path,
		*req->query ? "?" : "", req->query);

	resp_header(resp, "Cache-Control", "no-store");
	resp_redirect(resp, arena_printf(req->arena, "/login?next=%s",
				    percent_encode(req->arena, next)));
}

void
page_fault(struct req *req, struct resp *resp, const struct fault *fault)
{
	int status = fault_public(fault->rc)->status;

	if (fault->rc == RC_UNAUTHENTICATED && req->method == METHOD_GET) {
		send_to_login(req, resp);
		return;
	}
	if (answer(req, resp, status, "fault", fault_view(req, status)) !=
		RC_OK)
		resp_fault(resp, fault);
}
