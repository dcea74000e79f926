/*
 * enrolment: the nodes that there shall be, and their state. How a machine
 * becomes one of them is enrolment_issue.h, what it does afterwards node.h,
 * and how administrators see it node_view.h.
 */
#ifndef FG_MODEL_ENROLMENT_H
#define FG_MODEL_ENROLMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/encode.h"

extern const struct stmt enrolment_stmts[];

struct enrolled {
	int64_t id;
	uint8_t uuid[UUID_BYTES];
	const char *name;
	const char *kind;  /* ingress, egress, service */
	const char *state; /* pending, authorised, blocked, retired */
	bool needs_approval;
};

struct enrolled_list {
	size_t count;
	struct enrolled *items;
};

struct enrolment_new {
	const char *name;
	const char *kind;
	const char *description; /* NULL = none */
	bool needs_approval;     /* of the key that it comes with */
};

/* A new node in the state pending.
 * Fails: RC_BAD_INPUT name or kind, with words; RC_CONFLICT the name is taken.
 */
MUST_CHECK enum rc enrolment_create(struct db *db, struct arena *arena,
	const struct enrolment_new *wanted, struct enrolled *node,
	struct fault *fault);

/* Other words for a node; the kind stays. Fails: as enrolment_create. */
MUST_CHECK enum rc enrolment_change(struct db *db, int64_t node_id,
	const struct enrolment_new *wanted, struct fault *fault);

/* Only one that never came. Fails: RC_CONFLICT it has come: retire it. */
MUST_CHECK enum rc enrolment_remove(
	struct db *db, int64_t node_id, struct fault *fault);

/* "wanted" is a name or a UUID. Fails: RC_NOT_FOUND. */
MUST_CHECK enum rc enrolment_find(struct db *db, struct arena *arena,
	const char *wanted, struct enrolled *node, struct fault *fault);

MUST_CHECK enum rc enrolment_list(struct db *db, struct arena *arena,
	struct enrolled_list *list, struct fault *fault);

/*
 * Changes of state; each takes effect within a second, on open connections and
 * streams too. Blocking and retiring end the node's token and all access
 * tokens. A retired node never comes back.
 * Fails: RC_CONFLICT the node is not in a state for it.
 */
enum enrolment_verb {
	ENROLMENT_AUTHORISE, /* let in without a request */
	ENROLMENT_BLOCK,
	ENROLMENT_UNBLOCK,
	ENROLMENT_RETIRE,
};
MUST_CHECK enum rc enrolment_turn(struct db *db, int64_t node_id,
	enum enrolment_verb verb, struct fault *fault);

/* Let the node publish to, or read from, a datasource; neither = no more. */
MUST_CHECK enum rc enrolment_allow(struct db *db, int64_t node_id,
	int64_t datasource_id, bool publish, bool subscribe,
	struct fault *fault);

#endif
