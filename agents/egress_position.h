/*
 * egress_position: how far an egress agent has mirrored, on disk.
 *
 * One small file, replaced as a whole after each commit of the outlet: the
 * cursors of the hub's feeds, what is being filled from history, and where
 * the outlet's own data end.
 */
#ifndef FG_AGENTS_EGRESS_POSITION_H
#define FG_AGENTS_EGRESS_POSITION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/fault.h"

/* Texts are "" while there is none; all are on the heap. */
struct egress_position {
	char *frames;
	char *alarms;
	char *events;
	char *fill;    /* cursor of the history */
	char *fill_of; /* UUIDs of datasources; "" = all of the mirror */
	bool filling;
	int64_t fill_from_us;
	int64_t fill_to_us;
	char *outlet; /* the outlet's own */
	bool stored;  /* there was one on disk */
};

void egress_position_init(struct egress_position *position);
void egress_position_free(struct egress_position *position);

/* Replace one of the texts. */
void egress_position_set(char **text, const char *with);

/* Fails: RC_IO; RC_BAD_INPUT the file is damaged. */
MUST_CHECK enum rc egress_position_load(struct egress_position *position,
	const char *folder, struct fault *fault);
/* Fails: RC_IO: the file is as it was. */
MUST_CHECK enum rc egress_position_save(const struct egress_position *position,
	const char *folder, struct fault *fault);

/* Nobody else may use the folder until the process ends.
 * Fails: RC_CONFLICT somebody does; RC_IO. */
MUST_CHECK enum rc egress_position_lock(
	const char *folder, struct fault *fault);

#endif
