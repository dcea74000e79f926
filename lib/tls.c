/* tls: what X.509 certificates say. */

#include "lib/tls.h"

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/req.h"
#include "lib/tls_issue.h"
#include "lib/tls_parts.h"

#define DAY_S         86400L
#define SUBJECT_BYTES 256

static void
free_certificate(void *certificate)
{
	X509_free(certificate);
}

X509 *
tls_keep_certificate(struct arena *arena, X509 *certificate)
{
	if (certificate != NULL)
		arena_defer(arena, free_certificate, certificate);
	return certificate;
}

const char *
tls_certificate_pem(struct arena *arena, X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());

	return tls_take_text(arena, bio, PEM_write_bio_X509(bio, certificate));
}

X509 *
tls_read_certificate(struct arena *arena, const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return tls_keep_certificate(arena, certificate);
}

static int64_t
time_us(const ASN1_TIME *at)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0;
	int seconds = 0;

	if (ASN1_TIME_diff(&days, &seconds, epoch, at) != 1)
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

static const char *
read_subject(struct arena *arena, X509 *certificate)
{
	char subject[SUBJECT_BYTES] = "";

	X509_NAME_oneline(X509_get_subject_name(certificate), subject,
		(int)sizeof(subject));
	return arena_strdup(arena, subject);
}

static const char *
read_key_id(struct arena *arena, X509 *certificate)
{
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(certificate);

	return id == NULL ? ""
			  : encode_hex(arena, ASN1_STRING_get0_data(id),
				    (size_t)ASN1_STRING_length(id));
}

enum rc
tls_read(struct arena *arena, const char *pem, struct tls_facts *facts,
	struct fault *fault)
{
	X509 *certificate = tls_read_certificate(arena, pem);
	unsigned length = 0;
	EVP_PKEY *key;

	if (certificate == NULL)
		return tls_fault(fault, RC_BAD_INPUT, "read a certificate");
	key = X509_get0_pubkey(certificate);
	if (X509_digest(certificate, EVP_sha256(), facts->fingerprint,
		    &length) != 1 ||
		key == NULL || !tls_hash_key(key, facts->key_hash))
		return tls_fault(fault, RC_BAD_INPUT, "read a certificate");
	facts->subject = read_subject(arena, certificate);
	facts->serial = read_serial(arena, certificate);
	facts->key_id = read_key_id(arena, certificate);
	facts->not_before_us = time_us(X509_get0_notBefore(certificate));
	facts->not_after_us = time_us(X509_get0_notAfter(certificate));
	read_node_uri(certificate, facts);
	return RC_OK;
}

enum rc
tls_read_escaped(struct arena *arena, const char *escaped,
	struct tls_facts *facts, struct fault *fault)
{
	const char *pem =
		percent_decode(arena, escaped, strlen(escaped), false);

	if (pem == NULL)
		return fault_set(fault, RC_BAD_INPUT, "certificate escapes");
	return tls_read(arena, pem, facts, fault);
}

enum rc
tls_fingerprint_escaped(struct arena *arena, const char *escaped,
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES], struct fault *fault)
{
	struct tls_facts facts;
	enum rc rc = tls_read_escaped(arena, escaped, &facts, fault);

	if (rc == RC_OK)
		memcpy(fingerprint, facts.fingerprint,
			sizeof(facts.fingerprint));
	return rc;
}

int64_t
tls_renew_from_us(const struct tls_facts *facts)
{
	int64_t span_us = facts->not_after_us - facts->not_before_us;
	int64_t made_us = facts->not_before_us;

	if (span_us > (TLS_BACKDATE_S + TLS_BACKDATE_SHORT_S) * CLOCK_SECOND_US)
		made_us += TLS_BACKDATE_S * CLOCK_SECOND_US;
	return made_us + (facts->not_after_us - made_us) / 3 * 2;
}

bool
tls_match(struct arena *arena, const char *certificate_pem,
	const char *private_pem)
{
	X509 *certificate = tls_read_certificate(arena, certificate_pem);
	EVP_PKEY *key = tls_read_private(arena, private_pem);

	return certificate != NULL && key != NULL &&
	       X509_check_private_key(certificate, key) == 1;
}
