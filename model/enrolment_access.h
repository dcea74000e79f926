/*
 * enrolment_access: a node's access data: the OAuth client that it is besides
 * its certificate. Neither lets it in alone.
 */
#ifndef FG_MODEL_ENROLMENT_ACCESS_H
#define FG_MODEL_ENROLMENT_ACCESS_H

#include "lib/tls.h"
#include "model/enrolment.h"

extern const struct stmt enrolment_access_stmts[];

struct enrolment_access {
	const char *client_id;
	const char *secret; /* seen only now */
};

/*
 * New access data for a node: its client gets another secret, or is made.
 * client_stmts must be in the program's sets. Fails: as client_create.
 */
MUST_CHECK enum rc enrolment_access_give(struct db *db, struct arena *arena,
	const struct enrolled *node, struct enrolment_access *access,
	struct fault *fault);

/*
 * The same for a node that fetches them over its certificate. Once after each
 * enrolment; again only until the certificate has been used at the hub,
 * because an answer may get lost.
 * Fails: RC_CONFLICT AccessTaken.
 */
MUST_CHECK enum rc enrolment_access_fetch(struct db *db, struct arena *arena,
	const struct enrolled *node,
	const uint8_t fingerprint[TLS_FINGERPRINT_BYTES],
	struct enrolment_access *access, struct fault *fault);

#endif
