/* secret: randomness, digests and comparing without leaking time. */

#include "lib/secret.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/encode.h"

#define SECRET_FILE_BYTES 4096

void
secret_random(void *out, size_t bytes)
{
	randombytes_buf(out, bytes);
}

char *
secret_token(struct arena *arena)
{
	uint8_t random[32];

	secret_random(random, sizeof(random));
	return encode_base64url(arena, random, sizeof(random));
}

void
secret_hash(uint8_t hash[SECRET_HASH_BYTES], const void *data, size_t bytes)
{
	crypto_hash_sha256(hash, data, bytes);
}

char *
secret_derive(struct arena *arena, const uint8_t key[SECRET_HASH_BYTES],
	const char purpose[SECRET_PURPOSE_BYTES], const char *text)
{
	uint8_t own[SECRET_HASH_BYTES];
	uint8_t out[SECRET_HASH_BYTES];

	crypto_kdf_derive_from_key(own, sizeof(own), 1, purpose, key);
	crypto_generichash(out, sizeof(out), (const uint8_t *)text,
		strlen(text), own, sizeof(own));
	sodium_memzero(own, sizeof(own));
	return encode_base64url(arena, out, sizeof(out));
}

bool
secret_equal(const void *left, const void *right, size_t bytes)
{
	return sodium_memcmp(left, right, bytes) == 0;
}

static enum rc
read_line(FILE *file, const char *path, char *line, struct fault *fault)
{
	struct stat status;

	if (fstat(fileno(file), &status) != 0 || (status.st_mode & 007) != 0)
		return fault_set(fault, RC_IO,
			"%s: others can read this secret; chmod o= it", path);
	if (fgets(line, SECRET_FILE_BYTES, file) == NULL)
		return fault_set(fault, RC_IO, "%s: is empty", path);
	line[strcspn(line, "\r\n")] = '\0';
	if (line[0] == '\0')
		return fault_set(fault, RC_IO, "%s: is empty", path);
	return RC_OK;
}

enum rc
secret_read(struct arena *arena, const char *path, char **secret,
	struct fault *fault)
{
	char line[SECRET_FILE_BYTES];
	FILE *file = fopen(path, "re");
	enum rc rc;

	if (file == NULL)
		return fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
	rc = read_line(file, path, line, fault);
	fclose(file);
	if (rc == RC_OK)
		*secret = arena_strdup(arena, line);
	sodium_memzero(line, sizeof(line));
	return rc;
}
