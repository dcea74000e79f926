/* controller_limit_file: all limits of a plant as JSON or CSV, both ways. */

#include "fcgi/controller_alarm.h"

#include <string.h>
#include <strings.h>

#include "lib/field.h"
#include "model/alarm_limit_csv.h"
#include "model/alarm_limit_find.h"
#include "model/alarm_limit_list.h"
#include "model/alarm_limit_store.h"

/* --- reading ---------------------------------------------------------------
 */

/* The variables that limits may name: those that the caller knows of. */
static struct alarm_limit_names
names_of(struct arena *arena, const struct policy *policy,
	const struct variable_list *list)
{
	struct variable *items =
		arena_array(arena, list->count, sizeof(*items));
	struct variable_list known = {0, items};

	for (size_t i = 0; i < list->count; i++)
		if (policy_knows(policy, &list->items[i]))
			items[known.count++] = list->items[i];
	return alarm_limit_names(arena, &known);
}

static enum rc
begin(struct req *req, struct plant *plant, struct alarm_limit_names *names)
{
	static const char *const all[] = {"*"};
	struct variable_list list;
	enum rc rc = plant_find(req, plant);

	if (rc == RC_OK)
		rc = policy_check_list(plant->policy, plant->datasource.id,
			POLICY_CONFIGURE, &req->fault);
	if (rc == RC_OK)
		rc = variable_query(req->db, req->arena, plant->datasource.id,
			all, 1, &list, &req->fault);
	if (rc == RC_OK)
		*names = names_of(req->arena, plant->policy, &list);
	return rc;
}

/* To replace all limits takes the right to all of them. */
static enum rc
check_rights(struct req *req, const struct plant *plant,
	const struct alarm_limit_names *names,
	const struct alarm_limit_list *list, enum alarm_limit_mode mode)
{
	enum rc rc = RC_OK;

	if (policy_covers(
		    plant->policy, plant->datasource.id, POLICY_CONFIGURE))
		return RC_OK;
	if (mode == ALARM_LIMIT_REPLACE)
		return fault_tell(&req->fault, RC_DENIED, "RightMissing",
			"replace",
			"To replace all limits takes the right Configure of "
			"the whole datasource.");
	for (size_t i = 0; rc == RC_OK && i < list->count; i++)
		rc = policy_check(plant->policy,
			alarm_limit_variable(names, list->items[i].variable),
			POLICY_CONFIGURE, &req->fault);
	return rc;
}

const char *
controller_alarm_counts(
	struct arena *arena, const struct alarm_limit_count *counts)
{
	struct jsonw *json = jsonw_in(arena);

	jsonw_open_obj(json, NULL);
	jsonw_int(json, "added", counts->added);
	jsonw_int(json, "changed", counts->changed);
	jsonw_int(json, "removed", counts->removed);
	jsonw_close_obj(json);
	return json->out->data;
}

static enum rc
store(struct req *req, struct resp *resp, const struct plant *plant,
	const struct alarm_limit_names *names,
	const struct alarm_limit_list *list, enum alarm_limit_mode mode)
{
	struct audit what = {.action = "limit.import"};
	struct alarm_limit_count counts = {0};
	enum rc rc = check_rights(req, plant, names, list, mode);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc == RC_OK)
		rc = alarm_limit_put(req->db, req->arena, plant->datasource.id,
			list->items, list->count, mode, &counts, &req->fault);
	what.after = controller_alarm_counts(req->arena, &counts);
	rc = controller_finish(
		req, rc, &what, "datasource", plant->datasource.name);
	if (rc == RC_OK)
		buf_text(resp_body(resp, 200, "application/json"), what.after);
	return rc;
}

struct body {
	struct json_object *limits;
	bool replace;
};

static const struct field fields[] = {
	{"limits", FIELD_ANY, offsetof(struct body, limits), .required = true},
	{"replace", FIELD_BOOL, .offset = offsetof(struct body, replace)},
	FIELDS_END,
};

enum rc
controller_limit_put_many(struct req *req, struct resp *resp)
{
	struct body body = {.limits = NULL};
	struct alarm_limit_list list = {0, NULL};
	struct alarm_limit_names names;
	struct plant plant;
	enum rc rc = begin(req, &plant, &names);

	if (rc == RC_OK)
		rc = req_json(req, fields, &body);
	if (rc == RC_OK)
		rc = alarm_limit_list_read_json(
			req->arena, body.limits, &names, &list, &req->fault);
	if (rc != RC_OK)
		return rc;
	return store(req, resp, &plant, &names, &list,
		body.replace ? ALARM_LIMIT_REPLACE : ALARM_LIMIT_MERGE);
}

enum rc
controller_alarm_mode(struct req *req, enum alarm_limit_mode *mode)
{
	struct pairs pairs;
	const char *replace;
	enum rc rc = req_query(req, &pairs);

	if (rc != RC_OK)
		return rc;
	replace = pairs_find(&pairs, "replace");
	*mode = ALARM_LIMIT_MERGE;
	if (replace != NULL && strcmp(replace, "true") == 0)
		*mode = ALARM_LIMIT_REPLACE;
	else if (replace != NULL && strcmp(replace, "false") != 0)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"replace", "\"replace\" must be true or false.");
	return RC_OK;
}

enum rc
controller_limit_put_csv(struct req *req, struct resp *resp)
{
	static const char type[] = "text/csv";
	struct alarm_limit_list list = {0, NULL};
	struct alarm_limit_names names;
	enum alarm_limit_mode mode = ALARM_LIMIT_MERGE;
	struct plant plant;
	enum rc rc = begin(req, &plant, &names);

	if (rc == RC_OK)
		rc = controller_alarm_mode(req, &mode);
	if (rc == RC_OK &&
		strncasecmp(req->content_type, type, sizeof(type) - 1) != 0)
		rc = fault_tell(&req->fault, RC_UNSUPPORTED,
			"UnsupportedMediaType", NULL, "Send the body as %s.",
			type);
	if (rc == RC_OK)
		rc = alarm_limit_list_read_csv(req->arena, req->body,
			req->body_bytes, &names, &list, &req->fault);
	return rc == RC_OK ? store(req, resp, &plant, &names, &list, mode) : rc;
}

/* --- writing ---------------------------------------------------------------
 */

/* Those engineered at the hub that the caller may configure, by name. */
static enum rc
collect(struct req *req, struct alarm_limit_list *list)
{
	struct alarm_limit_rows rows;
	struct alarm_limit *items;
	struct plant plant;
	enum rc rc = plant_find(req, &plant);

	if (rc == RC_OK)
		rc = policy_check_list(plant.policy, plant.datasource.id,
			POLICY_CONFIGURE, &req->fault);
	if (rc == RC_OK)
		rc = alarm_limit_query(req->db, req->arena, plant.datasource.id,
			ALARM_BY_DEFAULT, &rows, &req->fault);
	if (rc != RC_OK)
		return rc;
	items = arena_array(req->arena, rows.count + 1, sizeof(*items));
	list->count = 0;
	for (size_t i = 0; i < rows.count; i++)
		if (rows.items[i].limit.origin == ALARM_ORIGIN_HUB &&
			policy_allows(plant.policy, plant.datasource.id,
				rows.items[i].limit.variable, POLICY_CONFIGURE))
			items[list->count++] = rows.items[i].limit;
	list->items = items;
	return RC_OK;
}

enum rc
controller_limit_json(struct req *req, struct resp *resp)
{
	struct alarm_limit_list list;
	struct jsonw *json;
	enum rc rc = collect(req, &list);

	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, "limits");
	for (size_t i = 0; i < list.count; i++) {
		jsonw_open_obj(json, NULL);
		alarm_limit_write(json, &list.items[i]);
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
	jsonw_close_obj(json);
	return RC_OK;
}

enum rc
controller_limit_csv(struct req *req, struct resp *resp)
{
	struct alarm_limit_list list;
	enum rc rc = collect(req, &list);

	if (rc != RC_OK)
		return rc;
	resp_header(resp, "Content-Disposition",
		"attachment; filename=\"limits.csv\"");
	alarm_limit_csv_write(resp_body(resp, 200, "text/csv; charset=utf-8"),
		list.items, list.count);
	return RC_OK;
}
