/* controller_limit: limits of variables, one at a time, by REST. */

#include "fcgi/controller_alarm.h"

#include <string.h>

#include "fcgi/listing.h"
#include "lib/field.h"
#include "model/alarm_limit_find.h"
#include "model/alarm_limit_list.h"
#include "model/alarm_limit_store.h"

static void
write_limit(struct jsonw *json, const struct alarm_limit_row *row)
{
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "id", row->id);
	alarm_limit_write(json, &row->limit);
	jsonw_str(json, "origin",
		row->limit.origin == ALARM_ORIGIN_AGENT ? "agent" : "hub");
	jsonw_str(json, "evaluator", alarm_evaluator_name(row->evaluator));
	jsonw_time(json, "created", row->created_us);
	jsonw_time(json, "changed", row->changed_us);
	jsonw_close_obj(json);
}

static const char *
limit_text(struct arena *arena, const struct alarm_limit_row *row)
{
	struct jsonw *json = jsonw_in(arena);

	write_limit(json, row);
	return json->out->data;
}

/* --- lists ------------------------------------------------------------------
 */

static const char *const sorts[] = {"variable", "changed", NULL};
static const char *const makers[] = {"agent", "hub", NULL};

static const struct listing_filter filters[] = {
	{"variable", offsetof(struct alarm_limit_filter, variable),
		LISTING_TEXT, NULL},
	{"search", offsetof(struct alarm_limit_filter, search), LISTING_TEXT,
		NULL},
	{"origin", offsetof(struct alarm_limit_filter, origin), LISTING_TEXT,
		makers},
	{"evaluator", offsetof(struct alarm_limit_filter, evaluator),
		LISTING_TEXT, makers},
	LISTING_FILTERS_END,
};

static const struct listing limits = {.sorts = sorts, .filters = filters};

enum rc
controller_limit_list(struct req *req, struct resp *resp)
{
	const struct texts all = {0, NULL};
	struct alarm_limit_filter filter = {.search = NULL};
	struct alarm_limit_rows rows = {0, NULL};
	struct slice slice;
	struct plant plant;
	struct jsonw *json;
	enum rc rc = plant_find(req, &plant);

	if (rc == RC_OK)
		rc = listing_read(req, &limits, &filter, &slice);
	if (rc == RC_OK)
		rc = plant_choose(
			req, &plant, &all, POLICY_CONFIGURE, &filter.variables);
	if (rc == RC_OK)
		rc = alarm_limit_slice(req->db, req->arena, plant.datasource.id,
			&filter, &slice, &rows, &req->fault);
	if (rc != RC_OK)
		return rc;
	json = listing_open(resp);
	for (size_t i = 0; i < rows.count; i++)
		write_limit(json, &rows.items[i]);
	listing_close(json, req, &slice);
	return RC_OK;
}

/* --- one --------------------------------------------------------------------
 */

/* What may not be configured is not there, or says which right is missing. */
static enum rc
find(struct req *req, const struct plant *plant, struct alarm_limit_row *row)
{
	struct variable variable;
	enum rc rc = alarm_limit_find(req->db, req->arena, plant->datasource.id,
		req_arg(req, "limit"), row, &req->fault);

	if (rc != RC_OK)
		return rc;
	variable = (struct variable){
		.id = row->variable_id,
		.datasource_id = (int32_t)plant->datasource.id,
		.name = row->limit.variable,
		.access = row->access,
	};
	rc = policy_check(
		plant->policy, &variable, POLICY_CONFIGURE, &req->fault);
	if (rc == RC_NOT_FOUND)
		return fault_tell(&req->fault, rc, "NotFound", NULL,
			"There is no such limit.");
	return rc;
}

enum rc
controller_limit_get(struct req *req, struct resp *resp)
{
	struct alarm_limit_row row;
	struct plant plant;
	enum rc rc = plant_find(req, &plant);

	if (rc == RC_OK)
		rc = find(req, &plant, &row);
	if (rc == RC_OK)
		write_limit(resp_json(resp, 200), &row);
	return rc;
}

/* Our turn to change limits of the plant: until we commit, they are as read. */
static enum rc
take_turn(struct req *req, struct plant *plant)
{
	enum rc rc = plant_find(req, plant);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc == RC_OK)
		rc = alarm_limit_turn(
			req->db, plant->datasource.id, &req->fault);
	return rc;
}

static enum rc
read_limit(struct req *req, struct alarm_limit *limit)
{
	struct json_object *object;
	enum rc rc = json_parse(
		req->arena, req->body, req->body_bytes, &object, &req->fault);

	if (rc == RC_OK)
		rc = alarm_limit_read(
			req->arena, object, "", limit, &req->fault);
	return rc;
}

/* Settle it for its variable, which the caller must be allowed to configure. */
static enum rc
settle(struct req *req, const struct plant *plant, struct alarm_limit *limit)
{
	struct variable_list list = {1, NULL};
	struct variable variable;
	struct alarm_limit_names names;
	enum rc rc = variable_find(req->db, req->arena, plant->datasource.id,
		limit->variable, &variable, &req->fault);

	if (rc == RC_OK)
		rc = policy_check(plant->policy, &variable, POLICY_CONFIGURE,
			&req->fault);
	if (rc == RC_NOT_FOUND)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"variable", "\"variable\" names no variable.");
	if (rc != RC_OK)
		return rc;
	list.items = &variable;
	names = alarm_limit_names(req->arena, &list);
	return alarm_limit_settle_named(&names, limit, "", &req->fault);
}

static enum rc
find_named(struct req *req, const struct plant *plant,
	const struct alarm_limit *limit, struct alarm_limit_row *row)
{
	struct alarm_limit_rows rows;
	enum rc rc =
		alarm_limit_named(req->db, req->arena, plant->datasource.id,
			limit->variable, limit->name, &rows, &req->fault);

	if (rc == RC_OK && rows.count == 0)
		return RC_NOT_FOUND;
	if (rc == RC_OK)
		*row = rows.items[0];
	return rc;
}

static enum rc
store(struct req *req, const struct plant *plant,
	const struct alarm_limit *limit, struct alarm_limit_row *row)
{
	struct alarm_limit_count counts;
	enum rc rc = alarm_limit_put(req->db, req->arena, plant->datasource.id,
		limit, 1, ALARM_LIMIT_MERGE, &counts, &req->fault);

	return rc == RC_OK ? find_named(req, plant, limit, row) : rc;
}

static const char *
object_of(struct req *req, const struct plant *plant,
	const struct alarm_limit *limit)
{
	return arena_printf(req->arena, "%s/%s/%s", plant->datasource.name,
		limit->variable, limit->name);
}

enum rc
controller_limit_create(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "limit.create"};
	struct alarm_limit limit = alarm_limit_default();
	struct alarm_limit_row row = {.id = NULL};
	struct plant plant;
	enum rc rc = take_turn(req, &plant);

	if (rc == RC_OK)
		rc = read_limit(req, &limit);
	if (rc == RC_OK)
		rc = settle(req, &plant, &limit);
	if (rc != RC_OK)
		return rc;
	rc = find_named(req, &plant, &limit, &row);
	if (rc == RC_OK)
		return fault_tell(&req->fault, RC_CONFLICT, "NameTaken", "name",
			"The variable has a limit \"%s\" already.", limit.name);
	if (rc == RC_NOT_FOUND)
		rc = store(req, &plant, &limit, &row);
	if (rc == RC_OK)
		what.after = limit_text(req->arena, &row);
	rc = controller_finish(
		req, rc, &what, "limit", object_of(req, &plant, &limit));
	if (rc != RC_OK)
		return rc;
	resp_header(resp, "Location",
		arena_printf(req->arena,
			"/api/v1/admin/datasources/%s/limits/%s",
			plant.datasource.uuid_text, row.id));
	write_limit(resp_json(resp, 201), &row);
	return RC_OK;
}

/* Variable and name are what a limit is known by: they stay. */
static enum rc
check_known_by(struct req *req, const struct alarm_limit *before,
	const struct alarm_limit *after)
{
	if (strcmp(before->variable, after->variable) == 0 &&
		strcmp(before->name, after->name) == 0)
		return RC_OK;
	return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest", "name",
		"A limit keeps its variable and its name: make another one.");
}

/* The body into "limit". With another condition, what that has none of is gone
 * unless the body says it. */
static enum rc
read_change(struct req *req, struct alarm_limit *limit)
{
	const struct alarm_limit before = *limit;
	enum alarm_condition condition;
	enum rc rc = read_limit(req, limit);

	if (rc != RC_OK || limit->condition == before.condition)
		return rc;
	condition = limit->condition;
	*limit = before;
	limit->condition = condition;
	alarm_limit_fit(limit);
	return read_limit(req, limit);
}

enum rc
controller_limit_change(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "limit.change"};
	struct alarm_limit_row row;
	struct alarm_limit limit;
	struct plant plant;
	enum rc rc = take_turn(req, &plant);

	if (rc == RC_OK)
		rc = find(req, &plant, &row);
	if (rc != RC_OK)
		return rc;
	limit = row.limit;
	what.before = limit_text(req->arena, &row);
	rc = read_change(req, &limit);
	if (rc == RC_OK)
		rc = check_known_by(req, &row.limit, &limit);
	if (rc == RC_OK)
		rc = settle(req, &plant, &limit);
	if (rc == RC_OK)
		rc = store(req, &plant, &limit, &row);
	if (rc == RC_OK)
		what.after = limit_text(req->arena, &row);
	rc = controller_finish(
		req, rc, &what, "limit", object_of(req, &plant, &limit));
	if (rc == RC_OK)
		write_limit(resp_json(resp, 200), &row);
	return rc;
}

enum rc
controller_limit_remove(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "limit.delete"};
	struct alarm_limit_row row;
	struct plant plant;
	enum rc rc = take_turn(req, &plant);

	if (rc == RC_OK)
		rc = find(req, &plant, &row);
	if (rc == RC_OK)
		rc = alarm_limit_delete(req->db, req->arena,
			plant.datasource.id, row.id, &req->fault);
	if (rc != RC_OK)
		return rc;
	what.before = limit_text(req->arena, &row);
	rc = controller_finish(
		req, rc, &what, "limit", object_of(req, &plant, &row.limit));
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}
