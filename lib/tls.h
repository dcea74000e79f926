/*
 * tls: what X.509 certificates say. Keys are in tls_key.h, new certificates in
 * tls_issue.h, requests for them in tls_request.h.
 */
#ifndef FG_LIB_TLS_H
#define FG_LIB_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/encode.h"
#include "lib/fault.h"

#define TLS_FINGERPRINT_BYTES 32
/* Certificates begin so long before they are made: whoever reads them may have
 * a clock that is behind, or a wrong time zone. */
#define TLS_BACKDATE_S 86400
/* Those that live for less than that begin so long before. */
#define TLS_BACKDATE_SHORT_S 300

struct tls_facts {
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES]; /* SHA-256 of the DER */
	uint8_t key_hash[32]; /* SHA-256 of the subjectPublicKeyInfo */
	const char *serial;   /* upper-case hexadecimal */
	const char *subject;
	const char *key_id; /* subject key identifier, hexadecimal, or "" */
	int64_t not_before_us;
	int64_t not_after_us;
	bool has_node; /* there is exactly one node URI in the SAN */
	uint8_t node[UUID_BYTES];
};

/* The first certificate of a PEM text.
 * Fails: RC_BAD_INPUT there is none. */
MUST_CHECK enum rc tls_read(struct arena *arena, const char *certificate_pem,
	struct tls_facts *facts, struct fault *fault);

/*
 * The same of nginx's $ssl_client_escaped_cert (PEM, percent-encoded).
 * Fails: RC_BAD_INPUT it is not one certificate.
 */
MUST_CHECK enum rc tls_read_escaped(struct arena *arena, const char *escaped,
	struct tls_facts *facts, struct fault *fault);

MUST_CHECK enum rc tls_fingerprint_escaped(struct arena *arena,
	const char *escaped, uint8_t fingerprint[TLS_FINGERPRINT_BYTES],
	struct fault *fault);

/* From when on a certificate should be renewed: after two thirds of its life.
 */
int64_t tls_renew_from_us(const struct tls_facts *facts);

/* Does the private key belong to the first certificate? */
bool tls_match(struct arena *arena, const char *certificate_pem,
	const char *private_pem);

#endif
