/* tls_request: who asks for a certificate, and what of it is believed. */

#include "tests/unit/unit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/tls.h"
#include "lib/tls_bundle.h"
#include "lib/tls_crl.h"
#include "lib/tls_issue.h"
#include "lib/tls_key.h"
#include "lib/tls_message.h"
#include "lib/tls_request.h"

#define LIFE_S 86400

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

/* A root, and an authority below it. */
struct house {
	struct tls_identity root;
	struct tls_identity authority;
	const char *bundle;
};

static void
build_house(struct arena *arena, struct house *house)
{
	struct fault fault;

	assert_int_equal(
		tls_issue_root(arena, "Root", 3650, &house->root, &fault),
		RC_OK);
	assert_int_equal(tls_issue_authority(arena, &house->root, "Issuing",
				 365, &house->authority, &fault),
		RC_OK);
	house->bundle = tls_bundle_join(arena, house->root.certificate_pem,
		house->authority.certificate_pem);
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

static X509_REQ *
new_request(EVP_PKEY *key, const char *name)
{
	X509_REQ *request = X509_REQ_new();
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();

	X509_REQ_set_version(request, 0);
	X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN",
		MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	sk_X509_EXTENSION_push(
		extensions, X509V3_EXT_conf_nid(NULL, NULL,
				    NID_basic_constraints, "critical,CA:TRUE"));
	sk_X509_EXTENSION_push(
		extensions, X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage,
				    "serverAuth"));
	X509_REQ_add_extensions(request, extensions);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	X509_REQ_set_pubkey(request, key);
	return request;
}

/* Signed by "signer"; the key and the request are freed. */
static const char *
encode(struct arena *arena, X509_REQ *request, EVP_PKEY *signer)
{
	unsigned char *der = NULL;
	const char *text;
	int length;

	assert_true(X509_REQ_sign(request, signer, EVP_sha256()) > 0);
	length = i2d_X509_REQ(request, &der);
	assert_true(length > 0);
	text = encode_base64(arena, der, (size_t)length);
	OPENSSL_free(der);
	X509_REQ_free(request);
	EVP_PKEY_free(signer);
	return text;
}

static const char *
request_with(struct arena *arena, EVP_PKEY *key)
{
	assert_non_null(key);
	return encode(arena, new_request(key, "admin"), key);
}

static enum rc
read(struct arena *arena, const char *base64, struct tls_request *request)
{
	struct fault fault = {.rc = RC_OK};

	return tls_request_read(arena, base64, strlen(base64), request, &fault);
}

static void
test_request_only_good_keys_are_taken(void **state)
{
	struct tls_request request;

	assert_int_equal(read(*state, request_with(*state, EVP_EC_gen("P-256")),
				 &request),
		RC_OK);
	assert_int_equal(read(*state, request_with(*state, EVP_EC_gen("P-384")),
				 &request),
		RC_OK);
	assert_int_equal(
		read(*state, request_with(*state, EVP_RSA_gen(2048)), &request),
		RC_OK);
	assert_int_equal(
		read(*state, request_with(*state, EVP_RSA_gen(1024)), &request),
		RC_BAD_INPUT);
	assert_int_equal(read(*state, request_with(*state, EVP_EC_gen("P-521")),
				 &request),
		RC_BAD_INPUT);
	assert_int_equal(
		read(*state, request_with(*state, EVP_EC_gen("secp256k1")),
			&request),
		RC_BAD_INPUT);
}

static void
test_request_needs_the_private_key(void **state)
{
	EVP_PKEY *mine = EVP_EC_gen("P-256");
	const char *stolen =
		encode(*state, new_request(mine, "x"), EVP_EC_gen("P-256"));
	struct tls_request request;

	assert_int_equal(read(*state, stolen, &request), RC_BAD_INPUT);
	EVP_PKEY_free(mine);
}

/* Every byte that is turned makes it another request, or none. */
static void
test_request_that_was_tampered_with_is_refused(void **state)
{
	const char *base64 = request_with(*state, EVP_EC_gen("P-256"));
	size_t bytes = 0;
	uint8_t *der = decode_base64(*state, base64, strlen(base64), &bytes);
	struct tls_request request;

	for (size_t i = 0; i < bytes; i++) {
		der[i] ^= 0x04;
		assert_int_not_equal(
			read(*state, encode_base64(*state, der, bytes),
				&request),
			RC_OK);
		der[i] ^= 0x04;
	}
	assert_int_equal(
		read(*state, encode_base64(*state, der, bytes), &request),
		RC_OK);
	assert_int_not_equal(
		read(*state, encode_base64(*state, der, bytes - 1), &request),
		RC_OK);
}

static void
test_request_is_bounded(void **state)
{
	size_t length = TLS_REQUEST_BYTES_MAX + 1;
	char *text = arena_alloc(*state, length + 1);
	struct tls_request request;
	struct fault fault;

	memset(text, 'A', length);
	text[length] = '\0';
	assert_int_equal(
		tls_request_read(*state, text, length, &request, &fault),
		RC_TOO_LARGE);
	assert_int_equal(read(*state, "", &request), RC_BAD_INPUT);
	assert_int_equal(read(*state, "not base64!", &request), RC_BAD_INPUT);
}

/* CN=admin and CA:TRUE of the request are nowhere in the certificate. */
static void
test_request_names_nothing(void **state)
{
	struct house house;
	struct tls_request request;
	struct tls_facts facts;
	struct fault fault;
	uint8_t uuid[UUID_BYTES];
	const char *pem = NULL;
	X509 *certificate;

	build_house(*state, &house);
	uuid_random(uuid);
	assert_int_equal(
		read(*state, request_with(*state, EVP_RSA_gen(2048)), &request),
		RC_OK);
	assert_int_equal(tls_issue_requested(*state, &house.authority, uuid,
				 &request, LIFE_S, &pem, &fault),
		RC_OK);
	assert_int_equal(tls_read(*state, pem, &facts, &fault), RC_OK);
	assert_memory_equal(facts.node, uuid, UUID_BYTES);
	assert_memory_equal(facts.key_hash, request.key_hash, 32);
	assert_null(strstr(facts.subject, "admin"));
	certificate = parse(pem);
	assert_int_equal(X509_check_ca(certificate), 0);
	assert_int_equal(
		X509_get_extended_key_usage(certificate), XKU_SSL_CLIENT);
	assert_int_equal(
		X509_get_key_usage(certificate), X509v3_KU_DIGITAL_SIGNATURE);
	X509_free(certificate);
}

static void
test_request_of_ours_is_read(void **state)
{
	struct tls_key key;
	struct tls_request request;
	struct fault fault;
	const char *base64 = NULL;
	uint8_t hash[TLS_KEY_HASH_BYTES];

	assert_int_equal(tls_key_new(*state, TLS_EC_P256, &key, &fault), RC_OK);
	assert_int_equal(tls_request_write(*state, key.private_pem, "node",
				 &base64, hash, &fault),
		RC_OK);
	assert_int_equal(read(*state, base64, &request), RC_OK);
	assert_memory_equal(request.key_hash, hash, sizeof(hash));
}

/* --- bundles ---------------------------------------------------------- */

static const char *
issue(struct arena *arena, const struct house *house, int64_t life_s,
	struct tls_identity *node)
{
	struct fault fault;
	uint8_t uuid[UUID_BYTES];

	uuid_random(uuid);
	assert_int_equal(tls_issue_node(arena, &house->authority, uuid, life_s,
				 node, &fault),
		RC_OK);
	return node->certificate_pem;
}

static void
test_bundle_chain_leads_to_the_root(void **state)
{
	struct house house, other;
	struct tls_identity node;
	struct fault fault;
	const char *chain = NULL;
	const char *leaf;

	build_house(*state, &house);
	build_house(*state, &other);
	leaf = issue(*state, &house, LIFE_S, &node);
	assert_int_equal(
		tls_bundle_chain(*state, leaf,
			tls_bundle_join(*state, other.bundle, house.bundle),
			&chain, &fault),
		RC_OK);
	assert_true(strncmp(chain, leaf, strlen(leaf)) == 0);
	assert_string_equal(
		chain + strlen(leaf), house.authority.certificate_pem);
	assert_int_equal(
		tls_bundle_chain(*state, leaf, other.bundle, &chain, &fault),
		RC_BAD_INPUT);
	assert_true(tls_match(*state, chain, node.private_pem));
	assert_false(tls_match(
		*state, house.authority.certificate_pem, node.private_pem));
}

static void
test_bundle_pin_knows_every_certificate(void **state)
{
	struct house house;
	struct fault fault;
	uint8_t one[TLS_PIN_BYTES], two[TLS_PIN_BYTES];
	const char *message = NULL;
	const char *again = NULL;

	build_house(*state, &house);
	assert_int_equal(
		tls_bundle_pin(*state, house.bundle, one, &fault), RC_OK);
	assert_int_equal(
		tls_message_write(*state, house.bundle, &message, &fault),
		RC_OK);
	assert_int_equal(tls_message_read(*state, message, strlen(message),
				 &again, &fault),
		RC_OK);
	assert_int_equal(tls_bundle_pin(*state, again, two, &fault), RC_OK);
	assert_memory_equal(one, two, sizeof(one));
	assert_int_equal(
		tls_bundle_pin(*state, house.root.certificate_pem, two, &fault),
		RC_OK);
	assert_memory_not_equal(one, two, sizeof(one));
	assert_int_equal(tls_bundle_pin(*state, "", two, &fault), RC_BAD_INPUT);
	assert_int_equal(tls_message_read(*state, "AAAA", 4, &again, &fault),
		RC_BAD_INPUT);
}

static void
test_bundle_has_each_once(void **state)
{
	struct house house;
	const char *twice;

	build_house(*state, &house);
	twice = tls_bundle_join(*state, house.bundle,
		arena_printf(*state, "%s%s", house.bundle, house.bundle));
	assert_string_equal(twice, house.bundle);
	assert_string_equal(tls_bundle_join(*state, "", ""), "");
}

/* --- lives ------------------------------------------------------------- */

static void
test_certificate_ends_with_its_authority(void **state)
{
	struct house house;
	struct tls_identity node;
	struct tls_facts facts, above;
	struct fault fault;

	build_house(*state, &house);
	assert_int_equal(tls_read(*state, house.authority.certificate_pem,
				 &above, &fault),
		RC_OK);
	issue(*state, &house, 1000 * LIFE_S, &node);
	assert_int_equal(
		tls_read(*state, node.certificate_pem, &facts, &fault), RC_OK);
	assert_int_equal(facts.not_after_us, above.not_after_us);
	assert_true(facts.not_before_us <= clock_now_us() - CLOCK_DAY_US);
	issue(*state, &house, 90 * LIFE_S, &node);
	assert_int_equal(
		tls_read(*state, node.certificate_pem, &facts, &fault), RC_OK);
	assert_true(
		tls_renew_from_us(&facts) > clock_now_us() + 59 * CLOCK_DAY_US);
	assert_true(
		tls_renew_from_us(&facts) < clock_now_us() + 61 * CLOCK_DAY_US);
}

static void
test_crl_lists_what_is_revoked(void **state)
{
	struct house house;
	struct tls_identity node;
	struct tls_facts facts;
	struct fault fault;
	struct tls_revoked revoked = {
		.at_us = clock_now_us(), .reason = TLS_REASON_HOLD};
	struct tls_crl wanted = {.number = 7,
		.from_us = clock_now_us(),
		.next_us = clock_now_us() + 2 * CLOCK_DAY_US,
		.items = &revoked,
		.count = 1};
	struct tls_bytes der;
	const unsigned char *at;
	X509_CRL *crl;
	X509_REVOKED *entry = NULL;
	X509 *issuer;
	X509 *leaf;

	build_house(*state, &house);
	issue(*state, &house, LIFE_S, &node);
	assert_int_equal(
		tls_read(*state, node.certificate_pem, &facts, &fault), RC_OK);
	revoked.serial = facts.serial;
	assert_int_equal(
		tls_crl_write(*state, &house.authority, &wanted, &der, &fault),
		RC_OK);
	at = der.data;
	crl = d2i_X509_CRL(NULL, &at, (long)der.length);
	issuer = parse(house.authority.certificate_pem);
	leaf = parse(node.certificate_pem);
	assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(issuer)), 1);
	assert_int_equal(X509_CRL_get0_by_cert(crl, &entry, leaf), 1);
	assert_int_equal(X509_CRL_get0_by_cert(crl, &entry, issuer), 0);
	X509_free(leaf);
	X509_free(issuer);
	X509_CRL_free(crl);
	revoked.serial = "no number";
	assert_int_equal(
		tls_crl_write(*state, &house.authority, &wanted, &der, &fault),
		RC_BAD_INPUT);
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(test_request_only_good_keys_are_taken),
		UNIT(test_request_needs_the_private_key),
		UNIT(test_request_that_was_tampered_with_is_refused),
		UNIT(test_request_is_bounded),
		UNIT(test_request_names_nothing),
		UNIT(test_request_of_ours_is_read),
		UNIT(test_bundle_chain_leads_to_the_root),
		UNIT(test_bundle_pin_knows_every_certificate),
		UNIT(test_bundle_has_each_once),
		UNIT(test_certificate_ends_with_its_authority),
		UNIT(test_crl_lists_what_is_revoked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
