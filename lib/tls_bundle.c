/* tls_bundle: several certificates, one PEM text. */

#include "lib/tls_bundle.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "lib/tls_parts.h"

#define CHAIN_MAX 4

static void
free_all(void *all)
{
	sk_X509_pop_free(all, X509_free);
}

/* In the order of the text. */
static STACK_OF(X509) * read_all(struct arena *arena, const char *pem)
{
	STACK_OF(X509) *all = sk_X509_new_null();
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate;

	arena_defer(arena, free_all, all);
	while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		sk_X509_push(all, certificate);
	ERR_clear_error(); /* "no start line" is how the text ends */
	BIO_free(bio);
	return all;
}

enum rc
tls_bundle_pin(struct arena *arena, const char *bundle_pem,
	uint8_t pin[TLS_PIN_BYTES], struct fault *fault)
{
	STACK_OF(X509) *all = read_all(arena, bundle_pem);
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	bool good = EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
		    sk_X509_num(all) > 0;

	for (int i = 0; i < sk_X509_num(all); i++) {
		unsigned char *der = NULL;
		int length = i2d_X509(sk_X509_value(all, i), &der);

		good = good && length > 0 &&
		       EVP_DigestUpdate(digest, der, (size_t)length) == 1;
		OPENSSL_free(der);
	}
	good = good && EVP_DigestFinal_ex(digest, pin, NULL) == 1;
	EVP_MD_CTX_free(digest);
	return good ? RC_OK
		    : tls_fault(fault, RC_BAD_INPUT,
			      "a bundle without certificates");
}

static bool
has_signed(X509 *signer, X509 *certificate)
{
	return X509_check_issued(signer, certificate) == X509_V_OK &&
	       X509_verify(certificate, X509_get0_pubkey(signer)) == 1;
}

static X509 *
find_signer(STACK_OF(X509) * all, X509 *certificate)
{
	for (int i = 0; i < sk_X509_num(all); i++)
		if (has_signed(sk_X509_value(all, i), certificate))
			return sk_X509_value(all, i);
	return NULL;
}

enum rc
tls_bundle_chain(struct arena *arena, const char *certificate_pem,
	const char *bundle_pem, const char **chain_pem, struct fault *fault)
{
	STACK_OF(X509) *all = read_all(arena, bundle_pem);
	X509 *at = tls_read_certificate(arena, certificate_pem);
	const char *chain = "";

	if (at == NULL)
		return tls_fault(fault, RC_BAD_INPUT, "read a certificate");
	for (int i = 0; i < CHAIN_MAX; i++) {
		X509 *signer = find_signer(all, at);

		if (signer == NULL)
			return tls_fault(fault, RC_BAD_INPUT,
				"a certificate that nobody in the bundle "
				"has signed");
		if (signer == at)
			break; /* the root */
		chain = arena_printf(
			arena, "%s%s", chain, tls_certificate_pem(arena, at));
		at = signer;
	}
	*chain_pem = chain;
	return RC_OK;
}

enum rc
tls_bundle_find(struct arena *arena, const char *bundle_pem,
	const char *private_pem, const char **certificate_pem,
	struct fault *fault)
{
	STACK_OF(X509) *all = read_all(arena, bundle_pem);
	EVP_PKEY *key = tls_read_private(arena, private_pem);

	for (int i = 0; key != NULL && i < sk_X509_num(all); i++)
		if (X509_check_private_key(sk_X509_value(all, i), key) == 1) {
			*certificate_pem = tls_certificate_pem(
				arena, sk_X509_value(all, i));
			return RC_OK;
		}
	return tls_fault(
		fault, RC_BAD_INPUT, "no certificate belongs to the key");
}

static bool
has(STACK_OF(X509) * all, const X509 *wanted, int before)
{
	for (int i = 0; i < before; i++)
		if (X509_cmp(sk_X509_value(all, i), wanted) == 0)
			return true;
	return false;
}

const char *
tls_bundle_join(
	struct arena *arena, const char *more_pem, const char *bundle_pem)
{
	STACK_OF(X509) *all = read_all(
		arena, arena_printf(arena, "%s\n%s", more_pem, bundle_pem));
	const char *joined = "";

	for (int i = 0; i < sk_X509_num(all); i++) {
		X509 *certificate = sk_X509_value(all, i);

		if (!has(all, certificate, i) &&
			X509_cmp_current_time(X509_get0_notAfter(certificate)) >
				0)
			joined = arena_printf(arena, "%s%s", joined,
				tls_certificate_pem(arena, certificate));
	}
	return joined;
}
