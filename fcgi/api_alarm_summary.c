/* api_alarm_summary: what wants attention in all plants of the caller. */

#include "fcgi/api_alarm_summary.h"

#include <string.h>

#include "fcgi/plant.h"
#include "lib/clock.h"
#include "model/alarm_json.h"
#include "model/alarm_summary.h"

/* All plants together, and those where something stands, as JSON. */
struct total {
	int64_t now_us;
	struct alarm_summary sum;
	char top_plant[UUID_TEXT_BYTES]; /* of sum.top; "" = nothing stands */
	struct jsonw *plants;
};

static bool
is_more_urgent(const struct alarm *left, const struct alarm *right)
{
	return left->priority != right->priority
		       ? left->priority < right->priority
		       : left->came_us > right->came_us;
}

static void
write_counts(struct jsonw *json, const char *key, const int64_t *counts)
{
	static const char *const keys[] = {NULL, "1", "2", "3", "4"};

	jsonw_open_obj(json, key);
	for (int i = 1; i <= ALARM_PRIORITIES; i++)
		jsonw_int(json, keys[i], counts[i]);
	jsonw_close_obj(json);
}

static void
write_plant(struct jsonw *json, const struct datasource *plant,
	const struct alarm_summary *summary)
{
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "dataSource", plant->uuid_text);
	write_counts(json, "unacknowledged", summary->unacknowledged);
	write_counts(json, "active", summary->active);
	jsonw_close_obj(json);
}

static void
add(struct total *total, const struct datasource *plant,
	const struct alarm_summary *summary)
{
	int64_t waiting = 0, standing = 0;

	for (int i = 1; i <= ALARM_PRIORITIES; i++) {
		total->sum.unacknowledged[i] += summary->unacknowledged[i];
		total->sum.active[i] += summary->active[i];
		waiting += summary->unacknowledged[i];
		standing += summary->active[i];
	}
	if (waiting + standing > 0)
		write_plant(total->plants, plant, summary);
	if (waiting == 0 ||
		(total->top_plant[0] != '\0' &&
			!is_more_urgent(&summary->top, &total->sum.top)))
		return;
	total->sum.top = summary->top;
	memcpy(total->top_plant, plant->uuid_text, UUID_TEXT_BYTES);
}

/* Plants whose alarms the caller may not read say nothing. */
static enum rc
look_at(struct req *req, const struct plant *plant, struct total *total)
{
	static const struct texts all = {0, NULL};
	struct alarm_summary summary;
	struct ints variables;
	enum rc rc;

	if (!policy_touches(
		    plant->policy, plant->datasource.id, POLICY_READ_ALARMS))
		return RC_OK;
	rc = plant_choose(req, plant, &all, POLICY_READ_ALARMS, &variables);
	if (rc == RC_OK)
		rc = alarm_summary(req->db, req->arena, plant->datasource.id,
			&variables, total->now_us, &summary, &req->fault);
	if (rc == RC_OK)
		add(total, &plant->datasource, &summary);
	return rc;
}

static enum rc
look(struct req *req, struct total *total)
{
	struct datasource_list plants = {0};
	struct plant plant;
	enum rc rc = policy_of(req, &plant.policy);

	if (rc == RC_OK)
		rc = datasource_query(
			req->db, req->arena, &plants, &req->fault);
	for (size_t i = 0; rc == RC_OK && i < plants.count; i++) {
		plant.datasource = plants.items[i];
		rc = look_at(req, &plant, total);
	}
	return rc;
}

static void
write_top(struct jsonw *json, struct arena *arena, const struct total *total)
{
	struct jsonw *alarm = jsonw_in(arena);

	alarm_write(alarm, &total->sum.top, total->now_us);
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "dataSource", total->top_plant);
	jsonw_raw(json, "alarm", alarm->out->data);
	jsonw_close_obj(json);
}

static void
write_total(struct jsonw *json, struct arena *arena, const struct total *total)
{
	jsonw_open_obj(json, NULL);
	write_counts(json, "unacknowledged", total->sum.unacknowledged);
	write_counts(json, "active", total->sum.active);
	jsonw_open_arr(json, "top");
	if (total->top_plant[0] != '\0')
		write_top(json, arena, total);
	jsonw_close_arr(json);
	jsonw_raw(json, "dataSources", total->plants->out->data);
	jsonw_close_obj(json);
}

enum rc
api_alarm_summary(struct req *req, struct resp *resp)
{
	struct total total = {
		.now_us = clock_now_us(), .plants = jsonw_in(req->arena)};
	enum rc rc;

	jsonw_open_arr(total.plants, NULL);
	rc = look(req, &total);
	jsonw_close_arr(total.plants);
	if (rc == RC_OK)
		write_total(resp_json(resp, 200), req->arena, &total);
	return rc;
}
