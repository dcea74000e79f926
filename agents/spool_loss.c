/* spool_loss: what a full or damaged spool gave up, until it is told. */

#include "agents/spool_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"

void
spool_loss_load(struct spool *spool)
{
	char path[SPOOL_PATH_BYTES];
	FILE *file;
	struct spool_loss loss;
	uint64_t total;

	spool_path(spool, "loss", path);
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

bool
spool_loss_save(const struct spool *spool)
{
	char path[SPOOL_PATH_BYTES];
	char text[128];
	int length = snprintf(text, sizeof(text),
		"%" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 " %" PRIu64 "\n",
		spool->loss.frames, spool->loss.samples, spool->loss.first_us,
		spool->loss.last_us, spool->lost_samples);
	int fd;

	spool_path(spool, "loss", path);
	fd = spool_publish_file(spool, path, text, (size_t)length);
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
void
spool_loss_count_rest(struct spool *spool)
{
	const struct spool_segment *oldest = &spool->segments[0];
	uint64_t offset = spool->read_bytes;
	char path[SPOOL_PATH_BYTES];
	int fd;

	spool_segment_path(spool, oldest->first_sequence, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while (offset < oldest->bytes) {
		struct spool_record record;
		uint8_t head[SPOOL_RECORD_BYTES];

		if (!spool_read_at(fd, head, sizeof(head), offset) ||
			!spool_record_read(head, &record))
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
	if (spool_all_acknowledged(spool))
		rc = fault_set(
			fault, RC_NOT_FOUND, "the spool holds nothing to drop");
	else if (spool->count == 1)
		rc = spool_segment_begin(spool, fault);
	if (rc == RC_OK) {
		bool saved;

		spool_loss_count_rest(spool);
		saved = spool_loss_save(spool);
		spool_segment_remove(spool);
		spool_remove_acknowledged(spool);
		if (!saved && !spool_loss_save(spool))
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
	char path[SPOOL_PATH_BYTES];

	spool_path(spool, "loss", path);
	pthread_mutex_lock(&spool->lock);
	spool->loss.frames -= told->frames;
	spool->loss.samples -= told->samples;
	if (spool->loss.frames > 0)
		spool->rotate = !spool_loss_save(spool) || spool->rotate;
	else if (unlink(path) != 0 && errno != ENOENT)
		log_error(NULL, "%s: %s", path, strerror(errno));
	pthread_mutex_unlock(&spool->lock);
}
