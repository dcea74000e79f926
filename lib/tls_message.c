/* tls_message: certificates in a PKCS #7 message without signers. */

#include "lib/tls_message.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/encode.h"

#define LINE_LETTERS 64

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

static const char *
in_lines(struct arena *arena, const unsigned char *der, size_t bytes)
{
	const char *text = encode_base64(arena, der, bytes);
	size_t left = strlen(text);
	struct buf lines;
	const char *copy;

	buf_init(&lines, 0);
	for (; left > 0; text += LINE_LETTERS) {
		size_t take = left < LINE_LETTERS ? left : LINE_LETTERS;

		buf_add(&lines, text, take);
		buf_add(&lines, "\n", 1);
		left -= take;
	}
	copy = arena_strndup(arena, lines.data, lines.length);
	buf_free(&lines);
	return copy;
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
		*base64 = in_lines(arena, der, (size_t)bytes);
	OPENSSL_free(der);
	PKCS7_free(message);
	ERR_clear_error();
	if (bytes > 0)
		return RC_OK;
	return fault_set(fault, count == 0 ? RC_BAD_INPUT : RC_BUG,
		"no certificates for a message");
}
