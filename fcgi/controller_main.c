/* controller_main: fieldgrid-controller, who may be a node, and who may what.
 */

#include <stdlib.h>

#include "fcgi/controller.h"
#include "fcgi/service.h"
#include "model/audit.h"
#include "model/audit_read.h"
#include "model/audit_verify.h"
#include "model/caller.h"
#include "model/policy.h"

static const struct route routes[] = {
	{METHOD_GET, "/.well-known/est/cacerts", controller_est_bundle,
		NEED_NONE, 0, "Certificates that nodes trust"},
	{METHOD_GET, "/api/v1/admin/audit", controller_audit_list, NEED_ADMIN,
		0, "Who did what"},
	{METHOD_GET, "/api/v1/admin/audit/verify", controller_audit_verify,
		NEED_ADMIN, 0, "Was the latest of the audit changed?"},
	ROUTES_END,
};

static const struct stmt *const statements[] = {audit_stmts, audit_chain_stmts,
	audit_checkpoint_stmts, audit_read_stmts, audit_verify_stmts,
	caller_stmts, policy_stmts, NULL};

static const struct conf_entry controller_conf_entries[] = {
	LOG_CONF_ENTRY(struct controller_conf, log_level),
	DB_CONF_ENTRIES(
		struct controller_conf, database, "fieldgrid_controller"),
	{"identity", "issuer", CONF_TEXT,
		offsetof(struct controller_conf, issuer), NULL, 0, 0,
		"issuer of the tokens, as in discovery"},
	{"authority", "bundle", CONF_PATH,
		offsetof(struct controller_conf, bundle), NULL, 0, 0,
		"PEM file with the certificates that nodes shall trust"},
	{"audit", "public_key", CONF_PATH,
		offsetof(struct controller_conf, audit_public_key), "", 0, 0,
		"public half of the key that signs the audit; empty = do not "
		"look at signatures"},
	CONF_END,
};

const struct controller *
controller_of(const struct req *req)
{
	return req->app;
}

int
main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	struct controller_conf conf = {.log_level = NULL};
	const struct controller controller = {.conf = &conf};
	struct service_start start =
		service_begin(argc, argv, "fieldgrid-controller",
			controller_conf_entries, routes, arena, &conf);
	int code = start.exit_code;

	if (start.next == SERVICE_RUN)
		code = service_run(&(struct service){
			.name = "fieldgrid-controller",
			.routes = routes,
			.stmts = statements,
			.app = &controller,
			.database = &conf.database,
			.issuer = conf.issuer,
		});
	arena_free(arena);
	return code;
}
