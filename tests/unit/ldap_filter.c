/* ldap_filter: values that nobody trusts, DNs, and addresses of directories. */

#include "tests/unit/with_arena.h"

#include <string.h>

#include "lib/ldap.h"
#include "lib/ldap_filter.h"

static const char *
escape(const char *value)
{
	return ldap_filter_escape(arena, value, strlen(value));
}

static void
test_ldap_filter_escapes_what_means_something(void **state)
{
	(void)state;
	assert_string_equal(escape("alice"), "alice");
	assert_string_equal(escape("*"), "\\2a");
	assert_string_equal(escape("bob*(x)"), "bob\\2a\\28x\\29");
	assert_string_equal(escape("a\\b"), "a\\5cb");
	assert_string_equal(escape("\x1f \x7f"), "\\1f \\7f");
	assert_string_equal(escape("\xc3\xa4"), "\\c3\\a4");
	assert_string_equal(ldap_filter_escape(arena, "a\0b", 3), "a\\00b");
	assert_string_equal(ldap_filter_escape(arena, NULL, 0), "");
}

static const char *
fill(const char *template)
{
	const struct ldap_filter_part parts[] = {
		{"name", "N"}, {"dn", "D"}, {"none", NULL}, {NULL, NULL}};

	return ldap_filter_fill(arena, template, parts);
}

static void
test_ldap_filter_fills_its_places(void **state)
{
	(void)state;
	assert_string_equal(fill("(uid={name})"), "(uid=N)");
	assert_string_equal(
		fill("(|(a={name})(b={dn})(c={name}))"), "(|(a=N)(b=D)(c=N))");
	assert_string_equal(fill("(a=b)"), "(a=b)");
	assert_null(fill("(a={other})"));
	assert_null(fill("(a={none})"));
	assert_null(fill("(a={name)"));
	assert_null(fill("(a={})"));
}

static void
test_ldap_filter_knows_one_whole_filter(void **state)
{
	(void)state;
	assert_true(ldap_filter_good("(uid={name})", "name"));
	assert_true(ldap_filter_good("(&(a=b)(!(uid={name})))", "name"));
	assert_false(ldap_filter_good("(uid=x)", "name"));
	assert_false(ldap_filter_good("uid={name}", "name"));
	assert_false(ldap_filter_good("(uid={name}", "name"));
	assert_false(ldap_filter_good("(uid={name})(a=b)", "name"));
	assert_false(ldap_filter_good("(uid={name}))", "name"));
	assert_false(ldap_filter_good("", "name"));
	assert_true(ldap_filter_good("(a=b)", NULL));
}

static void
test_ldap_dn_has_one_normal_form(void **state)
{
	const char *wanted = "cn=bob (ops)\\2C jr,ou=people,dc=grid,dc=test";

	(void)state;
	assert_string_equal(
		ldap_dn_normal(arena,
			"CN=Bob (Ops)\\2C Jr, OU = People,dc=grid,dc=test"),
		ldap_dn_normal(arena, wanted));
	assert_string_equal(ldap_dn_normal(arena, "cn=a\\2cb,dc=x"),
		ldap_dn_normal(arena, "cn=a\\,b,DC=X"));
	assert_null(ldap_dn_normal(arena, "cn=\"a,b\",dc=x"));
	assert_null(ldap_dn_normal(arena, "dc=grid;dc=test"));
	assert_null(ldap_dn_normal(arena, "no dn"));
	assert_null(ldap_dn_normal(arena, "cn=a,,dc=x"));
	assert_string_equal(ldap_dn_normal(arena, "dc=x"), "dc=x");
}

static enum rc
check(const char *uri, enum ldap_security security)
{
	struct fault fault = {.rc = RC_OK};
	enum rc rc = ldap_server_check(uri, security, &fault);

	if (rc != RC_OK)
		assert_string_equal(fault.field, "uris");
	return rc;
}

static void
test_ldap_server_has_only_a_host(void **state)
{
	static const char *const refused[] = {"", "ldap://", "http://h",
		"ldaps://h", "ldapi://%2frun%2fldapi", "ldap://localhost",
		"ldap://LOCALHOST:389", "ldap://h/dc=x", "ldap://h/??sub",
		"ldap://a ldap://b", "ldap://a,ldap://b", "ldap:///", "h:389"};

	(void)state;
	assert_int_equal(
		check("ldap://dc1.example.com", LDAP_SECURITY_STARTTLS), RC_OK);
	assert_int_equal(
		check("ldap://127.0.0.1:3890", LDAP_SECURITY_STARTTLS), RC_OK);
	assert_int_equal(check("ldap://h/", LDAP_SECURITY_STARTTLS), RC_OK);
	assert_int_equal(
		check("ldaps://[::1]:636", LDAP_SECURITY_LDAPS), RC_OK);
	assert_int_equal(check("ldap://h", LDAP_SECURITY_LDAPS), RC_BAD_INPUT);
	for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
		assert_int_equal(check(refused[i], LDAP_SECURITY_STARTTLS),
			RC_BAD_INPUT);
}

static void
test_ldap_refuses_empty_names_and_passwords_unasked(void **state)
{
	/* There is no such server: asking it would be another failure. */
	const struct ldap_server server = {
		.uri = "ldap://127.0.0.1:1", .ca = "", .timeout_ms = 500};
	struct ldap_link *link = NULL;
	struct fault fault;

	(void)state;
	assert_int_equal(
		ldap_link_open(arena, &server, "cn=a", "", &link, &fault),
		RC_UNAUTHENTICATED);
	assert_int_equal(
		ldap_link_open(arena, &server, "", "secret", &link, &fault),
		RC_UNAUTHENTICATED);
	assert_int_equal(
		ldap_link_open(arena, &server, "cn=a", "b", &link, &fault),
		RC_UNAVAILABLE);
	assert_null(link);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ldap_filter_escapes_what_means_something),
		cmocka_unit_test(test_ldap_filter_fills_its_places),
		cmocka_unit_test(test_ldap_filter_knows_one_whole_filter),
		cmocka_unit_test(test_ldap_dn_has_one_normal_form),
		cmocka_unit_test(test_ldap_server_has_only_a_host),
		cmocka_unit_test(
			test_ldap_refuses_empty_names_and_passwords_unasked),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
