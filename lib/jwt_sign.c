/* jwt_sign: making tokens, with a key that is parsed once. */

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "lib/encode.h"
#include "lib/jwt.h"

#define NUMBER_BYTES    32 /* r and s of P-256, each */
#define SIGNATURE_BYTES 512

struct jwt_signer {
	EVP_PKEY *key;
	char *kid;
	bool elliptic;
};

void
jwt_signer_free(struct jwt_signer *signer)
{
	if (signer == NULL)
		return;
	EVP_PKEY_free(signer->key);
	free(signer->kid);
	free(signer);
}

static EVP_PKEY *
parse_key(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = bio != NULL
				? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL)
				: NULL;

	BIO_free(bio);
	ERR_clear_error();
	return key;
}

/* RSA of 2048 bits or more for RS256, P-256 for ES256. */
static bool
key_fits(EVP_PKEY *key, const char *algorithm)
{
	char group[32] = "";

	if (strcmp(algorithm, "RS256") == 0)
		return EVP_PKEY_is_a(key, "RSA") &&
		       EVP_PKEY_get_bits(key) >= 2048 &&
		       EVP_PKEY_get_size(key) <= SIGNATURE_BYTES;
	return strcmp(algorithm, "ES256") == 0 && EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
	       strcmp(group, "prime256v1") == 0;
}

enum rc
jwt_signer_new(const char *kid, const char *algorithm, const char *private_pem,
	struct jwt_signer **signer, struct fault *fault)
{
	EVP_PKEY *key = parse_key(private_pem);

	*signer = NULL;
	if (key == NULL || !key_fits(key, algorithm)) {
		EVP_PKEY_free(key);
		return fault_set(fault, RC_BAD_INPUT,
			"key %.60s cannot sign with %.20s", kid, algorithm);
	}
	*signer = calloc(1, sizeof(**signer));
	if (*signer == NULL)
		abort();
	(*signer)->key = key;
	(*signer)->kid = strdup(kid);
	if ((*signer)->kid == NULL)
		abort();
	(*signer)->elliptic = strcmp(algorithm, "ES256") == 0;
	return RC_OK;
}

const char *
jwt_signer_kid(const struct jwt_signer *signer)
{
	return signer->kid;
}

/* From DER to the two numbers of RFC 7518 3.4, each with leading zeros. */
static bool
two_numbers(uint8_t *signature, size_t *length)
{
	const uint8_t *at = signature;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)*length);
	uint8_t numbers[2 * NUMBER_BYTES];
	bool good = pair != NULL &&
		    BN_bn2binpad(ECDSA_SIG_get0_r(pair), numbers,
			    NUMBER_BYTES) == NUMBER_BYTES &&
		    BN_bn2binpad(ECDSA_SIG_get0_s(pair), numbers + NUMBER_BYTES,
			    NUMBER_BYTES) == NUMBER_BYTES;

	ECDSA_SIG_free(pair);
	if (good) {
		memcpy(signature, numbers, sizeof(numbers));
		*length = sizeof(numbers);
	}
	return good;
}

static bool
make_signature(const struct jwt_signer *signer, const char *text,
	uint8_t signature[SIGNATURE_BYTES], size_t *length)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good;

	*length = SIGNATURE_BYTES;
	good = context != NULL &&
	       EVP_DigestSignInit(
		       context, NULL, EVP_sha256(), NULL, signer->key) == 1 &&
	       EVP_DigestSign(context, signature, length, (const uint8_t *)text,
		       strlen(text)) == 1;
	EVP_MD_CTX_free(context);
	return good && (!signer->elliptic || two_numbers(signature, length));
}

enum rc
jwt_sign(struct arena *arena, const struct jwt_signer *signer,
	const char *claims, const char **token, struct fault *fault)
{
	return jwt_sign_as(arena, signer, "JWT", claims, token, fault);
}

enum rc
jwt_sign_as(struct arena *arena, const struct jwt_signer *signer,
	const char *type, const char *claims, const char **token,
	struct fault *fault)
{
	const char *header = arena_printf(arena,
		"{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"%s\"}",
		signer->elliptic ? "ES256" : "RS256", signer->kid, type);
	const char *text = arena_printf(arena, "%s.%s",
		encode_base64url(arena, header, strlen(header)),
		encode_base64url(arena, claims, strlen(claims)));
	uint8_t signature[SIGNATURE_BYTES];
	size_t length = 0;

	if (!make_signature(signer, text, signature, &length)) {
		ERR_clear_error();
		return fault_set(fault, RC_BUG, "cannot sign with key %.60s",
			signer->kid);
	}
	*token = arena_printf(arena, "%s.%s", text,
		encode_base64url(arena, signature, length));
	return RC_OK;
}
