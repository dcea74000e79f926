/* tls: keys and certificates that others must be able to trust. */

#include "tests/unit/unit.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/req.h"
#include "lib/tls.h"
#include "lib/tls_issue.h"
#include "lib/tls_key.h"

static int
set_up(void **state)
{
	*state = arena_new();
	return 0;
}

static int
tear_down(void **state)
{
	arena_free(*state);
	return 0;
}

static void
make_authority(struct arena *arena, struct tls_identity *authority)
{
	struct fault fault;

	assert_int_equal(
		tls_issue_root(arena, "Test CA", 300, authority, &fault),
		RC_OK);
}

static X509 *
parse(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(certificate);
	return certificate;
}

/* Does "leaf" verify under "authority" for an X509_PURPOSE? */
static int
verifies(const char *leaf_pem, const char *authority_pem, int purpose)
{
	X509 *leaf = parse(leaf_pem);
	X509 *authority = parse(authority_pem);
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	int good;

	X509_STORE_add_cert(store, authority);
	X509_STORE_CTX_init(context, store, leaf, NULL);
	X509_STORE_CTX_set_purpose(context, purpose);
	good = X509_verify_cert(context);
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	X509_free(authority);
	X509_free(leaf);
	return good;
}

static void
test_tls_node_certificate_names_the_node(void **state)
{
	struct tls_identity authority, other, node;
	struct tls_facts facts;
	struct fault fault;
	uint8_t uuid[UUID_BYTES];
	uint8_t print[TLS_FINGERPRINT_BYTES];

	make_authority(*state, &authority);
	make_authority(*state, &other);
	uuid_random(uuid);
	assert_int_equal(tls_issue_node(*state, &authority, uuid, 90 * 86400,
				 &node, &fault),
		RC_OK);
	assert_int_equal(
		tls_read(*state, node.certificate_pem, &facts, &fault), RC_OK);
	assert_true(facts.has_node);
	assert_memory_equal(facts.node, uuid, UUID_BYTES);
	assert_true(strlen(facts.serial) == 32);
	assert_true(facts.not_after_us > clock_now_us() + 89 * CLOCK_DAY_US);
	assert_true(facts.not_after_us < clock_now_us() + 91 * CLOCK_DAY_US);
	assert_int_equal(tls_fingerprint_escaped(*state,
				 percent_encode(*state, node.certificate_pem),
				 print, &fault),
		RC_OK);
	assert_memory_equal(print, facts.fingerprint, sizeof(print));
	assert_int_equal(
		verifies(node.certificate_pem, authority.certificate_pem,
			X509_PURPOSE_SSL_CLIENT),
		1);
	assert_int_not_equal(
		verifies(node.certificate_pem, authority.certificate_pem,
			X509_PURPOSE_SSL_SERVER),
		1);
	assert_int_not_equal(
		verifies(node.certificate_pem, other.certificate_pem,
			X509_PURPOSE_SSL_CLIENT),
		1);
}

static void
test_tls_server_certificate_has_its_names(void **state)
{
	static const char *const names[] = {
		"grid.test", "127.0.0.1", "::1", NULL};
	static const char *const evil[] = {"a,DNS:b", NULL};
	struct tls_identity authority, server;
	struct fault fault;
	X509 *certificate;

	make_authority(*state, &authority);
	assert_int_equal(tls_issue_server(*state, &authority, names, 90,
				 &server, &fault),
		RC_OK);
	assert_int_equal(
		verifies(server.certificate_pem, authority.certificate_pem,
			X509_PURPOSE_SSL_SERVER),
		1);
	certificate = parse(server.certificate_pem);
	assert_int_equal(
		X509_check_host(certificate, "grid.test", 0, 0, NULL), 1);
	assert_int_equal(X509_check_ip_asc(certificate, "127.0.0.1", 0), 1);
	assert_int_equal(X509_check_ip_asc(certificate, "::1", 0), 1);
	X509_free(certificate);
	assert_int_equal(
		tls_issue_server(*state, &authority, evil, 90, &server, &fault),
		RC_BAD_INPUT);
	assert_int_equal(tls_issue_server(*state, &authority, names + 3, 90,
				 &server, &fault),
		RC_BAD_INPUT);
}

/* The example of RFC 7638, section 3.1. */
static void
test_tls_refuses_what_is_no_certificate(void **state)
{
	uint8_t print[TLS_FINGERPRINT_BYTES];
	struct tls_facts facts;
	struct fault fault;

	assert_int_equal(tls_read(*state, "", &facts, &fault), RC_BAD_INPUT);
	assert_int_equal(tls_read(*state, "-----BEGIN CERTIFICATE-----\nAAAA\n",
				 &facts, &fault),
		RC_BAD_INPUT);
	assert_int_equal(tls_fingerprint_escaped(*state, "%2", print, &fault),
		RC_BAD_INPUT);
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(test_tls_node_certificate_names_the_node),
		UNIT(test_tls_server_certificate_has_its_names),
		UNIT(test_tls_refuses_what_is_no_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
