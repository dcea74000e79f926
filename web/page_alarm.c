/* page_alarm: the alarms and the events of a plant, which the browser lists,
 * and the key figures of its alarms. */

#include "web/page.h"
#include "web/view.h"
#include "web/web_routes.h"

static enum rc
render_list(
	struct req *req, struct resp *resp, enum page_tab tab, const char *name)
{
	const struct datasource *plant;
	bool acknowledges, configures;
	struct page page;
	enum rc rc = page_open_plant(req, &page, tab, NULL, &plant);

	if (rc != RC_OK)
		return rc;
	acknowledges = policy_touches(
		page.policy, plant->id, POLICY_ACKNOWLEDGE_ALARMS);
	configures = policy_touches(page.policy, plant->id, POLICY_CONFIGURE);
	view_bool(page.view, "acknowledges", acknowledges);
	view_bool(page.view, "configures", configures);
	view_bool(page.view, "picks", acknowledges || configures);
	return page_render(req, resp, &page, name);
}

enum rc
page_alarms(struct req *req, struct resp *resp)
{
	return render_list(req, resp, PAGE_ALARMS, "alarms");
}

enum rc
page_events(struct req *req, struct resp *resp)
{
	return render_list(req, resp, PAGE_EVENTS, "events");
}

enum rc
page_figures(struct req *req, struct resp *resp)
{
	return render_list(req, resp, PAGE_FIGURES, "figures");
}
