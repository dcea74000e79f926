/*
 * mirror: what an egress agent mirrors and under which names, by a CSV file;
 * and the variables that the hub lets it read.
 *
 * The columns are in doc/EGRESS.md. Rows are looked at in their order: a
 * variable gets its name from the first row of its datasource whose pattern
 * it matches.
 */
#ifndef FG_AGENTS_MIRROR_H
#define FG_AGENTS_MIRROR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/encode.h"
#include "lib/fault.h"
#include "model/sample.h"

#define MIRROR_ROWS_MAX     256
#define MIRROR_PREFIX_BYTES 200

struct mirror_row {
	char datasource[UUID_TEXT_BYTES];
	const char *variables; /* pattern of names; "" = none */
	const char *prefix;    /* before the name, at the other side */
	bool alarms;
	bool events;
};

struct mirror_variable {
	int32_t id;
	const char *datasource; /* UUID as text */
	const char *name;       /* at the hub */
	const char *shown;      /* at the other side: prefix and name */
	enum value_kind kind;
	bool writable;
};

struct mirror {
	struct arena *arena;
	struct mirror_row *rows;
	size_t count;
	/* What the hub lets us read: a hash table by id, at least half of it
	 * NULL. */
	struct mirror_variable **slots;
	size_t room; /* a power of two; 0 at first */
	size_t known;
	pthread_mutex_t lock; /* of variables, against mirror_find_shown */
};

/*
 * Read the CSV file.
 * Owns:  freed by mirror_close. Fails: RC_IO; RC_BAD_INPUT with place.
 */
MUST_CHECK enum rc mirror_open(
	const char *path, struct mirror **mirror, struct fault *fault);
void mirror_close(struct mirror *mirror);

/* The member "datasources" of the hub's feeds; "of": only those whose UUIDs are
 * in the text, "" = all. */
void mirror_write_datasources(
	const struct mirror *mirror, const char *of, struct buf *out);

bool mirror_wants_alarms(const struct mirror *mirror, const char *datasource);
bool mirror_wants_events(const struct mirror *mirror, const char *datasource);
bool mirror_wants_values(const struct mirror *mirror);

/* The prefix of what is of a variable, or of none (NULL). */
const char *mirror_prefix(const struct mirror *mirror, const char *datasource,
	const char *variable);

/* Take a page of POST /hub/v1/feed/variables; *next is 0 at the end.
 * Fails: RC_UPSTREAM it is not understood. */
MUST_CHECK enum rc mirror_learn(struct mirror *mirror, const struct buf *page,
	int64_t *next, struct fault *fault);

/* Where the search for an id begins. */
static inline size_t
mirror_slot(const struct mirror *mirror, int32_t id)
{
	uint32_t hash = (uint32_t)id * UINT32_C(2654435769);

	return (hash ^ hash >> 16) & (mirror->room - 1);
}

/* NULL when it is not known. */
static inline const struct mirror_variable *
mirror_find(const struct mirror *mirror, int32_t id)
{
	size_t slot = mirror_slot(mirror, id);

	if (mirror->room == 0)
		return NULL;
	while (mirror->slots[slot] != NULL && mirror->slots[slot]->id != id)
		slot = (slot + 1) & (mirror->room - 1);
	return mirror->slots[slot];
}

/* By its name at the other side; NULL. From any thread, and slow: it looks at
 * all of them. */
const struct mirror_variable *mirror_find_shown(
	struct mirror *mirror, const char *shown);

#endif
