/* page_overview: the plants with their state and a few numbers each. */

#include <string.h>

#include "web/page.h"
#include "web/view.h"
#include "web/web_routes.h"

#define NUMBERS_MAX 4

/* What says most about a plant, the most telling first. A plant that has none
 * of these shows its first numeric variables. */
static const char *const telling[] = {"site/power", "park/power", "cpu/usage",
	"site/irradiance", "park/wind_speed", "memory/usage",
	"site/energy_today", "park/energy_today", "disk/root/usage",
	"site/temperature", "park/running", "cpu/load1"};

static bool
is_number(const struct variable *variable)
{
	return variable->kind == VALUE_FLOAT || variable->kind == VALUE_INT;
}

static void
add_number(struct req *req, struct json_object *list,
	const struct datasource *plant, const struct variable *variable)
{
	struct json_object *number = view_object(list, NULL);

	view_str(number, "variable", variable->name);
	view_str(number, "label",
		variable->description[0] != '\0' ? variable->description
						 : variable->name);
	view_str(number, "unit", variable->unit);
	view_int(number, "decimals", variable->decimals);
	view_str(number, "trend", page_trend_url(req, plant, variable->name));
}

static enum rc
add_numbers(struct req *req, const struct page *page, struct json_object *card,
	const struct datasource *plant)
{
	static const char *const all[] = {"*"};
	struct json_object *list = view_list(card, "numbers");
	struct variable_list found;
	size_t count = 0;
	enum rc rc;

	rc = variable_query_names(req->db, req->arena, plant->id, telling,
		ARRAY_LENGTH(telling), &found, &req->fault);
	if (rc == RC_OK && found.count == 0)
		rc = variable_query(req->db, req->arena, plant->id, all, 1,
			&found, &req->fault);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < found.count && count < NUMBERS_MAX; i++)
		if (is_number(&found.items[i]) &&
			page_may_read(page, &found.items[i])) {
			add_number(req, list, plant, &found.items[i]);
			count++;
		}
	return RC_OK;
}

static enum rc
add_card(struct req *req, const struct page *page, struct json_object *list,
	const struct datasource *plant)
{
	struct json_object *card = view_object(list, NULL);
	const char *url = page_plant_url(req, page, plant);
	const char *variables_url = page_variables_url(req, plant);

	view_str(card, "id", plant->uuid_text);
	view_str(card, "name", plant->name);
	view_str(card, "description", plant->description);
	view_bool(card, "online", plant->online);
	view_time(card, "seen", plant->seen_us);
	view_str(card, "url", url);
	view_str(card, "variables_url", variables_url);
	view_str(card, "screen", strcmp(url, variables_url) != 0 ? url : NULL);
	return add_numbers(req, page, card, plant);
}

enum rc
page_overview(struct req *req, struct resp *resp)
{
	struct json_object *cards;
	struct page page;
	int64_t online = 0;
	enum rc rc;

	rc = page_begin(req, &page);
	if (rc != RC_OK)
		return rc;
	page_navigate(req, &page, PAGE_OVERVIEW, NULL);
	cards = view_list(page.view, "cards");
	for (size_t i = 0; i < page.plants.count && rc == RC_OK; i++) {
		online += page.plants.items[i].online;
		rc = add_card(req, &page, cards, &page.plants.items[i]);
	}
	if (rc != RC_OK)
		return rc;
	view_int(page.view, "cards_count", (int64_t)page.plants.count);
	view_int(page.view, "online_count", online);
	view_bool(page.view, "has_cards", page.plants.count > 0);
	return page_render(req, resp, &page, "overview");
}
