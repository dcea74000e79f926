/* accounts: people, clients and sessions for tests. */

#include "tests/sql/accounts.h"

#include "tests/unit/unit.h"

#include "model/caller.h"
#include "model/device.h"
#include "model/enrolment_issue.h"
#include "model/failure.h"
#include "model/policy_rule.h"
#include "model/signing_key.h"
#include "tests/sql/cluster.h"

static const struct stmt *sets[] = {caller_stmts, client_stmts, device_stmts,
	enrolment_issue_stmts, enrolment_stmts, failure_stmts, grant_stmts,
	policy_stmts, policy_rule_stmts, session_stmts, signing_key_stmts,
	user_stmts, NULL /* of the test */, NULL};

static const struct stmt *const keeper_sets[] = {signing_key_stmts, NULL};

const struct seal seal = {{1, 2, 3}};
struct grid grid;

void
accounts_start(const struct stmt *own)
{
	sets[ARRAY_LENGTH(sets) - 2] = own;
	cluster_start();
	grid.arena = arena_new();
	grid.owner = cluster_open("fieldgrid_owner", sets);
	grid.identity = cluster_open("fieldgrid_identity", sets);
	grid.hub = cluster_open("fieldgrid_hub", sets);
	grid.keeper = cluster_open("fieldgrid_keeper", keeper_sets);
}

int
accounts_set_up(void **state)
{
	const char *secret;

	(void)state;
	accounts_start(NULL);
	make_user("alice", false);
	make_client("app", &secret);
	good(signing_key_rotate(grid.keeper, grid.arena, &seal, &grid.fault));
	return 0;
}

int
accounts_tear_down(void **state)
{
	(void)state;
	db_close(grid.keeper);
	db_close(grid.hub);
	db_close(grid.identity);
	db_close(grid.owner);
	arena_free(grid.arena);
	return 0;
}

void
good(enum rc rc)
{
	if (rc != RC_OK)
		fail_msg("%s: %s", fault_name(rc), grid.fault.text);
}

struct user
make_user(const char *name, bool administrator)
{
	const struct user_new wanted = {.name = name,
		.email = "a@grid.test",
		.administrator = administrator,
		.password = "a long pass phrase"};
	struct user user;

	good(user_create(grid.owner, grid.arena, &wanted, &user, &grid.fault));
	return user;
}

struct client
make_client(const char *id, const char **secret)
{
	static const char *const grants[] = {CLIENT_GRANT_CODE,
		CLIENT_GRANT_REFRESH, CLIENT_GRANT_CLIENT, NULL};
	static const char *const scopes[] = {
		"openid", "offline_access", "API", NULL};
	static const char *const uris[] = {"https://app.test/cb",
		"http://127.0.0.1/cb", "com.example.app:/cb", NULL};
	const struct client_new wanted = {.client_id = id,
		.name = id,
		.grants = grants,
		.scopes = scopes,
		.redirect_uris = uris};
	struct client client;

	good(client_create(
		grid.owner, grid.arena, &wanted, &client, secret, &grid.fault));
	return client;
}

const struct session_new *
log_in_as(int64_t user_id)
{
	static const char *const amr[] = {"pwd", NULL};
	struct session_new *wanted = arena_alloc(grid.arena, sizeof(*wanted));

	*wanted = (struct session_new){user_id, "::1", "test", amr, "local"};
	return wanted;
}

void
make_grant(struct grant *grant, struct session *session)
{
	static const char *const scopes[] = {"openid", "API", NULL};
	struct client client;
	struct user user;

	good(user_find(grid.identity, grid.arena, "alice", &user, &grid.fault));
	good(client_find(
		grid.identity, grid.arena, "app", &client, &grid.fault));
	good(session_create(grid.identity, grid.arena, log_in_as(user.id),
		session, &grid.fault));
	*grant = (struct grant){.client_id = client.id,
		.user_id = user.id,
		.scopes = scopes,
		.auth_time_us = session->auth_time_us,
		.session_hash = session->hash,
		.redirect_uri = "https://app.test/cb",
		.redirect_uri_sent = true,
		.nonce = "n"};
	uuid_random(grant->family);
}
