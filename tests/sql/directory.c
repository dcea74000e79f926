/* directory: who outside persons are here, and what directories say of them,
 * on a real server and a real slapd. */

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "model/audit.h"
#include "model/directory_admin.h"
#include "model/directory_sync.h"
#include "model/group.h"
#include "model/group_mapping.h"
#include "model/user_link.h"
#include "tests/sql/cluster.h"
#include "tests/sql/slapd.h"

enum { STMT_GROUPS, STMT_SESSION, STMT_SESSIONS, STMT_OLD, STMT_DUE };

static const struct stmt test_stmts[] = {
	[STMT_GROUPS] = {"test_groups", "n",
		"SELECT coalesce(string_agg(name, ' ' ORDER BY name), '')"
		"  FROM group_account"
		"  JOIN user_group ON user_group.id = group_id"
		" WHERE account_id = $1"},
	[STMT_SESSION] = {"test_session", "n",
		"INSERT INTO session"
		" (hash, sid, account_id, csrf, expires_at)"
		" VALUES (sha256(gen_random_uuid()::text::bytea),"
		" gen_random_uuid(), $1, '', now() + interval '1 hour')"},
	[STMT_SESSIONS] = {"test_sessions", "n",
		"SELECT count(*) FROM session WHERE account_id = $1"},
	[STMT_OLD] = {"test_old", "n",
		"UPDATE account_link SET seen_at = now() - interval '9 days'"
		" WHERE account_id = $1"},
	[STMT_DUE] = {"test_due", "n",
		"UPDATE account_link SET due_at = now() WHERE account_id = $1"},
	STMT_END,
};

static const struct stmt *const sets[] = {audit_stmts, directory_stmts,
	directory_login_stmts, directory_sync_stmts, group_stmts,
	group_mapping_stmts, user_stmts, user_link_stmts, test_stmts, NULL};

static const struct seal seal = {{4, 5, 6}};

static struct {
	struct arena *arena;
	struct db *owner;
	struct db *identity;
	struct db *keeper;
	struct directory_gate gate;
	struct slapd slapd;
	struct fault fault;
} grid = {.gate = {.seal = &seal, .slots.file = -1}};

static int
set_up(void **state)
{
	(void)state;
	cluster_start();
	if (!slapd_start(&grid.slapd, "plain")) {
		fprintf(stderr, "no slapd to test with\n");
		exit(77);
	}
	grid.arena = arena_new();
	grid.owner = cluster_open("fieldgrid_owner", sets);
	grid.identity = cluster_open("fieldgrid_identity", sets);
	grid.keeper = cluster_open("fieldgrid_keeper", sets);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	db_close(grid.keeper);
	db_close(grid.identity);
	db_close(grid.owner);
	arena_free(grid.arena);
	slapd_stop(&grid.slapd);
	return 0;
}

static void
good(enum rc rc)
{
	if (rc != RC_OK)
		fail_msg("%s: %s", fault_name(rc), grid.fault.text);
}

static struct rows *
ask(int statement, int64_t id)
{
	struct rows *rows = NULL;

	good(db_query(grid.owner, grid.arena, &test_stmts[statement],
		PARAMS(P_SHORT(id)), &rows, &grid.fault));
	return rows;
}

static const char *
groups_of(const struct user *user)
{
	return rows_text(ask(STMT_GROUPS, user->id), 0, 0);
}

static int64_t
make_group(const char *name)
{
	const struct group wanted = {.name = name, .description = ""};
	struct group group;

	good(group_create(
		grid.owner, grid.arena, &wanted, &group, &grid.fault));
	return group.id;
}

/* --- outside persons
 * ------------------------------------------------------------- */

static enum rc
adopt(const struct outside_user *person, struct user *user)
{
	return user_link_adopt(
		grid.identity, grid.arena, person, user, &grid.fault);
}

static struct outside_user
person_called(const char *subject, const char *name)
{
	return (struct outside_user){.source = "oidc:up",
		.issuer = "https://up.test",
		.subject = subject,
		.name = name};
}

static void
test_user_link_knows_people_by_issuer_and_subject(void **state)
{
	struct outside_user person = person_called("s1", "Some Body");
	struct user first;
	struct user again;

	(void)state;
	person.email = "a@up.test";
	good(adopt(&person, &first));
	assert_string_equal(first.name, "some.body");
	assert_string_equal(first.source, "oidc:up");
	person.name = "other";
	person.full_name = "Now Married";
	good(adopt(&person, &again));
	assert_int_equal(again.id, first.id);
	assert_string_equal(again.name, "some.body");
	assert_string_equal(again.full_name, "Now Married");
}

static void
test_user_link_never_takes_an_account_by_its_name(void **state)
{
	const struct user_new wanted = {.name = "carla",
		.email = "carla@grid.test",
		.password = "a long pass phrase"};
	struct outside_user person = person_called("s2", "Carla");
	struct user local;
	struct user user;
	struct user second;

	(void)state;
	good(user_create(grid.owner, grid.arena, &wanted, &local, &grid.fault));
	person.email = "carla@grid.test";
	good(adopt(&person, &user));
	assert_int_not_equal(user.id, local.id);
	assert_string_equal(user.name, "carla@up");
	person.subject = "s3";
	good(adopt(&person, &second));
	assert_string_equal(second.name, "carla.2@up");
	assert_false(second.administrator);
}

static void
test_user_link_takes_over_groups_and_gives_them_back(void **state)
{
	static const char *const names[] = {"one", "two", "unknown"};
	int64_t first = make_group("First");
	int64_t second = make_group("Second");
	struct outside_user person = person_called("s4", "dina");
	struct user user;

	(void)state;
	good(group_mapping_set(grid.identity, grid.arena, "oidc:up", "one",
		first, GROUP_MAP, &grid.fault));
	good(group_mapping_set(grid.identity, grid.arena, "oidc:up", "two",
		second, GROUP_MAP, &grid.fault));
	good(group_mapping_set(grid.identity, grid.arena, "oidc:other", "one",
		second, GROUP_MAP, &grid.fault));
	person.groups = (struct texts){1, names};
	good(adopt(&person, &user));
	assert_string_equal(groups_of(&user), "First");
	person.groups = (struct texts){2, names + 1};
	good(adopt(&person, &user));
	assert_string_equal(groups_of(&user), "Second");
	person.groups = (struct texts){0, NULL};
	person.groups_unknown = true;
	good(adopt(&person, &user));
	assert_string_equal(groups_of(&user), "Second");
	good(group_add_user(grid.owner, first, user.id, &grid.fault));
	person.groups_unknown = false;
	good(adopt(&person, &user)); /* the administrator's stays */
	assert_string_equal(groups_of(&user), "First");
}

static void
test_user_link_refuses_disabled_accounts(void **state)
{
	struct outside_user person = person_called("s5", "eddie");
	struct user user;

	(void)state;
	good(adopt(&person, &user));
	good(user_set_active(grid.owner, user.id, false, &grid.fault));
	assert_int_equal(adopt(&person, &user), RC_UNAUTHENTICATED);
	assert_false(db_in_transaction(grid.identity));
}

static void
test_user_link_refuses_people_without_subject_or_name(void **state)
{
	static const char *const names[] = {"", " ", "@", "\xff"};
	struct outside_user person = person_called("", "x");
	struct user user;

	(void)state;
	assert_int_equal(adopt(&person, &user), RC_BAD_INPUT);
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		person = person_called("s6", names[i]);
		assert_int_equal(adopt(&person, &user), RC_BAD_INPUT);
	}
}

static void
test_user_link_cuts_long_names_at_letters(void **state)
{
	char name[600];
	struct outside_user person = person_called("s7", name);
	struct user user;

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(name); i += 2)
		memcpy(name + i, "\xc3\xa4", 3);
	good(adopt(&person, &user));
	assert_true(strlen(user.name) <= USER_NAME_BYTES);
	assert_int_equal(strlen(user.name) % 2, 0);
}

static void
test_user_link_that_is_lost_ends_access(void **state)
{
	static const char *const names[] = {"one"};
	struct outside_user person = person_called("s8", "flora");
	struct user user;
	struct user after;

	(void)state;
	person.groups = (struct texts){1, names};
	good(adopt(&person, &user));
	ask(STMT_SESSION, user.id);
	good(user_link_lose(grid.keeper, grid.arena, &person, &grid.fault));
	assert_int_equal(rows_int(ask(STMT_SESSIONS, user.id), 0, 0), 0);
	assert_string_equal(groups_of(&user), "");
	good(adopt(&person, &after));
	assert_int_equal(after.id, user.id);
	assert_true(after.epoch > user.epoch);
}

/* --- directories
 * ------------------------------------------------------------------- */

static struct directory
settings(const char *name)
{
	struct directory directory;
	const char **uris = arena_array(grid.arena, 1, sizeof(*uris));

	assert_true(directory_defaults("openldap", &directory));
	directory.name = name;
	uris[0] = arena_printf(
		grid.arena, "ldaps://127.0.0.1:%d", grid.slapd.ldaps);
	directory.uris = (struct texts){1, uris};
	directory.mode = "ldaps";
	directory.ca = grid.slapd.ca;
	directory.bind_dn = "cn=svc,ou=services,dc=grid,dc=test";
	directory.bind_password = "service pass phrase";
	directory.base = "dc=grid,dc=test";
	directory.timeout_ms = 1000;
	return directory;
}

static enum rc
log_in(const char *name, const char *password, struct user *user)
{
	return directory_log_in(grid.identity, grid.arena, &grid.gate, name,
		password, user, &grid.fault);
}

static void
test_directory_logs_in_and_is_asked_again(void **state)
{
	struct directory directory = settings("plant");
	struct directory_counts counts;
	struct user user;

	(void)state;
	good(directory_create(
		grid.identity, grid.arena, &seal, &directory, &grid.fault));
	good(group_mapping_set(grid.identity, grid.arena, "ldap:plant",
		"CN=Company,OU=Groups,DC=grid,DC=test", make_group("Company"),
		GROUP_MAP, &grid.fault));
	good(log_in("alice", "the pass phrase of alice", &user));
	assert_string_equal(user.source, "ldap:plant");
	assert_string_equal(groups_of(&user), "Company");
	assert_int_equal(log_in("alice", "", &user), RC_UNAUTHENTICATED);
	assert_int_equal(log_in("alice", "wrong", &user), RC_UNAUTHENTICATED);
	assert_int_equal(log_in("*", "the pass phrase of alice", &user),
		RC_UNAUTHENTICATED);
	good(log_in("bob*(x)", "the pass phrase of bob*(x)", &user));
	ask(STMT_DUE, user.id);
	good(directory_sync(
		grid.keeper, grid.arena, &grid.gate, &counts, &grid.fault));
	assert_int_equal(counts.asked, 1);
	assert_int_equal(counts.lost, 0);
	assert_string_equal(groups_of(&user), "Company");
}

static void
test_directory_loses_whom_it_does_not_find(void **state)
{
	struct outside_user ghost = {.source = "ldap:plant",
		.issuer = "ldap:plant",
		.subject = "00000000-0000-0000-0000-000000000000",
		.name = "ghost",
		.good_s = 3600};
	struct directory_counts counts;
	struct user user;

	(void)state;
	good(adopt(&ghost, &user));
	ask(STMT_SESSION, user.id);
	ask(STMT_DUE, user.id);
	good(directory_sync(
		grid.keeper, grid.arena, &grid.gate, &counts, &grid.fault));
	assert_int_equal(counts.lost, 1);
	assert_int_equal(rows_int(ask(STMT_SESSIONS, user.id), 0, 0), 0);
	ghost.subject = "00000000-0000-0000-0000-000000000001";
	ghost.name = "ghost2";
	good(adopt(&ghost, &user));
	ask(STMT_OLD, user.id); /* could not be asked about for nine days */
	good(directory_sync(
		grid.keeper, grid.arena, &grid.gate, &counts, &grid.fault));
	assert_int_equal(counts.lost, 1);
	assert_int_equal(counts.asked, 0);
}

static void
test_directory_does_not_open_another_seal(void **state)
{
	const struct seal other = {{9}};
	struct directory_gate gate = {.seal = &other, .slots.file = -1};
	struct user user;

	(void)state;
	assert_int_equal(
		directory_log_in(grid.identity, grid.arena, &gate, "carol",
			"the pass phrase of carol", &user, &grid.fault),
		RC_UNAVAILABLE);
}

/* --- the connection itself
 * ----------------------------------------------------------- */

static enum rc
open_link(const char *uri, enum ldap_security security, const char *ca,
	struct ldap_link **link)
{
	const struct ldap_server server = {
		.uri = uri, .security = security, .ca = ca, .timeout_ms = 500};

	return ldap_link_open(grid.arena, &server,
		"cn=svc,ou=services,dc=grid,dc=test", "service pass phrase",
		link, &grid.fault);
}

static const char *
address(const char *scheme, const char *host, int port)
{
	return arena_printf(grid.arena, "%s://%s:%d", scheme, host, port);
}

static void
test_ldap_trusts_only_the_right_certificate(void **state)
{
	static const struct {
		const char *scheme;
		const char *host;
		enum ldap_security security;
		bool other_ca;
		enum rc rc;
	} cases[] = {
		{"ldap", "127.0.0.1", LDAP_SECURITY_STARTTLS, false, RC_OK},
		{"ldaps", "127.0.0.1", LDAP_SECURITY_LDAPS, false, RC_OK},
		{"ldap", "127.0.0.2", LDAP_SECURITY_STARTTLS, false,
			RC_UNAVAILABLE},
		{"ldaps", "127.0.0.2", LDAP_SECURITY_LDAPS, false,
			RC_UNAVAILABLE},
		{"ldap", "127.0.0.1", LDAP_SECURITY_STARTTLS, true,
			RC_UNAVAILABLE},
		{"ldaps", "127.0.0.1", LDAP_SECURITY_LDAPS, true,
			RC_UNAVAILABLE},
	};

	(void)state;
	/* Neither of these may make it less careful. */
	setenv("LDAPTLS_REQCERT", "never", 1);
	setenv("LDAPTLS_CACERT", grid.slapd.folder, 1);
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		bool starttls = cases[i].security == LDAP_SECURITY_STARTTLS;
		struct ldap_link *link = NULL;

		assert_int_equal(
			open_link(address(cases[i].scheme, cases[i].host,
					  starttls ? grid.slapd.ldap
						   : grid.slapd.ldaps),
				cases[i].security,
				cases[i].other_ca ? grid.slapd.other_ca
						  : grid.slapd.ca,
				&link),
			cases[i].rc);
		if (link != NULL)
			ldap_link_close(link);
	}
}

static void
test_ldap_reads_every_page(void **state)
{
	static const char *const attributes[] = {"uid", NULL};
	struct ldap_search search = {.base = "ou=people,dc=grid,dc=test",
		.scope = LDAP_SCOPE_TREE,
		.filter = "(uid=u*)",
		.attributes = attributes,
		.limit = 5000};
	struct ldap_entries entries;
	struct ldap_link *link = NULL;

	(void)state;
	good(open_link(address("ldap", "127.0.0.1", grid.slapd.ldap),
		LDAP_SECURITY_STARTTLS, grid.slapd.ca, &link));
	good(ldap_link_search(
		link, grid.arena, &search, &entries, &grid.fault));
	assert_int_equal(entries.count, 1200);
	assert_string_equal(
		ldap_entry_text(&entries.items[1199], "UID"), "u2400");
	search.limit = 1199;
	assert_int_equal(ldap_link_search(link, grid.arena, &search, &entries,
				 &grid.fault),
		RC_TOO_LARGE);
	search.limit = 2;
	assert_int_equal(ldap_link_search(link, grid.arena, &search, &entries,
				 &grid.fault),
		RC_TOO_LARGE);
	search.base = "ou=elsewhere,dc=grid,dc=test";
	assert_int_equal(ldap_link_search(link, grid.arena, &search, &entries,
				 &grid.fault),
		RC_UPSTREAM);
	search.base = "dc=none";
	assert_int_equal(ldap_link_search(link, grid.arena, &search, &entries,
				 &grid.fault),
		RC_NOT_FOUND);
	search.base = "dc=grid,dc=test";
	search.filter = "(uid=";
	assert_int_equal(ldap_link_search(link, grid.arena, &search, &entries,
				 &grid.fault),
		RC_UPSTREAM);
	ldap_link_close(link);
}

static void
test_ldap_gives_up_on_silence(void **state)
{
	int port = silence_start();

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct ldap_link *link = NULL;
		int64_t began_us = clock_steady_us();
		enum rc rc = open_link(
			address(i == 0 ? "ldap" : "ldaps", "127.0.0.1", port),
			i == 0 ? LDAP_SECURITY_STARTTLS : LDAP_SECURITY_LDAPS,
			grid.slapd.ca, &link);
		int64_t took_us = clock_steady_us() - began_us;

		assert_int_equal(rc, RC_UNAVAILABLE);
		assert_in_range(took_us, 400000, 2500000);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_user_link_knows_people_by_issuer_and_subject),
		cmocka_unit_test(
			test_user_link_never_takes_an_account_by_its_name),
		cmocka_unit_test(
			test_user_link_takes_over_groups_and_gives_them_back),
		cmocka_unit_test(test_user_link_refuses_disabled_accounts),
		cmocka_unit_test(
			test_user_link_refuses_people_without_subject_or_name),
		cmocka_unit_test(test_user_link_cuts_long_names_at_letters),
		cmocka_unit_test(test_user_link_that_is_lost_ends_access),
		cmocka_unit_test(test_directory_logs_in_and_is_asked_again),
		cmocka_unit_test(test_directory_loses_whom_it_does_not_find),
		cmocka_unit_test(test_directory_does_not_open_another_seal),
		cmocka_unit_test(test_ldap_trusts_only_the_right_certificate),
		cmocka_unit_test(test_ldap_reads_every_page),
		cmocka_unit_test(test_ldap_gives_up_on_silence),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
