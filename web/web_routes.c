/* web_routes: the pages of the web engine. */

#include "web/web_routes.h"

const struct route web_routes[] = {
	{METHOD_GET, "/", page_overview, .need = NEED_LOGIN,
		.summary = "Overview of plants"},
	{METHOD_GET, "/plants/{ds}", page_variables, .need = NEED_LOGIN,
		.summary = "All variables of a plant, live"},
	{METHOD_GET, "/plants/{ds}/screens", page_screens, .need = NEED_LOGIN,
		.summary = "Goes to the screen of a variable, or the first"},
	{METHOD_GET, "/plants/{ds}/screens/{name}", page_screen,
		.need = NEED_LOGIN, .summary = "A process screen"},
	{METHOD_GET, "/plants/{ds}/alarms", page_alarms, .need = NEED_LOGIN,
		.summary = "Alarm Message List of a plant"},
	{METHOD_GET, "/plants/{ds}/alarms/figures", page_figures,
		.need = NEED_LOGIN, .summary = "Key figures of its alarms"},
	{METHOD_GET, "/plants/{ds}/events", page_events, .need = NEED_LOGIN,
		.summary = "Chronological Event List of a plant"},
	{METHOD_GET, "/trend", page_trend, .need = NEED_LOGIN,
		.summary = "Trend of variables"},
	{METHOD_GET, "/admin", page_admin, .need = NEED_ADMIN,
		.summary = "Administration"},
	{METHOD_GET, "/admin/{place}", page_admin_place, .need = NEED_ADMIN,
		.summary = "Users, rights, nodes and so on"},
	ROUTES_END,
};
