/* hub_node: what a node asks and says besides its frames. */

#include "fcgi/hub.h"
#include "fcgi/hub_catalog.h"
#include "fcgi/hub_declared.h"

#include <json-c/json.h>
#include <math.h>

#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/field.h"
#include "model/command.h"
#include "model/node.h"

static enum rc
check_place(struct req *req)
{
	struct hub *hub;
	enum rc rc = hub_ready(req, &hub);

	return rc != RC_OK ? rc
			   : hub_node_check_place(
				     hub_nodes_get(hub->nodes, req->caller->id),
				     req);
}

enum rc
hub_position_get(struct req *req, struct resp *resp)
{
	struct node_position position;
	struct jsonw *json;
	enum rc rc = check_place(req);

	if (rc == RC_OK)
		rc = node_position_find(req->db, req->arena, req->caller->id,
			&position, &req->fault);
	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	jsonw_int(json, "sequence", position.sequence);
	jsonw_str(json, "spool",
		arena_printf(req->arena, "%016llx",
			(unsigned long long)position.spool_id));
	jsonw_close_obj(json);
	return RC_OK;
}

/* --- beat --------------------------------------------------------------- */

struct beat_body {
	struct node_beat beat;
	int64_t clock_us;
};

#define BEAT(name, kind, member, limit)                                        \
	{                                                                      \
		name, kind, offsetof(struct beat_body, member), false, 0,      \
			limit, NULL                                            \
	}

static const struct field beat_fields[] = {
	BEAT("version", FIELD_TEXT, beat.version, 64),
	BEAT("spoolFrames", FIELD_INT, beat.spool_frames, INT64_MAX),
	BEAT("spoolBytes", FIELD_INT, beat.spool_bytes, INT64_MAX),
	BEAT("oldest", FIELD_TIME, beat.oldest_us, 0),
	BEAT("lostSamples", FIELD_INT, beat.lost_samples, INT64_MAX),
	BEAT("clock", FIELD_TIME, clock_us, 0),
	FIELDS_END,
};

/* A beat is proof that the node has switched to this certificate. */
static enum rc
note_certificate(struct req *req)
{
	struct tls_facts facts;
	enum rc rc = tls_read_escaped(req->arena,
		req->param(req, "SSL_CLIENT_CERT"), &facts, &req->fault);

	return rc == RC_OK ? node_note_certificate(req->db, &facts, &req->fault)
			   : rc;
}

enum rc
hub_beat_post(struct req *req, struct resp *resp)
{
	const struct hub *hub = req->app;
	int64_t now_us = clock_now_us();
	struct beat_body body = {
		.beat = {.version = "", .oldest_us = CLOCK_NEVER},
		.clock_us = now_us,
	};
	struct jsonw *json;
	enum rc rc = check_place(req);

	if (rc == RC_OK)
		rc = req_json(req, beat_fields, &body);
	if (rc != RC_OK)
		return rc;
	body.beat.address = req->address;
	body.beat.clock_offset_us = body.clock_us - now_us;
	hub_nodes_hear(hub->nodes, req->caller->id);
	rc = node_note_beat(req->db, req->caller->id, &body.beat, &req->fault);
	if (rc == RC_OK)
		rc = note_certificate(req);
	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	jsonw_time(json, "time", now_us);
	jsonw_int(json, "limits", atomic_load(&hub->limits_version));
	jsonw_close_obj(json);
	return RC_OK;
}

/* --- variables ---------------------------------------------------------- */

struct declaration {
	const char *datasource;
	struct json_object *variables;
};

static const struct field declaration_fields[] = {
	{"datasource", FIELD_TEXT, offsetof(struct declaration, datasource),
		true, 0, 36, NULL},
	{"variables", FIELD_ANY, offsetof(struct declaration, variables), true,
		0, 0, NULL},
	FIELDS_END,
};

/* One variable as it is written. */
struct declared {
	const char *name;
	const char *type;
	const char *unit;
	int64_t decimals;
	double minimum;
	double maximum;
	bool stepped;
	const char *access;
	const char *description;
};

#define DECLARED(name, kind, member, required, limit)                          \
	{                                                                      \
		name, kind, offsetof(struct declared, member), required, 0,    \
			limit, NULL                                            \
	}

static const struct field declared_fields[] = {
	DECLARED("name", FIELD_TEXT, name, true, VARIABLE_NAME_BYTES_MAX),
	DECLARED("type", FIELD_TEXT, type, true, 16),
	DECLARED("unit", FIELD_TEXT, unit, false, 64),
	DECLARED("decimals", FIELD_INT, decimals, false, VARIABLE_DECIMALS_MAX),
	DECLARED("minimum", FIELD_NUM, minimum, false, 0),
	DECLARED("maximum", FIELD_NUM, maximum, false, 0),
	DECLARED("stepped", FIELD_BOOL, stepped, false, 0),
	DECLARED("access", FIELD_TEXT, access, false, 16),
	DECLARED("description", FIELD_TEXT, description, false, 1024),
	FIELDS_END,
};

static enum rc
read_variable(struct req *req, struct json_object *object, size_t index,
	struct variable *variable)
{
	struct declared declared = {
		.unit = "",
		.decimals = 2,
		.minimum = NAN,
		.maximum = NAN,
		.access = "read",
		.description = "",
	};
	const char *path = arena_printf(req->arena, "variables[%zu]", index);
	enum rc rc = field_read(req->arena, object, declared_fields, &declared,
		path, &req->fault);

	if (rc != RC_OK)
		return rc;
	*variable = (struct variable){
		.name = declared.name,
		.kind = variable_kind_parse(declared.type),
		.unit = declared.unit,
		.decimals = (int)declared.decimals,
		.minimum = declared.minimum,
		.maximum = declared.maximum,
		.stepped = declared.stepped,
		.description = declared.description,
	};
	if (variable->kind == VALUE_NONE)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"type", "%s.type is bool, float, int or string.", path);
	if (!variable_access_parse(declared.access, &variable->access))
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"access", "%s.access is none, read or read_write.",
			path);
	return RC_OK;
}

static enum rc
read_variables(
	struct req *req, struct json_object *array, struct variable_list *list)
{
	struct variable *items;

	if (!json_object_is_type(array, json_type_array))
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"variables", "variables is an array.");
	list->count = json_object_array_length(array);
	if (list->count > VARIABLE_BATCH_MAX)
		return fault_tell(&req->fault, RC_TOO_LARGE, "TooLarge",
			"variables", "A request may have %d variables.",
			VARIABLE_BATCH_MAX);
	items = arena_array(req->arena, list->count, sizeof(*items));
	list->items = items;
	for (size_t i = 0; i < list->count; i++) {
		enum rc rc = read_variable(
			req, json_object_array_get_idx(array, i), i, &items[i]);

		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc
find_known(struct req *req, int32_t datasource_id,
	const struct variable_list *declared, struct variable_list *known)
{
	const char **names =
		arena_array(req->arena, declared->count, sizeof(*names));

	for (size_t i = 0; i < declared->count; i++)
		names[i] = declared->items[i].name;
	return variable_query_names(req->db, req->arena, datasource_id, names,
		declared->count, known, &req->fault);
}

static enum rc
store(struct req *req, int32_t datasource_id, const char *datasource,
	const struct variable_list *declared, struct variable_list *stored)
{
	struct variable_list known = {0, NULL};
	enum rc rc = find_known(req, datasource_id, declared, &known);

	if (rc == RC_OK)
		rc = variable_put(req->db, req->arena, datasource_id,
			declared->items, declared->count, stored, &req->fault);
	return rc == RC_OK ? hub_declared_audit(req, datasource, &known, stored)
			   : rc;
}

/* Commands for these variables go to this node. */
static enum rc
note_writer(struct req *req, const struct variable_list *stored)
{
	int32_t *ids = arena_array(req->arena, stored->count, sizeof(*ids));

	for (size_t i = 0; i < stored->count; i++)
		ids[i] = stored->items[i].id;
	return command_note_node(
		req->db, req->caller->id, ids, stored->count, &req->fault);
}

static enum rc
declare(struct hub *hub, struct req *req, int32_t datasource_id,
	const char *datasource, const struct variable_list *declared,
	struct variable_list *stored)
{
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	if (rc != RC_OK)
		return rc;
	rc = store(req, datasource_id, datasource, declared, stored);
	if (rc == RC_OK)
		rc = note_writer(req, stored);
	if (rc == RC_OK)
		rc = db_commit(req->db, &req->fault);
	else
		db_rollback(req->db);
	if (rc == RC_OK)
		image_define(hub->image, stored->items, stored->count);
	return rc;
}

static void
write_ids(struct jsonw *json, const struct variable_list *stored)
{
	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, "variables");
	for (size_t i = 0; i < stored->count; i++) {
		jsonw_open_obj(json, NULL);
		jsonw_str(json, "name", stored->items[i].name);
		jsonw_int(json, "id", stored->items[i].id);
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
	jsonw_close_obj(json);
}

enum rc
hub_variables_put(struct req *req, struct resp *resp)
{
	struct hub *hub;
	struct declaration body;
	struct variable_list declared = {0, NULL};
	struct variable_list stored = {0, NULL};
	int32_t datasource_id = 0;
	enum rc rc = hub_ready(req, &hub);

	if (rc == RC_OK)
		rc = req_json(req, declaration_fields, &body);
	if (rc == RC_OK)
		rc = hub_catalog_publish_text(
			hub, req, body.datasource, &datasource_id);
	if (rc == RC_OK)
		rc = read_variables(req, body.variables, &declared);
	if (rc == RC_OK && declared.count > 0)
		rc = declare(hub, req, datasource_id, body.datasource,
			&declared, &stored);
	if (rc == RC_OK)
		write_ids(resp_json(resp, 200), &stored);
	return rc;
}
