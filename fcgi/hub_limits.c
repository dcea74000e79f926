/* hub_limits: limits that agents declare, and those that they have to fetch. */

#include "fcgi/hub.h"
#include "fcgi/hub_catalog.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "lib/field.h"
#include "lib/jsonw.h"
#include "model/alarm_limit_find.h"
#include "model/alarm_limit_store.h"
#include "model/audit.h"

struct declaration {
	const char *datasource;
	struct texts variables; /* that the node evaluates */
	struct json_object *limits;
};

#define DECLARATION(name, kind, member, limit)                                 \
	{                                                                      \
		name, kind, offsetof(struct declaration, member), true, 0,     \
			limit, NULL                                            \
	}

static const struct field declaration_fields[] = {
	DECLARATION("datasource", FIELD_TEXT, datasource, 36),
	DECLARATION("variables", FIELD_TEXTS, variables, VARIABLE_BATCH_MAX),
	DECLARATION("limits", FIELD_ANY, limits, 0),
	FIELDS_END,
};

/* One declaration under way. */
struct declaring {
	struct req *req;
	int32_t datasource_id;
	struct variable *known; /* of the names, by name */
	size_t known_count;
	struct alarm_limit *limits;
	size_t count;
};

/* --- reading -------------------------------------------------------------- */

static int
compare_names(const void *left, const void *right)
{
	const struct variable *one = left;
	const struct variable *other = right;

	return strcmp(one->name, other->name);
}

static enum rc
read_known(struct declaring *declaring, const struct texts *names)
{
	struct req *req = declaring->req;
	struct variable_list list;
	enum rc rc = variable_query_names(req->db, req->arena,
		declaring->datasource_id, names->items, names->count, &list,
		&req->fault);

	if (rc != RC_OK)
		return rc;
	declaring->known_count = list.count;
	declaring->known =
		arena_array(req->arena, list.count, sizeof(*declaring->known));
	if (list.count == 0)
		return RC_OK;
	memcpy(declaring->known, list.items, list.count * sizeof(*list.items));
	qsort(declaring->known, list.count, sizeof(*list.items), compare_names);
	return RC_OK;
}

static enum value_kind
kind_of(const struct declaring *declaring, const char *name)
{
	const struct variable key = {.name = name};
	const struct variable *found =
		declaring->known_count == 0
			? NULL
			: bsearch(&key, declaring->known,
				  declaring->known_count, sizeof(key),
				  compare_names);

	return found != NULL ? found->kind : VALUE_NONE;
}

static enum rc
tell_unknown(struct declaring *declaring, const char *path, const char *member,
	const char *name)
{
	return fault_tell(&declaring->req->fault, RC_UNPROCESSABLE,
		"UnknownVariable", member,
		"%s: \"%.100s\" is not a variable that this node declared.",
		path, name);
}

static enum rc
read_limit(struct declaring *declaring, struct json_object *object,
	size_t index, struct alarm_limit *limit)
{
	struct req *req = declaring->req;
	const char *path = arena_printf(req->arena, "limits[%zu]", index);
	struct alarm_limit_flaw flaw;
	enum value_kind kind;
	enum rc rc;

	*limit = alarm_limit_default();
	if (!json_object_is_type(object, json_type_object))
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest", path,
			"\"%s\" must be an object.", path);
	rc = alarm_limit_read(req->arena, object, path, limit, &req->fault);
	if (rc != RC_OK)
		return rc;
	limit->origin = ALARM_ORIGIN_AGENT;
	limit->evaluated_by = ALARM_BY_AGENT;
	kind = kind_of(declaring, limit->variable);
	if (kind == VALUE_NONE)
		return tell_unknown(
			declaring, path, "variable", limit->variable);
	if (!alarm_limit_settle(limit, kind, &flaw))
		return alarm_limit_refuse(&flaw, path, &req->fault);
	if (limit->suppressed_by[0] != '\0' &&
		kind_of(declaring, limit->suppressed_by) != VALUE_BOOL)
		return tell_unknown(
			declaring, path, "suppressedBy", limit->suppressed_by);
	return RC_OK;
}

static enum rc
read_limits(struct declaring *declaring, struct json_object *array)
{
	struct req *req = declaring->req;
	enum rc rc = RC_OK;

	if (!json_object_is_type(array, json_type_array))
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"limits", "limits is an array.");
	declaring->count = json_object_array_length(array);
	if (declaring->count > ALARM_LIMITS_MAX)
		return fault_tell(&req->fault, RC_TOO_LARGE, "TooLarge",
			"limits", "A request may have %d limits.",
			ALARM_LIMITS_MAX);
	declaring->limits = arena_array(
		req->arena, declaring->count, sizeof(*declaring->limits));
	for (size_t i = 0; i < declaring->count && rc == RC_OK; i++)
		rc = read_limit(declaring, json_object_array_get_idx(array, i),
			i, &declaring->limits[i]);
	return rc;
}

/* --- storing -------------------------------------------------------------- */

static void
write_counts(struct jsonw *json, const struct alarm_limit_count *counts)
{
	jsonw_open_obj(json, NULL);
	jsonw_int(json, "added", counts->added);
	jsonw_int(json, "changed", counts->changed);
	jsonw_int(json, "removed", counts->removed);
	jsonw_int(json, "refused", counts->refused);
	jsonw_close_obj(json);
}

static enum rc
write_audit(struct req *req, const char *datasource,
	const struct alarm_limit_count *counts)
{
	struct jsonw *json;

	if (counts->added + counts->changed + counts->removed == 0)
		return RC_OK;
	json = jsonw_in(req->arena);
	write_counts(json, counts);
	return audit_write(req, &(struct audit){.action = "limit.declare",
					.object = arena_printf(req->arena,
						"datasource:%s", datasource),
					.result = AUDIT_OK,
					.after = json->out->data});
}

static enum rc
store(struct declaring *declaring, const struct declaration *body,
	struct alarm_limit_count *counts)
{
	struct req *req = declaring->req;
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	if (rc != RC_OK)
		return rc;
	rc = alarm_limit_declare(req->db, req->arena, declaring->datasource_id,
		req->caller->id, &body->variables, declaring->limits,
		declaring->count, counts, &req->fault);
	if (rc == RC_OK)
		rc = write_audit(req, body->datasource, counts);
	if (rc == RC_OK)
		return db_commit(req->db, &req->fault);
	db_rollback(req->db);
	return rc;
}

enum rc
hub_limits_put(struct req *req, struct resp *resp)
{
	struct declaring declaring = {.req = req};
	struct alarm_limit_count counts = {0};
	struct declaration body;
	struct hub *hub;
	enum rc rc = hub_ready(req, &hub);

	if (rc == RC_OK)
		rc = req_json(req, declaration_fields, &body);
	if (rc == RC_OK)
		rc = hub_catalog_publish_text(
			hub, req, body.datasource, &declaring.datasource_id);
	if (rc == RC_OK)
		rc = read_known(&declaring, &body.variables);
	if (rc == RC_OK)
		rc = read_limits(&declaring, body.limits);
	if (rc == RC_OK)
		rc = store(&declaring, &body, &counts);
	if (rc == RC_OK)
		write_counts(resp_json(resp, 200), &counts);
	return rc;
}

/* --- fetching ------------------------------------------------------------- */

static void
write_limits(struct jsonw *json, const struct alarm_limit_rows *rows)
{
	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, "limits");
	for (size_t i = 0; i < rows->count; i++) {
		const struct alarm_limit *limit = &rows->items[i].limit;

		if (limit->origin != ALARM_ORIGIN_HUB || !limit->enabled)
			continue;
		jsonw_open_obj(json, NULL);
		alarm_limit_write(json, limit);
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
	jsonw_close_obj(json);
}

enum rc
hub_limits_get(struct req *req, struct resp *resp)
{
	struct alarm_limit_rows rows;
	struct pairs query;
	struct hub *hub;
	const char *datasource;
	int32_t datasource_id;
	enum rc rc = hub_ready(req, &hub);

	if (rc == RC_OK)
		rc = req_query(req, &query);
	if (rc != RC_OK)
		return rc;
	datasource = pairs_find(&query, "datasource");
	rc = hub_catalog_publish_text(
		hub, req, datasource != NULL ? datasource : "", &datasource_id);
	if (rc == RC_OK)
		rc = alarm_limit_query(req->db, req->arena, datasource_id,
			ALARM_BY_AGENT, &rows, &req->fault);
	if (rc == RC_OK)
		write_limits(resp_json(resp, 200), &rows);
	return rc;
}
