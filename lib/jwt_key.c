/* jwt_key: a public key that verifies. */

#include "lib/jwt_key.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#define ES256_BYTES 64
#define RS256_MIN   256
#define RS256_MAX   512

struct jwt_key {
	EVP_PKEY *key;
	bool elliptic;
};

static EVP_PKEY *
parse_public(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key =
		bio != NULL ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	return key;
}

static bool
fits(EVP_PKEY *key, bool elliptic)
{
	char group[32] = "";

	if (!elliptic)
		return EVP_PKEY_is_a(key, "RSA") &&
		       EVP_PKEY_get_size(key) >= RS256_MIN &&
		       EVP_PKEY_get_size(key) <= RS256_MAX;
	return EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
	       strcmp(group, "prime256v1") == 0;
}

struct jwt_key *
jwt_key_new(const char *public_pem, bool elliptic)
{
	EVP_PKEY *parsed = parse_public(public_pem);
	struct jwt_key *key;

	if (parsed == NULL || !fits(parsed, elliptic)) {
		EVP_PKEY_free(parsed);
		return NULL;
	}
	key = malloc(sizeof(*key));
	if (key == NULL)
		abort();
	*key = (struct jwt_key){parsed, elliptic};
	return key;
}

void
jwt_key_free(struct jwt_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->key);
	free(key);
}

size_t
jwt_key_bytes(const struct jwt_key *key)
{
	return key->elliptic ? ES256_BYTES
			     : (size_t)EVP_PKEY_get_size(key->key);
}

/* From the two numbers to DER; NULL when they are none. */
static uint8_t *
der_of(const uint8_t *signature, int *length)
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature, ES256_BYTES / 2, NULL);
	BIGNUM *s =
		BN_bin2bn(signature + ES256_BYTES / 2, ES256_BYTES / 2, NULL);
	uint8_t *der = NULL;

	*length = 0;
	if (pair != NULL && r != NULL && s != NULL &&
		ECDSA_SIG_set0(pair, r, s) == 1)
		*length = i2d_ECDSA_SIG(pair, &der);
	else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(pair);
	return der;
}

static bool
verify(EVP_PKEY *key, const char *text, size_t length, const uint8_t *signature,
	size_t bytes)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = context != NULL &&
		    EVP_DigestVerifyInit(
			    context, NULL, EVP_sha256(), NULL, key) == 1 &&
		    EVP_DigestVerify(context, signature, bytes,
			    (const uint8_t *)text, length) == 1;

	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return good;
}

bool
jwt_key_verifies(const struct jwt_key *key, const char *text, size_t length,
	const uint8_t *signature)
{
	uint8_t *der;
	int bytes;
	bool good;

	if (!key->elliptic)
		return verify(
			key->key, text, length, signature, jwt_key_bytes(key));
	der = der_of(signature, &bytes);
	good = der != NULL && bytes > 0 &&
	       verify(key->key, text, length, der, (size_t)bytes);
	OPENSSL_free(der);
	return good;
}
