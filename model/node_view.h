/*
 * node_view: nodes as administrators see them: state, certificate, and how
 * the machine is.
 */
#ifndef FG_MODEL_NODE_VIEW_H
#define FG_MODEL_NODE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/encode.h"
#include "lib/slice.h"

extern const struct stmt node_view_stmts[];

/* Times that are not known are CLOCK_NEVER, texts NULL. */
struct node_view {
	uint8_t uuid[UUID_BYTES];
	const char *name;
	const char *kind;
	const char *state;
	const char *description;
	bool needs_approval;
	int64_t created_us;
	int64_t changed_us; /* its state */
	/* What the agent says of itself (struct node_beat). */
	int64_t seen_us;
	const char *address;
	const char *version;
	int64_t spool_frames; /* these three: -1 = not known */
	int64_t spool_bytes;
	int64_t lost_samples;
	int64_t spool_oldest_us; /* CLOCK_NEVER: nothing waits */
	bool has_clock;
	int64_t clock_offset_us; /* its clock minus ours */
	/* The certificate in use. */
	int64_t certificate_end_us;
	const char *client_id;
	/* A token that may still be used. */
	int64_t token_end_us;
	/* A key that waits to be approved. */
	const char *waiting_key; /* SHA-256 in hexadecimal; NULL = none */
	const char *waiting_address;
	int64_t waiting_us;
	bool waiting_approved;
};

struct node_view_filter {
	const char *search; /* part of name, description, address or UUID */
	const char *state;
	const char *kind;
	const char *datasource; /* UUID that it publishes or subscribes */
	const char *waiting;    /* "true": a key waits for approval */
};

struct node_view_list {
	size_t count;
	struct node_view *items;
};

/* Orders: name, created, seen, state, expires. */
MUST_CHECK enum rc node_view_slice(struct db *db, struct arena *arena,
	const struct node_view_filter *filter, struct slice *slice,
	struct node_view_list *list, struct fault *fault);

MUST_CHECK enum rc node_view_find(struct db *db, struct arena *arena,
	int64_t node_id, struct node_view *node, struct fault *fault);

/* What a node may publish to and read from. */
struct node_view_right {
	uint8_t datasource[UUID_BYTES];
	const char *name;
	bool publish;
	bool subscribe;
};

struct node_view_rights {
	size_t count;
	struct node_view_right *items;
};

MUST_CHECK enum rc node_view_rights(struct db *db, struct arena *arena,
	int64_t node_id, struct node_view_rights *rights, struct fault *fault);

struct node_view_certificate {
	const char *fingerprint; /* hexadecimal */
	const char *serial;
	int64_t issued_us;
	int64_t not_before_us;
	int64_t not_after_us;
	int64_t seen_us;
	int64_t revoked_us;
	const char *reason; /* NULL = it counts */
};

struct node_view_certificates {
	size_t count;
	struct node_view_certificate *items;
};

/* The newest hundred, newest first. */
MUST_CHECK enum rc node_view_certificates(struct db *db, struct arena *arena,
	int64_t node_id, struct node_view_certificates *list,
	struct fault *fault);

#endif
