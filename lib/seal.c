/* seal: secrets at rest, readable only with a key that is in a file. */

#include "lib/seal.h"

#include <sodium.h>
#include <string.h>

#include "lib/encode.h"
#include "lib/secret.h"

#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES   crypto_aead_xchacha20poly1305_ietf_ABYTES

enum rc
seal_load(struct arena *arena, const char *path, struct seal *seal,
	struct fault *fault)
{
	char *text = NULL;
	uint8_t *bytes;
	size_t length = 0;
	enum rc rc = secret_read(arena, path, &text, fault);

	if (rc != RC_OK)
		return rc;
	bytes = decode_base64url(arena, text, strlen(text), &length);
	if (bytes == NULL || length != sizeof(seal->key))
		return fault_set(fault, RC_IO,
			"%s: is not 32 bytes as base64url text", path);
	memcpy(seal->key, bytes, sizeof(seal->key));
	sodium_memzero(bytes, length);
	sodium_memzero(text, strlen(text));
	return RC_OK;
}

struct sealed
seal_close(struct arena *arena, const struct seal *seal, const char *name,
	const char *text)
{
	size_t length = strlen(text);
	uint8_t *sealed = arena_alloc(arena, NONCE_BYTES + length + TAG_BYTES);

	secret_random(sealed, NONCE_BYTES);
	crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE_BYTES, NULL,
		(const uint8_t *)text, length, (const uint8_t *)name,
		strlen(name), NULL, sealed, seal->key);
	return (struct sealed){sealed, NONCE_BYTES + length + TAG_BYTES};
}

static void
wipe(void *text)
{
	sodium_memzero(text, strlen(text));
}

const char *
seal_open(struct arena *arena, const struct seal *seal, const char *name,
	struct sealed sealed)
{
	const uint8_t *data = sealed.data;
	uint8_t *text;

	if (sealed.length < NONCE_BYTES + TAG_BYTES)
		return NULL;
	text = arena_alloc(arena, sealed.length); /* ends with zero bytes */
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(text, NULL, NULL,
		    data + NONCE_BYTES, sealed.length - NONCE_BYTES,
		    (const uint8_t *)name, strlen(name), data, seal->key) != 0)
		return NULL;
	arena_defer(arena, wipe, text);
	return (const char *)text;
}
