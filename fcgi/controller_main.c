/* controller_main: fieldgrid-controller, who may be a node, and who may what.
 */

#include <stdlib.h>

#include "fcgi/controller.h"
#include "fcgi/controller_alarm.h"
#include "fcgi/controller_ca.h"
#include "fcgi/controller_est.h"
#include "fcgi/controller_node.h"
#include "fcgi/controller_rights.h"
#include "fcgi/service.h"
#include "lib/log.h"
#include "model/alarm_category.h"
#include "model/alarm_cause.h"
#include "model/alarm_limit_find.h"
#include "model/alarm_limit_store.h"
#include "model/alarm_vocabulary.h"
#include "model/audit.h"
#include "model/audit_read.h"
#include "model/audit_verify.h"
#include "model/authority.h"
#include "model/caller.h"
#include "model/client.h"
#include "model/datasource.h"
#include "model/enrolment_access.h"
#include "model/enrolment_issue.h"
#include "model/event.h"
#include "model/failure.h"
#include "model/group.h"
#include "model/node_view.h"
#include "model/policy_explain.h"
#include "model/policy_rule.h"
#include "model/role.h"

/* Base64 of 16 KiB with line ends. */
#define CSR  ((size_t)24 * 1024)
#define BODY CONTROLLER_BODY_BYTES_MAX

#define PLANT "/api/v1/admin/datasources/{ds}"

static const struct route routes[] = {
	{METHOD_GET, "/.well-known/est/cacerts", controller_est_bundle,
		NEED_NONE, 0, "Certificates that nodes trust"},
	{METHOD_POST, "/.well-known/est/simpleenroll", controller_est_enrol,
		NEED_NONE, CSR, "Become a node"},
	{METHOD_POST, "/.well-known/est/simplereenroll", controller_est_renew,
		NEED_NONE, CSR, "A node's next certificate"},
	{METHOD_POST, "/hub/v1/access", controller_access, NEED_NONE, 0,
		"A node's access data"},
	{METHOD_GET, "/crl", controller_crl, NEED_NONE, 0,
		"Revoked certificates"},
	{METHOD_GET, "/crl.pem", controller_crl_pem, NEED_NONE, 0,
		"Revoked certificates as PEM"},
	{METHOD_GET, "/api/v1/admin/ca", controller_ca_show, NEED_ADMIN, 0,
		"The authority of the nodes"},
	{METHOD_GET, "/api/v1/admin/nodes", controller_node_list, NEED_ADMIN, 0,
		"Nodes"},
	{METHOD_POST, "/api/v1/admin/nodes", controller_node_create, NEED_ADMIN,
		BODY, "Make a node and a token for it"},
	{METHOD_GET, "/api/v1/admin/nodes/{node}", controller_node_show,
		NEED_ADMIN, 0, "A node, and how its machine is"},
	{METHOD_PATCH, "/api/v1/admin/nodes/{node}", controller_node_change,
		NEED_ADMIN, BODY, "Change a node"},
	{METHOD_DELETE, "/api/v1/admin/nodes/{node}", controller_node_remove,
		NEED_ADMIN, 0, "Remove a node that never came"},
	{METHOD_POST, "/api/v1/admin/nodes/{node}/token", controller_node_token,
		NEED_ADMIN, 0, "Another token for a node"},
	{METHOD_POST, "/api/v1/admin/nodes/{node}/approve",
		controller_node_approve, NEED_ADMIN, BODY,
		"Let the key in that waits"},
	{METHOD_POST, "/api/v1/admin/nodes/{node}/block", controller_node_block,
		NEED_ADMIN, 0, "Shut a node out at once"},
	{METHOD_POST, "/api/v1/admin/nodes/{node}/unblock",
		controller_node_unblock, NEED_ADMIN, 0,
		"Let a blocked node in again"},
	{METHOD_POST, "/api/v1/admin/nodes/{node}/retire",
		controller_node_retire, NEED_ADMIN, 0,
		"Shut a node out for good"},
	{METHOD_GET, "/api/v1/admin/nodes/{node}/certificates",
		controller_node_certificates, NEED_ADMIN, 0,
		"Certificates of a node"},
	{METHOD_DELETE, "/api/v1/admin/nodes/{node}/certificates/{fingerprint}",
		controller_node_revoke, NEED_ADMIN, 0, "Revoke a certificate"},
	{METHOD_PUT, "/api/v1/admin/nodes/{node}/datasources/{ds}",
		controller_node_allow, NEED_ADMIN, BODY,
		"What a node may send and receive"},
	{METHOD_DELETE, "/api/v1/admin/nodes/{node}/datasources/{ds}",
		controller_node_disallow, NEED_ADMIN, 0,
		"A node may neither send nor receive it"},
	{METHOD_GET, "/api/v1/admin/audit", controller_audit_list, NEED_ADMIN,
		0, "Who did what"},
	{METHOD_GET, "/api/v1/admin/audit/verify", controller_audit_verify,
		NEED_ADMIN, 0, "Was the latest of the audit changed?"},
	{METHOD_GET, "/api/v1/admin/groups", controller_group_list, NEED_ADMIN,
		0, "Groups"},
	{METHOD_POST, "/api/v1/admin/groups", controller_group_create,
		NEED_ADMIN, CONTROLLER_RIGHTS_BYTES_MAX, "Make a group"},
	{METHOD_GET, "/api/v1/admin/groups/{group}", controller_group_get,
		NEED_ADMIN, 0, "One group"},
	{METHOD_PATCH, "/api/v1/admin/groups/{group}", controller_group_change,
		NEED_ADMIN, CONTROLLER_RIGHTS_BYTES_MAX, "Change a group"},
	{METHOD_DELETE, "/api/v1/admin/groups/{group}", controller_group_remove,
		NEED_ADMIN, 0, "Remove a group and its rights"},
	{METHOD_GET, "/api/v1/admin/groups/{group}/members",
		controller_group_members, NEED_ADMIN, 0, "Members of a group"},
	{METHOD_PUT, "/api/v1/admin/groups/{group}/{kind}/{member}",
		controller_group_add, NEED_ADMIN, 0,
		"Add a user or a group to a group"},
	{METHOD_DELETE, "/api/v1/admin/groups/{group}/{kind}/{member}",
		controller_group_take, NEED_ADMIN, 0,
		"Take a user or a group out of a group"},
	{METHOD_GET, "/api/v1/admin/roles", controller_role_list, NEED_ADMIN, 0,
		"Roles"},
	{METHOD_POST, "/api/v1/admin/roles", controller_role_create, NEED_ADMIN,
		CONTROLLER_RIGHTS_BYTES_MAX, "Make a role"},
	{METHOD_GET, "/api/v1/admin/roles/{role}", controller_role_get,
		NEED_ADMIN, 0, "One role"},
	{METHOD_PATCH, "/api/v1/admin/roles/{role}", controller_role_change,
		NEED_ADMIN, CONTROLLER_RIGHTS_BYTES_MAX, "Change a role"},
	{METHOD_DELETE, "/api/v1/admin/roles/{role}", controller_role_remove,
		NEED_ADMIN, 0, "Remove a role, its rules and grants"},
	{METHOD_GET, "/api/v1/admin/roles/{role}/grants",
		controller_role_grants, NEED_ADMIN, 0, "Who holds a role"},
	{METHOD_POST, "/api/v1/admin/roles/{role}/grants", controller_role_give,
		NEED_ADMIN, CONTROLLER_RIGHTS_BYTES_MAX,
		"Give a role to somebody"},
	{METHOD_DELETE, "/api/v1/admin/roles/{role}/grants/{grant}",
		controller_role_take, NEED_ADMIN, 0, "Take a role back"},
	{METHOD_GET, "/api/v1/admin/rules", controller_rule_list, NEED_ADMIN, 0,
		"Rules"},
	{METHOD_POST, "/api/v1/admin/rules", controller_rule_create, NEED_ADMIN,
		CONTROLLER_RIGHTS_BYTES_MAX, "Make a rule"},
	{METHOD_GET, "/api/v1/admin/rules/{rule}", controller_rule_get,
		NEED_ADMIN, 0, "One rule"},
	{METHOD_PATCH, "/api/v1/admin/rules/{rule}", controller_rule_change,
		NEED_ADMIN, CONTROLLER_RIGHTS_BYTES_MAX, "Change a rule"},
	{METHOD_DELETE, "/api/v1/admin/rules/{rule}", controller_rule_remove,
		NEED_ADMIN, 0, "Remove a rule"},
	{METHOD_GET, PLANT "/limits", controller_limit_list, NEED_API, 0,
		"Limits"},
	{METHOD_POST, PLANT "/limits", controller_limit_create, NEED_API, BODY,
		"Make a limit"},
	{METHOD_PUT, PLANT "/limits", controller_limit_put_many, NEED_API,
		CONTROLLER_LIMITS_BYTES, "Make and change many limits"},
	{METHOD_GET, PLANT "/limits.json", controller_limit_json, NEED_API, 0,
		"All limits engineered here, as JSON"},
	{METHOD_GET, PLANT "/limits.csv", controller_limit_csv, NEED_API, 0,
		"All limits engineered here, as CSV"},
	{METHOD_PUT, PLANT "/limits.csv", controller_limit_put_csv, NEED_API,
		CONTROLLER_LIMITS_BYTES, "Make and change many limits by CSV"},
	{METHOD_GET, PLANT "/limits/{limit}", controller_limit_get, NEED_API, 0,
		"One limit"},
	{METHOD_PATCH, PLANT "/limits/{limit}", controller_limit_change,
		NEED_API, BODY, "Change a limit"},
	{METHOD_DELETE, PLANT "/limits/{limit}", controller_limit_remove,
		NEED_API, 0, "Remove a limit"},
	{METHOD_GET, PLANT "/alarm-vocabulary", controller_vocabulary_get,
		NEED_API, 0, "Classes, groups, areas and causes as one file"},
	{METHOD_PUT, PLANT "/alarm-vocabulary", controller_vocabulary_put,
		NEED_API, ALARM_VOCABULARY_BYTES,
		"Make and change classes, groups, areas and causes by a file"},
	{METHOD_GET, PLANT "/alarm-causes", controller_cause_list, NEED_API, 0,
		"The tree of alarm causes"},
	{METHOD_POST, PLANT "/alarm-causes", controller_cause_create, NEED_API,
		BODY, "Add a cause"},
	{METHOD_PATCH, PLANT "/alarm-causes/{cause}", controller_cause_change,
		NEED_API, BODY, "Change a cause, or mark it as removed"},
	{METHOD_GET, PLANT "/alarm-{kind}", controller_category_list, NEED_API,
		0, "Alarm classes, groups or areas"},
	{METHOD_PUT, PLANT "/alarm-{kind}/{key}", controller_category_put,
		NEED_API, BODY, "Name an alarm class, group or area"},
	{METHOD_DELETE, PLANT "/alarm-{kind}/{key}", controller_category_remove,
		NEED_API, 0, "Forget the name of a class, group or area"},
	{METHOD_POST, "/api/v1/policy/check", controller_policy_check, NEED_API,
		CONTROLLER_RIGHTS_BYTES_MAX, "May somebody do something?"},
	{METHOD_POST, "/api/v1/policy/explain", controller_policy_explain,
		NEED_API, CONTROLLER_RIGHTS_BYTES_MAX,
		"Why somebody may or may not"},
	ROUTES_END,
};

static const struct stmt *const statements[] = {alarm_category_stmts,
	alarm_cause_stmts, alarm_limit_find_stmts, alarm_limit_store_stmts,
	alarm_vocabulary_stmts, audit_stmts, audit_chain_stmts,
	audit_checkpoint_stmts, audit_read_stmts, audit_verify_stmts,
	authority_stmts, caller_stmts, client_stmts, datasource_stmts,
	enrolment_access_stmts, enrolment_issue_stmts, enrolment_stmts,
	event_write_stmts, failure_stmts, group_stmts, node_view_stmts,
	policy_stmts, policy_explain_stmts, policy_rule_stmts,
	policy_subject_stmts, role_stmts, variable_stmts, NULL};

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
	{"authority", "seal_file", CONF_PATH,
		offsetof(struct controller_conf, seal_file), NULL, 0, 0,
		"file with the key that seals the key of the authority"},
	{"authority", "certificate_s", CONF_INT,
		offsetof(struct controller_conf, certificate_s), "7776000", 120,
		94608000, "life of a node's certificate in seconds"},
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
	struct seal seal;
	const struct controller controller = {.conf = &conf, .seal = &seal};
	struct fault fault;
	struct service_start start =
		service_begin(argc, argv, "fieldgrid-controller",
			controller_conf_entries, routes, arena, &conf);
	int code = start.exit_code;

	if (start.next == SERVICE_RUN &&
		seal_load(arena, conf.seal_file, &seal, &fault) != RC_OK) {
		log_error(NULL, "%s", fault.text);
		code = EXIT_FAILURE;
	} else if (start.next == SERVICE_RUN)
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
