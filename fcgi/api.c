/* api: what the endpoints of fieldgrid-api share. */

#include "fcgi/api.h"

#include <strings.h>

#include "lib/clock.h"

#define NAMES_MAX 1000

enum rc
plant_find(struct req *req, struct plant *plant)
{
	uint8_t uuid[UUID_BYTES];
	enum rc rc = req_arg_uuid(req, "ds", uuid);

	if (rc == RC_OK)
		rc = datasource_find(req->db, req->arena, uuid,
			&plant->datasource, &req->fault);
	if (rc == RC_OK)
		rc = policy_of(req, &plant->policy);
	if (rc == RC_OK && !policy_sees(plant->policy, plant->datasource.id))
		rc = fault_set(&req->fault, RC_NOT_FOUND, "not visible");
	if (rc == RC_NOT_FOUND)
		return fault_tell(&req->fault, RC_NOT_FOUND, "NotFound", NULL,
			"There is no such datasource.");
	return rc;
}

bool
plant_shows(const struct plant *plant, const struct variable *variable,
	enum policy_action action)
{
	return policy_may(plant->policy, variable, action);
}

/* --- filters ------------------------------------------------------------- */

static const struct field time_fields[] = {
	{.name = "from",
		.kind = FIELD_TIME,
		.offset = offsetof(struct api_filter, time.from_us),
		.required = true},
	{.name = "to",
		.kind = FIELD_TIME,
		.offset = offsetof(struct api_filter, time.to_us),
		.required = true},
	{.name = "type",
		.kind = FIELD_TEXT,
		.offset = offsetof(struct api_filter, time.type),
		.maximum = 32},
	FIELDS_END,
};

static const struct field variable_fields[] = {
	{.name = "variableNames",
		.kind = FIELD_TEXTS,
		.offset = offsetof(struct api_filter, variables.names),
		.maximum = NAMES_MAX},
	FIELDS_END,
};

/* Nested tables write into the same struct: their offsets are its. */
static const struct field filter_fields[] = {
	{.name = "timeFilter",
		.kind = FIELD_OBJECT,
		.required = true,
		.fields = time_fields},
	{.name = "variableFilter",
		.kind = FIELD_OBJECT,
		.fields = variable_fields},
	{.name = "filterFlags",
		.kind = FIELD_TEXTS,
		.offset = offsetof(struct api_filter, flags),
		.maximum = 16},
	{.name = "origin",
		.kind = FIELD_TEXT,
		.offset = offsetof(struct api_filter, origin),
		.maximum = 32},
	FIELDS_END,
};

enum rc
api_filter_read(struct req *req, struct api_filter *filter)
{
	enum rc rc;

	*filter = (struct api_filter){.time.type = "Absolute"};
	rc = req_json(req, filter_fields, filter);
	if (rc != RC_OK)
		return rc;
	if (strcasecmp(filter->time.type, "Absolute") != 0)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"timeFilter.type",
			"The type of a time filter is \"Absolute\".");
	if (filter->time.from_us > filter->time.to_us)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"timeFilter", "\"from\" lies behind \"to\".");
	return RC_OK;
}

void
api_refuse_variables(
	struct resp *resp, const struct texts *names, const char *message)
{
	struct jsonw *json = resp_json(resp, 400);

	jsonw_open_obj(json, NULL);
	jsonw_str(json, "errorCode", "BadRequest");
	jsonw_str(json, "errorMessage", message);
	jsonw_open_arr(json, "variableErrors");
	for (size_t i = 0; i < names->count; i++) {
		jsonw_open_obj(json, NULL);
		jsonw_str(json, "variableName", names->items[i]);
		jsonw_str(json, "errorCode", "NotFound");
		jsonw_str(json, "errorMessage",
			"There is no such variable here.");
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
	jsonw_close_obj(json);
}
