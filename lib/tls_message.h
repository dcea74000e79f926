/*
 * tls_message: certificates in a PKCS #7 message without signers, the
 * "certs-only" answer of RFC 7030 (EST).
 */
#ifndef FG_LIB_TLS_MESSAGE_H
#define FG_LIB_TLS_MESSAGE_H

#include <stddef.h>

#include "lib/arena.h"
#include "lib/fault.h"

/*
 * All certificates of a PEM text as one message: base64 of the DER, in lines
 * of 64 letters.
 * Fails: RC_BAD_INPUT there is no certificate in it.
 */
MUST_CHECK enum rc tls_message_write(struct arena *arena,
	const char *certificates_pem, const char **base64, struct fault *fault);

/* The certificates of such a message as PEM.
 * Fails: RC_BAD_INPUT there are none, or it is none. */
MUST_CHECK enum rc tls_message_read(struct arena *arena, const char *base64,
	size_t length, const char **certificates_pem, struct fault *fault);

#endif
