/* tls_message: certificates in a PKCS #7 message without signers. */

#include "lib/tls_message.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include "lib/tls_parts.h"

static PKCS7 *
new_message(void)
{
	PKCS7 *message = PKCS7_new();

	if (message != NULL && PKCS7_set_type(message, NID_pkcs7_signed) == 1 &&
		PKCS7_content_new(message, NID_pkcs7_data) == 1 &&
		PKCS7_set_detached(message, 1) == 1)
		return message;
	PKCS7_free(message);
	return NULL;
}

/* How many certificates were added; -1 = the message takes none. */
static int
add_all(PKCS7 *message, const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate;
	int count = 0;

	while (count >= 0 && (certificate = PEM_read_bio_X509(
				      bio, NULL, NULL, NULL)) != NULL) {
		count = PKCS7_add_certificate(message, certificate) == 1
				? count + 1
				: -1;
		X509_free(certificate);
	}
	ERR_clear_error(); /* "no start line" is how the text ends */
	BIO_free(bio);
	return count;
}

enum rc
tls_message_write(struct arena *arena, const char *certificates_pem,
	const char **base64, struct fault *fault)
{
	PKCS7 *message = new_message();
	unsigned char *der = NULL;
	int count = message != NULL ? add_all(message, certificates_pem) : -1;
	int bytes = count > 0 ? i2d_PKCS7(message, &der) : -1;

	if (bytes > 0)
		*base64 = tls_base64(arena, der, (size_t)bytes);
	OPENSSL_free(der);
	PKCS7_free(message);
	ERR_clear_error();
	if (bytes > 0)
		return RC_OK;
	return fault_set(fault, count == 0 ? RC_BAD_INPUT : RC_BUG,
		"no certificates for a message");
}

enum rc
tls_message_read(struct arena *arena, const char *base64, size_t length,
	const char **certificates_pem, struct fault *fault)
{
	size_t bytes = 0;
	const unsigned char *at = tls_unbase64(arena, base64, length, &bytes);
	PKCS7 *message = at != NULL ? d2i_PKCS7(NULL, &at, (long)bytes) : NULL;
	STACK_OF(X509) *all = NULL;
	const char *pem = "";

	if (message != NULL && PKCS7_type_is_signed(message) &&
		message->d.sign != NULL)
		all = message->d.sign->cert;
	for (int i = 0; i < sk_X509_num(all); i++)
		pem = arena_printf(arena, "%s%s", pem,
			tls_certificate_pem(arena, sk_X509_value(all, i)));
	PKCS7_free(message);
	*certificates_pem = pem;
	return pem[0] != '\0' ? RC_OK
			      : tls_fault(fault, RC_BAD_INPUT,
					"no certificates in a message");
}
