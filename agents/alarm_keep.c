/* alarm_keep: the state of an agent's alarms, on disk beside its frames. */

#include "agents/alarm_keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/crc32c.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/wire.h"

#define PATH_BYTES      1024
#define STATE_BYTES_MAX ((size_t)256 * 1024 * 1024)

/* "FGALARM1", spool id u64, sequence i64, CRC32C u32 of the 24 bytes before
 * and of the state, length of the state u32; then the state. */
enum keep_offset {
	AT_SPOOL = 8,
	AT_SEQUENCE = 16,
	AT_CRC = 24,
	AT_LENGTH = 28,
};

static const char magic[8] = {'F', 'G', 'A', 'L', 'A', 'R', 'M', '1'};

static void
make_path(const struct alarm_keep *keep, int place, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/alarms.%d", keep->folder, place);
}

static uint32_t
checksum(const uint8_t *head, const void *state, size_t length)
{
	return crc32c(crc32c(0, head, AT_CRC), state, length);
}

enum rc
alarm_keep_parse(const void *data, size_t length, uint64_t *spool_id,
	int64_t *sequence, struct fault *fault)
{
	const uint8_t *head = data;

	if (length < ALARM_KEEP_HEAD_BYTES ||
		memcmp(head, magic, sizeof(magic)) != 0 ||
		wire_u32(head + AT_LENGTH) != length - ALARM_KEEP_HEAD_BYTES ||
		wire_u32(head + AT_CRC) !=
			checksum(head, head + ALARM_KEEP_HEAD_BYTES,
				length - ALARM_KEEP_HEAD_BYTES))
		return fault_set(fault, RC_BAD_INPUT,
			"this is no state of alarms, or it is damaged");
	*spool_id = wire_u64(head + AT_SPOOL);
	*sequence = (int64_t)wire_u64(head + AT_SEQUENCE);
	return RC_OK;
}

/* --- at the start --------------------------------------------------------- */

/* A state that must not count is removed before its number can come up. */
static enum rc
drop(const char *path, const char *why, struct fault *fault)
{
	log_warn(NULL, "%s: %s", path, why);
	if (unlink(path) != 0 && errno != ENOENT)
		return fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
	return RC_OK;
}

static enum rc
look_at(struct alarm_keep *keep, int place, int64_t next_sequence,
	struct buf *state, int64_t *newest, struct fault *fault)
{
	struct arena *arena = arena_new();
	char path[PATH_BYTES];
	uint64_t spool_id;
	int64_t sequence;
	size_t length;
	char *data;
	enum rc rc = RC_OK;

	make_path(keep, place, path);
	if (access(path, F_OK) != 0) {
		arena_free(arena);
		return RC_OK;
	}
	rc = file_read(arena, path, STATE_BYTES_MAX, &data, &length, fault);
	if (rc == RC_OK && alarm_keep_parse(data, length, &spool_id, &sequence,
				   fault) != RC_OK)
		rc = drop(path, fault->text, fault);
	else if (rc == RC_OK && spool_id != keep->spool_id)
		rc = drop(path, "is of another spool", fault);
	else if (rc == RC_OK && sequence >= next_sequence)
		rc = drop(path, "its frame was not stored", fault);
	else if (rc == RC_OK) {
		keep->sequences[place] = sequence;
		if (sequence > *newest) {
			*newest = sequence;
			buf_clear(state);
			buf_add(state, data + ALARM_KEEP_HEAD_BYTES,
				length - ALARM_KEEP_HEAD_BYTES);
		}
	}
	arena_free(arena);
	return rc;
}

enum rc
alarm_keep_open(struct alarm_keep *keep, const char *folder, uint64_t spool_id,
	int64_t next_sequence, struct buf *state, struct fault *fault)
{
	int64_t newest = 0;
	enum rc rc = RC_OK;

	*keep = (struct alarm_keep){.folder = folder, .spool_id = spool_id};
	for (int place = 0; place < 2 && rc == RC_OK; place++)
		rc = look_at(keep, place, next_sequence, state, &newest, fault);
	return rc;
}

/* --- writing -------------------------------------------------------------- */

static bool
write_file(const char *path, const uint8_t *head, const struct buf *state)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool good = fd >= 0 &&
		    file_write_all(fd, head, ALARM_KEEP_HEAD_BYTES) &&
		    file_write_all(fd, state->data, state->length) &&
		    fsync(fd) == 0;
	int why = errno;

	if (fd >= 0)
		close(fd);
	errno = why;
	return good;
}

/* The file that holds this number already, or the older one. */
static int
choose_place(const struct alarm_keep *keep, int64_t sequence)
{
	if (keep->sequences[0] == sequence || keep->sequences[1] == sequence)
		return keep->sequences[0] == sequence ? 0 : 1;
	return keep->sequences[0] <= keep->sequences[1] ? 0 : 1;
}

enum rc
alarm_keep_write(struct alarm_keep *keep, int64_t sequence,
	const struct buf *state, struct fault *fault)
{
	int place = choose_place(keep, sequence);
	uint8_t head[ALARM_KEEP_HEAD_BYTES];
	char fresh[PATH_BYTES];
	char path[PATH_BYTES];

	memcpy(head, magic, sizeof(magic));
	wire_put_u64(head + AT_SPOOL, keep->spool_id);
	wire_put_u64(head + AT_SEQUENCE, (uint64_t)sequence);
	wire_put_u32(head + AT_CRC, checksum(head, state->data, state->length));
	wire_put_u32(head + AT_LENGTH, (uint32_t)state->length);
	make_path(keep, place, path);
	snprintf(fresh, sizeof(fresh), "%s/alarms.new", keep->folder);
	if (!write_file(fresh, head, state) || rename(fresh, path) != 0 ||
		!file_sync_folder(path))
		return file_refused(path, fault);
	keep->sequences[place] = sequence;
	return RC_OK;
}
