/* identity: accounts, clients, nodes, keys, sessions and callers on a real
 * server, with the rights that the services really have. */

#include "tests/unit/unit.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/jwt.h"
#include "model/caller.h"
#include "model/client.h"
#include "model/device.h"
#include "model/enrolment_issue.h"
#include "model/failure.h"
#include "model/grant.h"
#include "model/policy_rule.h"
#include "model/session.h"
#include "model/signing_key.h"
#include "model/user.h"
#include "tests/sql/cluster.h"
#include "tests/unit/request.h"

#define ISSUER "https://grid.test"

enum {
	STMT_AGE_KEYS,
	STMT_AGE_SESSION,
	STMT_STATES,
	STMT_PEEK,
	STMT_KEYS,
	STMT_OLD_HASH,
	STMT_LOOK_HASH
};

static const struct stmt test_stmts[] = {
	[STMT_AGE_KEYS] = {"test_age_keys", "n",
		"UPDATE signing_key SET"
		" created_at = created_at - $1 * interval '1 hour',"
		" changed_at = changed_at - $1 * interval '1 hour'"},
	[STMT_AGE_SESSION] = {"test_age_session", "n",
		"UPDATE session SET seen_at = seen_at - $1 * interval '1 min'"},
	[STMT_STATES] = {"test_states", "",
		"SELECT coalesce(string_agg(state, ' ' ORDER BY state), '')"
		" FROM signing_key WHERE state <> 'removed'"
		" AND algorithm = 'RS256'"},
	[STMT_PEEK] = {"test_peek", "",
		"SELECT count(*) FROM account_password"},
	[STMT_KEYS] = {"test_keys", "",
		"SELECT count(*) FROM signing_key_private"},
	[STMT_OLD_HASH] = {"test_old_hash", "nt",
		"INSERT INTO account_password (account_id, hash, must_change)"
		" VALUES ($1, $2, true)"
		" ON CONFLICT (account_id) DO UPDATE"
		" SET hash = excluded.hash, must_change = true"},
	[STMT_LOOK_HASH] = {"test_look_hash", "n",
		"SELECT hash, must_change FROM account_password"
		" WHERE account_id = $1"},
	STMT_END,
};

static const struct stmt *const sets[] = {caller_stmts, client_stmts,
	device_stmts, enrolment_issue_stmts, enrolment_stmts, failure_stmts,
	grant_stmts, policy_stmts, policy_rule_stmts, session_stmts,
	signing_key_stmts, user_stmts, test_stmts, NULL};

static const struct stmt *const keeper_sets[] = {signing_key_stmts, NULL};

static const struct seal seal = {{1, 2, 3}};

struct grid {
	struct arena *arena;
	struct db *owner;
	struct db *identity;
	struct db *hub;
	struct db *keeper;
	struct fault fault;
};

static struct grid grid;

static int
set_up(void **state)
{
	(void)state;
	cluster_start();
	grid.arena = arena_new();
	grid.owner = cluster_open("fieldgrid_owner", sets);
	grid.identity = cluster_open("fieldgrid_identity", sets);
	grid.hub = cluster_open("fieldgrid_hub", sets);
	grid.keeper = cluster_open("fieldgrid_keeper", keeper_sets);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	db_close(grid.keeper);
	db_close(grid.hub);
	db_close(grid.identity);
	db_close(grid.owner);
	arena_free(grid.arena);
	return 0;
}

static void
good(enum rc rc)
{
	if (rc != RC_OK)
		fail_msg("%s: %s", fault_name(rc), grid.fault.text);
}

static void
exec_as_owner(int statement, int64_t number)
{
	good(db_exec(grid.owner, &test_stmts[statement],
		PARAMS(P_SHORT(number)), NULL, &grid.fault));
}

static struct user
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

static struct client
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

/* --- users ------------------------------------------------------------- */

static void
test_user_logs_in_with_any_case_of_the_name(void **state)
{
	struct user made = make_user("Alice", false);
	struct user found;

	(void)state;
	assert_string_equal(made.name, "alice");
	good(user_log_in(grid.identity, grid.arena, "ALICE",
		"a long pass phrase", &found, &grid.fault));
	assert_int_equal(found.id, made.id);
	assert_int_equal(user_log_in(grid.identity, grid.arena, "alice",
				 "a long pass phrasf", &found, &grid.fault),
		RC_UNAUTHENTICATED);
	assert_int_equal(user_log_in(grid.identity, grid.arena, "nobody",
				 "a long pass phrase", &found, &grid.fault),
		RC_UNAUTHENTICATED);
}

static void
test_user_names_and_passwords_are_checked(void **state)
{
	static const char *const names[] = {
		"", "two words", "new\nline", "\xff", "alice"};
	struct user_new wanted = {.password = "a long pass phrase"};
	struct user user;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		wanted.name = names[i];
		assert_int_not_equal(user_create(grid.owner, grid.arena,
					     &wanted, &user, &grid.fault),
			RC_OK);
		assert_string_equal(grid.fault.field, "name");
	}
	wanted.name = "bob";
	wanted.password = "short";
	assert_int_equal(user_create(grid.owner, grid.arena, &wanted, &user,
				 &grid.fault),
		RC_BAD_INPUT);
	assert_int_equal(
		user_find(grid.owner, grid.arena, "bob", &user, &grid.fault),
		RC_NOT_FOUND);
}

/* A login from here. */
static const struct session_new *
log_in_as(int64_t user_id)
{
	static const char *const amr[] = {"pwd", NULL};
	struct session_new *wanted = arena_alloc(grid.arena, sizeof(*wanted));

	*wanted = (struct session_new){user_id, "::1", "test", amr, "local"};
	return wanted;
}

static void
test_user_disabled_loses_everything(void **state)
{
	struct user user = make_user("carol", false);
	struct user found;
	struct session session;

	(void)state;
	good(session_create(grid.identity, grid.arena, log_in_as(user.id),
		&session, &grid.fault));
	good(user_set_active(grid.owner, user.id, false, &grid.fault));
	assert_int_equal(session_find(grid.identity, grid.arena, session.cookie,
				 &session, &grid.fault),
		RC_NOT_FOUND);
	assert_int_equal(user_log_in(grid.identity, grid.arena, "carol",
				 "a long pass phrase", &found, &grid.fault),
		RC_UNAUTHENTICATED);
	good(user_set_active(grid.owner, user.id, true, &grid.fault));
	good(user_set_password(grid.owner, grid.arena, user.id,
		"another pass phrase", USER_PASSWORD_OWN, &grid.fault));
	good(user_log_in(grid.identity, grid.arena, "carol",
		"another pass phrase", &found, &grid.fault));
	assert_true(found.epoch > user.epoch);
}

/* A hash of other days is renewed at the next log-in, and nothing else is:
 * what was an initial password stays one. */
static void
test_user_dated_hash_is_renewed(void **state)
{
	struct user user = make_user("dated", false);
	char old[crypto_pwhash_STRBYTES];
	struct user found;
	struct rows *rows = NULL;

	(void)state;
	assert_int_equal(
		crypto_pwhash_str(old, "correct horse", 13, 1, 8192 * 1024), 0);
	good(db_exec(grid.owner, &test_stmts[STMT_OLD_HASH],
		PARAMS(P_SHORT(user.id), P_TEXT(old)), NULL, &grid.fault));
	good(user_log_in(grid.identity, grid.arena, "dated", "correct horse",
		&found, &grid.fault));
	good(db_find(grid.owner, grid.arena, &test_stmts[STMT_LOOK_HASH],
		PARAMS(P_SHORT(user.id)), &rows, &grid.fault));
	assert_int_equal(strncmp(rows_text(rows, 0, 0),
				 "$argon2id$v=19$m=19456,t=2,p=1$", 31),
		0);
	assert_true(rows_bool(rows, 0, 1));
	good(user_log_in(grid.identity, grid.arena, "dated", "correct horse",
		&found, &grid.fault));
}

static void
test_user_hashes_are_for_identity_alone(void **state)
{
	struct rows *rows;

	(void)state;
	good(db_find(grid.identity, grid.arena, &test_stmts[STMT_PEEK],
		NO_PARAMS, &rows, &grid.fault));
	assert_int_equal(db_find(grid.hub, grid.arena, &test_stmts[STMT_PEEK],
				 NO_PARAMS, &rows, &grid.fault),
		RC_DB);
	assert_int_equal(db_find(grid.hub, grid.arena, &test_stmts[STMT_KEYS],
				 NO_PARAMS, &rows, &grid.fault),
		RC_DB);
}

/* --- clients ----------------------------------------------------------- */

static enum rc
prove(const char *id, const char *secret, const char *address)
{
	const struct client_proof proof = {id, secret, address};
	struct client client;
	int64_t wait_s = 0;

	return client_log_in(grid.identity, grid.arena, &proof, &client,
		&wait_s, &grid.fault);
}

static void
test_client_secret_is_checked(void **state)
{
	const char *secret;
	const char *newer;
	struct client client = make_client("app", &secret);
	struct client found;

	(void)state;
	good(client_find(
		grid.identity, grid.arena, "app", &found, &grid.fault));
	assert_true(found.confidential && found.require_pkce && found.active);
	good(prove("app", secret, "192.0.2.1"));
	assert_int_equal(
		prove("app", "wrong", "192.0.2.1"), RC_UNAUTHENTICATED);
	assert_int_equal(prove("app", NULL, "192.0.2.1"), RC_UNAUTHENTICATED);
	assert_int_equal(prove("nobody", "x", "192.0.2.1"), RC_UNAUTHENTICATED);
	good(client_renew_secret(
		grid.owner, grid.arena, &client, &newer, &grid.fault));
	assert_int_equal(prove("app", secret, "192.0.2.1"), RC_UNAUTHENTICATED);
	good(prove("app", newer, "192.0.2.1"));
}

static void
test_client_waits_after_wrong_secrets(void **state)
{
	const char *secret;

	(void)state;
	make_client("guessed", &secret);
	for (int i = 0; i < 5; i++)
		assert_int_equal(prove("guessed", "wrong", "192.0.2.2"),
			RC_UNAUTHENTICATED);
	assert_int_equal(prove("guessed", "wrong", "192.0.2.2"), RC_TOO_MANY);
	assert_int_equal(prove("guessed", secret, "192.0.2.2"), RC_TOO_MANY);
	good(prove("guessed", secret, "192.0.2.3"));
}

/* A library tries Basic, fails, and then does it right, again and again. */
static void
test_client_is_not_shut_out_by_a_first_failure(void **state)
{
	const char *secret;

	(void)state;
	make_client("grafana", &secret);
	for (int i = 0; i < 30; i++) {
		assert_int_equal(prove("grafana", NULL, "192.0.2.4"),
			RC_UNAUTHENTICATED);
		good(prove("grafana", secret, "192.0.2.4"));
	}
}

static void
test_client_redirects_exactly(void **state)
{
	static const char *const right[] = {"https://app.test/cb",
		"http://127.0.0.1/cb", "http://127.0.0.1:8080/cb",
		"com.example.app:/cb"};
	static const char *const wrong[] = {"https://app.test/cb/",
		"https://app.test/CB", "https://app.test:444/cb",
		"https://app.test/cb?x=1", "http://127.0.0.1:8080/other",
		"http://127.0.0.1:80x/cb", "http://127.0.0.1.evil.test/cb",
		"http://[::1]/cb", "http://localhost/cb",
		"com.example.app:/cb2", ""};
	struct client client;

	(void)state;
	good(client_find(
		grid.identity, grid.arena, "app", &client, &grid.fault));
	for (size_t i = 0; i < ARRAY_LENGTH(right); i++)
		assert_true(client_redirect_allowed(&client, right[i]));
	for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
		assert_false(client_redirect_allowed(&client, wrong[i]));
}

static void
test_client_refuses_what_is_unsafe(void **state)
{
	static const char *const bad_uri[] = {"http://app.test/cb", NULL};
	static const char *const fragment[] = {"https://app.test/#x", NULL};
	static const char *const script[] = {"javascript:alert(1)", NULL};
	static const char *const password[] = {"password", NULL};
	static const char *const machine[] = {CLIENT_GRANT_CLIENT, NULL};
	static const char *const root[] = {"root", NULL};
	const struct client_new rows[] = {
		{.client_id = "x", .redirect_uris = bad_uri},
		{.client_id = "x", .redirect_uris = fragment},
		{.client_id = "x", .redirect_uris = script},
		{.client_id = "x", .grants = password},
		{.client_id = "x",
			.grants = machine,
			.authentication = CLIENT_BY_NOTHING},
		{.client_id = "x", .scopes = root},
		{.client_id = "two words"},
		{.client_id = "6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1001"},
		{.client_id = ""},
	};
	struct client client;
	const char *secret;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct client_new wanted = rows[i];

		wanted.name = "x";
		assert_int_equal(client_create(grid.owner, grid.arena, &wanted,
					 &client, &secret, &grid.fault),
			RC_BAD_INPUT);
	}
}

/* --- signing keys ------------------------------------------------------ */

/* As the keeper does, with its rights, "hours" later. */
static void
rotate_to(int64_t hours, const char *states)
{
	struct rows *rows;

	exec_as_owner(STMT_AGE_KEYS, hours);
	good(signing_key_rotate(grid.keeper, grid.arena, &seal, &grid.fault));
	good(db_find(grid.identity, grid.arena, &test_stmts[STMT_STATES],
		NO_PARAMS, &rows, &grid.fault));
	assert_string_equal(rows_text(rows, 0, 0), states);
}

/* Published for a day before it signs, and known until an hour after the last
 * token that it signed. */
static void
test_signing_key_lives_its_states(void **state)
{
	(void)state;
	rotate_to(0, "active");
	rotate_to(0, "active");
	rotate_to(88 * 24, "active");
	rotate_to(24, "active pending");
	rotate_to(23, "active pending");
	rotate_to(1, "active retiring");
	rotate_to(1, "active retiring");
	good(db_script(grid.owner,
		"UPDATE client SET access_token_s = 7200"
		" WHERE id = (SELECT min(id) FROM client)",
		&grid.fault));
	rotate_to(1, "active retiring");
	rotate_to(1, "active");
	good(db_script(grid.owner, "UPDATE client SET access_token_s = 3600",
		&grid.fault));
}

static void
test_signing_key_is_sealed(void **state)
{
	const struct seal other = {{9}};
	struct signing_key key;
	struct rows *rows;

	(void)state;
	good(signing_key_active(grid.identity, grid.arena, &seal,
		SIGNING_KEY_ES256, &key, &grid.fault));
	assert_non_null(strstr(key.private_pem, "BEGIN PRIVATE KEY"));
	assert_int_equal(signing_key_active(grid.identity, grid.arena, &other,
				 SIGNING_KEY_RS256, &key, &grid.fault),
		RC_BUG);
	good(db_find(grid.identity, grid.arena, &test_stmts[STMT_KEYS],
		NO_PARAMS, &rows, &grid.fault));
	assert_int_equal(rows_int(rows, 0, 0), 2);
}

static void
test_seal_key_comes_from_a_private_file(void **state)
{
	char path[] = "/tmp/fieldgrid-seal-XXXXXX";
	struct seal read;
	FILE *file = fdopen(mkstemp(path), "w");

	(void)state;
	fprintf(file, "%s\n", secret_token(grid.arena));
	fflush(file);
	good(seal_load(grid.arena, path, &read, &grid.fault));
	rewind(file);
	fputs("short\n", file);
	fclose(file);
	assert_int_equal(
		seal_load(grid.arena, path, &read, &grid.fault), RC_IO);
	unlink(path);
	assert_int_equal(
		seal_load(grid.arena, path, &read, &grid.fault), RC_IO);
}

/* --- sessions and grants ----------------------------------------------- */

static void
test_session_ends_when_unused(void **state)
{
	struct user user = make_user("dora", false);
	struct session session;
	struct session found;

	(void)state;
	good(session_create(grid.identity, grid.arena, log_in_as(user.id),
		&session, &grid.fault));
	exec_as_owner(STMT_AGE_SESSION, 29);
	good(session_find(grid.identity, grid.arena, session.cookie, &found,
		&grid.fault));
	exec_as_owner(STMT_AGE_SESSION, 29); /* it was used in between */
	good(session_find(grid.identity, grid.arena, session.cookie, &found,
		&grid.fault));
	exec_as_owner(STMT_AGE_SESSION, 31);
	assert_int_equal(session_find(grid.identity, grid.arena, session.cookie,
				 &found, &grid.fault),
		RC_NOT_FOUND);
}

static void
test_session_login_waits_grow_and_end(void **state)
{
	int64_t before = 0;
	int64_t wait_s = 0;

	(void)state;
	for (int i = 0; i < 12; i++) {
		good(session_login_failed(grid.identity, grid.arena, "eve",
			"192.0.2.7", &grid.fault));
		good(session_login_wait(grid.identity, grid.arena, "eve",
			"192.0.2.7", &wait_s, &grid.fault));
		assert_true(i < 4 ? wait_s == 0 : wait_s + 5 >= before);
		before = wait_s;
	}
	assert_true(wait_s > 30 && wait_s <= 60);
	good(session_login_wait(grid.identity, grid.arena, "eve", "192.0.2.8",
		&wait_s, &grid.fault));
	assert_int_equal(wait_s, 0);
	good(session_login_worked(
		grid.identity, grid.arena, "eve", "192.0.2.7", &grid.fault));
	good(session_login_wait(grid.identity, grid.arena, "eve", "192.0.2.7",
		&wait_s, &grid.fault));
	assert_int_equal(wait_s, 0);
}

static void
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

static void
test_grant_code_works_once(void **state)
{
	struct session session;
	struct grant given;
	struct grant got;
	const char *code;

	(void)state;
	make_grant(&given, &session);
	good(grant_code_create(
		grid.identity, grid.arena, &given, &code, &grid.fault));
	good(grant_code_use(
		grid.identity, grid.arena, code, &got, &grid.fault));
	assert_memory_equal(got.family, given.family, UUID_BYTES);
	assert_memory_equal(got.sid, session.sid, UUID_BYTES);
	assert_string_equal(got.scopes[1], "API");
	assert_string_equal(got.nonce, "n");
	assert_null(got.challenge);
	assert_int_equal(grant_code_use(grid.identity, grid.arena, code, &got,
				 &grid.fault),
		RC_CONFLICT);
	assert_int_equal(grant_code_use(grid.identity, grid.arena, "guess",
				 &got, &grid.fault),
		RC_NOT_FOUND);
}

static const char *
make_refresh(struct grant *grant)
{
	static const char *const amr[] = {"otp", NULL};
	const char *token = secret_token(grid.arena);

	grant->amr = amr;
	grant->dies_us = clock_now_us() + CLOCK_DAY_US;
	good(grant_refresh_create(
		grid.identity, grant, 3600, token, &grid.fault));
	return token;
}

static void
test_grant_refresh_dies_with_its_family_and_session(void **state)
{
	struct session session;
	struct grant grant;
	struct grant got = {.client_id = 0};
	const char *first;
	const char *second;

	(void)state;
	make_grant(&grant, &session);
	memcpy(grant.sid, session.sid, UUID_BYTES);
	first = make_refresh(&grant);
	good(grant_refresh_use(grid.identity, grid.arena, first,
		grant.client_id, &got, &grid.fault));
	assert_string_equal(got.amr[0], "otp");
	assert_int_equal(grant_refresh_use(grid.identity, grid.arena, first,
				 grant.client_id, &got, &grid.fault),
		RC_CONFLICT);
	good(grant_revoke(grid.identity, got.family, &grid.fault));
	second = make_refresh(&grant);
	assert_int_equal(grant_refresh_use(grid.identity, grid.arena, second,
				 grant.client_id, &got, &grid.fault),
		RC_NOT_FOUND);
	uuid_random(grant.family);
	second = make_refresh(&grant);
	good(session_end(grid.identity, &session, &grid.fault));
	assert_int_equal(grant_refresh_use(grid.identity, grid.arena, second,
				 grant.client_id, &got, &grid.fault),
		RC_NOT_FOUND);
}

/* Two tabs asked at once, or an answer was lost. */
static void
test_grant_refresh_works_again_within_its_grace(void **state)
{
	struct session session;
	struct grant grant;
	struct grant got = {.client_id = 0};
	const char *first;
	const char *next;

	(void)state;
	make_grant(&grant, &session);
	memcpy(grant.sid, session.sid, UUID_BYTES);
	first = make_refresh(&grant);
	next = secret_derive(grid.arena, seal.key, "fgrefres", first);
	assert_string_equal(
		next, secret_derive(grid.arena, seal.key, "fgrefres", first));
	assert_int_equal(grant_refresh_again(grid.identity, grid.arena, first,
				 grant.client_id, 10, next, &got, &grid.fault),
		RC_NOT_FOUND);
	good(grant_refresh_use(grid.identity, grid.arena, first,
		grant.client_id, &got, &grid.fault));
	good(grant_refresh_create(
		grid.identity, &grant, 3600, next, &grid.fault));
	good(grant_refresh_again(grid.identity, grid.arena, first,
		grant.client_id, 10, next, &got, &grid.fault));
	assert_int_equal(grant_refresh_again(grid.identity, grid.arena, first,
				 grant.client_id, 0, next, &got, &grid.fault),
		RC_NOT_FOUND);
	good(grant_refresh_use(grid.identity, grid.arena, next, grant.client_id,
		&got, &grid.fault));
	assert_int_equal(grant_refresh_again(grid.identity, grid.arena, first,
				 grant.client_id, 10, next, &got, &grid.fault),
		RC_NOT_FOUND);
}

/* --- devices ----------------------------------------------------------- */

static void
poll_says(const char *code, int64_t client_id, enum device_state expected)
{
	enum device_state state;
	struct grant grant;

	good(device_poll(grid.identity, grid.arena, code, client_id, &grant,
		&state, &grid.fault));
	assert_int_equal(state, expected);
}

static void
poll_finds_nothing(const char *code, int64_t client_id)
{
	enum device_state state;
	struct grant grant;

	assert_int_equal(device_poll(grid.identity, grid.arena, code, client_id,
				 &grant, &state, &grid.fault),
		RC_NOT_FOUND);
}

static void
make_device(const struct grant *grant, struct device_codes *codes)
{
	good(device_create(grid.identity, grid.arena, grant->client_id,
		grant->scopes, "::1", codes, &grid.fault));
	assert_int_equal(strlen(codes->user_code), 9);
	assert_int_equal(codes->user_code[4], '-');
}

/* As if the last poll had been a minute ago. */
static void
let_a_minute_pass(void)
{
	good(db_script(grid.owner,
		"UPDATE device_code SET polled_at = polled_at"
		" - interval '1 minute'",
		&grid.fault));
}

static void
test_device_waits_until_somebody_decides(void **state)
{
	struct session session;
	struct grant given;
	struct grant got;
	struct device_codes codes;
	struct device device;
	enum device_state polled;
	char *typed;

	(void)state;
	make_grant(&given, &session);
	make_device(&given, &codes);
	poll_says(codes.device_code, given.client_id, DEVICE_PENDING);
	poll_finds_nothing(codes.device_code, given.client_id + 1);
	poll_finds_nothing("guess", given.client_id);
	typed = arena_printf(
		grid.arena, " %.4s%s", codes.user_code, codes.user_code + 5);
	for (char *at = typed; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	good(device_find(
		grid.identity, grid.arena, typed, &device, &grid.fault));
	assert_string_equal(device.scopes[1], "API");
	good(device_approve(grid.identity, &device, &session, &grid.fault));
	assert_int_equal(
		device_deny(grid.identity, &device, &session, &grid.fault),
		RC_NOT_FOUND);
	assert_int_equal(device_find(grid.identity, grid.arena, typed, &device,
				 &grid.fault),
		RC_NOT_FOUND);
	let_a_minute_pass();
	good(device_poll(grid.identity, grid.arena, codes.device_code,
		given.client_id, &got, &polled, &grid.fault));
	assert_int_equal(polled, DEVICE_GRANTED);
	assert_int_equal(got.user_id, session.user_id);
	assert_string_equal(got.scopes[1], "API");
	let_a_minute_pass();
	poll_finds_nothing(codes.device_code, given.client_id);
}

static void
test_device_that_polls_too_soon_slows_down_for_good(void **state)
{
	struct session session;
	struct grant given;
	struct device_codes codes;
	struct device device;

	(void)state;
	make_grant(&given, &session);
	make_device(&given, &codes);
	poll_says(codes.device_code, given.client_id, DEVICE_PENDING);
	poll_says(codes.device_code, given.client_id, DEVICE_SLOW_DOWN);
	good(db_script(grid.owner,
		"UPDATE device_code SET polled_at = now() - interval '7 s'",
		&grid.fault));
	poll_says(codes.device_code, given.client_id, DEVICE_SLOW_DOWN);
	let_a_minute_pass();
	poll_says(codes.device_code, given.client_id, DEVICE_PENDING);
	good(device_find(grid.identity, grid.arena, codes.user_code, &device,
		&grid.fault));
	good(device_deny(grid.identity, &device, &session, &grid.fault));
	poll_says(codes.device_code, given.client_id, DEVICE_DENIED);
	good(db_script(grid.owner, "UPDATE device_code SET expires_at = now()",
		&grid.fault));
	poll_says(codes.device_code, given.client_id, DEVICE_EXPIRED);
}

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
		cmocka_unit_test(test_user_logs_in_with_any_case_of_the_name),
		cmocka_unit_test(test_user_names_and_passwords_are_checked),
		cmocka_unit_test(test_user_disabled_loses_everything),
		cmocka_unit_test(test_user_dated_hash_is_renewed),
		cmocka_unit_test(test_user_hashes_are_for_identity_alone),
		cmocka_unit_test(test_client_secret_is_checked),
		cmocka_unit_test(test_client_waits_after_wrong_secrets),
		cmocka_unit_test(
			test_client_is_not_shut_out_by_a_first_failure),
		cmocka_unit_test(test_client_redirects_exactly),
		cmocka_unit_test(test_client_refuses_what_is_unsafe),
		cmocka_unit_test(test_signing_key_lives_its_states),
		cmocka_unit_test(test_signing_key_is_sealed),
		cmocka_unit_test(test_seal_key_comes_from_a_private_file),
		cmocka_unit_test(test_session_ends_when_unused),
		cmocka_unit_test(test_session_login_waits_grow_and_end),
		cmocka_unit_test(test_grant_code_works_once),
		cmocka_unit_test(
			test_grant_refresh_dies_with_its_family_and_session),
		cmocka_unit_test(
			test_grant_refresh_works_again_within_its_grace),
		cmocka_unit_test(test_device_waits_until_somebody_decides),
		cmocka_unit_test(
			test_device_that_polls_too_soon_slows_down_for_good),
		cmocka_unit_test(test_caller_session_is_for_its_own_origin),
		cmocka_unit_test(
			test_caller_token_needs_scope_audience_and_a_live_client),
		cmocka_unit_test(
			test_caller_node_needs_certificate_state_and_token),
		cmocka_unit_test(test_caller_node_needs_parameters_of_nginx),
		cmocka_unit_test(test_policy_denies_first),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
