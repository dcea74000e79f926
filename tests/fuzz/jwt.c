/*
 * fuzz/jwt: any bytes as a token, and any header and payload rightly signed.
 *
 * The first byte chooses: even = the rest is a token as it came; odd = the
 * rest is header, line break, payload, and gets a signature of the key below.
 */

#include <json-c/json.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/jwt.h"

#define NUMBER_BYTES 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* Made for this test; it protects nothing. */
static const char private_pem[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgPodd6ssKzhygS+nh\n"
	"HrgiYnwmfsnSo5YhvRXaIaF6nxWhRANCAASZSABZp2gw8aPmCBYs4Au77NNzQy2N\n"
	"nE0igbl8eYBU5vrTFqpkmqVK8/O9WINmSXtEv8Yu5XvpXXQr3CkDw7mW\n"
	"-----END PRIVATE KEY-----\n";
static const char public_pem[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEmUgAWadoMPGj5ggWLOALu+zTc0Mt\n"
	"jZxNIoG5fHmAVOb60xaqZJqlSvPzvViDZkl7RL/GLuV76V10K9wpA8O5lg==\n"
	"-----END PUBLIC KEY-----\n";

static const struct jwt_expect expect = {
	.issuer = "https://grid.test",
	.audience = "a",
	.use = "access",
	.now_us = INT64_C(1800000000) * CLOCK_SECOND_US,
};

static EVP_PKEY *
signing_key(void)
{
	static EVP_PKEY *key;
	BIO *bio;

	if (key == NULL) {
		bio = BIO_new_mem_buf(private_pem, -1);
		key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
		BIO_free(bio);
	}
	return key;
}

static const char *
sign(struct arena *arena, const char *text)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t der[128];
	uint8_t raw[2 * NUMBER_BYTES];
	const uint8_t *at = der;
	size_t length = sizeof(der);
	ECDSA_SIG *pair;

	EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, signing_key());
	if (EVP_DigestSign(context, der, &length, (const uint8_t *)text,
		    strlen(text)) != 1)
		abort();
	pair = d2i_ECDSA_SIG(NULL, &at, (long)length);
	BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, NUMBER_BYTES);
	BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + NUMBER_BYTES, NUMBER_BYTES);
	ECDSA_SIG_free(pair);
	EVP_MD_CTX_free(context);
	return encode_base64url(arena, raw, sizeof(raw));
}

static const char *
signed_token(struct arena *arena, const char *data, size_t length)
{
	const char *end = memchr(data, '\n', length);
	size_t header = end != NULL ? (size_t)(end - data) : length;
	size_t rest = end != NULL ? header + 1 : length;
	const char *text = arena_printf(arena, "%s.%s",
		encode_base64url(arena, data, header),
		encode_base64url(arena, data + rest, length - rest));

	return arena_printf(arena, "%s.%s", text, sign(arena, text));
}

/* Whatever is accepted says all that was asked of it. */
static void
check(struct json_object *claims)
{
	const char *issuer = jwt_claim_text(claims, "iss");
	const char *use = jwt_claim_text(claims, "token_use");
	int64_t expires_s = 0;

	if (issuer == NULL || strcmp(issuer, expect.issuer) != 0 ||
		use == NULL || strcmp(use, expect.use) != 0 ||
		!jwt_claim_int(claims, "exp", &expires_s) ||
		expires_s <= expect.now_us / CLOCK_SECOND_US)
		abort();
}

/* The only token with a signature that anybody but us can hold. */
static void
check_unforged(struct json_object *claims)
{
	const char *subject = jwt_claim_text(claims, "sub");

	if (subject == NULL || strcmp(subject, "seed") != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct arena *arena;
	static struct jwt_ring *ring;
	struct json_object *claims = NULL;
	struct fault fault;
	const char *token;
	bool raw;

	if (length == 0)
		return 0;
	if (arena == NULL) {
		arena = arena_new();
		ring = jwt_ring_new();
		if (jwt_ring_add(ring, "k", "ES256", public_pem, &fault) !=
			RC_OK)
			abort();
	}
	raw = data[0] % 2 == 0;
	token = raw ? arena_strndup(arena, (const char *)data + 1, length - 1)
		    : signed_token(arena, (const char *)data + 1, length - 1);
	if (jwt_verify(ring, arena, token, &expect, &claims, &fault) == RC_OK) {
		check(claims);
		if (raw)
			check_unforged(claims);
	}
	arena_reset(arena);
	return 0;
}
