/* api_main: fieldgrid-api, the Service Grid API over what is stored. */

#include <stdio.h>
#include <stdlib.h>

#include "fcgi/api.h"
#include "fcgi/api_alarm.h"
#include "fcgi/api_alarm_act.h"
#include "fcgi/api_alarm_figures.h"
#include "fcgi/api_alarm_summary.h"
#include "fcgi/api_archive.h"
#include "fcgi/api_command.h"
#include "fcgi/api_datasource.h"
#include "fcgi/api_document.h"
#include "fcgi/api_event.h"
#include "fcgi/api_export.h"
#include "fcgi/api_history.h"
#include "fcgi/service.h"
#include "model/alarm_act.h"
#include "model/alarm_figures.h"
#include "model/alarm_hold.h"
#include "model/alarm_summary.h"
#include "model/archive.h"
#include "model/audit.h"
#include "model/command_read.h"
#include "model/event.h"
#include "model/history.h"

#define BODY API_BODY_BYTES_MAX

static const struct route routes[] = {
	{METHOD_GET, "/", api_document_root, NEED_NONE, 0,
		"The API's name and version"},
	{METHOD_GET, "/api/openapi.json", api_document_openapi, NEED_NONE, 0,
		"The OpenAPI document"},
	{METHOD_GET, "/api/docs", api_document_page, NEED_NONE, 0,
		"The documentation of the API"},
	{METHOD_GET, "/api/docs/oauth2-redirect.html", api_document_redirect,
		NEED_NONE, 0, "Where its login comes back to"},
	{METHOD_GET, "/api/v1/datasources", api_datasource_list, NEED_API, 0,
		"Datasources with their state"},
	{METHOD_GET, "/api/v2/datasources", api_datasource_origins, NEED_API, 0,
		"Datasources with the state of each origin"},
	{METHOD_GET, "/api/v1/datasources/{ds}/archives", api_archive_tree,
		NEED_API, 0, "Archives as a tree"},
	{METHOD_GET, "/api/v2/datasources/{ds}/archives",
		api_archive_tree_origins, NEED_API, 0,
		"Archives as a tree, with origins"},
	{METHOD_GET, "/api/v1/datasources/{ds}/archives/{arc}", api_archive_one,
		NEED_API, 0, "Variables of an archive"},
	{METHOD_GET, "/api/v2/datasources/{ds}/archives/{arc}", api_archive_one,
		NEED_API, 0, "Variables of an archive"},
	{METHOD_POST, "/api/v1/datasources/{ds}/archives/{arc}/query",
		api_archive_query, NEED_API, BODY, "Values of an archive"},
	{METHOD_POST, "/api/v2/datasources/{ds}/archives/{arc}/query",
		api_archive_query_origin, NEED_API, BODY,
		"Values of an archive from an origin"},
	{METHOD_POST, "/api/v1/datasources/{ds}/history/query",
		api_history_query, NEED_API, BODY, "Samples for a trend"},
	{METHOD_GET, "/api/v1/datasources/{ds}/history.csv", api_export_history,
		NEED_API, 0, "Samples as CSV"},
	{METHOD_GET, "/api/v1/alarms/summary", api_alarm_summary, NEED_API, 0,
		"Alarms of all plants that want attention"},
	{METHOD_POST, "/api/v1/datasources/{ds}/alarms/query", api_alarm_query,
		NEED_API, BODY, "Alarm Message List"},
	{METHOD_POST, "/api/v1/datasources/{ds}/alarms/figures",
		api_alarm_figures, NEED_API, BODY, "Alarm key figures"},
	{METHOD_PATCH, "/api/v1/datasources/{ds}/alarms", api_alarm_change_many,
		NEED_API, BODY, "Acknowledge, shelve, … many alarms"},
	{METHOD_GET, "/api/v1/datasources/{ds}/alarms/{id}", api_alarm_get,
		NEED_API, 0, "One alarm"},
	{METHOD_PATCH, "/api/v1/datasources/{ds}/alarms/{id}", api_alarm_change,
		NEED_API, BODY, "Acknowledge, shelve, … an alarm"},
	{METHOD_GET, "/api/v1/datasources/{ds}/commands", api_command_list,
		NEED_API, 0, "Commands, the latest first"},
	{METHOD_GET, "/api/v1/datasources/{ds}/commands/{id}", api_command_get,
		NEED_API, 0, "One command"},
	{METHOD_POST, "/api/v1/datasources/{ds}/events/query", api_event_query,
		NEED_API, BODY, "Chronological Event List"},
	ROUTES_END,
};

static const struct stmt *const statements[] = {alarm_stmts, alarm_act_stmts,
	alarm_hold_stmts, alarm_wish_stmts, alarm_figures_stmts,
	alarm_summary_stmts, archive_stmts, audit_stmts, caller_stmts,
	command_stmts, command_read_stmts, datasource_stmts, event_stmts,
	event_write_stmts, history_stmts, policy_stmts, variable_stmts, NULL};

static const struct conf_entry api_conf_entries[] = {
	LOG_CONF_ENTRY(struct api, log_level),
	DB_CONF_ENTRIES(struct api, database, "fieldgrid_api"),
	{"identity", "issuer", CONF_TEXT, offsetof(struct api, issuer), NULL, 0,
		0, "issuer of the tokens, as in discovery"},
	{"api", "openapi", CONF_PATH, offsetof(struct api, document_file),
		FG_DATA_DIR "/openapi.json", 0, 0,
		"file with the OpenAPI document"},
	{"api", "templates", CONF_PATH, offsetof(struct api, templates),
		FG_DATA_DIR "/templates", 0, 0, "folder of the page templates"},
	{"api", "manifest", CONF_PATH, offsetof(struct api, manifest),
		FG_DATA_DIR "/static/manifest.json", 0, 0,
		"file with the served names of the static files"},
	{"api", "samples_max", CONF_INT, offsetof(struct api, samples_max),
		"5000000", 1000, 1000000000,
		"samples that one request may read"},
	CONF_END,
};

int
main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	struct api api = {0};
	struct service_start start = service_begin(argc, argv, "fieldgrid-api",
		api_conf_entries, routes, arena, &api);
	struct fault fault;

	if (start.next == SERVICE_EXIT)
		return start.exit_code;
	if (api_document_load(arena, &api, &fault) != RC_OK) {
		fprintf(stderr, "fieldgrid-api: %s\n", fault.text);
		return EXIT_FAILURE;
	}
	return service_run(&(struct service){
		.name = "fieldgrid-api",
		.routes = routes,
		.stmts = statements,
		.app = &api,
		.database = &api.database,
		.issuer = api.issuer,
	});
}
