/*
 * tls_crl: lists of revoked certificates (RFC 5280, section 5).
 */
#ifndef FG_LIB_TLS_CRL_H
#define FG_LIB_TLS_CRL_H

#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/fault.h"
#include "lib/tls_issue.h"

/* As in RFC 5280, section 5.3.1. */
enum tls_reason {
	TLS_REASON_UNSPECIFIED = 0,
	TLS_REASON_SUPERSEDED = 4,
	TLS_REASON_CESSATION = 5,
	TLS_REASON_HOLD = 6, /* may be lifted again */
};

struct tls_revoked {
	const char *serial; /* hexadecimal */
	int64_t at_us;
	enum tls_reason reason;
};

struct tls_crl {
	int64_t number; /* counts up */
	int64_t from_us;
	int64_t next_us;
	const struct tls_revoked *items;
	size_t count;
};

struct tls_bytes {
	const void *data;
	size_t length;
};

/* The signed list as DER. Fails: RC_BAD_INPUT authority or serial is not
 * usable. */
MUST_CHECK enum rc tls_crl_write(struct arena *arena,
	const struct tls_identity *authority, const struct tls_crl *crl,
	struct tls_bytes *der, struct fault *fault);

/* DER as PEM. */
const char *tls_crl_pem(struct arena *arena, const void *der, size_t length);

#endif
