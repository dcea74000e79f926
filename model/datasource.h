/*
 * datasource: one plant project, named by a UUID; it owns variables, archives
 * and events.
 */
#ifndef FG_MODEL_DATASOURCE_H
#define FG_MODEL_DATASOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/encode.h"

/* A plant counts as online this long after its node was last heard. */
#define DATASOURCE_ONLINE       "10 seconds"
#define DATASOURCE_NAME_LETTERS 128

struct datasource {
	int64_t id;
	uint8_t uuid[UUID_BYTES];
	char uuid_text[UUID_TEXT_BYTES];
	const char *name;
	const char *description;
	int64_t seen_us; /* a publishing, authorised node; CLOCK_NEVER = none */
	bool online;
};

struct datasource_list {
	size_t count;
	const struct datasource *items; /* by name */
};

extern const struct stmt datasource_stmts[];

/* All of them; rights are the caller's business.
 * Owns:  everything lives in "arena".  Fails: RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc datasource_query(struct db *db, struct arena *arena,
	struct datasource_list *list, struct fault *fault);

/* Fails: RC_NOT_FOUND, RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc datasource_find(struct db *db, struct arena *arena,
	const uint8_t uuid[UUID_BYTES], struct datasource *datasource,
	struct fault *fault);

/* Fails: RC_CONFLICT the uuid or the name is taken; RC_BAD_INPUT the name is
 *        empty or too long. */
MUST_CHECK enum rc datasource_create(struct db *db, struct arena *arena,
	const uint8_t uuid[UUID_BYTES], const char *name,
	const char *description, struct datasource *datasource,
	struct fault *fault);

#endif
