/*
 * alarm_keep: the state of an agent's alarms, on disk beside its frames.
 *
 * A frame and the state behind it must count both or not at all, however the
 * agent ends. So two files take turns: before a frame is appended to the spool
 * the state behind it is written under the frame's number into the file that
 * is older. At the start the newest state counts whose frame is in the spool;
 * one whose frame never got there is removed.
 */
#ifndef FG_AGENTS_ALARM_KEEP_H
#define FG_AGENTS_ALARM_KEEP_H

#include <stdint.h>

#include "lib/buf.h"
#include "lib/fault.h"

#define ALARM_KEEP_HEAD_BYTES 32

struct alarm_keep {
	const char *folder; /* of the spool */
	uint64_t spool_id;
	int64_t sequences[2]; /* of the frames; 0 = there is none */
};

/*
 * Find the state behind the last frame before "next_sequence" and append it to
 * "state"; nothing when there is none. "folder" must outlive the keep.
 * Fails: RC_IO.
 */
MUST_CHECK enum rc alarm_keep_open(struct alarm_keep *keep, const char *folder,
	uint64_t spool_id, int64_t next_sequence, struct buf *state,
	struct fault *fault);

/*
 * Keep the state that counts once the frame "sequence" is in the spool.
 * Fails: RC_UNAVAILABLE the disk is full; RC_IO.
 */
MUST_CHECK enum rc alarm_keep_write(struct alarm_keep *keep, int64_t sequence,
	const struct buf *state, struct fault *fault);

/* Read the head of a state file. Fails: RC_BAD_INPUT it is none, or damaged. */
MUST_CHECK enum rc alarm_keep_parse(const void *data, size_t length,
	uint64_t *spool_id, int64_t *sequence, struct fault *fault);

#endif
