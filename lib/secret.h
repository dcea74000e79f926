/* secret: randomness, digests and comparing without leaking time. */
#ifndef FG_LIB_SECRET_H
#define FG_LIB_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/fault.h"

#define SECRET_HASH_BYTES 32

void secret_random(void *out, size_t bytes);

/* 256 random bits as base64url text: session ids, codes, client secrets. */
char *secret_token(struct arena *arena);

/* SHA-256: enough for secrets that are 256 random bits themselves. */
void secret_hash(
	uint8_t hash[SECRET_HASH_BYTES], const void *data, size_t bytes);

/*
 * A token that only the holder of "key" can make, the same every time for the
 * same purpose and text: BLAKE2b, keyed. It looks like one of secret_token.
 */
#define SECRET_PURPOSE_BYTES 8
char *secret_derive(struct arena *arena, const uint8_t key[SECRET_HASH_BYTES],
	const char purpose[SECRET_PURPOSE_BYTES], const char *text);

bool secret_equal(const void *left, const void *right, size_t bytes);

/*
 * Read a secret from a file: its first line, without the newline.
 * Fails: RC_IO when it is missing, empty, longer than 4 KiB, or readable by
 *        others than its owner and group.
 */
MUST_CHECK enum rc secret_read(struct arena *arena, const char *path,
	char **secret, struct fault *fault);

#endif
