/* tls_key: key pairs. */

#include "lib/tls_key.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/encode.h"
#include "lib/secret.h"
#include "lib/tls_parts.h"

#define LINE_LETTERS 64

/* --- what all tls files share --------------------------------------- */

enum rc
tls_fault(struct fault *fault, enum rc rc, const char *what)
{
	char reason[160] = "no reason given";
	unsigned long error = ERR_get_error();

	if (error != 0)
		ERR_error_string_n(error, reason, sizeof(reason));
	ERR_clear_error();
	return fault_set(fault, rc, "%s: %s", what, reason);
}

static void
free_key(void *key)
{
	EVP_PKEY_free(key);
}

EVP_PKEY *
tls_keep_key(struct arena *arena, EVP_PKEY *key)
{
	if (key != NULL)
		arena_defer(arena, free_key, key);
	return key;
}

const char *
tls_take_text(struct arena *arena, BIO *bio, int good)
{
	char *data = NULL;
	long length = BIO_get_mem_data(bio, &data);
	const char *text = good == 1 && length > 0
				   ? arena_strndup(arena, data, (size_t)length)
				   : NULL;

	BIO_free(bio);
	return text;
}

const char *
tls_base64(struct arena *arena, const void *der, size_t bytes)
{
	const char *text = encode_base64(arena, der, bytes);
	size_t length = strlen(text);
	char *lines = arena_alloc(arena, length + length / LINE_LETTERS + 2);
	char *at = lines;

	for (size_t i = 0; i < length; i += LINE_LETTERS) {
		size_t rest = length - i;
		size_t take = rest < LINE_LETTERS ? rest : LINE_LETTERS;

		memcpy(at, text + i, take);
		at += take;
		*at++ = '\n';
	}
	*at = '\0';
	return lines;
}

uint8_t *
tls_unbase64(
	struct arena *arena, const char *base64, size_t length, size_t *bytes)
{
	char *text = arena_alloc(arena, length + 1);
	size_t kept = 0;

	for (size_t i = 0; i < length; i++)
		if (strchr(" \t\r\n", base64[i]) == NULL || base64[i] == '\0')
			text[kept++] = base64[i];
	return decode_base64(arena, text, kept, bytes);
}

/* --- keys ------------------------------------------------------------ */

const char *
tls_private_pem(struct arena *arena, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	return tls_take_text(arena, bio,
		PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
}

static const char *
public_pem(struct arena *arena, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	return tls_take_text(arena, bio, PEM_write_bio_PUBKEY(bio, key));
}

EVP_PKEY *
tls_make_key(struct arena *arena, bool elliptic)
{
	return tls_keep_key(
		arena, elliptic ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048));
}

EVP_PKEY *
tls_read_private(struct arena *arena, const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return tls_keep_key(arena, key);
}

bool
tls_hash_key(EVP_PKEY *key, uint8_t hash[SECRET_HASH_BYTES])
{
	unsigned char *der = NULL;
	int length = i2d_PUBKEY(key, &der);

	if (length > 0)
		secret_hash(hash, der, (size_t)length);
	OPENSSL_free(der);
	return length > 0;
}

enum rc
tls_key_new(struct arena *arena, enum tls_kind kind, struct tls_key *key,
	struct fault *fault)
{
	EVP_PKEY *pair = tls_make_key(arena, kind == TLS_EC_P256);

	if (pair == NULL)
		return tls_fault(fault, RC_BUG, "make a key");
	key->private_pem = tls_private_pem(arena, pair);
	key->public_pem = public_pem(arena, pair);
	if (key->private_pem == NULL || key->public_pem == NULL)
		return tls_fault(fault, RC_BUG, "write a key");
	return RC_OK;
}
