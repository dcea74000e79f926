/*
 * tls_request: certificate signing requests (PKCS #10, RFC 2986). Only the
 * public key of one counts; its holder has signed the request with it.
 */
#ifndef FG_LIB_TLS_REQUEST_H
#define FG_LIB_TLS_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/fault.h"

#define TLS_REQUEST_BYTES_MAX ((size_t)16 * 1024) /* of its base64 */
#define TLS_KEY_HASH_BYTES    32

struct tls_request {
	void *key; /* for tls_issue_requested; lives in the arena */
	/* SHA-256 of its subjectPublicKeyInfo */
	uint8_t key_hash[TLS_KEY_HASH_BYTES];
};

/*
 * Make a request for a key, as base64 of its DER in lines of 64 letters;
 * "key_hash" as in struct tls_request.
 * Fails: RC_BAD_INPUT the key is not usable.
 */
MUST_CHECK enum rc tls_request_write(struct arena *arena,
	const char *private_pem, const char *common_name, const char **base64,
	uint8_t key_hash[TLS_KEY_HASH_BYTES], struct fault *fault);

/*
 * Read base64 (white space is skipped) of a request and check that its sender
 * has the private key. Keys are RSA of 2048 to 4096 bits, EC P-256 or P-384.
 * Fails: RC_TOO_LARGE, RC_BAD_INPUT with words for the client.
 */
MUST_CHECK enum rc tls_request_read(struct arena *arena, const char *base64,
	size_t length, struct tls_request *request, struct fault *fault);

#endif
