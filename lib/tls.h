/*
 * tls: keys and X.509 certificates.
 *
 * The only file that makes or reads certificates. Keys are RSA 2048 or EC
 * P-256 as PKCS#8 PEM; times of certificates are UTC.
 */
#ifndef FG_LIB_TLS_H
#define FG_LIB_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/encode.h"
#include "lib/fault.h"

#define TLS_FINGERPRINT_BYTES 32
#define TLS_NODE_URI          "urn:grid:node:"

enum tls_kind { TLS_RSA_2048, TLS_EC_P256 };

/* Both halves as PEM, in "arena". */
struct tls_key {
	const char *private_pem;
	const char *public_pem;
};

MUST_CHECK enum rc tls_key_new(struct arena *arena, enum tls_kind kind,
	struct tls_key *key, struct fault *fault);

/* A certificate and its private key as PEM, in "arena". */
struct tls_identity {
	const char *private_pem;
	const char *certificate_pem;
};

/* A self-signed EC authority that may sign end entities only. */
MUST_CHECK enum rc tls_authority_new(struct arena *arena,
	const char *common_name, int days, struct tls_identity *authority,
	struct fault *fault);

/* "names": NULL-terminated; what is not an IP address is a DNS name.
 * Fails: RC_BAD_INPUT a name or the authority is not usable. */
MUST_CHECK enum rc tls_issue_server(struct arena *arena,
	const struct tls_identity *authority, const char *const *names,
	int days, struct tls_identity *server, struct fault *fault);

/* For client authentication only; SAN is URI:urn:grid:node:<uuid>. */
MUST_CHECK enum rc tls_issue_node(struct arena *arena,
	const struct tls_identity *authority, const uint8_t uuid[UUID_BYTES],
	int days, struct tls_identity *node, struct fault *fault);

struct tls_facts {
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES]; /* SHA-256 of the DER */
	const char *serial;                         /* upper-case hexadecimal */
	const char *subject;
	int64_t not_after_us;
	bool has_node; /* there is exactly one node URI in the SAN */
	uint8_t node[UUID_BYTES];
};

/* Fails: RC_BAD_INPUT not one certificate as PEM. */
MUST_CHECK enum rc tls_read(struct arena *arena, const char *certificate_pem,
	struct tls_facts *facts, struct fault *fault);

/*
 * The fingerprint of nginx's $ssl_client_escaped_cert (PEM, percent-encoded).
 * Fails: RC_BAD_INPUT it is not one certificate.
 */
MUST_CHECK enum rc tls_fingerprint_escaped(struct arena *arena,
	const char *escaped, uint8_t fingerprint[TLS_FINGERPRINT_BYTES],
	struct fault *fault);

#endif
