/* tls_names: the names a client's certificate goes by. */

#include "lib/tls_names.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <strings.h>

#include "lib/req.h"

const char *const tls_names_kinds[] = {
	"subject_dn", "san_dns", "san_uri", "san_ip", "san_email", NULL};

static void
free_certificate(void *certificate)
{
	X509_free(certificate);
}

static void
free_names(void *names)
{
	GENERAL_NAMES_free(names);
}

static X509 *
read_certificate(struct arena *arena, const char *escaped)
{
	const char *pem =
		percent_decode(arena, escaped, strlen(escaped), false);
	BIO *bio = pem != NULL ? BIO_new_mem_buf(pem, -1) : NULL;
	X509 *certificate =
		bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	if (certificate != NULL)
		arena_defer(arena, free_certificate, certificate);
	return certificate;
}

static bool
subject_is(X509 *certificate, const char *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long length = 0;
	bool same = false;

	if (bio == NULL)
		return false;
	if (X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0,
		    XN_FLAG_RFC2253) >= 0)
		length = BIO_get_mem_data(bio, &text);
	same = length > 0 && (size_t)length == strlen(name) &&
	       memcmp(text, name, (size_t)length) == 0;
	BIO_free(bio);
	return same;
}

/* A zero byte in the certificate's text must not hide what follows. */
static bool
text_is(const ASN1_STRING *text, const char *name, bool any_case)
{
	const char *data = (const char *)ASN1_STRING_get0_data(text);
	size_t length = (size_t)ASN1_STRING_length(text);

	if (length != strlen(name) || memchr(data, '\0', length) != NULL)
		return false;
	return any_case ? strncasecmp(data, name, length) == 0
			: memcmp(data, name, length) == 0;
}

static bool
address_is(const ASN1_STRING *bytes, const char *name)
{
	uint8_t wanted[16];
	int family = strchr(name, ':') != NULL ? AF_INET6 : AF_INET;
	size_t length = family == AF_INET6 ? 16 : 4;

	return inet_pton(family, name, wanted) == 1 &&
	       (size_t)ASN1_STRING_length(bytes) == length &&
	       memcmp(ASN1_STRING_get0_data(bytes), wanted, length) == 0;
}

static bool
one_is(const GENERAL_NAME *one, const char *kind, const char *name)
{
	switch (one->type) {
	case GEN_DNS:
		return strcmp(kind, "san_dns") == 0 &&
		       text_is(one->d.dNSName, name, true);
	case GEN_URI:
		return strcmp(kind, "san_uri") == 0 &&
		       text_is(one->d.uniformResourceIdentifier, name, false);
	case GEN_EMAIL:
		return strcmp(kind, "san_email") == 0 &&
		       text_is(one->d.rfc822Name, name, false);
	case GEN_IPADD:
		return strcmp(kind, "san_ip") == 0 &&
		       address_is(one->d.iPAddress, name);
	default:
		return false;
	}
}

enum rc
tls_names_match(struct arena *arena, const char *escaped, const char *kind,
	const char *name, bool *matches, struct fault *fault)
{
	X509 *certificate = read_certificate(arena, escaped);
	GENERAL_NAMES *names;

	*matches = false;
	if (certificate == NULL)
		return fault_set(fault, RC_BAD_INPUT, "not a certificate");
	if (strcmp(kind, "subject_dn") == 0) {
		*matches = subject_is(certificate, name);
		return RC_OK;
	}
	names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	if (names == NULL)
		return RC_OK;
	arena_defer(arena, free_names, names);
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !*matches; i++)
		*matches = one_is(sk_GENERAL_NAME_value(names, i), kind, name);
	return RC_OK;
}
