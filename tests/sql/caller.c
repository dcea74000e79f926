/* caller: who asks, and what that allows, on a real server. */

#include "tests/unit/unit.h"

#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/jwt.h"
#include "model/caller.h"
#include "model/enrolment_issue.h"
#include "model/policy_rule.h"
#include "model/signing_key.h"
#include "tests/sql/accounts.h"
#include "tests/unit/request.h"

#define ISSUER "https://grid.test"

/* --- callers ----------------------------------------------------------- */

static struct req
request(struct db *db, enum method method, const struct pair *params)
{
	struct caller *nobody = arena_alloc(grid.arena, sizeof(*nobody));
	struct req req;

	nobody->name = "";
	request_make(&req, grid.arena, method, "/x", NULL, NULL, params);
	req.db = db;
	req.caller = nobody;
	return req;
}

static const char *
sign(const char *claims)
{
	struct signing_key key;
	struct jwt_signer *signer;
	const char *token;

	good(signing_key_active(grid.identity, grid.arena, &seal,
		SIGNING_KEY_RS256, &key, &grid.fault));
	good(jwt_signer_new(
		key.kid, key.algorithm, key.private_pem, &signer, &grid.fault));
	good(jwt_sign(grid.arena, signer, claims, &token, &grid.fault));
	jwt_signer_free(signer);
	return token;
}

static const char *
client_token(const char *id, const char *audience, const char *scope,
	const char *more)
{
	return sign(arena_printf(grid.arena,
		"{\"iss\":\"" ISSUER "\",\"aud\":\"%s\",\"sub\":\"%s\","
		"\"client_id\":\"%s\",\"client_epoch\":1,\"scope\":\"%s\","
		"\"token_use\":\"access\",\"exp\":%lld%s}",
		audience, id, id, scope,
		(long long)(clock_now_us() / CLOCK_SECOND_US + 600), more));
}

static enum rc
enter(struct caller_gate *gate, struct req *req, enum need need,
	const char *code)
{
	enum rc rc = caller_authenticate(gate, req, need);

	if (rc != RC_OK)
		assert_string_equal(req->fault.code, code);
	return rc;
}

static void
test_caller_session_is_for_its_own_origin(void **state)
{
	struct caller_gate *gate = caller_gate_new(ISSUER);
	struct session session;
	struct grant grant;
	const char *cookie;
	struct req req;

	(void)state;
	make_grant(&grant, &session);
	cookie = arena_printf(
		grid.arena, "a=b; " CALLER_COOKIE "=%s", session.cookie);
	{
		const struct pair plain[] = {
			{"HTTP_COOKIE", cookie}, {NULL, NULL}};
		const struct pair own[] = {{"HTTP_COOKIE", cookie},
			{"HTTP_SEC_FETCH_SITE", "same-origin"}, {NULL, NULL}};
		const struct pair old[] = {{"HTTP_COOKIE", cookie},
			{"HTTP_ORIGIN", "https://grid.test:9443"},
			{"HTTP_HOST", "grid.test:9443"}, {NULL, NULL}};
		const struct pair evil[] = {{"HTTP_COOKIE", cookie},
			{"HTTP_ORIGIN", "https://evil.test"},
			{"HTTP_HOST", "grid.test:9443"}, {NULL, NULL}};

		req = request(grid.hub, METHOD_GET, plain);
		good(enter(gate, &req, NEED_LOGIN, ""));
		assert_string_equal(req.caller->name, "alice");
		req = request(grid.hub, METHOD_POST, plain);
		assert_int_equal(
			enter(gate, &req, NEED_API, "CrossSite"), RC_DENIED);
		req = request(grid.hub, METHOD_POST, evil);
		assert_int_equal(
			enter(gate, &req, NEED_API, "CrossSite"), RC_DENIED);
		req = request(grid.hub, METHOD_POST, own);
		good(enter(gate, &req, NEED_API, ""));
		req = request(grid.hub, METHOD_POST, old);
		good(enter(gate, &req, NEED_API, ""));
		good(caller_recheck(
			grid.hub, grid.arena, req.caller, &grid.fault));
		good(session_end(grid.identity, &session, &grid.fault));
		assert_int_equal(caller_recheck(grid.hub, grid.arena,
					 req.caller, &grid.fault),
			RC_UNAUTHENTICATED);
	}
	caller_gate_free(gate);
}

static void
with_token(struct req *req, struct db *db, const char *token)
{
	struct pair *params = arena_array(grid.arena, 2, sizeof(*params));

	params[0] = (struct pair){"HTTP_AUTHORIZATION",
		arena_printf(grid.arena, "bearer %s", token)};
	*req = request(db, METHOD_POST, params);
}

static void
test_caller_token_needs_scope_audience_and_a_live_client(void **state)
{
	struct caller_gate *gate = caller_gate_new(ISSUER);
	const char *secret;
	struct client client = make_client("machine", &secret);
	const char *token =
		client_token("machine", CALLER_AUDIENCE_API, "API", "");
	struct req req;

	(void)state;
	with_token(&req, grid.hub, token);
	good(enter(gate, &req, NEED_API, ""));
	assert_int_equal(req.caller->kind, CALLER_CLIENT);
	assert_int_equal(req.caller->id, client.id);
	with_token(&req, grid.hub, token);
	assert_int_equal(
		enter(gate, &req, NEED_LOGIN, "UserRequired"), RC_DENIED);
	with_token(&req, grid.hub,
		client_token("machine", CALLER_AUDIENCE_API, "openid", ""));
	assert_int_equal(
		enter(gate, &req, NEED_API, "InsufficientScope"), RC_DENIED);
	with_token(&req, grid.hub,
		client_token("machine", CALLER_AUDIENCE_HUB, "API", ""));
	assert_int_equal(enter(gate, &req, NEED_API, "InvalidToken"),
		RC_UNAUTHENTICATED);
	with_token(&req, grid.hub,
		client_token("machine", CALLER_AUDIENCE_API, "API",
			",\"cnf\":{\"x5t#S256\":\"x\"}"));
	assert_int_equal(enter(gate, &req, NEED_API, "InvalidToken"),
		RC_UNAUTHENTICATED);
	req = request(grid.hub, METHOD_GET, NULL);
	assert_int_equal(enter(gate, &req, NEED_API, "Unauthenticated"),
		RC_UNAUTHENTICATED);
	good(client_set_active(grid.owner, client.id, false, &grid.fault));
	usleep(1100000); /* a token is looked up at most once a second */
	with_token(&req, grid.hub, token);
	assert_int_equal(enter(gate, &req, NEED_API, "InvalidToken"),
		RC_UNAUTHENTICATED);
	caller_gate_free(gate);
}

struct machine {
	struct enrolled node;
	struct tls_identity identity;
	struct tls_facts facts;
	const char *client_id;
};

static void
make_machine(const char *name, const struct tls_identity *authority,
	struct machine *machine)
{
	static const char *const grants[] = {CLIENT_GRANT_CLIENT, NULL};
	static const char *const scopes[] = {CALLER_SCOPE_HUB, NULL};
	struct client_new wanted = {.client_id = name,
		.name = name,
		.grants = grants,
		.scopes = scopes};
	struct client client;
	const char *secret;
	const struct enrolment_new node = {.name = name, .kind = "ingress"};
	const struct enrolment_signer signer = {
		.identity = *authority, .life_s = 90 * 86400};

	good(enrolment_create(
		grid.owner, grid.arena, &node, &machine->node, &grid.fault));
	assert_string_equal(machine->node.state, "pending");
	good(enrolment_issue(grid.owner, grid.arena, &machine->node, &signer,
		&machine->identity, &grid.fault));
	good(tls_read(grid.arena, machine->identity.certificate_pem,
		&machine->facts, &grid.fault));
	wanted.node_id = machine->node.id;
	good(client_create(grid.owner, grid.arena, &wanted, &client, &secret,
		&grid.fault));
	machine->client_id = name;
}

static enum rc
enter_node(struct caller_gate *gate, const struct machine *machine,
	const char *token, const char *code)
{
	const struct pair params[] = {{"SSL_CLIENT_VERIFY", "SUCCESS"},
		{"SSL_CLIENT_CERT", percent_encode(grid.arena,
					    machine->identity.certificate_pem)},
		{token != NULL ? "HTTP_AUTHORIZATION" : NULL,
			arena_printf(grid.arena, "Bearer %s",
				token != NULL ? token : "")},
		{NULL, NULL}};
	struct req req = request(grid.hub, METHOD_POST, params);
	enum rc rc = enter(gate, &req, NEED_NODE, code);

	if (rc == RC_OK)
		assert_int_equal(req.caller->id, machine->node.id);
	return rc;
}

static const char *
node_token(const struct machine *machine, const struct tls_facts *bound_to)
{
	return client_token(machine->client_id, CALLER_AUDIENCE_HUB,
		CALLER_SCOPE_HUB,
		arena_printf(grid.arena, ",\"cnf\":{\"x5t#S256\":\"%s\"}",
			encode_base64url(grid.arena, bound_to->fingerprint,
				TLS_FINGERPRINT_BYTES)));
}

static void
test_caller_node_needs_certificate_state_and_token(void **state)
{
	struct caller_gate *gate = caller_gate_new(ISSUER);
	struct tls_identity authority;
	struct machine one = {.client_id = NULL};
	struct machine two = {.client_id = NULL};
	struct machine stranger;
	const char *token;

	(void)state;
	good(tls_issue_root(grid.arena, "CA", 30, &authority, &grid.fault));
	make_machine("node-1", &authority, &one);
	make_machine("node-2", &authority, &two);
	stranger = one;
	good(tls_issue_node(grid.arena, &authority, one.node.uuid, 90 * 86400,
		&stranger.identity, &grid.fault));
	token = node_token(&one, &one.facts);
	assert_int_equal(
		enter_node(gate, &one, token, "NodeNotAuthorised"), RC_DENIED);
	good(enrolment_turn(
		grid.owner, one.node.id, ENROLMENT_AUTHORISE, &grid.fault));
	good(enrolment_turn(
		grid.owner, two.node.id, ENROLMENT_AUTHORISE, &grid.fault));
	good(enter_node(gate, &one, token, ""));
	good(enter_node(gate, &one, token, "")); /* remembered */
	assert_int_equal(
		enter_node(gate, &stranger, token, "UnknownCertificate"),
		RC_DENIED);
	assert_int_equal(enter_node(gate, &two, token, "TokenNotBound"),
		RC_UNAUTHENTICATED);
	assert_int_equal(enter_node(gate, &one, node_token(&two, &one.facts),
				 "TokenNotBound"),
		RC_UNAUTHENTICATED);
	assert_int_equal(enter_node(gate, &one, NULL, "InvalidToken"),
		RC_UNAUTHENTICATED);
	assert_int_equal(enter_node(gate, &one, "x.y.z", "InvalidToken"),
		RC_UNAUTHENTICATED);
	good(enrolment_turn(
		grid.owner, one.node.id, ENROLMENT_BLOCK, &grid.fault));
	usleep(1100000);
	assert_int_equal(
		enter_node(gate, &one, token, "NodeNotAuthorised"), RC_DENIED);
	good(enrolment_revoke(
		grid.owner, two.node.id, two.facts.fingerprint, &grid.fault));
	assert_int_equal(enter_node(gate, &two, node_token(&two, &two.facts),
				 "UnknownCertificate"),
		RC_DENIED);
	caller_gate_free(gate);
}

static void
test_caller_node_needs_parameters_of_nginx(void **state)
{
	static const struct pair none[] = {{"SSL_CLIENT_VERIFY", "NONE"},
		{"SSL_CLIENT_CERT", ""}, {NULL, NULL}};
	static const struct pair failed[] = {
		{"SSL_CLIENT_VERIFY", "FAILED:expired"},
		{"SSL_CLIENT_CERT", "x"}, {NULL, NULL}};
	static const struct pair headers[] = {
		{"HTTP_SSL_CLIENT_VERIFY", "SUCCESS"},
		{"HTTP_SSL_CLIENT_CERT", "x"}, {NULL, NULL}};
	static const struct pair broken[] = {{"SSL_CLIENT_VERIFY", "SUCCESS"},
		{"SSL_CLIENT_CERT", "%zz"}, {NULL, NULL}};
	static const struct {
		const struct pair *params;
		const char *code;
	} rows[] = {{none, "NoCertificate"}, {failed, "NoCertificate"},
		{headers, "NoCertificate"}, {broken, "UnknownCertificate"}};
	struct caller_gate *gate = caller_gate_new(ISSUER);

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct req req = request(grid.hub, METHOD_POST, rows[i].params);

		assert_int_equal(
			enter(gate, &req, NEED_NODE, rows[i].code), RC_DENIED);
	}
	caller_gate_free(gate);
}

static void
test_policy_denies_first(void **state)
{
	const char *secret;
	struct client client = make_client("reader", &secret);
	const struct caller caller = {.kind = CALLER_CLIENT,
		.id = client.id,
		.subject = "reader",
		.scopes = "API"};
	struct policy_rule rule = {
		.subject = {.kind = "client", .id = client.id},
		.pattern = "*",
		.actions = POLICY_READ_ALL};
	const struct policy *policy;

	(void)state;
	good(policy_load(grid.hub, grid.arena, &caller, &policy, &grid.fault));
	assert_false(policy_touches(policy, 1, POLICY_READ_VALUES));
	good(policy_rule_create(
		grid.owner, grid.arena, &rule, NULL, &grid.fault));
	rule.pattern = "secret/*";
	rule.deny = true;
	good(policy_rule_create(
		grid.owner, grid.arena, &rule, NULL, &grid.fault));
	good(policy_load(grid.hub, grid.arena, &caller, &policy, &grid.fault));
	assert_true(policy_touches(policy, 1, POLICY_READ_VALUES));
	assert_true(policy_allows(policy, 1, "open", POLICY_READ_HISTORY));
	assert_false(policy_allows(policy, 1, "secret/x", POLICY_READ_VALUES));
	assert_false(policy_allows(policy, 1, "open", POLICY_WRITE_VALUES));
	good(policy_rule_clear(
		grid.owner, &rule.subject, 0, NULL, &grid.fault));
	good(policy_load(grid.hub, grid.arena, &caller, &policy, &grid.fault));
	assert_false(policy_touches(policy, 1, POLICY_READ_VALUES));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_caller_session_is_for_its_own_origin),
		cmocka_unit_test(
			test_caller_token_needs_scope_audience_and_a_live_client),
		cmocka_unit_test(
			test_caller_node_needs_certificate_state_and_token),
		cmocka_unit_test(test_caller_node_needs_parameters_of_nginx),
		cmocka_unit_test(test_policy_denies_first),
	};

	return cmocka_run_group_tests(
		tests, accounts_set_up, accounts_tear_down);
}
