/* identity_main: fieldgrid-identity, OAuth 2.0 and OpenID Connect. */

#include <json-c/json.h>
#include <stdlib.h>

#include "fcgi/identity.h"
#include "fcgi/identity_admin.h"
#include "fcgi/identity_admin_provider.h"
#include "fcgi/identity_federation.h"
#include "fcgi/identity_link.h"
#include "fcgi/identity_page.h"
#include "fcgi/identity_sign.h"
#include "fcgi/service.h"
#include "lib/asset.h"
#include "lib/log.h"
#include "lib/password.h"
#include "model/application.h"
#include "model/audit.h"
#include "model/client.h"
#include "model/consent.h"
#include "model/datasource.h"
#include "model/device.h"
#include "model/event.h"
#include "model/factor.h"
#include "model/failure.h"
#include "model/grant.h"
#include "model/group.h"
#include "model/group_mapping.h"
#include "model/login_step.h"
#include "model/membership.h"
#include "model/policy.h"
#include "model/session_admin.h"
#include "model/user_admin.h"
#include "model/user_link.h"
#include "model/user_links.h"

#define FORM           IDENTITY_FORM_BYTES_MAX
#define BODY           IDENTITY_ADMIN_BYTES_MAX
#define DIRECTORY_BODY (2 * DIRECTORY_CA_BYTES)

const struct route identity_routes[] = {
	{METHOD_GET, "/.well-known/openid-configuration", identity_discovery,
		NEED_NONE, 0, "OpenID Connect discovery"},
	{METHOD_GET, "/.well-known/oauth-authorization-server",
		identity_discovery, NEED_NONE, 0, "OAuth 2.0 discovery"},
	{METHOD_GET, "/.well-known/openid-configuration/jwks", identity_keys,
		NEED_NONE, 0, "public keys of tokens"},
	{METHOD_GET, "/connect/authorize", identity_authorize, NEED_NONE, 0,
		"ask for an authorization code"},
	{METHOD_POST, "/connect/authorize", identity_authorize, NEED_NONE, FORM,
		"the same, by a form"},
	{METHOD_POST, "/connect/consent", identity_consent, NEED_NONE, FORM,
		"answer the question for consent"},
	{METHOD_POST, "/connect/token", identity_token, NEED_NONE, FORM,
		"get tokens"},
	{METHOD_OPTIONS, "/connect/token", identity_preflight, NEED_NONE, 0,
		"ask whether another origin may"},
	{METHOD_POST, "/connect/introspect", identity_introspect, NEED_NONE,
		FORM, "ask what a token is good for"},
	{METHOD_POST, "/connect/revocation", identity_revoke, NEED_NONE, FORM,
		"give a token back"},
	{METHOD_OPTIONS, "/connect/revocation", identity_preflight, NEED_NONE,
		0, "ask whether another origin may"},
	{METHOD_GET, "/connect/userinfo", identity_userinfo, NEED_NONE, 0,
		"who the user of a token is"},
	{METHOD_POST, "/connect/userinfo", identity_userinfo, NEED_NONE, FORM,
		"the same, by a form"},
	{METHOD_GET, "/connect/userinfo/emails", identity_emails, NEED_NONE, 0,
		"the addresses of that user"},
	{METHOD_OPTIONS, "/connect/userinfo", identity_preflight, NEED_NONE, 0,
		"ask whether another origin may"},
	{METHOD_GET, "/connect/endsession", identity_end_session, NEED_NONE, 0,
		"log out from a client"},
	{METHOD_POST, "/connect/endsession", identity_end_session, NEED_NONE,
		FORM, "the same, by a form"},
	{METHOD_GET, "/login", identity_login_page, NEED_NONE, 0,
		"the login form"},
	{METHOD_POST, "/login", identity_login, NEED_NONE, FORM, "log in"},
	{METHOD_GET, "/login/code", identity_code_page, NEED_NONE, 0,
		"the form for the second factor's code"},
	{METHOD_POST, "/login/code", identity_code, NEED_NONE, FORM,
		"show the second factor"},
	{METHOD_GET, "/login/password", identity_first_password_page, NEED_NONE,
		0, "the form for the first own password"},
	{METHOD_POST, "/login/password", identity_first_password, NEED_NONE,
		FORM, "replace an initial password"},
	{METHOD_GET, "/login/enrol", identity_enrol_page, NEED_NONE, 0,
		"set up a second factor that a group demands"},
	{METHOD_POST, "/login/enrol", identity_enrol, NEED_NONE, FORM,
		"show the first code of it"},
	{METHOD_GET, "/signin-{provider}/start", identity_signin_start,
		NEED_NONE, 0, "go to a provider to log in"},
	{METHOD_GET, "/signin-{provider}", identity_signin, NEED_NONE, 0,
		"come back from a provider"},
	{METHOD_POST, "/account/link", identity_link_begin, NEED_NONE, FORM,
		"link the account to a person of a provider"},
	{METHOD_POST, "/account/unlink", identity_unlink, NEED_NONE, FORM,
		"end such a link"},
	{METHOD_POST, "/connect/deviceauthorization", identity_device_start,
		NEED_NONE, FORM, "start a log-in on another device"},
	{METHOD_GET, "/device", identity_device_page, NEED_NONE, 0,
		"the form for a device's code"},
	{METHOD_POST, "/device", identity_device, NEED_NONE, FORM,
		"decide about a device"},
	{METHOD_GET, "/.fieldgrid/gate", identity_gate, NEED_NONE, 0,
		"nginx asks whether a request to another tool may pass"},
	{METHOD_GET, "/.fieldgrid/login", identity_gate_login, NEED_NONE, 0,
		"nginx sends a request to another tool to log in"},
	{METHOD_GET, "/account", identity_account, NEED_NONE, 0,
		"your sessions and applications"},
	{METHOD_POST, "/account/sessions/end", identity_end_one, NEED_NONE,
		FORM, "end one of your sessions"},
	{METHOD_POST, "/account/sessions/end-others", identity_end_others,
		NEED_NONE, FORM, "end all sessions but this one"},
	{METHOD_POST, "/account/applications/revoke", identity_disconnect,
		NEED_NONE, FORM, "disconnect an application"},
	{METHOD_GET, "/account/password", identity_password_page, NEED_NONE, 0,
		"the form for a new password"},
	{METHOD_POST, "/account/password", identity_password, NEED_NONE, FORM,
		"change the password"},
	{METHOD_GET, "/account/factor", identity_factor_page, NEED_NONE, 0,
		"the form for a second factor"},
	{METHOD_POST, "/account/factor", identity_factor, NEED_NONE, FORM,
		"turn the second factor on"},
	{METHOD_POST, "/account/factor/codes", identity_factor_codes, NEED_NONE,
		FORM, "new recovery codes"},
	{METHOD_POST, "/account/factor/remove", identity_factor_remove,
		NEED_NONE, FORM, "turn the second factor off"},
	{METHOD_GET, "/logout", identity_logout_page, NEED_NONE, 0,
		"ask before logging out"},
	{METHOD_POST, "/logout", identity_logout, NEED_NONE, FORM, "log out"},
	{METHOD_GET, "/api/v1/admin/clients", admin_client_list, NEED_ADMIN, 0,
		"clients"},
	{METHOD_POST, "/api/v1/admin/clients", admin_client_create, NEED_ADMIN,
		BODY, "register a client"},
	{METHOD_GET, "/api/v1/admin/clients/{client}", admin_client_get,
		NEED_ADMIN, 0, "one client"},
	{METHOD_PATCH, "/api/v1/admin/clients/{client}", admin_client_change,
		NEED_ADMIN, BODY, "change, disable or enable a client"},
	{METHOD_DELETE, "/api/v1/admin/clients/{client}", admin_client_remove,
		NEED_ADMIN, 0, "remove a client"},
	{METHOD_POST, "/api/v1/admin/clients/{client}/secret",
		admin_client_secret, NEED_ADMIN, BODY,
		"make a new secret, shown once"},
	{METHOD_GET, "/api/v1/admin/keys", admin_key_list, NEED_ADMIN, 0,
		"the keys that sign tokens"},
	{METHOD_POST, "/api/v1/admin/keys/rotate", admin_key_rotate, NEED_ADMIN,
		BODY, "publish the next keys now"},
	{METHOD_POST, "/api/v1/admin/keys/emergency", admin_key_emergency,
		NEED_ADMIN, BODY, "new keys at once; every token ends"},
	{METHOD_GET, "/api/v1/admin/users", admin_user_list, NEED_ADMIN, 0,
		"accounts"},
	{METHOD_POST, "/api/v1/admin/users", admin_user_create, NEED_ADMIN,
		BODY, "create an account"},
	{METHOD_GET, "/api/v1/admin/users/{user}", admin_user_get, NEED_ADMIN,
		0, "one account"},
	{METHOD_PATCH, "/api/v1/admin/users/{user}", admin_user_change,
		NEED_ADMIN, BODY, "change, disable or enable an account"},
	{METHOD_DELETE, "/api/v1/admin/users/{user}", admin_user_remove,
		NEED_ADMIN, 0, "remove an account"},
	{METHOD_POST, "/api/v1/admin/users/{user}/unlock", admin_user_unlock,
		NEED_ADMIN, BODY, "forget failed log-ins"},
	{METHOD_POST, "/api/v1/admin/users/{user}/password",
		admin_user_password, NEED_ADMIN, BODY,
		"give a new initial password"},
	{METHOD_DELETE, "/api/v1/admin/users/{user}/factor", admin_user_factor,
		NEED_ADMIN, 0, "remove the second factor"},
	{METHOD_GET, "/api/v1/admin/users/{user}/groups", admin_user_groups,
		NEED_ADMIN, 0, "groups of a user"},
	{METHOD_PUT, "/api/v1/admin/users/{user}/groups", admin_user_set_groups,
		NEED_ADMIN, BODY, "set the groups of a user"},
	{METHOD_GET, "/api/v1/admin/users/{user}/applications",
		admin_user_applications, NEED_ADMIN, 0,
		"clients that a user let in"},
	{METHOD_DELETE, "/api/v1/admin/users/{user}/applications/{client}",
		admin_user_revoke_application, NEED_ADMIN, 0,
		"revoke what a user gave a client"},
	{METHOD_DELETE, "/api/v1/admin/users/{user}/sessions",
		admin_user_end_sessions, NEED_ADMIN, 0,
		"end all sessions and tokens of a user"},
	{METHOD_GET, "/api/v1/admin/sessions", admin_session_list, NEED_ADMIN,
		0, "sessions"},
	{METHOD_DELETE, "/api/v1/admin/sessions/{session}", admin_session_end,
		NEED_ADMIN, 0, "end a session and its tokens"},
	{METHOD_GET, "/api/v1/admin/providers", admin_provider_list, NEED_ADMIN,
		0, "every provider upstream"},
	{METHOD_POST, "/api/v1/admin/providers", admin_provider_create,
		NEED_ADMIN, ADMIN_PROVIDER_BYTES_MAX, "add one"},
	{METHOD_GET, "/api/v1/admin/providers/{provider}", admin_provider_get,
		NEED_ADMIN, 0, "one of them"},
	{METHOD_PATCH, "/api/v1/admin/providers/{provider}",
		admin_provider_change, NEED_ADMIN, ADMIN_PROVIDER_BYTES_MAX,
		"change it"},
	{METHOD_DELETE, "/api/v1/admin/providers/{provider}",
		admin_provider_remove, NEED_ADMIN, 0, "forget it"},
	{METHOD_POST, "/api/v1/admin/providers/{provider}/test",
		admin_provider_test, NEED_ADMIN, BODY,
		"ask it now, and say what is wrong"},
	{METHOD_GET, "/api/v1/admin/providers/{provider}/groups",
		admin_provider_groups, NEED_ADMIN, 0,
		"what its groups are here"},
	{METHOD_PUT, "/api/v1/admin/providers/{provider}/groups",
		admin_provider_map, NEED_ADMIN, BODY, "map a group"},
	{METHOD_DELETE, "/api/v1/admin/providers/{provider}/groups",
		admin_provider_unmap, NEED_ADMIN, 0, "end a mapping"},
	{METHOD_GET, "/api/v1/admin/directories", admin_directory_list,
		NEED_ADMIN, 0, "directories whose users may log in"},
	{METHOD_POST, "/api/v1/admin/directories", admin_directory_create,
		NEED_ADMIN, DIRECTORY_BODY, "add a directory"},
	{METHOD_GET, "/api/v1/admin/directories/{directory}",
		admin_directory_get, NEED_ADMIN, 0, "one directory"},
	{METHOD_PATCH, "/api/v1/admin/directories/{directory}",
		admin_directory_change, NEED_ADMIN, DIRECTORY_BODY,
		"change the settings of a directory"},
	{METHOD_DELETE, "/api/v1/admin/directories/{directory}",
		admin_directory_remove, NEED_ADMIN, 0,
		"remove a directory and disable its accounts"},
	{METHOD_GET, "/api/v1/admin/directories/{directory}/groups",
		admin_directory_groups, NEED_ADMIN, 0,
		"which groups there are groups here"},
	{METHOD_PUT, "/api/v1/admin/directories/{directory}/groups",
		admin_directory_map, NEED_ADMIN, BODY,
		"map a group there to a group here"},
	{METHOD_DELETE, "/api/v1/admin/directories/{directory}/groups",
		admin_directory_unmap, NEED_ADMIN, 0, "map it no longer"},
	{METHOD_POST, "/api/v1/admin/directories/{directory}/test",
		admin_directory_test, NEED_ADMIN, BODY,
		"try a directory and say what is wrong"},
	ROUTES_END,
};

static const struct conf_entry identity_conf_entries[] = {
	LOG_CONF_ENTRY(struct identity_conf, log_level),
	DB_CONF_ENTRIES(struct identity_conf, database, "fieldgrid_identity"),
	{"identity", "issuer", CONF_TEXT,
		offsetof(struct identity_conf, issuer), NULL, 0, 0,
		"https address of this service as clients know it"},
	{"identity", "node_url", CONF_TEXT,
		offsetof(struct identity_conf, node_url), "", 0, 0,
		"https address of the listener for nodes, for discovery"},
	{"keys", "seal_file", CONF_PATH,
		offsetof(struct identity_conf, seal_file), NULL, 0, 0,
		"file with the key that seals private signing keys"},
	{"identity", "templates", CONF_PATH,
		offsetof(struct identity_conf, templates),
		FG_DATA_DIR "/templates", 0, 0, "folder of the templates"},
	{"identity", "manifest", CONF_PATH,
		offsetof(struct identity_conf, manifest),
		FG_DATA_DIR "/static/manifest.json", 0, 0,
		"file that names the style sheets and scripts"},
	{"identity", "site", CONF_TEXT, offsetof(struct identity_conf, site),
		"", 0, 0, "name of this installation, shown below every page"},
	{"login", "slots", CONF_INT, offsetof(struct identity_conf, slots), "2",
		1, 64, "password hashes at once, 19 MiB each"},
	{"login", "slots_file", CONF_TEXT,
		offsetof(struct identity_conf, slots_file), "", 0, 0,
		"lock file that all workers share; empty = each for itself"},
	{"login", "floor_ms", CONF_INT,
		offsetof(struct identity_conf, floor_ms), "400", 0, 5000,
		"a refused login takes at least that when directories are "
		"asked"},
	{"login", "passwords", CONF_PATH,
		offsetof(struct identity_conf, passwords),
		FG_DATA_DIR "/passwords.txt", 0, 0,
		"file with the well-known passwords that nobody may choose"},
	{"directories", "slots", CONF_INT,
		offsetof(struct identity_conf, directory_slots), "2", 1, 64,
		"logins in directories at once; fewer than workers"},
	{"directories", "slots_file", CONF_TEXT,
		offsetof(struct identity_conf, directory_slots_file), "", 0, 0,
		"lock file that all workers share; empty = each for itself"},
	{"providers", "slots", CONF_INT,
		offsetof(struct identity_conf, provider_slots), "2", 1, 64,
		"requests to providers at once; fewer than workers"},
	{"providers", "slots_file", CONF_TEXT,
		offsetof(struct identity_conf, provider_slots_file), "", 0, 0,
		"lock file that all workers share; empty = each for itself"},
	CONF_END,
};

/* A line each, because every part of the service adds one. */
/* clang-format off */
static const struct stmt *const identity_stmts[] = {
	application_stmts,
	audit_stmts,
	caller_stmts,
	client_slice_stmts,
	client_stmts,
	consent_stmts,
	datasource_stmts,
	device_stmts,
	directory_login_stmts,
	directory_stmts,
	event_write_stmts,
	factor_stmts,
	failure_stmts,
	grant_stmts,
	group_mapping_stmts,
	group_stmts,
	login_step_stmts,
	membership_stmts,
	policy_stmts,
	provider_stmts,
	provider_metadata_stmts,
	provider_transaction_stmts,
	session_admin_stmts,
	session_stmts,
	signing_key_stmts,
	user_admin_stmts,
	user_link_stmts,
	user_links_stmts,
	user_stmts,
	NULL};
/* clang-format on */

const struct identity *
identity_of(const struct req *req)
{
	return req->app;
}

/* Everything that is made at start and lives as long as the worker. */
struct worker {
	struct identity_conf conf;
	struct seal seal;
	struct identity_memory memory;
	struct provider_gate providers;
	struct directory_gate directories;
	struct mustache_set *templates;
	struct identity identity;
};

static enum rc
start(struct worker *worker, struct arena *arena, struct fault *fault)
{
	const struct identity_conf *conf = &worker->conf;
	enum rc rc = seal_load(arena, conf->seal_file, &worker->seal, fault);

	if (rc == RC_OK && conf->slots_file[0] != '\0')
		rc = password_limit(conf->slots_file, (int)conf->slots, fault);
	if (rc == RC_OK)
		rc = slots_open(&worker->providers.slots,
			conf->provider_slots_file, (int)conf->provider_slots,
			fault);
	worker->providers.seal = &worker->seal;
	if (rc == RC_OK)
		rc = password_list_load(conf->passwords, fault);
	if (rc == RC_OK)
		rc = slots_open(&worker->directories.slots,
			conf->directory_slots_file, (int)conf->directory_slots,
			fault);
	if (rc == RC_OK)
		rc = mustache_set_load(
			conf->templates, &worker->templates, fault);
	if (rc == RC_OK)
		rc = asset_load(
			conf->manifest, &worker->identity.assets, fault);
	worker->identity.conf = conf;
	worker->identity.templates = worker->templates;
	worker->identity.seal = &worker->seal;
	worker->identity.gate = caller_gate_new(conf->issuer);
	worker->identity.providers = &worker->providers;
	worker->identity.memory = &worker->memory;
	worker->directories.seal = &worker->seal;
	worker->directories.floor_ms = conf->floor_ms;
	worker->identity.directories = &worker->directories;
	return rc;
}

static void
finish(struct worker *worker)
{
	slots_close(&worker->providers.slots);
	identity_forget_signers(&worker->identity);
	caller_gate_free(worker->identity.gate);
	json_object_put(worker->identity.assets);
	mustache_set_free(worker->templates);
	slots_close(&worker->directories.slots);
}

static int
serve(struct worker *worker, struct arena *arena)
{
	const struct service service = {
		.name = "fieldgrid-identity",
		.routes = identity_routes,
		.stmts = identity_stmts,
		.app = &worker->identity,
		.database = &worker->conf.database,
		.issuer = worker->conf.issuer,
		.page_fault = identity_fault,
		.rights_changed = identity_rights_changed,
	};
	struct fault fault = {.rc = RC_OK};

	if (start(worker, arena, &fault) == RC_OK)
		return service_run(&service);
	log_error(NULL, "%s", fault.text);
	return EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	struct worker worker = {
		.directories.slots.file = -1, .providers.slots.file = -1};
	struct service_start begin = service_begin(argc, argv,
		"fieldgrid-identity", identity_conf_entries, identity_routes,
		arena, &worker.conf);
	int code = begin.exit_code;

	if (begin.next == SERVICE_RUN)
		code = serve(&worker, arena);
	finish(&worker);
	arena_free(arena);
	return code;
}
