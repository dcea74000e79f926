/* tls_request: certificate signing requests (PKCS #10). */

#include "lib/tls_request.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#include "lib/tls_parts.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
#define GROUP_BYTES  40

/* --- writing ---------------------------------------------------------- */

static bool
fill(X509_REQ *made, EVP_PKEY *key, const char *common_name)
{
	X509_NAME *name = X509_REQ_get_subject_name(made);

	return X509_REQ_set_version(made, X509_REQ_VERSION_1) == 1 &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		       (const unsigned char *)common_name, -1, -1, 0) == 1 &&
	       X509_REQ_set_pubkey(made, key) == 1 &&
	       X509_REQ_sign(made, key, EVP_sha256()) > 0;
}

enum rc
tls_request_write(struct arena *arena, const char *private_pem,
	const char *common_name, const char **base64,
	uint8_t key_hash[TLS_KEY_HASH_BYTES], struct fault *fault)
{
	EVP_PKEY *key = tls_read_private(arena, private_pem);
	X509_REQ *made = X509_REQ_new();
	unsigned char *der = NULL;
	int length = -1;

	if (key != NULL && made != NULL && tls_hash_key(key, key_hash) &&
		fill(made, key, common_name))
		length = i2d_X509_REQ(made, &der);
	if (length > 0)
		*base64 = tls_base64(arena, der, (size_t)length);
	OPENSSL_free(der);
	X509_REQ_free(made);
	return length > 0 ? RC_OK
			  : tls_fault(fault, RC_BAD_INPUT, "make a request");
}

/* --- reading ---------------------------------------------------------- */

static void
free_request(void *request)
{
	X509_REQ_free(request);
}

static bool
curve_is_allowed(EVP_PKEY *key)
{
	char group[GROUP_BYTES] = "";

	return EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME,
		       group, sizeof(group), NULL) == 1 &&
	       (strcmp(group, "prime256v1") == 0 ||
		       strcmp(group, "secp384r1") == 0);
}

static bool
key_is_allowed(EVP_PKEY *key)
{
	int bits = EVP_PKEY_get_bits(key);

	if (EVP_PKEY_is_a(key, "RSA"))
		return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX;
	return curve_is_allowed(key);
}

static enum rc
refuse(struct fault *fault, const char *why)
{
	ERR_clear_error();
	return fault_tell(
		fault, RC_BAD_INPUT, "BadCertificateRequest", NULL, "%s", why);
}

/* The key is looked at before the signature: checking one with a giant key
 * would take long. */
static enum rc
check(struct arena *arena, X509_REQ *request, struct tls_request *result,
	struct fault *fault)
{
	EVP_PKEY *key = tls_keep_key(arena, X509_REQ_get_pubkey(request));

	if (key == NULL)
		return refuse(fault, "The request has no public key that is "
				     "known here.");
	if (!key_is_allowed(key))
		return refuse(fault,
			"Keys are RSA of 2048 to 4096 bits, EC P-256 or "
			"P-384.");
	if (X509_REQ_verify(request, key) != 1)
		return refuse(fault, "The request is not signed with the key "
				     "that it is for.");
	if (!tls_hash_key(key, result->key_hash))
		return refuse(fault, "The public key cannot be written.");
	result->key = key;
	return RC_OK;
}

enum rc
tls_request_read(struct arena *arena, const char *base64, size_t length,
	struct tls_request *request, struct fault *fault)
{
	size_t bytes = 0;
	const unsigned char *der;
	const unsigned char *at;
	X509_REQ *parsed;

	if (length > TLS_REQUEST_BYTES_MAX)
		return fault_tell(fault, RC_TOO_LARGE, "TooLarge", NULL,
			"A certificate request may have %zu bytes.",
			TLS_REQUEST_BYTES_MAX);
	der = tls_unbase64(arena, base64, length, &bytes);
	if (der == NULL || bytes == 0)
		return refuse(fault, "The body is base64 of a certificate "
				     "request (PKCS #10).");
	at = der;
	parsed = d2i_X509_REQ(NULL, &at, (long)bytes);
	if (parsed != NULL)
		arena_defer(arena, free_request, parsed);
	if (parsed == NULL || at != der + bytes)
		return refuse(fault, "The body is not one certificate request "
				     "(PKCS #10).");
	return check(arena, parsed, request, fault);
}
