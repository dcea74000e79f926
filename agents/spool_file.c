/* spool_file: the files of a spool. */

#include "agents/spool_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"

void
spool_path(const struct spool *spool, const char *name,
	char path[SPOOL_PATH_BYTES])
{
	snprintf(path, SPOOL_PATH_BYTES, "%s/%s", spool->folder, name);
}

void
spool_segment_path(const struct spool *spool, int64_t first_sequence,
	char path[SPOOL_PATH_BYTES])
{
	snprintf(path, SPOOL_PATH_BYTES, "%s/" SPOOL_NAME_FORMAT, spool->folder,
		first_sequence);
}

enum rc
spool_io_fault(struct fault *fault, const char *path)
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

bool
spool_write_all(int fd, const void *data, size_t length)
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

bool
spool_read_at(int fd, void *data, size_t length, uint64_t offset)
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
int
spool_publish_file(const struct spool *spool, const char *path,
	const void *data, size_t length)
{
	char fresh[SPOOL_PATH_BYTES];
	int fd;

	spool_path(spool, "new", fresh);
	fd = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (!spool_write_all(fd, data, length) || fsync(fd) != 0 ||
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
