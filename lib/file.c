/* file: whole small files, read and written, and the steps of doing so. */

#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As large as the file says it is, and one byte more to see that it is no
 * larger; what has no size of its own gets all that is allowed. */
static size_t
room_for(FILE *file, size_t bytes_max)
{
	struct stat info;

	if (fstat(fileno(file), &info) != 0 || !S_ISREG(info.st_mode) ||
		info.st_size <= 0 || (uintmax_t)info.st_size > bytes_max)
		return bytes_max + 1;
	return (size_t)info.st_size + 1;
}

enum rc
file_read(struct arena *arena, const char *path, size_t bytes_max, char **text,
	size_t *bytes, struct fault *fault)
{
	FILE *file = fopen(path, "re");
	size_t length = 0;
	size_t room;
	size_t got;
	bool failed;

	if (file == NULL)
		return fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
	room = room_for(file, bytes_max);
	*text = arena_alloc(arena, room + 1);
	while ((got = fread(*text + length, 1, room - length, file)) > 0)
		length += got;
	/* One that grows meanwhile is not read by half. */
	failed = ferror(file) != 0 || (length == room && room <= bytes_max);
	fclose(file);
	if (failed)
		return fault_set(fault, RC_IO, "%s: cannot be read", path);
	if (length > bytes_max)
		return fault_set(fault, RC_TOO_LARGE,
			"%s: larger than %zu bytes", path, bytes_max);
	(*text)[length] = '\0';
	if (bytes != NULL)
		*bytes = length;
	return RC_OK;
}

bool
file_peek(const char *path, char *text, size_t size)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = -1;

	if (file >= 0) {
		length = read(file, text, size - 1);
		close(file);
	}
	text[length > 0 ? length : 0] = '\0';
	return length >= 0;
}

bool
file_peek_line(const char *path, char *text, size_t size)
{
	bool good = file_peek(path, text, size);

	text[strcspn(text, "\n")] = '\0';
	return good;
}

bool
file_write_all(int file, const void *data, size_t length)
{
	const char *bytes = data;

	while (length > 0) {
		ssize_t written = write(file, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		bytes += written;
		length -= (size_t)written;
	}
	return true;
}

bool
file_sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	bool good;
	int file;

	snprintf(folder, sizeof(folder), "%.*s",
		slash != NULL ? (int)(slash - path) + 1 : 1,
		slash != NULL ? path : ".");
	file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file < 0)
		return false;
	good = fsync(file) == 0;
	return close(file) == 0 && good;
}

enum rc
file_refused(const char *path, struct fault *fault)
{
	bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;

	return fault_set(fault, full ? RC_UNAVAILABLE : RC_IO, "%s: %s", path,
		strerror(errno));
}

static bool
write_new(const char *path, const char *text, mode_t mode)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool good;

	if (file < 0)
		return false;
	good = fchmod(file, mode) == 0 &&
	       file_write_all(file, text, strlen(text)) && fsync(file) == 0;
	return close(file) == 0 && good;
}

enum rc
file_write(const char *path, const char *text, mode_t mode, struct fault *fault)
{
	char fresh[PATH_MAX];
	int length = snprintf(fresh, sizeof(fresh), "%s.new", path);

	if (length < 0 || (size_t)length >= sizeof(fresh))
		return fault_set(fault, RC_IO, "%s: path too long", path);
	if (!write_new(fresh, text, mode) || rename(fresh, path) != 0 ||
		!file_sync_folder(path))
		return fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
	return RC_OK;
}

enum rc
file_append(const char *path, const char *text, struct fault *fault)
{
	int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	bool good;

	if (file < 0)
		return fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
	good = file_write_all(file, text, strlen(text)) && fsync(file) == 0;
	if (close(file) == 0 && good)
		return RC_OK;
	return fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
}
