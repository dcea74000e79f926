/* controller_alarm_cause: the tree of causes, by REST. */

#include "fcgi/controller_alarm.h"

#include "lib/field.h"
#include "model/alarm_cause.h"

#define TEXT(name, member, most)                                               \
	{                                                                      \
		name, FIELD_TEXT, offsetof(struct alarm_cause, member),        \
			.maximum = (most)                                      \
	}

static const struct field create_fields[] = {
	TEXT("name", name, NAMING_NAME_BYTES),
	TEXT("description", description, NAMING_DESCRIPTION_BYTES),
	TEXT("parent", parent, 36),
	FIELDS_END,
};

static const struct field change_fields[] = {
	TEXT("name", name, NAMING_NAME_BYTES),
	TEXT("description", description, NAMING_DESCRIPTION_BYTES),
	{"removed", FIELD_BOOL,
		.offset = offsetof(struct alarm_cause, removed)},
	FIELDS_END,
};

/* Whoever reads alarms may read what they can be given. */
enum rc
controller_cause_list(struct req *req, struct resp *resp)
{
	struct alarm_cause_list list = {0, NULL};
	struct plant plant;
	struct jsonw *json;
	enum rc rc = plant_find(req, &plant);

	if (rc == RC_OK && !policy_touches(plant.policy, plant.datasource.id,
				   POLICY_CONFIGURE))
		rc = policy_check_list(plant.policy, plant.datasource.id,
			POLICY_READ_ALARMS, &req->fault);
	if (rc == RC_OK)
		rc = alarm_cause_query(req->db, req->arena, plant.datasource.id,
			&list, &req->fault);
	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	alarm_cause_write_tree(json, "causes", &list, ALARM_CAUSE_BY_ID);
	jsonw_close_obj(json);
	return RC_OK;
}

static const char *
object_of(struct req *req, const struct plant *plant, const char *name)
{
	return arena_printf(req->arena, "%s/%s", plant->datasource.name, name);
}

enum rc
controller_cause_create(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "alarm_cause.create"};
	struct alarm_cause wanted = {.name = "", .description = ""};
	struct alarm_cause made = {.name = ""};
	struct plant plant;
	enum rc rc = controller_alarm_plant(req, &plant);

	if (rc == RC_OK)
		rc = req_json(req, create_fields, &wanted);
	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc == RC_OK)
		rc = alarm_cause_create(req->db, req->arena,
			plant.datasource.id, &wanted, &made, &req->fault);
	if (rc != RC_OK)
		return rc;
	what.after = alarm_cause_text(req->arena, &made);
	rc = controller_finish(req, rc, &what, "alarm_cause",
		object_of(req, &plant, made.name));
	if (rc == RC_OK)
		alarm_cause_write(resp_json(resp, 201), &made);
	return rc;
}

enum rc
controller_cause_change(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "alarm_cause.change"};
	struct alarm_cause cause;
	struct plant plant;
	enum rc rc = controller_alarm_plant(req, &plant);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc == RC_OK)
		rc = alarm_cause_find(req->db, req->arena, plant.datasource.id,
			req_arg(req, "cause"), &cause, &req->fault);
	if (rc != RC_OK)
		return rc;
	what.before = alarm_cause_text(req->arena, &cause);
	rc = req_json(req, change_fields, &cause);
	if (rc == RC_OK)
		rc = alarm_cause_change(
			req->db, plant.datasource.id, &cause, &req->fault);
	if (rc != RC_OK)
		return rc;
	what.after = alarm_cause_text(req->arena, &cause);
	rc = controller_finish(req, rc, &what, "alarm_cause",
		object_of(req, &plant, cause.name));
	if (rc == RC_OK)
		alarm_cause_write(resp_json(resp, 200), &cause);
	return rc;
}
