/* spool: frames on disk until the hub has committed them. */

#include "agents/spool_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/secret.h"

#define SEGMENT_BYTES_MAX ((uint64_t)1024 * 1024)
#define SEGMENT_BYTES_MIN ((uint64_t)64 * 1024)

static enum rc
lock_folder(struct spool *spool, struct fault *fault)
{
	char path[SPOOL_PATH_BYTES];

	if (mkdir(spool->folder, 0700) != 0 && errno != EEXIST)
		return file_refused(spool->folder, fault);
	spool_path(spool, "lock", path);
	spool->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (spool->lock_fd < 0)
		return file_refused(path, fault);
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
		rc = spool_segments_open(spool, fault);
	if (rc != RC_OK) {
		spool_close(spool);
		return rc;
	}
	spool_loss_load(spool);
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
	rc = spool_segment_begin(spool, fault);
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

/* --- append -------------------------------------------------------------- */

static enum rc
make_ready(struct spool *spool, int64_t sequence, uint64_t total,
	struct fault *fault)
{
	enum rc rc = RC_OK;

	pthread_mutex_lock(&spool->lock);
	if (sequence != spool->next_sequence)
		rc = fault_set(fault, RC_RETRY,
			"sequence %" PRId64 " is not the next one", sequence);
	else if (!spool_all_acknowledged(spool) &&
		 spool_used_bytes(spool) + total > spool->limit_bytes)
		rc = fault_set(fault, RC_UNAVAILABLE,
			"the spool is full: %" PRIu64 " of %" PRIu64 " bytes",
			spool_used_bytes(spool), spool->limit_bytes);
	else if (spool_newest(spool)->frames > 0 &&
		 (spool->rotate || spool_newest(spool)->bytes + total >
					   spool->segment_bytes))
		rc = spool_segment_begin(spool, fault);
	if (rc == RC_OK)
		spool_remove_acknowledged(spool);
	pthread_mutex_unlock(&spool->lock);
	return rc;
}

static void
publish(struct spool *spool, const struct spool_record *record, uint64_t total)
{
	struct spool_segment *segment;

	pthread_mutex_lock(&spool->lock);
	segment = spool_newest(spool);
	segment->bytes += total;
	segment->frames++;
	segment->last_sequence = record->sequence;
	spool->next_sequence = record->sequence + 1;
	spool->bookmark = record->bookmark;
	pthread_cond_signal(&spool->changed);
	pthread_mutex_unlock(&spool->lock);
}

/* Only this thread changes the spool_newest segment's length. */
static enum rc
take_back(struct spool *spool, struct fault *fault)
{
	char path[SPOOL_PATH_BYTES];
	enum rc rc;

	spool_segment_path(spool, spool_newest(spool)->first_sequence, path);
	rc = file_refused(path, fault);
	if (ftruncate(spool->write_fd, (off_t)spool_newest(spool)->bytes) != 0)
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
	spool_record_write(head, record);
	if (!file_write_all(spool->write_fd, head, sizeof(head)) ||
		!file_write_all(
			spool->write_fd, record->frame, record->length) ||
		fdatasync(spool->write_fd) != 0)
		return take_back(spool, fault);
	publish(spool, record, total);
	return RC_OK;
}

/* --- waiting and status -------------------------------------------------- */

void
spool_wait(struct spool *spool, int64_t timeout_us)
{
	int64_t until_us = clock_steady_us() + timeout_us;
	struct timespec until = {.tv_sec = (time_t)(until_us / CLOCK_SECOND_US),
		.tv_nsec = (long)(until_us % CLOCK_SECOND_US) * 1000};

	pthread_mutex_lock(&spool->lock);
	while (!spool->woken &&
		(spool->count == 0 || spool_all_acknowledged(spool)))
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
	char path[SPOOL_PATH_BYTES];
	int fd;

	if (spool->count == 0 || spool_all_acknowledged(spool))
		return CLOCK_NEVER;
	if (spool->oldest_us != CLOCK_NEVER)
		return spool->oldest_us;
	spool_segment_path(spool, spool->segments[0].first_sequence, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return CLOCK_NEVER;
	if (spool_read_at(fd, head, sizeof(head), spool->read_bytes) &&
		spool_record_read(head, &record))
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
	status->bytes = spool_used_bytes(spool);
	status->oldest_us = find_oldest(spool);
	status->lost_samples = spool->lost_samples;
	pthread_mutex_unlock(&spool->lock);
}
