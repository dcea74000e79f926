/* identity: accounts, clients and keys on a real server, with the rights that
 * the services really have. */

#include "tests/unit/unit.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/secret.h"
#include "model/signing_key.h"
#include "tests/sql/accounts.h"

enum {
	STMT_AGE_KEYS,
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

static int
set_up(void **state)
{
	(void)state;
	accounts_start(test_stmts);
	return 0;
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

	good(db_exec(grid.owner, &test_stmts[STMT_AGE_KEYS],
		PARAMS(P_SHORT(hours)), NULL, &grid.fault));
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
	};

	return cmocka_run_group_tests(tests, set_up, accounts_tear_down);
}
