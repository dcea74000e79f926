/* web_routes: the pages of the web engine. */
#ifndef FG_WEB_WEB_ROUTES_H
#define FG_WEB_WEB_ROUTES_H

#include "lib/route.h"

extern const struct route web_routes[];

/* Each answers a page, or fails as page_fault shows it. */
MUST_CHECK enum rc page_overview(struct req *req, struct resp *resp);
MUST_CHECK enum rc page_variables(struct req *req, struct resp *resp);
MUST_CHECK enum rc page_screen(struct req *req, struct resp *resp);
MUST_CHECK enum rc page_screens(struct req *req, struct resp *resp);
MUST_CHECK enum rc page_alarms(struct req *req, struct resp *resp);
MUST_CHECK enum rc page_figures(struct req *req, struct resp *resp);
MUST_CHECK enum rc page_events(struct req *req, struct resp *resp);
MUST_CHECK enum rc page_trend(struct req *req, struct resp *resp);
MUST_CHECK enum rc page_admin(struct req *req, struct resp *resp);
MUST_CHECK enum rc page_admin_place(struct req *req, struct resp *resp);

#endif
