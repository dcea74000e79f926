/*
 * spool: frames on disk until the hub has committed them.
 *
 * A folder of segment files, each a header and records of one frame with a
 * CRC32C. A frame is on disk (fdatasync) before it may be sent; a segment is
 * removed when the hub's acknowledgement covers all of it. The newest segment
 * always stays, so spool id, sequence and bookmark outlive every restart. A
 * last record that was cut short by a crash is cut off at the next start.
 *
 * One thread appends and drops, one other reads and acknowledges.
 */
#ifndef FG_AGENTS_SPOOL_H
#define FG_AGENTS_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/fault.h"

#define SPOOL_HEADER_BYTES 64 /* of a segment */
#define SPOOL_RECORD_BYTES 48 /* of a record, before its frame */
#define SPOOL_NO_BOOKMARK  INT64_MIN

struct spool;

struct spool_record {
	int64_t sequence;
	int64_t bookmark; /* of the driver, after this frame */
	int64_t first_us;
	int64_t last_us;
	uint32_t samples;
	uint32_t length; /* of the frame */
	const void *frame;
};

/* What was given up because there was no room, and nobody was told yet. */
struct spool_loss {
	uint64_t frames;
	uint64_t samples;
	int64_t first_us;
	int64_t last_us;
};

struct spool_status {
	uint64_t frames;       /* that wait for the hub */
	uint64_t bytes;        /* on disk */
	int64_t oldest_us;     /* CLOCK_NEVER: nothing waits */
	uint64_t lost_samples; /* since the spool was made */
};

/*
 * Open the spool in "folder" (made when it is not there) and lock it.
 * Owns:  close with spool_close.
 * Fails: RC_CONFLICT another agent uses the folder; RC_IO; RC_BAD_INPUT the
 *        newest file in it is not a spool's.
 */
MUST_CHECK enum rc spool_open(const char *folder, uint64_t limit_bytes,
	struct spool **spool, struct fault *fault);
void spool_close(struct spool *spool);

/* True until spool_begin: nobody has told the first sequence yet. */
bool spool_is_new(const struct spool *spool);
MUST_CHECK enum rc spool_begin(
	struct spool *spool, int64_t first_sequence, struct fault *fault);

uint64_t spool_id(const struct spool *spool);
/* What the next record must have; callers count on from there. */
int64_t spool_next_sequence(struct spool *spool);
int64_t spool_bookmark(const struct spool *spool);

/*
 * Square this spool with what the hub has committed of this node: what it has
 * is acknowledged, and a spool where nothing waits goes on behind it.
 * Fails: RC_CONFLICT frames wait whose numbers the hub has from elsewhere.
 */
MUST_CHECK enum rc spool_resume(struct spool *spool, int64_t hub_sequence,
	uint64_t hub_spool, struct fault *fault);

/*
 * Append one record and wait until it is on disk.
 * Fails: RC_UNAVAILABLE there is no room, by the limit or on the disk;
 *        RC_RETRY its sequence is not the next one any more; RC_IO.
 *        Nothing was stored then.
 */
MUST_CHECK enum rc spool_append(struct spool *spool,
	const struct spool_record *record, struct fault *fault);

/*
 * Give up the oldest segment. The loss is kept on disk until spool_told.
 * Fails: RC_NOT_FOUND there is nothing to give up; RC_IO.
 */
MUST_CHECK enum rc spool_drop_oldest(struct spool *spool, struct fault *fault);
/* False: nothing was lost, or it was told. */
bool spool_lost(struct spool *spool, struct spool_loss *loss);
void spool_told(struct spool *spool, const struct spool_loss *told);

/* Frames of one request, read from the oldest on. */
struct spool_batch {
	size_t frames;
	int64_t first_sequence;
	int64_t last_sequence;
};

/*
 * Fill "out" with the oldest frames that were not acknowledged, at most
 * "frames_max" and about "bytes_max" but at least one.
 * Fails: RC_NOT_FOUND there is none; RC_IO. A damaged record is logged,
 *        counted as lost, and its segment is kept aside.
 */
MUST_CHECK enum rc spool_read(struct spool *spool, size_t frames_max,
	size_t bytes_max, struct buf *out, struct spool_batch *batch,
	struct fault *fault);

/* The hub has all up to "sequence". */
void spool_acknowledge(struct spool *spool, int64_t sequence);

/* Wait for a record to be appended, spool_wake, or the end of the time. */
void spool_wait(struct spool *spool, int64_t timeout_us);
void spool_wake(struct spool *spool);

void spool_status(struct spool *spool, struct spool_status *status);

/*
 * Read the record at "data". "total" is what it takes up.
 * Fails: RC_BAD_INPUT cut short or its CRC is wrong.
 */
MUST_CHECK enum rc spool_record_parse(const void *data, size_t length,
	struct spool_record *record, size_t *total, struct fault *fault);

#endif
