/* api_archive: archives and their values, in the forms of version 1 and 2. */

#include "fcgi/api_archive.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "fcgi/api.h"
#include "model/archive.h"
#include "model/archive_read.h"

/* Integers beyond this are not exact where JSON numbers are doubles. */
#define EXACT_MAX (INT64_C(1) << 53)

/* --- the tree ------------------------------------------------------------ */

enum form { FORM_V1, FORM_V2 };

/* What writes one tree. */
struct tree {
	const struct plant *plant;
	struct jsonw *json;
	enum form form;
};

static bool
is_visible(const struct plant *plant, const struct archive *archive)
{
	for (size_t i = 0; i < archive->variables.count; i++)
		if (plant_shows(plant, &archive->variables.items[i],
			    POLICY_READ_HISTORY))
			return true;
	return false;
}

static void
write_tree(const struct tree *tree, const struct archive *archive)
{
	struct jsonw *json = tree->json;

	for (; archive != NULL; archive = archive->next) {
		if (!is_visible(tree->plant, archive))
			continue;
		jsonw_open_obj(json, NULL);
		jsonw_str(json, "identification", archive->identification);
		jsonw_str(json, "name", archive->name);
		if (tree->form == FORM_V2) {
			jsonw_open_arr(json, "dataOrigin");
			jsonw_str(json, NULL, "ServiceEngine");
			jsonw_str(json, NULL, "DataStorage");
			jsonw_close_arr(json);
		}
		jsonw_open_arr(json, "aggregatedArchives");
		write_tree(tree, archive->child);
		jsonw_close_arr(json);
		jsonw_close_obj(json);
	}
}

static enum rc
answer_tree(struct req *req, struct resp *resp, enum form form)
{
	const struct archive *first;
	struct plant plant;
	struct tree tree = {.plant = &plant, .form = form};
	enum rc rc = plant_find(req, &plant);

	if (rc == RC_OK)
		rc = archive_query(req->db, req->arena, plant.datasource.id,
			&first, &req->fault);
	if (rc != RC_OK)
		return rc;
	tree.json = resp_json(resp, 200);
	jsonw_open_obj(tree.json, NULL);
	jsonw_open_arr(tree.json, "archives");
	write_tree(&tree, first);
	jsonw_close_arr(tree.json);
	jsonw_close_obj(tree.json);
	return RC_OK;
}

enum rc
api_archive_tree(struct req *req, struct resp *resp)
{
	return answer_tree(req, resp, FORM_V1);
}

enum rc
api_archive_tree_origins(struct req *req, struct resp *resp)
{
	return answer_tree(req, resp, FORM_V2);
}

/* --- one ----------------------------------------------------------------- */

static enum rc
find_archive(
	struct req *req, struct plant *plant, const struct archive **archive)
{
	enum rc rc = plant_find(req, plant);

	if (rc != RC_OK)
		return rc;
	rc = archive_find(req->db, req->arena, plant->datasource.id,
		req_arg(req, "arc"), archive, &req->fault);
	if (rc == RC_OK && !is_visible(plant, *archive))
		rc = fault_set(&req->fault, RC_NOT_FOUND, "not visible");
	if (rc == RC_NOT_FOUND)
		return fault_tell(&req->fault, RC_NOT_FOUND, "NotFound", NULL,
			"There is no such archive.");
	return rc;
}

enum rc
api_archive_one(struct req *req, struct resp *resp)
{
	const struct archive *archive;
	struct plant plant;
	struct jsonw *json;
	enum rc rc = find_archive(req, &plant, &archive);

	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, "variables");
	for (size_t i = 0; i < archive->variables.count; i++) {
		const struct variable *item = &archive->variables.items[i];

		if (!plant_shows(&plant, item, POLICY_READ_HISTORY))
			continue;
		jsonw_open_obj(json, NULL);
		jsonw_str(json, "variableName", item->name);
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
	jsonw_close_obj(json);
	return RC_OK;
}

/* --- values -------------------------------------------------------------- */

/* Clients turn what looks like a number into one, and null into 0: so what is
 * not a finite number is text, and a bool is 0 or 1. */
static void
write_value(struct jsonw *json, const struct value *value)
{
	char text[24];

	switch (value->kind) {
	case VALUE_BOOL:
		jsonw_int(json, "value", value->boolean);
		break;
	case VALUE_INT:
		snprintf(text, sizeof(text), "%" PRId64, value->integer);
		if (value->integer > EXACT_MAX || value->integer < -EXACT_MAX)
			jsonw_str(json, "value", text);
		else
			jsonw_int(json, "value", value->integer);
		break;
	case VALUE_FLOAT:
		if (isfinite(value->number))
			jsonw_num(json, "value", value->number);
		else
			jsonw_str(json, "value",
				isnan(value->number) ? "NaN"
				: value->number > 0  ? "Infinity"
						     : "-Infinity");
		break;
	case VALUE_STRING:
		jsonw_strn(
			json, "value", value->string.data, value->string.bytes);
		break;
	case VALUE_NONE:
		jsonw_null(json, "value");
	}
}

/* The answer while it grows. */
struct values {
	struct jsonw *json;
	const struct buf *out;
	bool open; /* a variable's list is */
};

static void
close_variable(struct values *values)
{
	if (values->open) {
		jsonw_close_arr(values->json);
		jsonw_close_obj(values->json);
	}
	values->open = false;
}

static enum rc
write_variable(
	void *context, const struct variable *variable, struct fault *fault)
{
	struct values *values = context;
	struct jsonw *json = values->json;

	(void)fault;
	close_variable(values);
	jsonw_open_obj(json, NULL);
	jsonw_open_obj(json, "archiveVariable");
	jsonw_str(json, "variableName", variable->name);
	jsonw_close_obj(json);
	jsonw_open_arr(json, "values");
	values->open = true;
	return RC_OK;
}

/* A status is worth telling when the value is not simply good. */
static enum rc
write_sample(void *context, const struct sample *sample, struct fault *fault)
{
	struct values *values = context;
	struct jsonw *json = values->json;

	jsonw_open_obj(json, NULL);
	jsonw_time(json, "timestamp", sample->time_us);
	write_value(json, &sample->value);
	if ((sample->status & ~(STATUS_SPONT | STATUS_GI)) != 0)
		jsonw_uint(json, "statusFlags", sample->status);
	jsonw_close_obj(json);
	if (values->out->overflow)
		return fault_tell(fault, RC_TOO_LARGE, "TooManySamples",
			"timeFilter",
			"The answer would be larger than %zu MiB; ask for a "
			"shorter time or fewer variables.",
			values->out->limit_bytes >> 20);
	return RC_OK;
}

static const struct variable *
find_variable(const struct plant *plant, const struct archive *archive,
	const char *name)
{
	for (size_t i = 0; i < archive->variables.count; i++) {
		const struct variable *item = &archive->variables.items[i];

		if (strcmp(item->name, name) == 0)
			return plant_shows(plant, item, POLICY_READ_HISTORY)
				       ? item
				       : NULL;
	}
	return NULL;
}

static bool
is_chosen(const struct variable *items, size_t count, int32_t id)
{
	for (size_t i = 0; i < count; i++)
		if (items[i].id == id)
			return true;
	return false;
}

/* The asked variables into "request", each once; the others into "unknown". */
static void
choose_variables(struct req *req, const struct plant *plant,
	const struct texts *names, struct archive_request *request,
	struct texts *unknown)
{
	struct variable *items =
		arena_array(req->arena, names->count + 1, sizeof(*items));
	const char **strangers =
		arena_array(req->arena, names->count + 1, sizeof(*strangers));

	for (size_t i = 0; i < names->count; i++) {
		const struct variable *found =
			find_variable(plant, request->archive, names->items[i]);

		if (found == NULL)
			strangers[unknown->count++] = names->items[i];
		else if (!is_chosen(items, request->count, found->id))
			items[request->count++] = *found;
	}
	request->variables = items;
	unknown->items = strangers;
}

static enum rc
answer_values(struct req *req, struct resp *resp,
	const struct archive_request *request)
{
	struct values values = {
		.json = resp_json(resp, 200), .out = &resp->body};
	enum rc rc = RC_OK;

	jsonw_open_obj(values.json, NULL);
	jsonw_open_arr(values.json, "variables");
	if (request->count > 0)
		rc = archive_read(req->db, req->arena, request,
			&(struct archive_visitor){
				write_variable, write_sample, &values},
			&req->fault);
	close_variable(&values);
	jsonw_close_arr(values.json);
	jsonw_close_obj(values.json);
	return rc;
}

static enum rc
answer_query(struct req *req, struct resp *resp, const struct plant *plant,
	const struct archive *archive, const struct api_filter *filter)
{
	const struct api *api = req->app;
	struct texts unknown = {0};
	struct archive_request request = {
		.archive = archive,
		.from_us = filter->time.from_us,
		.to_us = filter->time.to_us,
		.samples_max = api->samples_max,
	};

	choose_variables(req, plant, &filter->names, &request, &unknown);
	if (unknown.count > 0) {
		api_refuse_variables(resp, &unknown,
			"The archive does not have all these variables.");
		return RC_OK;
	}
	return answer_values(req, resp, &request);
}

enum rc
api_archive_query(struct req *req, struct resp *resp)
{
	const struct archive *archive;
	struct api_filter filter;
	struct plant plant;
	enum rc rc = find_archive(req, &plant, &archive);

	if (rc == RC_OK)
		rc = api_filter_read(req, &filter);
	if (rc != RC_OK)
		return rc;
	return answer_query(req, resp, &plant, archive, &filter);
}

/* Everything a plant has sent is stored, so the answer is the same; but who
 * asks the plant itself must hear that it is out of reach. */
static enum rc
check_origin(struct req *req, const struct plant *plant, const char *origin)
{
	if (origin == NULL || strcasecmp(origin, "DataStorage") == 0)
		return RC_OK;
	if (strcasecmp(origin, "ServiceEngine") != 0)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"origin",
			"The origin is \"ServiceEngine\" or \"DataStorage\".");
	if (!plant->datasource.online)
		return fault_tell(&req->fault, RC_UNAVAILABLE, "Unavailable",
			"origin",
			"The plant is offline; its stored data have the "
			"origin \"DataStorage\".");
	return RC_OK;
}

enum rc
api_archive_query_origin(struct req *req, struct resp *resp)
{
	const struct archive *archive;
	struct api_filter filter;
	struct plant plant;
	enum rc rc = find_archive(req, &plant, &archive);

	if (rc == RC_OK)
		rc = api_filter_read(req, &filter);
	if (rc == RC_OK)
		rc = check_origin(req, &plant, filter.origin);
	if (rc != RC_OK)
		return rc;
	return answer_query(req, resp, &plant, archive, &filter);
}
