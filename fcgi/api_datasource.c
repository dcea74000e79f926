/* api_datasource: which plants there are, and whether they are in reach. */

#include "fcgi/api_datasource.h"

#include "fcgi/api.h"

typedef void write_fn(struct jsonw *json, const struct datasource *datasource);

static void
write_v1(struct jsonw *json, const struct datasource *datasource)
{
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "dataSourceId", datasource->uuid_text);
	jsonw_str(json, "name", datasource->name);
	jsonw_str(json, "state", datasource->online ? "Online" : "Offline");
	jsonw_close_obj(json);
}

static void
write_origin(struct jsonw *json, const char *type, const char *state)
{
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "type", type);
	jsonw_str(json, "state", state);
	jsonw_close_obj(json);
}

static void
write_v2(struct jsonw *json, const struct datasource *datasource)
{
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "dataSourceId", datasource->uuid_text);
	jsonw_str(json, "name", datasource->name);
	jsonw_open_arr(json, "dataOrigin");
	write_origin(json, "ServiceEngine",
		datasource->online ? "Available" : "Unavailable");
	write_origin(json, "DataStorage", "Available");
	jsonw_close_arr(json);
	jsonw_close_obj(json);
}

static enum rc
answer(struct req *req, struct resp *resp, const char *key, write_fn *write)
{
	const struct policy *policy;
	struct datasource_list list;
	struct jsonw *json;
	enum rc rc;

	rc = datasource_query(req->db, req->arena, &list, &req->fault);
	if (rc == RC_OK)
		rc = policy_of(req, &policy);
	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, key);
	for (size_t i = 0; i < list.count; i++)
		if (policy_sees(policy, list.items[i].id))
			write(json, &list.items[i]);
	jsonw_close_arr(json);
	jsonw_close_obj(json);
	return RC_OK;
}

enum rc
api_datasource_list(struct req *req, struct resp *resp)
{
	return answer(req, resp, "dataSources", write_v1);
}

enum rc
api_datasource_origins(struct req *req, struct resp *resp)
{
	return answer(req, resp, "dataSourcesOrigin", write_v2);
}
