/* spool_file: the files of a spool. */

#include "agents/spool_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
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
	if (!file_write_all(fd, data, length) || fsync(fd) != 0 ||
		rename(fresh, path) != 0) {
		int why = errno;

		close(fd);
		unlink(fresh);
		errno = why;
		return -1;
	}
	if (!file_sync_folder(path))
		log_warn(NULL, "%s: %s", spool->folder, strerror(errno));
	return fd;
}
