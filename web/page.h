/*
 * page: what every page of the web engine does around its own content.
 */
#ifndef FG_WEB_PAGE_H
#define FG_WEB_PAGE_H

#include "lib/mustache.h"
#include "lib/req.h"
#include "lib/resp.h"
#include "model/datasource.h"
#include "model/policy.h"
#include "model/screen.h"
#include "model/variable.h"

struct json_object;

/* req->app of fieldgrid-web. */
struct web_app {
	const struct mustache_set *templates;
	struct json_object *assets; /* lib/asset.h */
	const char *site;           /* name of the installation; "" = none */
	const char *zone;           /* IANA zone; "" = the browser's */
};

/* One page being made; everything lives in the request's arena. */
struct page {
	struct json_object *view;
	const struct policy *policy;
	struct datasource_list plants; /* those that the caller may see */
	struct screen_list screens;    /* of all plants, without their SVG */
};

/* Where the navigation stands. */
enum page_place { PAGE_OVERVIEW, PAGE_PLANT, PAGE_TREND, PAGE_ADMIN };

/*
 * Load the caller's rights and the plants it may see, and start the view:
 * assets, user, site and zone. Fails: RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc page_begin(struct req *req, struct page *page);

/* Fill in the navigation. "plant" may be NULL. */
void page_navigate(struct req *req, struct page *page, enum page_place place,
	const struct datasource *plant);

/* The plant that {ds} of the path names. Fails: RC_NOT_FOUND, also for one
 * that the caller may not see. */
MUST_CHECK enum rc page_plant(
	struct req *req, struct page *page, const struct datasource **plant);

/* Which of a plant's pages it is. */
enum page_tab {
	PAGE_SCREEN,
	PAGE_VARIABLES,
	PAGE_ALARMS,
	PAGE_EVENTS,
	PAGE_FIGURES
};

/*
 * page_begin, the plant that {ds} names, the navigation and the tabs of its
 * pages; "screen" is the current one, or NULL. Fails: as both.
 */
MUST_CHECK enum rc page_open_plant(struct req *req, struct page *page,
	enum page_tab tab, const char *screen, const struct datasource **plant);

/* May the caller see the value of this variable? */
bool page_may_read(const struct page *page, const struct variable *variable);

/* Answer 200 with template "name". Fails: RC_BUG the template. */
MUST_CHECK enum rc page_render(struct req *req, struct resp *resp,
	const struct page *page, const char *name);

/* The service's page_fault: log in first, or a page that says what is wrong,
 * with the request id. */
void page_fault(struct req *req, struct resp *resp, const struct fault *fault);

/* Addresses, in the request's arena. */
const char *page_variables_url(struct req *req, const struct datasource *plant);
const char *page_screen_url(
	struct req *req, const struct datasource *plant, const char *screen);
const char *page_trend_url(
	struct req *req, const struct datasource *plant, const char *variable);
/* The first screen of the plant, or its variables. */
const char *page_plant_url(struct req *req, const struct page *page,
	const struct datasource *plant);

#endif
