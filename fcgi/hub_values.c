/* hub_values: current values, from the process image. */

#include "fcgi/hub.h"

#include <string.h>
#include <strings.h>

#include "lib/field.h"
#include "model/policy.h"
#include "model/value_json.h"

#define NAMES_MAX VARIABLE_BATCH_MAX

/* The members of a variable that a client may ask for. */
enum member {
	NAME,
	VALUE,
	LAST_UPDATE_TIME,
	STATUS,
	STATUS_TEXT,
	TYPE,
	UNIT,
	DECIMALS,
	MINIMUM,
	MAXIMUM,
	STEPPED,
	ACCESS,
	DESCRIPTION,
	MEMBERS,
};

static const char *const member_names[MEMBERS] = {
	[NAME] = "name",
	[VALUE] = "value",
	[LAST_UPDATE_TIME] = "lastUpdateTime",
	[STATUS] = "status",
	[STATUS_TEXT] = "statusText",
	[TYPE] = "type",
	[UNIT] = "unit",
	[DECIMALS] = "decimals",
	[MINIMUM] = "minimum",
	[MAXIMUM] = "maximum",
	[STEPPED] = "stepped",
	[ACCESS] = "access",
	[DESCRIPTION] = "description",
};

#define ASKED(member) (UINT32_C(1) << (member))
#define ASKED_DEFAULT (ASKED(NAME) | ASKED(VALUE) | ASKED(LAST_UPDATE_TIME))
#define ASKED_ALL     (ASKED(MEMBERS) - 1)

/* --- one variable ------------------------------------------------------- */

static void
write_status_text(struct jsonw *json, uint64_t status)
{
	static const struct {
		uint64_t bit;
		const char *name;
	} bits[] = {
		{STATUS_GI, "GI"},
		{STATUS_SPONT, "SPONT"},
		{STATUS_INVALID, "INVALID"},
		{STATUS_OFF, "OFF"},
		{STATUS_ALT_VAL, "ALT_VAL"},
		{STATUS_OV, "OV"},
	};
	char text[64] = "";

	for (size_t i = 0; i < ARRAY_LENGTH(bits); i++) {
		if ((status & bits[i].bit) == 0)
			continue;
		if (text[0] != '\0')
			strcat(text, " ");
		strcat(text, bits[i].name);
	}
	jsonw_str(json, member_names[STATUS_TEXT], text);
}

static void
write_member(struct jsonw *json, const struct image_variable *variable,
	enum member member)
{
	const struct variable *meta = &variable->meta;
	const char *key = member_names[member];

	switch (member) {
	case NAME:
		jsonw_str(json, key, meta->name);
		break;
	case VALUE:
		value_write(json, key, &variable->value);
		break;
	case LAST_UPDATE_TIME:
		jsonw_time(json, key,
			variable->value.kind != VALUE_NONE ? variable->time_us
							   : INT64_MIN);
		break;
	case STATUS:
		jsonw_uint(json, key, variable->status);
		break;
	case STATUS_TEXT:
		write_status_text(json, variable->status);
		break;
	case TYPE:
		jsonw_str(json, key, variable_kind_name(meta->kind));
		break;
	case UNIT:
		jsonw_str(json, key, meta->unit);
		break;
	case DECIMALS:
		jsonw_int(json, key, meta->decimals);
		break;
	case MINIMUM:
		jsonw_num(json, key, meta->minimum);
		break;
	case MAXIMUM:
		jsonw_num(json, key, meta->maximum);
		break;
	case STEPPED:
		jsonw_bool(json, key, meta->stepped);
		break;
	case ACCESS:
		jsonw_str(json, key, variable_access_name(meta->access));
		break;
	case DESCRIPTION:
		jsonw_str(json, key, meta->description);
		break;
	case MEMBERS:
		break;
	}
}

static void
write_variable(struct jsonw *json, const struct image_variable *variable,
	uint32_t asked)
{
	jsonw_open_obj(json, NULL);
	for (int member = 0; member < MEMBERS; member++)
		if ((asked & ASKED(member)) != 0)
			write_member(json, variable, (enum member)member);
	jsonw_close_obj(json);
}

/* --- what the caller may see -------------------------------------------- */

static bool
is_visible(const struct policy *policy, const struct image_variable *variable)
{
	return policy_may(policy, &variable->meta, POLICY_READ_VALUES);
}

enum rc
hub_values_datasource(struct hub *hub, struct req *req,
	const struct policy *policy, const struct image_datasource **datasource)
{
	uint8_t uuid[16];
	enum rc rc = req_arg_uuid(req, "ds", uuid);

	if (rc != RC_OK)
		return rc;
	*datasource = image_datasource_by_uuid(hub->image, uuid);
	if (*datasource == NULL || !policy_sees(policy, (*datasource)->id))
		return fault_tell(&req->fault, RC_NOT_FOUND, "NotFound", NULL,
			"There is no such datasource.");
	return RC_OK;
}

/* --- query -------------------------------------------------------------- */

struct query {
	struct texts names;
	struct texts members;
	uint32_t asked;
};

static const struct field filter_fields[] = {
	{"variableNames", FIELD_TEXTS, offsetof(struct query, names), false, 0,
		NAMES_MAX, NULL},
	FIELDS_END,
};

static const struct field query_fields[] = {
	{"nameFilter", FIELD_OBJECT, 0, false, 0, 0, filter_fields},
	{"fields", FIELD_TEXTS, offsetof(struct query, members), false, 0, 64,
		NULL},
	FIELDS_END,
};

static int
find_member(const char *name)
{
	for (int member = 0; member < MEMBERS; member++)
		if (strcasecmp(member_names[member], name) == 0)
			return member;
	return -1;
}

static enum rc
read_query(struct req *req, struct query *query)
{
	static const char *const everything[] = {"*"};
	enum rc rc;

	*query = (struct query){.names = {1, everything}};
	rc = req_json(req, query_fields, query);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < query->members.count; i++) {
		int member = find_member(query->members.items[i]);

		if (member < 0)
			return fault_tell(&req->fault, RC_BAD_INPUT,
				"BadRequest", "fields",
				"A variable has no field \"%.100s\".",
				query->members.items[i]);
		query->asked |= ASKED(member);
	}
	if (query->members.count == 0)
		query->asked = ASKED_DEFAULT;
	return RC_OK;
}

static bool
is_pattern(const char *name)
{
	return strpbrk(name, "*?") != NULL;
}

/* The variables by one name or pattern, as marks beside the datasource's. */
static void
mark(const struct image_datasource *datasource, const char *name, bool *marks)
{
	if (!is_pattern(name)) {
		size_t at = image_find_index(datasource, name);

		if (at < datasource->count)
			marks[at] = true;
		return;
	}
	for (size_t i = 0; i < datasource->count; i++)
		if (!marks[i] && policy_matches(name,
					 datasource->variables[i]->meta.name))
			marks[i] = true;
}

static void
write_found(struct jsonw *json, struct arena *arena,
	const struct image_datasource *datasource, const struct policy *policy,
	const struct query *query)
{
	bool *marks = arena_array(arena, datasource->count, sizeof(*marks));

	for (size_t i = 0; i < query->names.count; i++)
		mark(datasource, query->names.items[i], marks);
	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, "variables");
	for (size_t i = 0; i < datasource->count; i++)
		if (marks[i] && is_visible(policy, datasource->variables[i]))
			write_variable(
				json, datasource->variables[i], query->asked);
	jsonw_close_arr(json);
	jsonw_close_obj(json);
}

enum rc
hub_values_query(struct req *req, struct resp *resp)
{
	const struct image_datasource *datasource;
	const struct policy *policy;
	struct query query;
	struct hub *hub;
	enum rc rc = hub_ready_for(req, &hub, &policy);

	if (rc == RC_OK)
		rc = read_query(req, &query);
	if (rc != RC_OK)
		return rc;
	image_read_lock(hub->image);
	rc = hub_values_datasource(hub, req, policy, &datasource);
	if (rc == RC_OK)
		write_found(resp_json(resp, 200), req->arena, datasource,
			policy, &query);
	image_unlock(hub->image);
	return rc;
}

/* --- one by name -------------------------------------------------------- */

static enum rc
write_named(struct hub *hub, struct req *req, struct resp *resp,
	const struct policy *policy)
{
	const struct image_datasource *datasource;
	const struct image_variable *variable;
	enum rc rc = hub_values_datasource(hub, req, policy, &datasource);

	if (rc != RC_OK)
		return rc;
	variable = image_find(datasource, req_arg(req, "name"));
	if (variable == NULL)
		return fault_tell(&req->fault, RC_NOT_FOUND, "NotFound", "name",
			"There is no variable of this name.");
	rc = policy_check(
		policy, &variable->meta, POLICY_READ_VALUES, &req->fault);
	if (rc != RC_OK)
		return rc;
	write_variable(resp_json(resp, 200), variable, ASKED_ALL);
	return RC_OK;
}

enum rc
hub_value_get(struct req *req, struct resp *resp)
{
	const struct policy *policy;
	struct hub *hub;
	enum rc rc = hub_ready_for(req, &hub, &policy);

	if (rc != RC_OK)
		return rc;
	image_read_lock(hub->image);
	rc = write_named(hub, req, resp, policy);
	image_unlock(hub->image);
	return rc;
}
