/* api_alarm_act: what people do with alarms, one at a time or many. */

#include "fcgi/api_alarm_act.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/api.h"
#include "lib/clock.h"
#include "model/alarm_act.h"
#include "model/alarm_json.h"
#include "model/audit.h"
#include "model/caller.h"

/* The body as it is sent. */
struct body {
	struct texts ids;
	struct alarm_wish wish;
	struct {
		const char *reason;
		int64_t until_us;
		int64_t minutes;
	} shelve;
	const char *suppress;
	const char *out_of_service;
};

#define BODY(member) .offset = offsetof(struct body, member)
#define REASON_FIELD(at)                                                       \
	{                                                                      \
		"reason", FIELD_TEXT, .offset = (at), .required = true,        \
				      .maximum = ALARM_REASON_BYTES            \
	}

/* Nested tables write into the same struct: their offsets are its. */
static const struct field shelve_fields[] = {
	REASON_FIELD(offsetof(struct body, shelve.reason)),
	{"until", FIELD_TIME, BODY(shelve.until_us)},
	{"minutes", FIELD_INT, BODY(shelve.minutes), .minimum = 1,
		.maximum = 366 * 24 * 60},
	FIELDS_END,
};

static const struct field suppress_fields[] = {
	REASON_FIELD(offsetof(struct body, suppress)),
	FIELDS_END,
};

static const struct field service_fields[] = {
	REASON_FIELD(offsetof(struct body, out_of_service)),
	FIELDS_END,
};

#define WISH_FIELDS                                                            \
	{"acknowledge", FIELD_BOOL, BODY(wish.acknowledge)},                   \
		{"comment", FIELD_TEXT, BODY(wish.comment),                    \
			.maximum = ALARM_COMMENT_BYTES},                       \
		{"alarmCause", FIELD_TEXTS, BODY(wish.cause),                  \
			.maximum = ALARM_CAUSE_LEVELS},                        \
		{"shelve", FIELD_OBJECT, .fields = shelve_fields},             \
		{"unshelve", FIELD_BOOL, BODY(wish.unshelve)},                 \
		{"suppress", FIELD_OBJECT, .fields = suppress_fields},         \
		{"release", FIELD_BOOL, BODY(wish.release)},                   \
		{"outOfService", FIELD_OBJECT, .fields = service_fields},      \
	{                                                                      \
		"inService", FIELD_BOOL, BODY(wish.in_service)                 \
	}

static const struct field one_fields[] = {
	WISH_FIELDS,
	FIELDS_END,
};

static const struct field many_fields[] = {
	{"ids", FIELD_TEXTS, BODY(ids), .required = true,
		.maximum = ALARM_ACT_MAX},
	WISH_FIELDS,
	FIELDS_END,
};

/* What a request is about. */
struct task {
	struct plant plant;
	struct body body;
	int64_t now_us;
	size_t count;
	const char *const *ids; /* as sent */
	struct alarm_act *acts; /* one for each of the ids */
	struct alarm_list list; /* those that are there, by id */
};

/* --- reading ---------------------------------------------------------------
 */

static enum rc
settle_shelving(struct req *req, struct task *task)
{
	struct body *body = &task->body;

	if (body->shelve.reason == NULL)
		return RC_OK;
	if ((body->shelve.until_us != CLOCK_NEVER) ==
		(body->shelve.minutes != 0))
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"shelve",
			"Shelving needs either \"until\" or "
			"\"minutes\".");
	body->wish.shelve = body->shelve.reason;
	body->wish.shelve_until_us =
		body->shelve.minutes != 0
			? task->now_us + body->shelve.minutes * CLOCK_MINUTE_US
			: body->shelve.until_us;
	return RC_OK;
}

static enum rc
read_body(struct req *req, const struct field *fields, struct task *task)
{
	struct body *body = &task->body;
	enum rc rc;

	*body = (struct body){.shelve.until_us = CLOCK_NEVER};
	rc = req_json(req, fields, body);
	if (rc == RC_OK)
		rc = settle_shelving(req, task);
	body->wish.suppress = body->suppress;
	body->wish.out_of_service = body->out_of_service;
	if (rc == RC_OK)
		rc = alarm_wish_check(req->db, req->arena,
			task->plant.datasource.id, &body->wish, task->now_us,
			&req->fault);
	return rc;
}

typedef enum rc find_fn(struct db *db, struct arena *arena,
	int64_t datasource_id, const struct bytes *ids, size_t count,
	struct alarm_list *list, struct fault *fault);

/* Look up the alarms that are named. What is no UUID names nothing. */
static enum rc
look_up(struct req *req, struct task *task, find_fn *find_alarms)
{
	struct bytes *ids =
		arena_array(req->arena, task->count + 1, sizeof(*ids));
	size_t count = 0;

	for (size_t i = 0; i < task->count; i++) {
		uint8_t *id = arena_alloc(req->arena, UUID_BYTES);

		if (uuid_parse(task->ids[i], id))
			ids[count++] = (struct bytes){id, UUID_BYTES};
	}
	return find_alarms(req->db, req->arena, task->plant.datasource.id, ids,
		count, &task->list, &req->fault);
}

static int
compare_id(const void *id, const void *alarm)
{
	return memcmp(id, ((const struct alarm *)alarm)->id, UUID_BYTES);
}

static struct alarm *
find(const struct task *task, const char *text)
{
	uint8_t id[UUID_BYTES];

	if (!uuid_parse(text, id))
		return NULL;
	return bsearch(id, task->list.items, task->list.count,
		sizeof(*task->list.items), compare_id);
}

/* --- rights ----------------------------------------------------------------
 */

static enum rc
tell_missing(struct fault *fault)
{
	return fault_tell(fault, RC_NOT_FOUND, "NotFound", "id",
		"There is no such alarm.");
}

static struct variable
variable_of(const struct alarm *alarm)
{
	return (struct variable){
		.id = alarm->variable_id,
		.datasource_id = (int32_t)alarm->datasource_id,
		.name = alarm->variable,
		.access = alarm->access,
	};
}

static bool
configures(const struct alarm_wish *wish)
{
	return wish->suppress != NULL || wish->release ||
	       wish->out_of_service != NULL || wish->in_service;
}

static bool
operates(const struct alarm_wish *wish)
{
	return wish->acknowledge || wish->comment != NULL ||
	       wish->cause.items != NULL || wish->shelve != NULL ||
	       wish->unshelve;
}

/* What the caller may not see is not there. */
static enum rc
check_rights(
	const struct task *task, const struct alarm *alarm, struct fault *fault)
{
	const struct policy *policy = task->plant.policy;
	struct variable variable;
	enum rc rc = RC_OK;

	if (alarm == NULL)
		return tell_missing(fault);
	variable = variable_of(alarm);
	if (!policy_may(policy, &variable, POLICY_READ_ALARMS))
		return tell_missing(fault);
	if (operates(&task->body.wish))
		rc = policy_check(
			policy, &variable, POLICY_ACKNOWLEDGE_ALARMS, fault);
	if (rc == RC_OK && configures(&task->body.wish))
		rc = policy_check(policy, &variable, POLICY_CONFIGURE, fault);
	return rc;
}

/* --- doing -----------------------------------------------------------------
 */

/* The ids that were changed, and the wish as we have read it: as it was sent,
 * with half a surrogate pair for instance, it may be no JSON to others. */
static enum rc
note(struct req *req, const struct task *task)
{
	struct jsonw *json = jsonw_in(req->arena);
	struct json_object *wish;
	const char *object = NULL;
	size_t changed = 0;
	enum rc rc = json_parse(
		req->arena, req->body, req->body_bytes, &wish, &req->fault);

	if (rc != RC_OK)
		return rc;
	jsonw_open_obj(json, NULL);
	jsonw_raw(json, "request",
		json_object_to_json_string_ext(wish, JSON_C_TO_STRING_PLAIN));
	jsonw_open_arr(json, "changed");
	for (size_t i = 0; i < task->count; i++) {
		if (!task->acts[i].changed)
			continue;
		object = task->ids[i];
		jsonw_str(json, NULL, object);
		changed++;
	}
	jsonw_close_arr(json);
	jsonw_close_obj(json);
	if (changed == 0)
		return RC_OK;
	if (changed > 1)
		object = arena_printf(req->arena, "%zu of %s", changed,
			task->plant.datasource.uuid_text);
	return audit_write(req,
		&(struct audit){.action = "alarm.change",
			.object = arena_printf(req->arena, "alarm:%s", object),
			.result = AUDIT_OK,
			.after = json->out->data});
}

static enum rc
act(struct req *req, struct task *task)
{
	const struct alarm_actor actor = {
		.username = req->caller->name,
		.computer = req->address,
		.account_id =
			req->caller->kind == CALLER_USER ? req->caller->id : 0,
	};
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	if (rc == RC_OK)
		rc = look_up(req, task, alarm_lock);
	if (rc != RC_OK)
		return rc;
	task->acts =
		arena_array(req->arena, task->count + 1, sizeof(*task->acts));
	for (size_t i = 0; i < task->count; i++) {
		task->acts[i].alarm = find(task, task->ids[i]);
		task->acts[i].fault.rc = check_rights(
			task, task->acts[i].alarm, &task->acts[i].fault);
	}
	rc = alarm_act(req->db, req->arena, &task->body.wish, &actor,
		task->now_us, task->acts, task->count, &req->fault);
	if (rc == RC_OK)
		rc = note(req, task);
	return rc == RC_OK ? db_commit(req->db, &req->fault) : rc;
}

static enum rc
begin(struct req *req, const struct field *fields, struct task *task)
{
	enum rc rc = plant_find(req, &task->plant);

	task->now_us = clock_now_us();
	if (rc == RC_OK && fields != NULL)
		rc = read_body(req, fields, task);
	return rc;
}

/* --- one -------------------------------------------------------------------
 */

static enum rc
answer_one(struct req *req, struct resp *resp, struct task *task)
{
	enum rc rc = look_up(req, task, alarm_find);
	struct alarm *alarm;

	if (rc != RC_OK)
		return rc;
	alarm = find(task, task->ids[0]);
	rc = check_rights(task, alarm, &req->fault);
	if (rc == RC_OK)
		alarm_write(resp_json(resp, 200), alarm, task->now_us);
	return rc;
}

enum rc
api_alarm_change(struct req *req, struct resp *resp)
{
	const char *id = req_arg(req, "id");
	struct task task = {.count = 1, .ids = &id};
	enum rc rc = begin(req, one_fields, &task);

	if (rc == RC_OK)
		rc = act(req, &task);
	if (rc == RC_OK && task.acts[0].fault.rc != RC_OK) {
		req->fault = task.acts[0].fault;
		rc = req->fault.rc;
	}
	return rc == RC_OK ? answer_one(req, resp, &task) : rc;
}

enum rc
api_alarm_get(struct req *req, struct resp *resp)
{
	const char *id = req_arg(req, "id");
	struct task task = {.count = 1, .ids = &id};
	enum rc rc = begin(req, NULL, &task);

	return rc == RC_OK ? answer_one(req, resp, &task) : rc;
}

/* --- many ------------------------------------------------------------------
 */

static void
write_result(struct jsonw *json, const char *id, const struct alarm_act *act)
{
	const struct fault_public *known = fault_public(act->fault.rc);
	bool told = act->fault.rc != RC_OK;

	jsonw_open_obj(json, NULL);
	jsonw_str(json, "id", id);
	jsonw_int(json, "status", known->status);
	jsonw_bool(json, "changed", act->changed);
	jsonw_str(json, "errorCode",
		!told                        ? NULL
		: act->fault.code[0] != '\0' ? act->fault.code
					     : known->code);
	jsonw_str(json, "errorMessage",
		!told                          ? NULL
		: act->fault.client[0] != '\0' ? act->fault.client
					       : known->message);
	jsonw_close_obj(json);
}

enum rc
api_alarm_change_many(struct req *req, struct resp *resp)
{
	struct task task = {.count = 0};
	struct jsonw *json;
	enum rc rc = begin(req, many_fields, &task);

	task.count = task.body.ids.count;
	task.ids = task.body.ids.items;
	if (rc == RC_OK)
		rc = act(req, &task);
	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, "results");
	for (size_t i = 0; i < task.count; i++)
		write_result(json, task.ids[i], &task.acts[i]);
	jsonw_close_arr(json);
	jsonw_close_obj(json);
	return RC_OK;
}
