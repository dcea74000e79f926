/* page_trend: the frame in which the browser draws a trend. */

#include "web/page.h"
#include "web/view.h"
#include "web/web_routes.h"

/* The plants to choose variables from: those whose history may be read. */
static void
add_plants(struct page *page)
{
	struct json_object *list = view_list(page->view, "history_plants");

	for (size_t i = 0; i < page->plants.count; i++) {
		const struct datasource *plant = &page->plants.items[i];
		struct json_object *item;

		if (!policy_touches(
			    page->policy, plant->id, POLICY_READ_HISTORY))
			continue;
		item = view_object(list, NULL);
		view_str(item, "id", plant->uuid_text);
		view_str(item, "name", plant->name);
	}
}

enum rc
page_trend(struct req *req, struct resp *resp)
{
	struct page page;
	enum rc rc = page_begin(req, &page);

	if (rc != RC_OK)
		return rc;
	page_navigate(req, &page, PAGE_TREND, NULL);
	add_plants(&page);
	return page_render(req, resp, &page, "trend");
}
