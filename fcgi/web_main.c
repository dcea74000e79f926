/* web_main: fieldgrid-web, the pages of the web engine. */

#include <json-c/json.h>
#include <stdlib.h>

#include "fcgi/service.h"
#include "lib/asset.h"
#include "lib/log.h"
#include "model/audit.h"
#include "model/caller.h"
#include "web/page.h"
#include "web/web_routes.h"

struct web_conf {
	const char *log_level;
	struct db_conf database;
	const char *issuer;
	const char *templates;
	const char *manifest;
	const char *site;
	const char *zone;
};

static const struct conf_entry web_conf_entries[] = {
	LOG_CONF_ENTRY(struct web_conf, log_level),
	DB_CONF_ENTRIES(struct web_conf, database, "fieldgrid_web"),
	{"identity", "issuer", CONF_TEXT, offsetof(struct web_conf, issuer),
		NULL, 0, 0, "address of the identity service, as in tokens"},
	{"web", "templates", CONF_PATH, offsetof(struct web_conf, templates),
		FG_DATA_DIR "/templates", 0, 0, "folder of the templates"},
	{"web", "manifest", CONF_PATH, offsetof(struct web_conf, manifest),
		FG_DATA_DIR "/static/manifest.json", 0, 0,
		"file that names the style sheets and scripts"},
	{"web", "site", CONF_TEXT, offsetof(struct web_conf, site), "", 0, 0,
		"name of this installation, shown below every page"},
	{"web", "zone", CONF_TEXT, offsetof(struct web_conf, zone), "", 0, 0,
		"IANA time zone of the pages; empty = the browser's"},
	CONF_END,
};

static const struct stmt *const web_stmts[] = {audit_stmts, caller_stmts,
	policy_stmts, datasource_stmts, screen_stmts, variable_stmts, NULL};

static enum rc
open_app(const struct web_conf *conf, struct mustache_set **templates,
	struct web_app *app, struct fault *fault)
{
	enum rc rc = mustache_set_load(conf->templates, templates, fault);

	if (rc == RC_OK)
		rc = asset_load(conf->manifest, &app->assets, fault);
	app->templates = *templates;
	app->site = conf->site;
	app->zone = conf->zone;
	return rc;
}

static int
serve(const struct web_conf *conf, const struct web_app *app)
{
	const struct service service = {
		.name = "fieldgrid-web",
		.routes = web_routes,
		.stmts = web_stmts,
		.app = app,
		.database = &conf->database,
		.issuer = conf->issuer,
		.page_fault = page_fault,
	};

	return service_run(&service);
}

int
main(int argc, char **argv)
{
	struct mustache_set *templates = NULL;
	struct arena *arena = arena_new();
	struct web_conf conf = {0};
	struct web_app app = {0};
	struct fault fault = {0};
	struct service_start start = service_begin(argc, argv, "fieldgrid-web",
		web_conf_entries, web_routes, arena, &conf);
	int code = start.exit_code;

	if (start.next == SERVICE_RUN) {
		if (open_app(&conf, &templates, &app, &fault) == RC_OK) {
			code = serve(&conf, &app);
		} else {
			log_error(NULL, "%s", fault.text);
			code = EXIT_FAILURE;
		}
	}
	json_object_put(app.assets);
	mustache_set_free(templates);
	arena_free(arena);
	return code;
}
