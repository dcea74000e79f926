/*
 * tls_key: key pairs, RSA 2048 or EC P-256 as PKCS #8 PEM. Public keys as JSON
 * are in jwk.h.
 */
#ifndef FG_LIB_TLS_KEY_H
#define FG_LIB_TLS_KEY_H

#include "lib/arena.h"
#include "lib/fault.h"

enum tls_kind { TLS_RSA_2048, TLS_EC_P256 };

/* Both halves as PEM, in "arena". */
struct tls_key {
	const char *private_pem;
	const char *public_pem;
};

MUST_CHECK enum rc tls_key_new(struct arena *arena, enum tls_kind kind,
	struct tls_key *key, struct fault *fault);

#endif
