/*
 * tls_issue: new X.509 certificates. What one may be used for and who it
 * names come from our arguments only, never from a request.
 *
 * Every certificate has a random serial number of 126 bits, begins five
 * minutes ago, for clocks that are behind, and ends with its authority at the
 * latest.
 */
#ifndef FG_LIB_TLS_ISSUE_H
#define FG_LIB_TLS_ISSUE_H

#include <stdint.h>

#include "lib/arena.h"
#include "lib/encode.h"
#include "lib/fault.h"

#define TLS_NODE_URI "urn:grid:node:"

/* A certificate and its private key as PEM, in "arena". */
struct tls_identity {
	const char *private_pem;
	const char *certificate_pem;
};

/* A self-signed EC root; it may sign authorities that sign end entities. */
MUST_CHECK enum rc tls_issue_root(struct arena *arena, const char *common_name,
	int days, struct tls_identity *root, struct fault *fault);

/* An EC authority below "root" that may sign end entities and revocations.
 * Fails: RC_BAD_INPUT the root is not usable. */
MUST_CHECK enum rc tls_issue_authority(struct arena *arena,
	const struct tls_identity *root, const char *common_name, int days,
	struct tls_identity *authority, struct fault *fault);

/* "names": NULL-terminated; what is not an IP address is a DNS name.
 * Fails: RC_BAD_INPUT a name or the authority is not usable. */
MUST_CHECK enum rc tls_issue_server(struct arena *arena,
	const struct tls_identity *authority, const char *const *names,
	int days, struct tls_identity *server, struct fault *fault);

/* Key and certificate, for client authentication only; the SAN is
 * URI:urn:grid:node:<uuid>. */
MUST_CHECK enum rc tls_issue_node(struct arena *arena,
	const struct tls_identity *authority, const uint8_t uuid[UUID_BYTES],
	int64_t life_s, struct tls_identity *node, struct fault *fault);

struct tls_request;

/* The same for the public key of a request (lib/tls_request.h). */
MUST_CHECK enum rc tls_issue_requested(struct arena *arena,
	const struct tls_identity *authority, const uint8_t uuid[UUID_BYTES],
	const struct tls_request *request, int64_t life_s,
	const char **certificate_pem, struct fault *fault);

#endif
