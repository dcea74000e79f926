/* spool_segment: segments are found, begun and removed. */

#include "agents/spool_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"

static void
add_segment(struct spool *spool, const struct spool_segment *segment)
{
	if (spool->count == spool->capacity) {
		spool->capacity = spool->capacity * 2 + 16;
		spool->segments = realloc(spool->segments,
			spool->capacity * sizeof(*spool->segments));
		if (spool->segments == NULL)
			abort();
	}
	spool->segments[spool->count++] = *segment;
}

struct spool_segment *
spool_newest(const struct spool *spool)
{
	return &spool->segments[spool->count - 1];
}

/* Also used for the first one. Called with the lock, or before threads. */
enum rc
spool_segment_begin(struct spool *spool, struct fault *fault)
{
	struct spool_header header = {.spool_id = spool->id,
		.first_sequence = spool->next_sequence,
		.bookmark = spool->bookmark,
		.lost_samples = spool->lost_samples};
	struct spool_segment segment = {.first_sequence = spool->next_sequence,
		.last_sequence = spool->next_sequence - 1,
		.bytes = SPOOL_HEADER_BYTES};
	uint8_t bytes[SPOOL_HEADER_BYTES];
	char path[SPOOL_PATH_BYTES];
	int fd;

	spool_header_write(bytes, &header);
	spool_segment_path(spool, segment.first_sequence, path);
	fd = spool_publish_file(spool, path, bytes, sizeof(bytes));
	if (fd < 0)
		return file_refused(path, fault);
	if (spool->write_fd >= 0)
		close(spool->write_fd);
	spool->write_fd = fd;
	spool->rotate = false;
	add_segment(spool, &segment);
	return RC_OK;
}

void
spool_segment_remove(struct spool *spool)
{
	struct spool_segment *oldest = &spool->segments[0];
	char path[SPOOL_PATH_BYTES];
	char aside[SPOOL_PATH_BYTES + 16];

	spool_segment_path(spool, oldest->first_sequence, path);
	snprintf(aside, sizeof(aside), "%s.damaged", path);
	if ((oldest->damaged ? rename(path, aside) : unlink(path)) != 0)
		log_error(NULL, "%s: %s", path, strerror(errno));
	spool->count--;
	memmove(spool->segments, spool->segments + 1,
		spool->count * sizeof(*spool->segments));
	spool->read_bytes = SPOOL_HEADER_BYTES;
	spool->read_frames = 0;
	spool->oldest_us = CLOCK_NEVER;
}

void
spool_remove_acknowledged(struct spool *spool)
{
	while (spool->count > 1 &&
		spool->read_bytes >= spool->segments[0].bytes)
		spool_segment_remove(spool);
}

/* Called with the lock. */
uint64_t
spool_used_bytes(const struct spool *spool)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < spool->count; i++)
		bytes += spool->segments[i].bytes;
	return bytes;
}

/* Called with the lock. */
bool
spool_all_acknowledged(const struct spool *spool)
{
	return spool->count == 1 &&
	       spool->read_bytes >= spool->segments[0].bytes;
}

/* --- at the start -------------------------------------------------------- */

/* Whole and of the right CRC; "buffer" has room for the largest. */
static bool
is_whole(int fd, uint64_t offset, size_t total, struct buf *buffer)
{
	struct spool_record record;
	struct fault fault;

	buf_clear(buffer);
	return spool_read_at(fd, buf_reserve(buffer, total), total, offset) &&
	       spool_record_parse(
		       buffer->data, total, &record, &total, &fault) == RC_OK;
}

/* Take the record behind those taken already; false: there is none. */
static bool
take_record(struct spool *spool, int fd, uint64_t file_bytes, struct buf *check,
	struct spool_segment *segment)
{
	uint64_t left = file_bytes - segment->bytes;
	struct spool_record record;
	uint8_t head[SPOOL_RECORD_BYTES];
	size_t total;

	if (left < sizeof(head) ||
		!spool_read_at(fd, head, sizeof(head), segment->bytes) ||
		!spool_record_read(head, &record) ||
		record.length > left - sizeof(head) ||
		record.sequence <= segment->last_sequence)
		return false;
	total = sizeof(head) + record.length;
	if (check != NULL && !is_whole(fd, segment->bytes, total, check))
		return false;
	segment->bytes += total;
	segment->last_sequence = record.sequence;
	segment->frames++;
	spool->bookmark = record.bookmark;
	return true;
}

/*
 * Walk the records of a segment; false when not all of it is records. All CRCs
 * are checked in the newest one only: that is where a crash may have cut; the
 * others are checked when read.
 */
static bool
scan_records(struct spool *spool, int fd, uint64_t file_bytes, bool newest,
	struct spool_segment *segment)
{
	struct buf frame;

	buf_init(&frame, SPOOL_FRAME_BYTES_MAX + SPOOL_RECORD_BYTES);
	while (segment->bytes < file_bytes &&
		take_record(
			spool, fd, file_bytes, newest ? &frame : NULL, segment))
		;
	buf_free(&frame);
	return segment->bytes == file_bytes;
}

static enum rc
cut_torn_record(int fd, const char *path, uint64_t file_bytes,
	const struct spool_segment *segment, struct fault *fault)
{
	log_warn(NULL,
		"%s: the last %" PRIu64
		" bytes are no whole record and are cut off",
		path, file_bytes - segment->bytes);
	if (ftruncate(fd, (off_t)segment->bytes) != 0 || fsync(fd) != 0)
		return file_refused(path, fault);
	return RC_OK;
}

static enum rc
take_header(struct spool *spool, int fd, int64_t first_sequence,
	const char *path, struct fault *fault)
{
	struct spool_header header;
	uint8_t bytes[SPOOL_HEADER_BYTES];

	if (!spool_read_at(fd, bytes, sizeof(bytes), 0) ||
		!spool_header_read(bytes, &header) ||
		header.first_sequence != first_sequence)
		return fault_set(fault, RC_BAD_INPUT,
			"%s: is not a segment of a spool, or damaged", path);
	spool->id = header.spool_id;
	spool->bookmark = header.bookmark;
	spool->lost_samples = header.lost_samples;
	return RC_OK;
}

static enum rc
take_segment(struct spool *spool, int fd, const char *path, bool last,
	struct spool_segment *segment, struct fault *fault)
{
	struct stat info;
	uint64_t file_bytes;
	enum rc rc = RC_OK;

	if (fstat(fd, &info) != 0)
		return file_refused(path, fault);
	file_bytes = (uint64_t)info.st_size;
	rc = take_header(spool, fd, segment->first_sequence, path, fault);
	if (rc == RC_BAD_INPUT && !last) { /* the next one tells as much */
		log_error(NULL, "%s; its records are sent", fault->text);
		rc = RC_OK;
	}
	if (rc != RC_OK || scan_records(spool, fd, file_bytes, last, segment))
		return rc;
	if (last)
		return cut_torn_record(fd, path, file_bytes, segment, fault);
	log_error(NULL, "%s: damaged; what can be read is sent", path);
	segment->damaged = true;
	return RC_OK;
}

static enum rc
open_segment(struct spool *spool, int64_t first_sequence, bool last,
	struct fault *fault)
{
	struct spool_segment segment = {.first_sequence = first_sequence,
		.last_sequence = first_sequence - 1,
		.bytes = SPOOL_HEADER_BYTES};
	char path[SPOOL_PATH_BYTES];
	enum rc rc;
	int fd;

	spool_segment_path(spool, first_sequence, path);
	fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		return file_refused(path, fault);
	rc = take_segment(spool, fd, path, last, &segment, fault);
	if (rc != RC_OK || !last)
		close(fd);
	else
		spool->write_fd = fd;
	if (rc != RC_OK)
		return rc;
	spool->next_sequence = segment.last_sequence + 1;
	add_segment(spool, &segment);
	return RC_OK;
}

static int
compare_sequences(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left;
	int64_t b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

/* First sequences of the segment files, rising. Freed by the caller. */
static enum rc
list_segments(const struct spool *spool, int64_t **sequences, size_t *count,
	struct fault *fault)
{
	DIR *folder = opendir(spool->folder);
	size_t capacity = 0;

	*sequences = NULL;
	*count = 0;
	if (folder == NULL)
		return file_refused(spool->folder, fault);
	for (const struct dirent *entry = readdir(folder); entry != NULL;
		entry = readdir(folder)) {
		const char *name = entry->d_name;
		char *end;
		int64_t sequence = strtoll(name, &end, 10);

		if (end == name || strcmp(end, ".segment") != 0)
			continue;
		if (*count == capacity) {
			capacity = capacity * 2 + 16;
			*sequences = realloc(
				*sequences, capacity * sizeof(**sequences));
			if (*sequences == NULL)
				abort();
		}
		(*sequences)[(*count)++] = sequence;
	}
	closedir(folder);
	if (*count > 0)
		qsort(*sequences, *count, sizeof(**sequences),
			compare_sequences);
	return RC_OK;
}

enum rc
spool_segments_open(struct spool *spool, struct fault *fault)
{
	int64_t *sequences;
	size_t count;
	enum rc rc = list_segments(spool, &sequences, &count, fault);

	for (size_t i = 0; rc == RC_OK && i < count; i++)
		rc = open_segment(spool, sequences[i], i == count - 1, fault);
	free(sequences);
	if (rc == RC_OK)
		spool_remove_acknowledged(spool); /* all of them are damaged */
	return rc;
}
