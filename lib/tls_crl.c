/* tls_crl: lists of revoked certificates. */

#include "lib/tls_crl.h"

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/tls_parts.h"

static void
free_list(void *list)
{
	X509_CRL_free(list);
}

static ASN1_TIME *
new_time(int64_t at_us)
{
	return ASN1_TIME_set(NULL, (time_t)(at_us / CLOCK_SECOND_US));
}

static bool
set_reason(X509_REVOKED *entry, enum tls_reason reason)
{
	ASN1_ENUMERATED *number;
	bool good;

	if (reason == TLS_REASON_UNSPECIFIED)
		return true; /* is left out, as the RFC has it */
	number = ASN1_ENUMERATED_new();
	good = number != NULL && ASN1_ENUMERATED_set(number, reason) == 1 &&
	       X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, number, 0, 0) ==
		       1;
	ASN1_ENUMERATED_free(number);
	return good;
}

static bool
set_serial(X509_REVOKED *entry, const char *hexadecimal)
{
	BIGNUM *number = NULL;
	ASN1_INTEGER *serial = NULL;
	bool good;

	if (BN_hex2bn(&number, hexadecimal) > 0)
		serial = BN_to_ASN1_INTEGER(number, NULL);
	good = serial != NULL &&
	       X509_REVOKED_set_serialNumber(entry, serial) == 1;
	ASN1_INTEGER_free(serial);
	BN_free(number);
	return good;
}

static bool
add(X509_CRL *list, const struct tls_revoked *revoked)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_TIME *at = new_time(revoked->at_us);
	bool good = entry != NULL && at != NULL &&
		    set_serial(entry, revoked->serial) &&
		    X509_REVOKED_set_revocationDate(entry, at) == 1 &&
		    set_reason(entry, revoked->reason) &&
		    X509_CRL_add0_revoked(list, entry) == 1;

	ASN1_TIME_free(at);
	if (!good)
		X509_REVOKED_free(entry);
	return good;
}

static bool
set_times(X509_CRL *list, const struct tls_crl *crl)
{
	ASN1_TIME *from = new_time(crl->from_us);
	ASN1_TIME *next = new_time(crl->next_us);
	bool good = from != NULL && next != NULL &&
		    X509_CRL_set1_lastUpdate(list, from) == 1 &&
		    X509_CRL_set1_nextUpdate(list, next) == 1;

	ASN1_TIME_free(from);
	ASN1_TIME_free(next);
	return good;
}

static bool
set_number(X509_CRL *list, int64_t count)
{
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	bool good =
		number != NULL && ASN1_INTEGER_set_int64(number, count) == 1 &&
		X509_CRL_add1_ext_i2d(list, NID_crl_number, number, 0, 0) == 1;

	ASN1_INTEGER_free(number);
	return good;
}

static bool
set_issuer(X509_CRL *list, X509 *issuer)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	bool good;

	X509V3_set_ctx(&context, issuer, NULL, NULL, list, 0);
	X509V3_set_ctx_nodb(&context);
	extension = X509V3_EXT_conf_nid(
		NULL, &context, NID_authority_key_identifier, "keyid:always");
	good = extension != NULL &&
	       X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer)) ==
		       1 &&
	       X509_CRL_add_ext(list, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return good;
}

static bool
fill(X509_CRL *list, X509 *issuer, EVP_PKEY *key, const struct tls_crl *crl)
{
	if (X509_CRL_set_version(list, X509_CRL_VERSION_2) != 1 ||
		!set_issuer(list, issuer) || !set_times(list, crl) ||
		!set_number(list, crl->number))
		return false;
	for (size_t i = 0; i < crl->count; i++)
		if (!add(list, &crl->items[i]))
			return false;
	return X509_CRL_sort(list) == 1 &&
	       X509_CRL_sign(list, key, EVP_sha256()) > 0;
}

enum rc
tls_crl_write(struct arena *arena, const struct tls_identity *authority,
	const struct tls_crl *crl, struct tls_bytes *der, struct fault *fault)
{
	X509 *issuer = tls_read_certificate(arena, authority->certificate_pem);
	EVP_PKEY *key = tls_read_private(arena, authority->private_pem);
	X509_CRL *list = X509_CRL_new();
	unsigned char *bytes = NULL;
	int length = -1;

	arena_defer(arena, free_list, list);
	if (issuer != NULL && key != NULL && fill(list, issuer, key, crl))
		length = i2d_X509_CRL(list, &bytes);
	if (length <= 0)
		return tls_fault(fault, RC_BAD_INPUT, "write a CRL");
	der->data = arena_memdup(arena, bytes, (size_t)length);
	der->length = (size_t)length;
	OPENSSL_free(bytes);
	return RC_OK;
}

const char *
tls_crl_pem(struct arena *arena, const void *der, size_t length)
{
	return arena_printf(arena,
		"-----BEGIN X509 CRL-----\n%s-----END X509 CRL-----\n",
		tls_base64(arena, der, length));
}
