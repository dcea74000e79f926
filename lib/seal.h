/*
 * seal: secrets at rest, readable only with a key that is in a file.
 *
 * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha), a random nonce before the
 * sealed text. The name of the thing is authenticated with it, so that one
 * secret cannot be put in the place of another.
 */
#ifndef FG_LIB_SEAL_H
#define FG_LIB_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/fault.h"

#define SEAL_KEY_BYTES 32

struct seal {
	uint8_t key[SEAL_KEY_BYTES];
};

struct sealed {
	const void *data;
	size_t length;
};

/*
 * Read the key from a file that holds 32 random bytes as base64url text, as
 * secret_token makes it. Fails: RC_IO as secret_read, or another content.
 */
MUST_CHECK enum rc seal_load(struct arena *arena, const char *path,
	struct seal *seal, struct fault *fault);

/* "name" says what it is, e.g. "directory:" and a uuid. */
struct sealed seal_close(struct arena *arena, const struct seal *seal,
	const char *name, const char *text);

/* The text, wiped when "arena" is reset; NULL when it was sealed with another
 * key or under another name. */
const char *seal_open(struct arena *arena, const struct seal *seal,
	const char *name, struct sealed sealed);

#endif
