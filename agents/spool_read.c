/* spool_read: frames are read, acknowledged, and squared with the hub. */

#include "agents/spool_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"

/*
 * Give up on the rest of the oldest segment: it cannot be read. Unless the
 * other thread has dropped it in the meantime.
 */
static void
set_damaged_aside(
	struct spool *spool, int64_t first_sequence, const struct fault *fault)
{
	struct spool_segment *oldest = &spool->segments[0];

	if (oldest->first_sequence != first_sequence)
		return;
	log_error(NULL,
		"spool segment " SPOOL_NAME_FORMAT ": %s; it is kept aside",
		oldest->first_sequence, fault->text);
	spool_loss_count_rest(spool);
	if (!spool_loss_save(spool))
		log_error(NULL, "the loss could not be noted on disk");
	oldest->damaged = true;
	spool->read_bytes = oldest->bytes;
	spool->read_frames = oldest->frames;
	spool->rotate = true; /* a header that knows the new total */
	spool_remove_acknowledged(spool);
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
		!spool_read_at(fd, head, sizeof(head), offset) ||
		!spool_record_read(head, record) ||
		record->length > end - offset - sizeof(head))
		return fault_set(
			fault, RC_BAD_INPUT, "a record's head is damaged");
	total = sizeof(head) + record->length;
	buf_clear(scratch);
	if (!spool_read_at(fd, buf_reserve(scratch, total), total, offset))
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

	buf_init(&scratch, SPOOL_FRAME_BYTES_MAX + SPOOL_RECORD_BYTES);
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
 * index: the other thread may drop segments between two calls. False: there is
 * none, or with *rc set it cannot be opened.
 */
static bool
find_part(struct spool *spool, int64_t sequence, struct part *part, enum rc *rc,
	struct fault *fault)
{
	char path[SPOOL_PATH_BYTES];
	size_t i = 0;
	bool found;

	pthread_mutex_lock(&spool->lock);
	while (i < spool->count &&
		(spool->segments[i].last_sequence <= sequence ||
			spool->segments[i].frames == 0))
		i++;
	found = i < spool->count;
	if (found) {
		const struct spool_segment *segment = &spool->segments[i];

		part->first_sequence = segment->first_sequence;
		part->offset = i == 0 ? spool->read_bytes : SPOOL_HEADER_BYTES;
		part->end = segment->bytes;
		part->last = i == spool->count - 1;
		spool_segment_path(spool, segment->first_sequence, path);
		part->fd = open(path, O_RDONLY | O_CLOEXEC);
		if (part->fd < 0)
			*rc = file_refused(path, fault);
	}
	pthread_mutex_unlock(&spool->lock);
	return found && *rc == RC_OK;
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
		find_part(spool, batch->last_sequence, &part, &rc, fault)) {
		rc = read_segment(part.fd, part.offset, part.end, frames_max,
			bytes_max, out, batch, &full, fault);
		close(part.fd);
	}
	if (batch->frames > 0)
		return RC_OK; /* what is damaged behind it comes next time */
	if (part.fd < 0)
		return rc;
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
	const struct spool_segment *oldest = &spool->segments[0];
	char path[SPOOL_PATH_BYTES];
	int fd;

	if (oldest->last_sequence <= sequence) {
		spool->read_bytes = oldest->bytes;
		spool->read_frames = oldest->frames;
		return;
	}
	spool_segment_path(spool, oldest->first_sequence, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while (spool->read_bytes < oldest->bytes) {
		struct spool_record record;
		uint8_t head[SPOOL_RECORD_BYTES];

		if (!spool_read_at(fd, head, sizeof(head), spool->read_bytes) ||
			!spool_record_read(head, &record) ||
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
		spool_remove_acknowledged(spool);
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
	char path[SPOOL_PATH_BYTES];
	int fd;

	if (spool_all_acknowledged(spool))
		return spool->next_sequence;
	spool_segment_path(spool, spool->segments[0].first_sequence, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return spool->segments[0].first_sequence;
	if (!spool_read_at(fd, head, sizeof(head), spool->read_bytes) ||
		!spool_record_read(head, &record))
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
	if (spool_all_acknowledged(spool)) {
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
