/* api_alarm_figures: what the alarms of a stretch of time say of the alarm
 * system. */

#include "fcgi/api_alarm_figures.h"

#include "fcgi/api.h"
#include "lib/clock.h"
#include "model/alarm_figures.h"

struct body {
	struct api_time time;
	struct texts names;
};

static const struct field fields[] = {
	{"timeFilter", FIELD_OBJECT, .offset = offsetof(struct body, time),
		.required = true, .fields = api_time_fields},
	{"variableFilter", FIELD_OBJECT, .offset = offsetof(struct body, names),
		.fields = api_variable_fields},
	FIELDS_END,
};

static int64_t
slot_us(const struct body *body, int64_t slot)
{
	return body->time.from_us + slot * ALARM_RATE_SLOT_US;
}

static void
write_rate(struct jsonw *json, const struct body *body,
	const struct alarm_rate *rate)
{
	jsonw_int(json, "count", rate->count);
	jsonw_open_obj(json, "perTenMinutes");
	jsonw_num(json, "average", rate->average);
	jsonw_str(json, "label", rate->label);
	jsonw_int(json, "peak", rate->peak);
	jsonw_time(json, "peakTime",
		rate->peak > 0 ? slot_us(body, rate->peak_slot) : CLOCK_NEVER);
	jsonw_close_obj(json);
}

static void
write_floods(struct jsonw *json, const struct body *body,
	const struct alarm_rate *rate)
{
	double total = (double)(body->time.to_us - body->time.from_us) /
		       ALARM_RATE_SLOT_US;
	double share = total > 0 ? (double)rate->flood_slots / total : 0;

	jsonw_num(json, "floodShare", share < 1 ? share : 1);
	jsonw_open_arr(json, "floods");
	for (size_t i = 0; i < rate->flood_count; i++) {
		const struct alarm_flood *flood = &rate->floods[i];

		jsonw_open_obj(json, NULL);
		jsonw_time(json, "from", slot_us(body, flood->first));
		jsonw_time(
			json, "to", slot_us(body, flood->first + flood->slots));
		jsonw_int(json, "count", flood->count);
		jsonw_int(json, "peak", flood->peak);
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
}

static void
write_list(struct jsonw *json, const char *key,
	const struct alarm_figure_list *list, bool counted)
{
	jsonw_open_arr(json, key);
	for (size_t i = 0; i < list->count; i++) {
		const struct alarm_figure *figure = &list->items[i];

		jsonw_open_obj(json, NULL);
		jsonw_str(json, "variableName", figure->variable);
		jsonw_str(json, "limit", figure->limit);
		if (counted)
			jsonw_int(json, "count", figure->count);
		else
			jsonw_time(json, "receivedTime", figure->came_us);
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
}

static void
write_figures(struct jsonw *json, const struct body *body,
	const struct alarm_figures *figures)
{
	static const char *const keys[] = {NULL, "1", "2", "3", "4"};

	jsonw_open_obj(json, NULL);
	jsonw_time(json, "from", body->time.from_us);
	jsonw_time(json, "to", body->time.to_us);
	write_rate(json, body, &figures->rate);
	write_floods(json, body, &figures->rate);
	jsonw_open_obj(json, "priorities");
	for (int i = 1; i <= 4; i++)
		jsonw_int(json, keys[i], figures->priorities[i]);
	jsonw_close_obj(json);
	write_list(json, "topTen", &figures->top, true);
	write_list(json, "chattering", &figures->chattering, true);
	jsonw_int(json, "standingCount", figures->standing_count);
	write_list(json, "standing", &figures->standing, false);
	jsonw_close_obj(json);
}

static enum rc
read_body(struct req *req, struct body *body)
{
	enum rc rc = req_json(req, fields, body);

	if (rc == RC_OK)
		rc = api_time_resolve(req, &body->time);
	if (rc == RC_OK &&
		body->time.to_us - body->time.from_us > ALARM_FIGURES_SPAN_US)
		rc = fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"timeFilter", "Ask for at most 366 days.");
	return rc;
}

enum rc
api_alarm_figures(struct req *req, struct resp *resp)
{
	struct body body = {.time = API_TIME_UNSET};
	struct alarm_figures figures;
	struct ints variables;
	struct plant plant;
	enum rc rc = plant_find(req, &plant);

	if (rc == RC_OK)
		rc = read_body(req, &body);
	if (rc == RC_OK)
		rc = plant_choose(req, &plant, &body.names, POLICY_READ_ALARMS,
			&variables);
	if (rc == RC_OK)
		rc = alarm_figures(req->db, req->arena, plant.datasource.id,
			body.time.from_us, body.time.to_us, clock_now_us(),
			&variables, &figures, &req->fault);
	if (rc == RC_OK)
		write_figures(resp_json(resp, 200), &body, &figures);
	return rc;
}
