/* jwt_key: a public key that verifies; for lib/jwt.c alone. */
#ifndef FG_LIB_JWT_KEY_H
#define FG_LIB_JWT_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RSA of 2048 to 4096 bits for RS256, or P-256 for ES256; parsed once. */
struct jwt_key;

/* NULL when the PEM is no such key. */
struct jwt_key *jwt_key_new(const char *public_pem, bool elliptic);
void jwt_key_free(struct jwt_key *key);

/* How long a signature is: that of the modulus, or the two numbers of
 * RFC 7518 3.4. */
size_t jwt_key_bytes(const struct jwt_key *key);

/* "signature" has jwt_key_bytes. */
bool jwt_key_verifies(const struct jwt_key *key, const char *text,
	size_t length, const uint8_t *signature);

#endif
