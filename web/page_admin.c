/* page_admin: the frames of the administration; the browser fills them from
 * /api/v1/admin. */

#include <string.h>

#include "web/page.h"
#include "web/view.h"
#include "web/web_routes.h"

static const struct {
	const char *name; /* in the address */
	const char *title;
	const char *text;
} places[] = {
	{"users", "Users", "People who may log in"},
	{"sessions", "Sessions", "Who is logged in now"},
	{"groups", "Groups", "People with the same rights"},
	{"roles", "Roles", "Sets of rights, and who has them"},
	{"rules", "Rules", "Who may do what to which variables"},
	{"clients", "Clients", "Programs that ask for tokens"},
	{"plants", "Plants", "Limits of alarms, their classes and causes"},
	{"nodes", "Nodes", "Machines at the plants: authorise, block"},
	{"directories", "Directories", "LDAP and Active Directory"},
	{"providers", "Providers", "Log in with another organisation"},
	{"keys", "Keys", "What tokens are signed with"},
	{"audit", "Audit", "Who did what, when, from where"},
};

static void
add_place(struct req *req, struct json_object *list, size_t i, bool current)
{
	struct json_object *item = view_object(list, NULL);

	view_str(item, "url",
		arena_printf(req->arena, "/admin/%s", places[i].name));
	view_str(item, "title", places[i].title);
	view_str(item, "text", places[i].text);
	view_bool(item, "current", current);
}

/* {place}, or NULL for the overview of them. */
static enum rc
render(struct req *req, struct resp *resp, const char *place)
{
	const char *title = place == NULL ? "Administration" : NULL;
	struct json_object *list;
	struct page page;
	enum rc rc = page_begin(req, &page);

	if (rc != RC_OK)
		return rc;
	list = view_list(page.view, "places");
	for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
		bool current =
			place != NULL && strcmp(place, places[i].name) == 0;

		if (current)
			title = places[i].title;
		add_place(req, list, i, current);
	}
	if (title == NULL)
		return fault_set(&req->fault, RC_NOT_FOUND, "no such place");
	page_navigate(req, &page, PAGE_ADMIN, NULL);
	view_str(page.view, "title", title);
	view_str(page.view, "place", place);
	return page_render(req, resp, &page, "admin");
}

enum rc
page_admin(struct req *req, struct resp *resp)
{
	return render(req, resp, NULL);
}

enum rc
page_admin_place(struct req *req, struct resp *resp)
{
	return render(req, resp, req_arg(req, "place"));
}
