/* jwk: public keys as JSON (RFC 7517), written and read. */

#include "lib/jwk.h"

#include <json-c/json.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <string.h>

#include "lib/encode.h"
#include "lib/field.h"
#include "lib/jwt.h"
#include "lib/secret.h"

#define COORDINATE_BYTES   32
#define POINT_BYTES        (1 + 2 * COORDINATE_BYTES)
#define RSA_BYTES_MAX      512
#define RSA_BITS_MIN       2048
#define RSA_BITS_MAX       4096
#define EXPONENT_BYTES_MAX 8

static void
free_key(void *key)
{
	EVP_PKEY_free(key);
}

static enum rc
refuse(struct fault *fault, const char *what)
{
	ERR_clear_error();
	return fault_set(fault, RC_BAD_INPUT, "%s", what);
}

/* --- PEM to JWK --------------------------------------------------------- */

/* One number of a key as base64url; RSA's are short, EC's have 32 bytes. */
static const char *
key_number(struct arena *arena, EVP_PKEY *key, const char *name)
{
	uint8_t bytes[RSA_BYTES_MAX];
	BIGNUM *number = NULL;
	int length = -1;

	if (EVP_PKEY_get_bn_param(key, name, &number) == 1) {
		if (EVP_PKEY_is_a(key, "EC"))
			length = BN_bn2binpad(number, bytes, COORDINATE_BYTES);
		else if (BN_num_bytes(number) <= RSA_BYTES_MAX)
			length = BN_bn2bin(number, bytes);
	}
	BN_free(number);
	return length > 0 ? encode_base64url(arena, bytes, (size_t)length)
			  : NULL;
}

static bool
is_p256(EVP_PKEY *key)
{
	char group[40] = "";

	return EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME,
		       group, sizeof(group), NULL) == 1 &&
	       strcmp(group, "prime256v1") == 0;
}

static const char *
thumbprint(struct arena *arena, const struct jwk *jwk)
{
	uint8_t hash[SECRET_HASH_BYTES];
	const char *text =
		jwk->elliptic
			? arena_printf(arena,
				  "{\"crv\":\"P-256\",\"kty\":\"EC\","
				  "\"x\":\"%s\",\"y\":\"%s\"}",
				  jwk->first, jwk->second)
			: arena_printf(arena,
				  "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}",
				  jwk->second, jwk->first);

	secret_hash(hash, text, strlen(text));
	return encode_base64url(arena, hash, sizeof(hash));
}

static EVP_PKEY *
read_public(struct arena *arena, const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);

	BIO_free(bio);
	if (key != NULL)
		arena_defer(arena, free_key, key);
	return key;
}

enum rc
jwk_read(struct arena *arena, const char *pem, struct jwk *jwk,
	struct fault *fault)
{
	EVP_PKEY *key = read_public(arena, pem);

	if (key == NULL)
		return refuse(fault, "this is not a public key as PEM");
	jwk->elliptic = is_p256(key);
	if (!jwk->elliptic && !EVP_PKEY_is_a(key, "RSA"))
		return refuse(fault, "a key that is not RSA or P-256");
	jwk->first = key_number(arena, key,
		jwk->elliptic ? OSSL_PKEY_PARAM_EC_PUB_X
			      : OSSL_PKEY_PARAM_RSA_N);
	jwk->second = key_number(arena, key,
		jwk->elliptic ? OSSL_PKEY_PARAM_EC_PUB_Y
			      : OSSL_PKEY_PARAM_RSA_E);
	if (jwk->first == NULL || jwk->second == NULL)
		return refuse(fault, "a key with numbers that are too long");
	jwk->kid = thumbprint(arena, jwk);
	return RC_OK;
}

/* --- JWK to PEM --------------------------------------------------------- */

static bool
set_rsa(struct arena *arena, OSSL_PARAM_BLD *builder, const struct jwk *jwk,
	BIGNUM *modulus, BIGNUM *exponent)
{
	size_t length = 0;
	uint8_t *bytes = decode_base64url(
		arena, jwk->first, strlen(jwk->first), &length);

	if (bytes == NULL || length == 0 || length > RSA_BYTES_MAX ||
		BN_bin2bn(bytes, (int)length, modulus) == NULL)
		return false;
	bytes = decode_base64url(
		arena, jwk->second, strlen(jwk->second), &length);
	if (bytes == NULL || length == 0 || length > EXPONENT_BYTES_MAX ||
		BN_bin2bn(bytes, (int)length, exponent) == NULL)
		return false;
	/* With an exponent of 1 every text signs itself. */
	return BN_num_bits(modulus) >= RSA_BITS_MIN &&
	       BN_num_bits(modulus) <= RSA_BITS_MAX && BN_is_odd(modulus) &&
	       BN_is_odd(exponent) && !BN_is_one(exponent) &&
	       OSSL_PARAM_BLD_push_BN(
		       builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
	       OSSL_PARAM_BLD_push_BN(
		       builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1;
}

static bool
set_point(struct arena *arena, OSSL_PARAM_BLD *builder, const struct jwk *jwk)
{
	uint8_t *point = arena_alloc(arena, POINT_BYTES);
	size_t x_bytes = 0;
	size_t y_bytes = 0;
	uint8_t *x = decode_base64url(
		arena, jwk->first, strlen(jwk->first), &x_bytes);
	uint8_t *y = decode_base64url(
		arena, jwk->second, strlen(jwk->second), &y_bytes);

	if (x == NULL || y == NULL || x_bytes != COORDINATE_BYTES ||
		y_bytes != COORDINATE_BYTES)
		return false;
	point[0] = POINT_CONVERSION_UNCOMPRESSED;
	memcpy(point + 1, x, COORDINATE_BYTES);
	memcpy(point + 1 + COORDINATE_BYTES, y, COORDINATE_BYTES);
	return OSSL_PARAM_BLD_push_utf8_string(builder,
		       OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
	       OSSL_PARAM_BLD_push_octet_string(builder,
		       OSSL_PKEY_PARAM_PUB_KEY, point, POINT_BYTES) == 1;
}

/* A key that OpenSSL finds consistent; NULL = it does not. */
static EVP_PKEY *
build_key(struct arena *arena, const char *kind, OSSL_PARAM_BLD *builder)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	EVP_PKEY_CTX *check = NULL;
	EVP_PKEY *key = NULL;

	if (EVP_PKEY_fromdata_init(context) == 1 &&
		EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) ==
			1)
		check = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (check == NULL || EVP_PKEY_public_check_quick(check) != 1) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	EVP_PKEY_CTX_free(check);
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(params);
	if (key != NULL)
		arena_defer(arena, free_key, key);
	return key;
}

static const char *
write_pem(struct arena *arena, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data = NULL;
	const char *pem = NULL;

	if (PEM_write_bio_PUBKEY(bio, key) == 1) {
		long length = BIO_get_mem_data(bio, &data);

		pem = arena_strndup(arena, data, (size_t)length);
	}
	BIO_free(bio);
	return pem;
}

enum rc
jwk_pem(struct arena *arena, const struct jwk *jwk, const char **pem,
	struct fault *fault)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	BIGNUM *modulus = BN_new();
	BIGNUM *exponent = BN_new();
	EVP_PKEY *key = NULL;

	if (jwk->elliptic ? set_point(arena, builder, jwk)
			  : set_rsa(arena, builder, jwk, modulus, exponent))
		key = build_key(arena, jwk->elliptic ? "EC" : "RSA", builder);
	BN_free(exponent);
	BN_free(modulus);
	OSSL_PARAM_BLD_free(builder);
	*pem = key != NULL ? write_pem(arena, key) : NULL;
	return *pem != NULL ? RC_OK : refuse(fault, "numbers that make no key");
}

/* --- a set ------------------------------------------------------------- */

static bool
is_text(struct json_object *key, const char *name, const char *wanted)
{
	const char *text = jwt_claim_text(key, name);

	return text != NULL && strcmp(text, wanted) == 0;
}

/* Absent, or this. */
static bool
allows(struct json_object *key, const char *name, const char *wanted)
{
	return !json_object_object_get_ex(key, name, NULL) ||
	       is_text(key, name, wanted);
}

/* RFC 7517 4.3: when it is there, it must say "verify". */
static bool
may_verify(struct json_object *key)
{
	struct json_object *uses = NULL;

	if (!json_object_object_get_ex(key, "key_ops", &uses))
		return true;
	if (!json_object_is_type(uses, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(uses); i++) {
		struct json_object *use = json_object_array_get_idx(uses, i);

		if (json_object_is_type(use, json_type_string) &&
			strcmp(json_object_get_string(use), "verify") == 0)
			return true;
	}
	return false;
}

/* False for a key that cannot verify a token here. */
static bool
read_usable(
	struct arena *arena, struct json_object *key, struct jwk_usable *usable)
{
	struct jwk jwk = {.elliptic = is_text(key, "kty", "EC")};
	struct fault ignored;

	usable->kid = jwt_claim_text(key, "kid");
	usable->algorithm = jwk.elliptic ? "ES256" : "RS256";
	jwk.first = jwt_claim_text(key, jwk.elliptic ? "x" : "n");
	jwk.second = jwt_claim_text(key, jwk.elliptic ? "y" : "e");
	if (usable->kid == NULL || usable->kid[0] == '\0' ||
		strlen(usable->kid) > JWK_KID_BYTES_MAX || jwk.first == NULL ||
		jwk.second == NULL)
		return false;
	if (jwk.elliptic ? !is_text(key, "crv", "P-256")
			 : !is_text(key, "kty", "RSA"))
		return false;
	return allows(key, "use", "sig") &&
	       allows(key, "alg", usable->algorithm) && may_verify(key) &&
	       jwk_pem(arena, &jwk, &usable->public_pem, &ignored) == RC_OK;
}

static bool
is_known(const struct jwk_set *set, const char *kid)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->items[i].kid, kid) == 0)
			return true;
	return false;
}

static enum rc
take_key(struct arena *arena, struct json_object *key, struct jwk_set *set,
	struct fault *fault)
{
	struct jwk_usable usable;

	if (!json_object_is_type(key, json_type_object))
		return refuse(fault, "a key of the set is not an object");
	if (!read_usable(arena, key, &usable) || is_known(set, usable.kid)) {
		set->ignored++;
		return RC_OK;
	}
	if (set->count == JWK_USABLE_MAX)
		return fault_set(fault, RC_TOO_LARGE,
			"more than %d keys that verify tokens", JWK_USABLE_MAX);
	set->items[set->count++] = usable;
	return RC_OK;
}

enum rc
jwk_set_read(struct arena *arena, const char *text, size_t length,
	struct jwk_set *set, struct fault *fault)
{
	struct json_object *object = NULL;
	struct json_object *keys = NULL;
	enum rc rc = RC_OK;

	memset(set, 0, sizeof(*set));
	if (length > JWK_SET_BYTES_MAX)
		return fault_set(fault, RC_TOO_LARGE,
			"a JWK set of more than %zu KiB",
			JWK_SET_BYTES_MAX / 1024);
	if (json_parse(arena, text, length, &object, fault) != RC_OK ||
		!json_object_is_type(object, json_type_object) ||
		!json_object_object_get_ex(object, "keys", &keys) ||
		!json_object_is_type(keys, json_type_array))
		return refuse(fault, "this is not a JWK set");
	if (json_object_array_length(keys) > JWK_SET_KEYS_MAX)
		return fault_set(fault, RC_TOO_LARGE,
			"a JWK set of more than %d keys", JWK_SET_KEYS_MAX);
	for (size_t i = 0; i < json_object_array_length(keys) && rc == RC_OK;
		i++)
		rc = take_key(
			arena, json_object_array_get_idx(keys, i), set, fault);
	return rc;
}
