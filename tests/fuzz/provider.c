/*
 * fuzz/provider: what a provider upstream may answer.
 *
 * The first byte chooses what the rest is: a JWK set, a discovery document,
 * or the payload of an ID token that is rightly signed.
 */

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/jwk.h"
#include "lib/jwt.h"
#include "model/provider.h"
#include "model/provider_check.h"
#include "model/provider_metadata.h"
#include "model/provider_token.h"

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

static const char *hosts[] = {"keys.test", NULL};
static const char *factors[] = {"mfa", NULL};
static const struct provider provider = {
	.name = "p",
	.issuer = "https://login.test/t",
	.client_id = "grid",
	.authentication = "client_secret_post",
	.hosts = hosts,
	.subject = "sub",
	.name_claim = "preferred_username",
	.groups_claim = "groups",
	.factor_values = factors,
};

/* Every key that is kept can be used. */
static void
try_keys(struct arena *arena, const char *text, size_t length)
{
	struct jwt_ring *ring = jwt_ring_new();
	struct jwk_set set;
	struct jwk jwk;
	struct fault fault;

	if (jwk_set_read(arena, text, length, &set, &fault) == RC_OK)
		for (size_t i = 0; i < set.count; i++)
			if (jwt_ring_add(ring, set.items[i].kid,
				    set.items[i].algorithm,
				    set.items[i].public_pem, &fault) != RC_OK ||
				jwk_read(arena, set.items[i].public_pem, &jwk,
					&fault) != RC_OK)
				abort();
	jwt_ring_free(ring);
}

/* No address leads elsewhere. */
static void
check_address(const char *url)
{
	char host[PROVIDER_HOST_BYTES];

	if (!provider_url_host(url, host) ||
		(strcmp(host, "login.test") != 0 &&
			strcmp(host, "keys.test") != 0))
		abort();
}

static void
try_metadata(struct arena *arena, const char *text, size_t length)
{
	struct provider_metadata metadata;
	struct fault fault;

	if (provider_metadata_read(
		    arena, &provider, text, length, &metadata, &fault) != RC_OK)
		return;
	check_address(metadata.authorization_endpoint);
	check_address(metadata.token_endpoint);
	check_address(metadata.jwks_uri);
}

static void
try_token(struct arena *arena, const char *text, size_t length)
{
	static struct jwt_signer *signer;
	const struct provider_transaction transaction = {.nonce = "n"};
	const struct provider_expect expect = {.provider = &provider,
		.transaction = &transaction,
		.access_token = "a",
		.now_us = INT64_C(1800000000) * CLOCK_SECOND_US};
	const struct jwk_set keys = {
		.count = 1, .items = {{"k", "ES256", public_pem}}};
	struct provider_person person;
	struct fault fault;
	const char *token = NULL;

	if (signer == NULL && jwt_signer_new("k", "ES256", private_pem, &signer,
				      &fault) != RC_OK)
		abort();
	if (jwt_sign(arena, signer, arena_strndup(arena, text, length), &token,
		    &fault) != RC_OK)
		return;
	if (provider_token_check(
		    arena, &expect, &keys, token, &person, &fault) == RC_OK &&
		(person.subject[0] == '\0' || person.name == NULL ||
			person.groups.count > PROVIDER_GROUPS_MAX))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct arena *arena;
	const char *text;

	if (length == 0)
		return 0;
	if (arena == NULL)
		arena = arena_new();
	text = arena_strndup(arena, (const char *)data + 1, length - 1);
	if (data[0] % 3 == 0)
		try_keys(arena, text, length - 1);
	else if (data[0] % 3 == 1)
		try_metadata(arena, text, length - 1);
	else
		try_token(arena, text, length - 1);
	arena_reset(arena);
	return 0;
}
