/*
 * spool_parts: what the files of the spool share; nobody else includes this.
 *
 * The segments' list, the place up to which the hub has everything and the
 * counters belong to "lock"; the newest segment's file to the appending thread.
 */
#ifndef FG_AGENTS_SPOOL_PARTS_H
#define FG_AGENTS_SPOOL_PARTS_H

#include "agents/spool.h"

#include <inttypes.h>
#include <pthread.h>

#define SPOOL_FRAME_BYTES_MAX ((uint32_t)16 * 1024 * 1024)
#define SPOOL_PATH_BYTES      1024
#define SPOOL_NAME_FORMAT     "%019" PRId64 ".segment"

/* The first bytes of a segment file; numbers are little-endian. */
struct spool_header {
	uint64_t spool_id;
	int64_t first_sequence;
	int64_t bookmark;      /* of the record before the first */
	uint64_t lost_samples; /* before this segment */
};

struct spool_segment {
	int64_t first_sequence; /* also the file's name */
	int64_t last_sequence;  /* first - 1 while it is empty */
	uint64_t bytes;         /* header and whole records */
	uint64_t frames;
	bool damaged;
};

struct spool {
	char folder[SPOOL_PATH_BYTES - 64];
	int lock_fd;
	int write_fd; /* of the spool_newest segment; appending thread only */
	uint64_t id;
	uint64_t limit_bytes;
	uint64_t segment_bytes;
	bool rotate; /* begin a new segment before the next record */

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	bool woken;
	struct spool_segment
		*segments; /* oldest first; the last one is written */
	size_t count;
	size_t capacity;
	uint64_t read_bytes; /* of segments[0]: acknowledged up to here */
	uint64_t read_frames;
	int64_t next_sequence;
	int64_t bookmark;
	int64_t oldest_us;
	uint64_t lost_samples;
	struct spool_loss loss;
};

/* --- spool_record.c: numbers are little-endian --------------------------- */

void spool_header_write(
	uint8_t bytes[SPOOL_HEADER_BYTES], const struct spool_header *header);
bool spool_header_read(
	const uint8_t bytes[SPOOL_HEADER_BYTES], struct spool_header *header);
void spool_record_write(
	uint8_t bytes[SPOOL_RECORD_BYTES], const struct spool_record *record);
/* Without the CRC: only what the record says of itself. */
bool spool_record_read(const uint8_t *bytes, struct spool_record *record);

/* --- spool_file.c -------------------------------------------------------- */

void spool_path(const struct spool *spool, const char *name,
	char path[SPOOL_PATH_BYTES]);
void spool_segment_path(const struct spool *spool, int64_t first_sequence,
	char path[SPOOL_PATH_BYTES]);
bool spool_read_at(int fd, void *data, size_t length, uint64_t offset);
/* A file that is there as a whole or not at all. Returns it open, or -1. */
int spool_publish_file(const struct spool *spool, const char *path,
	const void *data, size_t length);

/* --- spool_segment.c: with the lock, or before there are threads --------- */

MUST_CHECK enum rc spool_segments_open(
	struct spool *spool, struct fault *fault);
struct spool_segment *spool_newest(const struct spool *spool);
MUST_CHECK enum rc spool_segment_begin(
	struct spool *spool, struct fault *fault);
/* The oldest one, of which there must be another behind. */
void spool_segment_remove(struct spool *spool);
void spool_remove_acknowledged(struct spool *spool);
uint64_t spool_used_bytes(const struct spool *spool);
bool spool_all_acknowledged(const struct spool *spool);

/* --- spool_loss.c: likewise ---------------------------------------------- */

void spool_loss_load(struct spool *spool);
bool spool_loss_save(const struct spool *spool);
/* All of the oldest segment that the hub has not acknowledged. */
void spool_loss_count_rest(struct spool *spool);

#endif
