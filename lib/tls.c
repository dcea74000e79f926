/* tls: keys and X.509 certificates. */

#include "lib/tls.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/req.h"
#include "lib/secret.h"

#define SERIAL_BYTES        16
#define BACKDATE_S          (-300)
#define DAY_S               86400L
#define SAN_BYTES           2048

static void
free_key(void *key)
{
	EVP_PKEY_free(key);
}

static void
free_certificate(void *certificate)
{
	X509_free(certificate);
}

/* The first reason that OpenSSL gave, and none left behind. */
static enum rc
openssl_fault(struct fault *fault, enum rc rc, const char *what)
{
	char reason[160] = "no reason given";
	unsigned long error = ERR_get_error();

	if (error != 0)
		ERR_error_string_n(error, reason, sizeof(reason));
	ERR_clear_error();
	return fault_set(fault, rc, "%s: %s", what, reason);
}

/* The text of a memory BIO, which is freed; NULL stays NULL. */
static const char *
take_text(struct arena *arena, BIO *bio, int good)
{
	char *data = NULL;
	long length = BIO_get_mem_data(bio, &data);
	const char *text = good == 1 && length > 0
				   ? arena_strndup(arena, data, (size_t)length)
				   : NULL;

	BIO_free(bio);
	return text;
}

static const char *
private_pem(struct arena *arena, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	return take_text(arena, bio,
		PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
}

static const char *
public_pem(struct arena *arena, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	return take_text(arena, bio, PEM_write_bio_PUBKEY(bio, key));
}

static const char *
certificate_pem(struct arena *arena, X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());

	return take_text(arena, bio, PEM_write_bio_X509(bio, certificate));
}

static EVP_PKEY *
new_key(struct arena *arena, enum tls_kind kind)
{
	EVP_PKEY *key =
		kind == TLS_RSA_2048 ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");

	if (key != NULL)
		arena_defer(arena, free_key, key);
	return key;
}

enum rc
tls_key_new(struct arena *arena, enum tls_kind kind, struct tls_key *key,
	struct fault *fault)
{
	EVP_PKEY *pair = new_key(arena, kind);

	if (pair == NULL)
		return openssl_fault(fault, RC_BUG, "make a key");
	key->private_pem = private_pem(arena, pair);
	key->public_pem = public_pem(arena, pair);
	if (key->private_pem == NULL || key->public_pem == NULL)
		return openssl_fault(fault, RC_BUG, "write a key");
	return RC_OK;
}

/* A certificate in the making. */
struct draft {
	X509 *certificate;
	EVP_PKEY *key;
	X509 *issuer;
	EVP_PKEY *issuer_key;
};

static bool
set_serial(X509 *certificate)
{
	uint8_t bytes[SERIAL_BYTES];
	BIGNUM *number;
	bool good;

	secret_random(bytes, sizeof(bytes));
	bytes[0] = (uint8_t)((bytes[0] & 0x3f) | 0x40); /* positive, full */
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	good = BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) !=
	       NULL;
	BN_free(number);
	return good;
}

static bool
set_extension(const struct draft *draft, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	bool good;

	X509V3_set_ctx(
		&context, draft->issuer, draft->certificate, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&context);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	good = extension != NULL &&
	       X509_add_ext(draft->certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return good;
}

static bool
start_draft(struct arena *arena, struct draft *draft, const char *common_name,
	int days)
{
	X509 *made = X509_new();
	X509_NAME *name = X509_get_subject_name(made);

	arena_defer(arena, free_certificate, made);
	draft->certificate = made;
	draft->key = new_key(arena, TLS_EC_P256);
	if (draft->issuer == NULL) {
		draft->issuer = made;
		draft->issuer_key = draft->key;
	}
	return draft->key != NULL && X509_set_version(made, 2) == 1 &&
	       set_serial(made) &&
	       X509_gmtime_adj(X509_getm_notBefore(made), BACKDATE_S) != NULL &&
	       X509_gmtime_adj(X509_getm_notAfter(made), days * DAY_S) !=
		       NULL &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		       (const unsigned char *)common_name, -1, -1, 0) == 1 &&
	       X509_set_issuer_name(
		       made, X509_get_subject_name(draft->issuer)) == 1 &&
	       X509_set_pubkey(made, draft->key) == 1 &&
	       set_extension(draft, NID_subject_key_identifier, "hash") &&
	       set_extension(draft, NID_authority_key_identifier, "keyid");
}

static enum rc
finish_draft(struct arena *arena, const struct draft *draft,
	struct tls_identity *identity, struct fault *fault)
{
	if (X509_sign(draft->certificate, draft->issuer_key, EVP_sha256()) == 0)
		return openssl_fault(fault, RC_BUG, "sign a certificate");
	identity->private_pem = private_pem(arena, draft->key);
	identity->certificate_pem = certificate_pem(arena, draft->certificate);
	if (identity->private_pem == NULL || identity->certificate_pem == NULL)
		return openssl_fault(fault, RC_BUG, "write a certificate");
	return RC_OK;
}

enum rc
tls_authority_new(struct arena *arena, const char *common_name, int days,
	struct tls_identity *authority, struct fault *fault)
{
	struct draft draft = {.certificate = NULL};

	if (!start_draft(arena, &draft, common_name, days) ||
		!set_extension(&draft, NID_basic_constraints,
			"critical,CA:TRUE,pathlen:0") ||
		!set_extension(
			&draft, NID_key_usage, "critical,keyCertSign,cRLSign"))
		return openssl_fault(fault, RC_BUG, "make an authority");
	return finish_draft(arena, &draft, authority, fault);
}

static X509 *
read_certificate(struct arena *arena, const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	if (certificate != NULL)
		arena_defer(arena, free_certificate, certificate);
	return certificate;
}

static EVP_PKEY *
read_private(struct arena *arena, const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	BIO_free(bio);
	if (key != NULL)
		arena_defer(arena, free_key, key);
	return key;
}

/* An end entity: what it may do and who it is come from us, never from it. */
static enum rc
issue(struct arena *arena, const struct tls_identity *authority,
	const char *common_name, const char *usage, const char *names, int days,
	struct tls_identity *identity, struct fault *fault)
{
	struct draft draft = {
		.issuer = read_certificate(arena, authority->certificate_pem),
		.issuer_key = read_private(arena, authority->private_pem),
	};

	if (draft.issuer == NULL || draft.issuer_key == NULL)
		return openssl_fault(fault, RC_BAD_INPUT, "read the authority");
	if (!start_draft(arena, &draft, common_name, days) ||
		!set_extension(
			&draft, NID_basic_constraints, "critical,CA:FALSE") ||
		!set_extension(
			&draft, NID_key_usage, "critical,digitalSignature") ||
		!set_extension(&draft, NID_ext_key_usage, usage) ||
		!set_extension(&draft, NID_subject_alt_name, names))
		return openssl_fault(fault, RC_BAD_INPUT, common_name);
	return finish_draft(arena, &draft, identity, fault);
}

static bool
is_address(const char *name)
{
	uint8_t bytes[16];

	return inet_pton(AF_INET, name, bytes) == 1 ||
	       inet_pton(AF_INET6, name, bytes) == 1;
}

/* A comma would start another entry of the list that OpenSSL parses. */
static bool
name_is_plain(const char *name)
{
	return name[0] != '\0' && strlen(name) < 254 &&
	       strspn(name,
		       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		       "0123456789.-:*_") == strlen(name);
}

enum rc
tls_issue_server(struct arena *arena, const struct tls_identity *authority,
	const char *const *names, int days, struct tls_identity *server,
	struct fault *fault)
{
	const char *list = "";

	if (names[0] == NULL)
		return fault_set(fault, RC_BAD_INPUT, "a server without names");
	for (size_t i = 0; names[i] != NULL; i++) {
		if (!name_is_plain(names[i]))
			return fault_set(fault, RC_BAD_INPUT,
				"\"%s\" is no host name", names[i]);
		list = arena_printf(arena, "%s%s%s:%s", list, i > 0 ? "," : "",
			is_address(names[i]) ? "IP" : "DNS", names[i]);
	}
	return issue(arena, authority, "fieldgrid", "serverAuth", list, days,
		server, fault);
}

enum rc
tls_issue_node(struct arena *arena, const struct tls_identity *authority,
	const uint8_t uuid[UUID_BYTES], int days, struct tls_identity *node,
	struct fault *fault)
{
	char text[UUID_TEXT_BYTES];
	const char *names;

	uuid_format(text, uuid);
	names = arena_printf(arena, "URI:" TLS_NODE_URI "%s", text);
	return issue(
		arena, authority, text, "clientAuth", names, days, node, fault);
}

static int64_t
certificate_end_us(X509 *certificate)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0;
	int seconds = 0;

	if (ASN1_TIME_diff(&days, &seconds, epoch,
		    X509_get0_notAfter(certificate)) != 1)
		days = 0;
	ASN1_TIME_free(epoch);
	return ((int64_t)days * DAY_S + seconds) * CLOCK_SECOND_US;
}

static void
read_node_uri(X509 *certificate, struct tls_facts *facts)
{
	GENERAL_NAMES *names =
		X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	const size_t prefix = sizeof(TLS_NODE_URI) - 1;
	int found = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		const char *uri;

		if (name->type != GEN_URI)
			continue;
		uri = (const char *)ASN1_STRING_get0_data(
			name->d.uniformResourceIdentifier);
		if (strncmp(uri, TLS_NODE_URI, prefix) == 0 &&
			uuid_parse(uri + prefix, facts->node))
			found++;
	}
	facts->has_node = found == 1;
	GENERAL_NAMES_free(names);
}

static const char *
read_serial(struct arena *arena, X509 *certificate)
{
	BIGNUM *number =
		ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
	char *text = number != NULL ? BN_bn2hex(number) : NULL;
	const char *copy = arena_strdup(arena, text != NULL ? text : "");

	OPENSSL_free(text);
	BN_free(number);
	return copy;
}

enum rc
tls_read(struct arena *arena, const char *pem, struct tls_facts *facts,
	struct fault *fault)
{
	X509 *certificate = read_certificate(arena, pem);
	char subject[256] = "";
	unsigned length = 0;

	if (certificate == NULL || X509_digest(certificate, EVP_sha256(),
					   facts->fingerprint, &length) != 1)
		return openssl_fault(fault, RC_BAD_INPUT, "read a certificate");
	X509_NAME_oneline(X509_get_subject_name(certificate), subject,
		(int)sizeof(subject));
	facts->subject = arena_strdup(arena, subject);
	facts->serial = read_serial(arena, certificate);
	facts->not_after_us = certificate_end_us(certificate);
	read_node_uri(certificate, facts);
	return RC_OK;
}

enum rc
tls_fingerprint_escaped(struct arena *arena, const char *escaped,
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES], struct fault *fault)
{
	const char *pem =
		percent_decode(arena, escaped, strlen(escaped), false);
	struct tls_facts facts;
	enum rc rc;

	if (pem == NULL)
		return fault_set(fault, RC_BAD_INPUT, "certificate escapes");
	rc = tls_read(arena, pem, &facts, fault);
	if (rc == RC_OK)
		memcpy(fingerprint, facts.fingerprint,
			sizeof(facts.fingerprint));
	return rc;
}
