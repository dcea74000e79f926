/*
 * enrolment: a machine becomes a node: its identity, certificates, and state.
 *
 * What a node does afterwards is model/node.h.
 */
#ifndef FG_MODEL_ENROLMENT_H
#define FG_MODEL_ENROLMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/encode.h"
#include "lib/tls.h"
#include "lib/tls_issue.h"

extern const struct stmt enrolment_stmts[];

struct enrolled {
	int64_t id;
	uint8_t uuid[UUID_BYTES];
	const char *name;
	const char *kind;  /* ingress, egress, service */
	const char *state; /* pending, authorised, blocked, retired */
};

struct enrolled_list {
	size_t count;
	struct enrolled *items;
};

/* A new node in the state pending.
 * Fails: RC_CONFLICT the name is taken; RC_DB name or kind is not allowed. */
MUST_CHECK enum rc enrolment_create(struct db *db, struct arena *arena,
	const char *name, const char *kind, struct enrolled *node,
	struct fault *fault);

/* Fails: RC_NOT_FOUND. */
MUST_CHECK enum rc enrolment_find(struct db *db, struct arena *arena,
	const char *name, struct enrolled *node, struct fault *fault);

MUST_CHECK enum rc enrolment_list(struct db *db, struct arena *arena,
	struct enrolled_list *list, struct fault *fault);

/* authorised, blocked or retired; takes effect within a second.
 * Fails: RC_DB another word. */
MUST_CHECK enum rc enrolment_set_state(
	struct db *db, int64_t node_id, const char *state, struct fault *fault);

/* Let the node publish to, or read from, a datasource. */
MUST_CHECK enum rc enrolment_allow(struct db *db, int64_t node_id,
	int64_t datasource_id, bool publish, bool subscribe,
	struct fault *fault);

/*
 * Make a key and a certificate for a node and remember the fingerprint; the
 * private key is nowhere but in *identity.
 * Fails: as tls_issue_node; RC_DB.
 */
MUST_CHECK enum rc enrolment_issue(struct db *db, struct arena *arena,
	const struct enrolled *node, const struct tls_identity *authority,
	int days, struct tls_identity *identity, struct fault *fault);

/* No certificate of this node is accepted any more. */
MUST_CHECK enum rc enrolment_revoke(
	struct db *db, int64_t node_id, struct fault *fault);

#endif
