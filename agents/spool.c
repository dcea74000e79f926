/* spool: frames on disk until the hub has committed them. */

#include "agents/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/crc32c.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "lib/wire.h"

#define SEGMENT_BYTES_MAX ((uint64_t)1024 * 1024)
#define SEGMENT_BYTES_MIN ((uint64_t)64 * 1024)
#define FRAME_BYTES_LIMIT ((uint32_t)16 * 1024 * 1024)
#define PATH_BYTES        1024
#define NAME_FORMAT       "%019" PRId64 ".segment"

static const char magic[8] = {'F', 'G', 'S', 'P', 'O', 'O', 'L', '1'};

/* The first bytes of a segment file; numbers are little-endian. */
struct header {
	uint64_t spool_id;
	int64_t first_sequence;
	int64_t bookmark;      /* of the record before the first */
	uint64_t lost_samples; /* before this segment */
};

struct segment {
	int64_t first_sequence; /* also the file's name */
	int64_t last_sequence;  /* first - 1 while it is empty */
	uint64_t bytes;         /* header and whole records */
	uint64_t frames;
	bool damaged;
};

struct spool {
	char folder[PATH_BYTES - 64];
	int lock_fd;
	int write_fd; /* of the newest segment; appending thread only */
	uint64_t id;
	uint64_t limit_bytes;
	uint64_t segment_bytes;
	bool rotate; /* begin a new segment before the next record */

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	bool woken;
	struct segment *segments; /* oldest first; the last one is written */
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

/* --- bytes -----------------------------------------------------------------
 */

static void
write_header(uint8_t bytes[SPOOL_HEADER_BYTES], const struct header *header)
{
	memset(bytes, 0, SPOOL_HEADER_BYTES);
	memcpy(bytes, magic, sizeof(magic));
	wire_put_u64(bytes + 8, header->spool_id);
	wire_put_u64(bytes + 16, (uint64_t)header->first_sequence);
	wire_put_u64(bytes + 24, (uint64_t)header->bookmark);
	wire_put_u64(bytes + 32, header->lost_samples);
	wire_put_u32(bytes + 60, crc32c(0, bytes, 60));
}

static bool
read_header(const uint8_t bytes[SPOOL_HEADER_BYTES], struct header *header)
{
	if (memcmp(bytes, magic, sizeof(magic)) != 0 ||
		wire_u32(bytes + 60) != crc32c(0, bytes, 60))
		return false;
	header->spool_id = wire_u64(bytes + 8);
	header->first_sequence = (int64_t)wire_u64(bytes + 16);
	header->bookmark = (int64_t)wire_u64(bytes + 24);
	header->lost_samples = wire_u64(bytes + 32);
	return header->first_sequence > 0;
}

static void
write_record(
	uint8_t bytes[SPOOL_RECORD_BYTES], const struct spool_record *record)
{
	uint32_t crc;

	memset(bytes, 0, SPOOL_RECORD_BYTES);
	wire_put_u32(bytes, record->length);
	wire_put_u32(bytes + 4, record->samples);
	wire_put_u64(bytes + 8, (uint64_t)record->sequence);
	wire_put_u64(bytes + 16, (uint64_t)record->bookmark);
	wire_put_u64(bytes + 24, (uint64_t)record->first_us);
	wire_put_u64(bytes + 32, (uint64_t)record->last_us);
	crc = crc32c(0, bytes, 44);
	wire_put_u32(bytes + 44, crc32c(crc, record->frame, record->length));
}

/* Without the CRC: only what the record says of itself. */
static bool
read_record(const uint8_t *bytes, struct spool_record *record)
{
	record->length = wire_u32(bytes);
	record->samples = wire_u32(bytes + 4);
	record->sequence = (int64_t)wire_u64(bytes + 8);
	record->bookmark = (int64_t)wire_u64(bytes + 16);
	record->first_us = (int64_t)wire_u64(bytes + 24);
	record->last_us = (int64_t)wire_u64(bytes + 32);
	record->frame = NULL;
	return record->length > 0 && record->length <= FRAME_BYTES_LIMIT &&
	       record->sequence > 0;
}

enum rc
spool_record_parse(const void *data, size_t length, struct spool_record *record,
	size_t *total, struct fault *fault)
{
	const uint8_t *bytes = data;
	uint32_t crc;

	if (length < SPOOL_RECORD_BYTES)
		return fault_set(fault, RC_BAD_INPUT,
			"%zu bytes are no whole record", length);
	if (!read_record(bytes, record))
		return fault_set(
			fault, RC_BAD_INPUT, "the record's head is damaged");
	if (record->length > length - SPOOL_RECORD_BYTES)
		return fault_set(fault, RC_BAD_INPUT,
			"the record of sequence %" PRId64 " is cut short",
			record->sequence);
	record->frame = bytes + SPOOL_RECORD_BYTES;
	crc = crc32c(0, bytes, 44);
	crc = crc32c(crc, record->frame, record->length);
	if (crc != wire_u32(bytes + 44))
		return fault_set(fault, RC_BAD_INPUT,
			"the record of sequence %" PRId64 " is damaged",
			record->sequence);
	*total = SPOOL_RECORD_BYTES + record->length;
	return RC_OK;
}

/* --- files -----------------------------------------------------------------
 */

static void
make_path(const struct spool *spool, const char *name, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%s", spool->folder, name);
}

static void
segment_path(const struct spool *spool, int64_t first_sequence,
	char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/" NAME_FORMAT, spool->folder,
		first_sequence);
}

static enum rc
io_fault(struct fault *fault, const char *path)
{
	bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
	enum rc rc = full ? RC_UNAVAILABLE : RC_IO;

	return fault_set(fault, rc, "%s: %s", path, strerror(errno));
}

static void
sync_folder(const struct spool *spool)
{
	int fd = open(spool->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (fsync(fd) != 0)
		log_warn(NULL, "%s: %s", spool->folder, strerror(errno));
	close(fd);
}

static bool
write_all(int fd, const void *data, size_t length)
{
	const char *bytes = data;

	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0) {
			bytes += written;
			length -= (size_t)written;
		}
	}
	return true;
}

static bool
read_at(int fd, void *data, size_t length, uint64_t offset)
{
	char *bytes = data;

	while (length > 0) {
		ssize_t got = pread(fd, bytes, length, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		bytes += got;
		offset += (uint64_t)got;
		length -= (size_t)got;
	}
	return true;
}

/* A file that is there as a whole or not at all. Returns it open, or -1. */
static int
publish_file(const struct spool *spool, const char *path, const void *data,
	size_t length)
{
	char fresh[PATH_BYTES];
	int fd;

	make_path(spool, "new", fresh);
	fd = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (!write_all(fd, data, length) || fsync(fd) != 0 ||
		rename(fresh, path) != 0) {
		int why = errno;

		close(fd);
		unlink(fresh);
		errno = why;
		return -1;
	}
	sync_folder(spool);
	return fd;
}

/* --- segments --------------------------------------------------------------
 */

static void
add_segment(struct spool *spool, const struct segment *segment)
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

static struct segment *
newest(const struct spool *spool)
{
	return &spool->segments[spool->count - 1];
}

/* Also used for the first one. Called with the lock, or before threads. */
static enum rc
begin_segment(struct spool *spool, struct fault *fault)
{
	struct header header = {.spool_id = spool->id,
		.first_sequence = spool->next_sequence,
		.bookmark = spool->bookmark,
		.lost_samples = spool->lost_samples};
	struct segment segment = {.first_sequence = spool->next_sequence,
		.last_sequence = spool->next_sequence - 1,
		.bytes = SPOOL_HEADER_BYTES};
	uint8_t bytes[SPOOL_HEADER_BYTES];
	char path[PATH_BYTES];
	int fd;

	write_header(bytes, &header);
	segment_path(spool, segment.first_sequence, path);
	fd = publish_file(spool, path, bytes, sizeof(bytes));
	if (fd < 0)
		return io_fault(fault, path);
	if (spool->write_fd >= 0)
		close(spool->write_fd);
	spool->write_fd = fd;
	spool->rotate = false;
	add_segment(spool, &segment);
	return RC_OK;
}

static void
remove_oldest(struct spool *spool)
{
	struct segment *oldest = &spool->segments[0];
	char path[PATH_BYTES];
	char aside[PATH_BYTES + 16];

	segment_path(spool, oldest->first_sequence, path);
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

static void
remove_acknowledged(struct spool *spool)
{
	while (spool->count > 1 &&
		spool->read_bytes >= spool->segments[0].bytes)
		remove_oldest(spool);
}

/* --- start -----------------------------------------------------------------
 */

/*
 * Walk the records of a segment. All CRCs are checked in the newest one only:
 * that is where a crash may have cut; the others are checked when read.
 */
static enum rc
scan_records(struct spool *spool, int fd, uint64_t file_bytes, bool check,
	struct segment *segment)
{
	struct buf frame;
	enum rc rc = RC_OK;

	buf_init(&frame, FRAME_BYTES_LIMIT + SPOOL_RECORD_BYTES);
	while (rc == RC_OK && segment->bytes < file_bytes) {
		struct spool_record record;
		struct fault fault;
		uint8_t head[SPOOL_RECORD_BYTES];
		uint64_t left = file_bytes - segment->bytes;
		size_t total;

		rc = RC_BAD_INPUT;
		if (left < sizeof(head) ||
			!read_at(fd, head, sizeof(head), segment->bytes) ||
			!read_record(head, &record) ||
			record.length > left - sizeof(head) ||
			record.sequence <= segment->last_sequence)
			break;
		total = sizeof(head) + record.length;
		if (check) {
			buf_clear(&frame);
			if (!read_at(fd, buf_reserve(&frame, total), total,
				    segment->bytes) ||
				spool_record_parse(frame.data, total, &record,
					&total, &fault) != RC_OK)
				break;
		}
		segment->bytes += total;
		segment->last_sequence = record.sequence;
		segment->frames++;
		spool->bookmark = record.bookmark;
		rc = RC_OK;
	}
	buf_free(&frame);
	return rc;
}

static enum rc
cut_torn_record(int fd, const char *path, uint64_t file_bytes,
	const struct segment *segment, struct fault *fault)
{
	log_warn(NULL,
		"%s: the last %" PRIu64
		" bytes are no whole record and are cut off",
		path, file_bytes - segment->bytes);
	if (ftruncate(fd, (off_t)segment->bytes) != 0 || fsync(fd) != 0)
		return io_fault(fault, path);
	return RC_OK;
}

static enum rc
open_segment(struct spool *spool, int64_t first_sequence, bool last,
	struct fault *fault)
{
	struct segment segment = {.first_sequence = first_sequence,
		.last_sequence = first_sequence - 1,
		.bytes = SPOOL_HEADER_BYTES};
	struct header header;
	uint8_t bytes[SPOOL_HEADER_BYTES];
	char path[PATH_BYTES];
	struct stat info;
	enum rc rc;
	int fd;

	segment_path(spool, first_sequence, path);
	fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &info) != 0)
		return io_fault(fault, path);
	if (!read_at(fd, bytes, sizeof(bytes), 0) ||
		!read_header(bytes, &header) ||
		header.first_sequence != first_sequence) {
		close(fd);
		return fault_set(fault, RC_BAD_INPUT,
			"%s: is not a segment of a spool, or damaged", path);
	}
	spool->id = header.spool_id;
	spool->bookmark = header.bookmark;
	spool->lost_samples = header.lost_samples;
	rc = scan_records(spool, fd, (uint64_t)info.st_size, last, &segment);
	if (rc != RC_OK && last)
		rc = cut_torn_record(
			fd, path, (uint64_t)info.st_size, &segment, fault);
	else if (rc != RC_OK) {
		log_error(NULL, "%s: damaged; what can be read is sent", path);
		segment.damaged = true;
		rc = RC_OK;
	}
	spool->next_sequence = segment.last_sequence + 1;
	add_segment(spool, &segment);
	if (last)
		spool->write_fd = fd;
	else
		close(fd);
	return rc;
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
		return io_fault(fault, spool->folder);
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

static enum rc
open_segments(struct spool *spool, struct fault *fault)
{
	int64_t *sequences;
	size_t count;
	enum rc rc = list_segments(spool, &sequences, &count, fault);

	for (size_t i = 0; rc == RC_OK && i < count; i++)
		rc = open_segment(spool, sequences[i], i == count - 1, fault);
	free(sequences);
	return rc;
}

static void
load_loss(struct spool *spool)
{
	char path[PATH_BYTES];
	FILE *file;
	struct spool_loss loss;
	uint64_t total;

	make_path(spool, "loss", path);
	file = fopen(path, "re");
	if (file == NULL)
		return;
	if (fscanf(file,
		    "%" SCNu64 " %" SCNu64 " %" SCNd64 " %" SCNd64 " %" SCNu64,
		    &loss.frames, &loss.samples, &loss.first_us, &loss.last_us,
		    &total) == 5) {
		spool->loss = loss;
		spool->lost_samples = total;
	}
	fclose(file);
}

static enum rc
lock_folder(struct spool *spool, struct fault *fault)
{
	char path[PATH_BYTES];

	if (mkdir(spool->folder, 0700) != 0 && errno != EEXIST)
		return io_fault(fault, spool->folder);
	make_path(spool, "lock", path);
	spool->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (spool->lock_fd < 0)
		return io_fault(fault, path);
	if (flock(spool->lock_fd, LOCK_EX | LOCK_NB) != 0)
		return fault_set(fault, RC_CONFLICT,
			"%s: another agent uses this spool", spool->folder);
	return RC_OK;
}

static struct spool *
new_spool(const char *folder, uint64_t limit_bytes)
{
	struct spool *spool = calloc(1, sizeof(*spool));
	pthread_condattr_t steady;

	if (spool == NULL)
		abort();
	snprintf(spool->folder, sizeof(spool->folder), "%s", folder);
	spool->lock_fd = spool->write_fd = -1;
	spool->limit_bytes = limit_bytes;
	spool->segment_bytes = limit_bytes / 16;
	if (spool->segment_bytes > SEGMENT_BYTES_MAX)
		spool->segment_bytes = SEGMENT_BYTES_MAX;
	if (spool->segment_bytes < SEGMENT_BYTES_MIN)
		spool->segment_bytes = SEGMENT_BYTES_MIN;
	spool->bookmark = SPOOL_NO_BOOKMARK;
	spool->read_bytes = SPOOL_HEADER_BYTES;
	spool->oldest_us = CLOCK_NEVER;
	secret_random(&spool->id, sizeof(spool->id));
	pthread_mutex_init(&spool->lock, NULL);
	pthread_condattr_init(&steady);
	pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
	pthread_cond_init(&spool->changed, &steady);
	pthread_condattr_destroy(&steady);
	return spool;
}

enum rc
spool_open(const char *folder, uint64_t limit_bytes, struct spool **result,
	struct fault *fault)
{
	struct spool *spool = new_spool(folder, limit_bytes);
	enum rc rc = lock_folder(spool, fault);

	if (rc == RC_OK)
		rc = open_segments(spool, fault);
	if (rc != RC_OK) {
		spool_close(spool);
		return rc;
	}
	load_loss(spool);
	*result = spool;
	return RC_OK;
}

void
spool_close(struct spool *spool)
{
	if (spool == NULL)
		return;
	if (spool->write_fd >= 0)
		close(spool->write_fd);
	if (spool->lock_fd >= 0)
		close(spool->lock_fd);
	pthread_mutex_destroy(&spool->lock);
	pthread_cond_destroy(&spool->changed);
	free(spool->segments);
	free(spool);
}

bool
spool_is_new(const struct spool *spool)
{
	return spool->count == 0;
}

enum rc
spool_begin(struct spool *spool, int64_t first_sequence, struct fault *fault)
{
	enum rc rc;

	pthread_mutex_lock(&spool->lock);
	spool->next_sequence = first_sequence;
	rc = begin_segment(spool, fault);
	pthread_mutex_unlock(&spool->lock);
	return rc;
}

uint64_t
spool_id(const struct spool *spool)
{
	return spool->id;
}

int64_t
spool_next_sequence(struct spool *spool)
{
	int64_t sequence;

	pthread_mutex_lock(&spool->lock);
	sequence = spool->next_sequence;
	pthread_mutex_unlock(&spool->lock);
	return sequence;
}

int64_t
spool_bookmark(const struct spool *spool)
{
	return spool->bookmark;
}

/* --- append ----------------------------------------------------------------
 */

/* Called with the lock. */
static uint64_t
used_bytes(const struct spool *spool)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < spool->count; i++)
		bytes += spool->segments[i].bytes;
	return bytes;
}

/* Called with the lock. */
static bool
all_acknowledged(const struct spool *spool)
{
	return spool->count == 1 &&
	       spool->read_bytes >= spool->segments[0].bytes;
}

static enum rc
make_ready(struct spool *spool, int64_t sequence, uint64_t total,
	struct fault *fault)
{
	enum rc rc = RC_OK;

	pthread_mutex_lock(&spool->lock);
	if (sequence != spool->next_sequence)
		rc = fault_set(fault, RC_RETRY,
			"sequence %" PRId64 " is not the next one", sequence);
	else if (!all_acknowledged(spool) &&
		 used_bytes(spool) + total > spool->limit_bytes)
		rc = fault_set(fault, RC_UNAVAILABLE,
			"the spool is full: %" PRIu64 " of %" PRIu64 " bytes",
			used_bytes(spool), spool->limit_bytes);
	else if (newest(spool)->frames > 0 &&
		 (spool->rotate ||
			 newest(spool)->bytes + total > spool->segment_bytes))
		rc = begin_segment(spool, fault);
	if (rc == RC_OK)
		remove_acknowledged(spool);
	pthread_mutex_unlock(&spool->lock);
	return rc;
}

static void
publish(struct spool *spool, const struct spool_record *record, uint64_t total)
{
	struct segment *segment;

	pthread_mutex_lock(&spool->lock);
	segment = newest(spool);
	segment->bytes += total;
	segment->frames++;
	segment->last_sequence = record->sequence;
	spool->next_sequence = record->sequence + 1;
	spool->bookmark = record->bookmark;
	pthread_cond_signal(&spool->changed);
	pthread_mutex_unlock(&spool->lock);
}

/* Only this thread changes the newest segment's length. */
static enum rc
take_back(struct spool *spool, struct fault *fault)
{
	char path[PATH_BYTES];
	enum rc rc;

	segment_path(spool, newest(spool)->first_sequence, path);
	rc = io_fault(fault, path);
	if (ftruncate(spool->write_fd, (off_t)newest(spool)->bytes) != 0)
		log_error(NULL, "%s: %s", path, strerror(errno));
	lseek(spool->write_fd, 0, SEEK_END);
	return rc;
}

enum rc
spool_append(struct spool *spool, const struct spool_record *record,
	struct fault *fault)
{
	uint64_t total = (uint64_t)SPOOL_RECORD_BYTES + record->length;
	uint8_t head[SPOOL_RECORD_BYTES];
	enum rc rc = make_ready(spool, record->sequence, total, fault);

	if (rc != RC_OK)
		return rc;
	write_record(head, record);
	if (!write_all(spool->write_fd, head, sizeof(head)) ||
		!write_all(spool->write_fd, record->frame, record->length) ||
		fdatasync(spool->write_fd) != 0)
		return take_back(spool, fault);
	publish(spool, record, total);
	return RC_OK;
}

/* --- loss ------------------------------------------------------------------
 */

static bool
save_loss(const struct spool *spool)
{
	char path[PATH_BYTES];
	char text[128];
	int length = snprintf(text, sizeof(text),
		"%" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 " %" PRIu64 "\n",
		spool->loss.frames, spool->loss.samples, spool->loss.first_us,
		spool->loss.last_us, spool->lost_samples);
	int fd;

	make_path(spool, "loss", path);
	fd = publish_file(spool, path, text, (size_t)length);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static void
count_loss(struct spool *spool, const struct spool_record *record)
{
	struct spool_loss *loss = &spool->loss;

	if (loss->frames == 0 || record->first_us < loss->first_us)
		loss->first_us = record->first_us;
	if (loss->frames == 0 || record->last_us > loss->last_us)
		loss->last_us = record->last_us;
	loss->frames++;
	loss->samples += record->samples;
	spool->lost_samples += record->samples;
}

/* Everything of the oldest segment that the hub has not acknowledged. */
static void
count_rest_as_lost(struct spool *spool)
{
	const struct segment *oldest = &spool->segments[0];
	uint64_t offset = spool->read_bytes;
	char path[PATH_BYTES];
	int fd;

	segment_path(spool, oldest->first_sequence, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while (offset < oldest->bytes) {
		struct spool_record record;
		uint8_t head[SPOOL_RECORD_BYTES];

		if (!read_at(fd, head, sizeof(head), offset) ||
			!read_record(head, &record))
			break;
		count_loss(spool, &record);
		offset += sizeof(head) + record.length;
	}
	close(fd);
}

enum rc
spool_drop_oldest(struct spool *spool, struct fault *fault)
{
	enum rc rc = RC_OK;

	pthread_mutex_lock(&spool->lock);
	if (all_acknowledged(spool))
		rc = fault_set(
			fault, RC_NOT_FOUND, "the spool holds nothing to drop");
	else if (spool->count == 1)
		rc = begin_segment(spool, fault);
	if (rc == RC_OK) {
		bool saved;

		count_rest_as_lost(spool);
		saved = save_loss(spool);
		remove_oldest(spool);
		if (!saved && !save_loss(spool))
			log_error(NULL, "the loss could not be noted on disk");
		spool->rotate = true; /* a header that knows the new total */
	}
	pthread_mutex_unlock(&spool->lock);
	return rc;
}

bool
spool_lost(struct spool *spool, struct spool_loss *loss)
{
	pthread_mutex_lock(&spool->lock);
	*loss = spool->loss;
	pthread_mutex_unlock(&spool->lock);
	return loss->frames > 0;
}

void
spool_told(struct spool *spool, const struct spool_loss *told)
{
	char path[PATH_BYTES];

	make_path(spool, "loss", path);
	pthread_mutex_lock(&spool->lock);
	spool->loss.frames -= told->frames;
	spool->loss.samples -= told->samples;
	if (spool->loss.frames > 0)
		spool->rotate = !save_loss(spool) || spool->rotate;
	else if (unlink(path) != 0 && errno != ENOENT)
		log_error(NULL, "%s: %s", path, strerror(errno));
	pthread_mutex_unlock(&spool->lock);
}

/* --- read ------------------------------------------------------------------
 */

/*
 * Give up on the rest of the oldest segment: it cannot be read. Unless the
 * other thread has dropped it in the meantime.
 */
static void
set_damaged_aside(
	struct spool *spool, int64_t first_sequence, const struct fault *fault)
{
	struct segment *oldest = &spool->segments[0];

	if (oldest->first_sequence != first_sequence)
		return;
	log_error(NULL, "spool segment " NAME_FORMAT ": %s; it is kept aside",
		oldest->first_sequence, fault->text);
	count_rest_as_lost(spool);
	if (!save_loss(spool))
		log_error(NULL, "the loss could not be noted on disk");
	oldest->damaged = true;
	spool->read_bytes = oldest->bytes;
	spool->read_frames = oldest->frames;
	if (spool->count == 1)
		spool->rotate = true;
	remove_acknowledged(spool);
}

static bool
batch_has_room(const struct spool_batch *batch, size_t frames_max,
	size_t bytes_max, const struct buf *out, uint64_t more)
{
	return batch->frames == 0 ||
	       (batch->frames < frames_max && out->length + more <= bytes_max);
}

/* Reads one record into the end of "out"; takes its head off again. */
static enum rc
read_frame(int fd, uint64_t offset, uint64_t end, struct buf *scratch,
	struct spool_record *record, struct fault *fault)
{
	uint8_t head[SPOOL_RECORD_BYTES];
	size_t total;

	if (end - offset < sizeof(head) ||
		!read_at(fd, head, sizeof(head), offset) ||
		!read_record(head, record) ||
		record->length > end - offset - sizeof(head))
		return fault_set(
			fault, RC_BAD_INPUT, "a record's head is damaged");
	total = sizeof(head) + record->length;
	buf_clear(scratch);
	if (!read_at(fd, buf_reserve(scratch, total), total, offset))
		return fault_set(fault, RC_BAD_INPUT, "%s", strerror(errno));
	return spool_record_parse(scratch->data, total, record, &total, fault);
}

/* The frames of one segment from "offset" on; *full says to stop. */
static enum rc
read_segment(int fd, uint64_t offset, uint64_t end, size_t frames_max,
	size_t bytes_max, struct buf *out, struct spool_batch *batch,
	bool *full, struct fault *fault)
{
	struct buf scratch;
	enum rc rc = RC_OK;

	buf_init(&scratch, FRAME_BYTES_LIMIT + SPOOL_RECORD_BYTES);
	while (rc == RC_OK && offset < end) {
		struct spool_record record = {0};

		rc = read_frame(fd, offset, end, &scratch, &record, fault);
		if (rc != RC_OK)
			break;
		if (!batch_has_room(
			    batch, frames_max, bytes_max, out, record.length)) {
			*full = true;
			break;
		}
		buf_add(out, record.frame, record.length);
		if (batch->frames++ == 0)
			batch->first_sequence = record.sequence;
		batch->last_sequence = record.sequence;
		offset += SPOOL_RECORD_BYTES + record.length;
	}
	buf_free(&scratch);
	return rc;
}

/* A stretch of one segment. */
struct part {
	int64_t first_sequence; /* of the segment */
	uint64_t offset;
	uint64_t end;
	bool last; /* there was no segment behind it */
	int fd;
};

/*
 * Open the first segment with records behind "sequence". By sequence, not by
 * index: the other thread may drop segments between two calls.
 */
static bool
find_part(struct spool *spool, int64_t sequence, struct part *part)
{
	char path[PATH_BYTES];
	size_t i = 0;
	bool found;

	pthread_mutex_lock(&spool->lock);
	while (i < spool->count && spool->segments[i].last_sequence <= sequence)
		i++;
	found = i < spool->count;
	if (found) {
		const struct segment *segment = &spool->segments[i];

		part->first_sequence = segment->first_sequence;
		part->offset = i == 0 ? spool->read_bytes : SPOOL_HEADER_BYTES;
		part->end = segment->bytes;
		part->last = i == spool->count - 1;
		segment_path(spool, segment->first_sequence, path);
		part->fd = open(path, O_RDONLY | O_CLOEXEC);
		found = part->fd >= 0;
		if (!found)
			log_error(NULL, "%s: %s", path, strerror(errno));
	}
	pthread_mutex_unlock(&spool->lock);
	return found;
}

enum rc
spool_read(struct spool *spool, size_t frames_max, size_t bytes_max,
	struct buf *out, struct spool_batch *batch, struct fault *fault)
{
	struct part part = {0};
	bool full = false;
	enum rc rc = RC_OK;

	memset(batch, 0, sizeof(*batch));
	while (rc == RC_OK && !full && !part.last &&
		find_part(spool, batch->last_sequence, &part)) {
		rc = read_segment(part.fd, part.offset, part.end, frames_max,
			bytes_max, out, batch, &full, fault);
		close(part.fd);
	}
	if (batch->frames > 0)
		return RC_OK; /* what is damaged behind it comes next time */
	if (rc != RC_OK) {
		pthread_mutex_lock(&spool->lock);
		set_damaged_aside(spool, part.first_sequence, fault);
		pthread_mutex_unlock(&spool->lock);
	}
	return fault_set(fault, RC_NOT_FOUND, "nothing waits in the spool");
}

/* Move over the acknowledged records at the start of the oldest segment. */
static void
advance(struct spool *spool, int64_t sequence)
{
	const struct segment *oldest = &spool->segments[0];
	char path[PATH_BYTES];
	int fd;

	if (oldest->last_sequence <= sequence) {
		spool->read_bytes = oldest->bytes;
		spool->read_frames = oldest->frames;
		return;
	}
	segment_path(spool, oldest->first_sequence, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while (spool->read_bytes < oldest->bytes) {
		struct spool_record record;
		uint8_t head[SPOOL_RECORD_BYTES];

		if (!read_at(fd, head, sizeof(head), spool->read_bytes) ||
			!read_record(head, &record) ||
			record.sequence > sequence)
			break;
		spool->read_bytes += sizeof(head) + record.length;
		spool->read_frames++;
	}
	close(fd);
}

void
spool_acknowledge(struct spool *spool, int64_t sequence)
{
	pthread_mutex_lock(&spool->lock);
	spool->oldest_us = CLOCK_NEVER;
	while (spool->count > 0) {
		size_t count = spool->count;

		advance(spool, sequence);
		remove_acknowledged(spool);
		if (spool->count == count)
			break;
	}
	pthread_mutex_unlock(&spool->lock);
}

/* The lowest number that waits; called with the lock. */
static int64_t
first_waiting(const struct spool *spool)
{
	struct spool_record record = {.sequence = spool->next_sequence};
	uint8_t head[SPOOL_RECORD_BYTES];
	char path[PATH_BYTES];
	int fd;

	if (all_acknowledged(spool))
		return spool->next_sequence;
	segment_path(spool, spool->segments[0].first_sequence, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return spool->segments[0].first_sequence;
	if (!read_at(fd, head, sizeof(head), spool->read_bytes) ||
		!read_record(head, &record))
		record.sequence = spool->segments[0].first_sequence;
	close(fd);
	return record.sequence;
}

enum rc
spool_resume(struct spool *spool, int64_t hub_sequence, uint64_t hub_spool,
	struct fault *fault)
{
	bool ours = hub_spool == spool->id;
	enum rc rc = RC_OK;

	if (ours && hub_sequence < spool_next_sequence(spool))
		spool_acknowledge(spool, hub_sequence);
	pthread_mutex_lock(&spool->lock);
	if (all_acknowledged(spool)) {
		if (hub_sequence >= spool->next_sequence)
			spool->next_sequence = hub_sequence + 1;
	} else if (hub_sequence >= first_waiting(spool)) {
		rc = fault_tell(fault, RC_CONFLICT, "SequenceConflict", NULL,
			"the hub has frames up to %" PRId64
			" from %s, but frame %" PRId64
			" still waits in %.80s; move that folder away to begin "
			"a new spool",
			hub_sequence,
			ours ? "a later state of this spool" : "another spool",
			first_waiting(spool), spool->folder);
	}
	pthread_mutex_unlock(&spool->lock);
	return rc;
}

/* --- waiting and status ----------------------------------------------------
 */

void
spool_wait(struct spool *spool, int64_t timeout_us)
{
	int64_t until_us = clock_steady_us() + timeout_us;
	struct timespec until = {.tv_sec = (time_t)(until_us / CLOCK_SECOND_US),
		.tv_nsec = (long)(until_us % CLOCK_SECOND_US) * 1000};

	pthread_mutex_lock(&spool->lock);
	while (!spool->woken && (spool->count == 0 || all_acknowledged(spool)))
		if (pthread_cond_timedwait(
			    &spool->changed, &spool->lock, &until) != 0)
			break;
	spool->woken = false;
	pthread_mutex_unlock(&spool->lock);
}

void
spool_wake(struct spool *spool)
{
	pthread_mutex_lock(&spool->lock);
	spool->woken = true;
	pthread_cond_signal(&spool->changed);
	pthread_mutex_unlock(&spool->lock);
}

/* Called with the lock. Remembered, because every beat asks. */
static int64_t
find_oldest(struct spool *spool)
{
	struct spool_record record;
	uint8_t head[SPOOL_RECORD_BYTES];
	char path[PATH_BYTES];
	int fd;

	if (spool->count == 0 || all_acknowledged(spool))
		return CLOCK_NEVER;
	if (spool->oldest_us != CLOCK_NEVER)
		return spool->oldest_us;
	segment_path(spool, spool->segments[0].first_sequence, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return CLOCK_NEVER;
	if (read_at(fd, head, sizeof(head), spool->read_bytes) &&
		read_record(head, &record))
		spool->oldest_us = record.first_us;
	close(fd);
	return spool->oldest_us;
}

void
spool_status(struct spool *spool, struct spool_status *status)
{
	memset(status, 0, sizeof(*status));
	pthread_mutex_lock(&spool->lock);
	for (size_t i = 0; i < spool->count; i++)
		status->frames += spool->segments[i].frames;
	status->frames -= spool->read_frames;
	status->bytes = used_bytes(spool);
	status->oldest_us = find_oldest(spool);
	status->lost_samples = spool->lost_samples;
	pthread_mutex_unlock(&spool->lock);
}
