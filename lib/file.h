/* file: whole small files, read and written, and the steps of doing so. */
#ifndef FG_LIB_FILE_H
#define FG_LIB_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/arena.h"
#include "lib/fault.h"

/*
 * Read "path" into "arena", with a zero byte behind it; "bytes" may be NULL.
 * Fails: RC_IO it cannot be read; RC_TOO_LARGE more than bytes_max.
 */
MUST_CHECK enum rc file_read(struct arena *arena, const char *path,
	size_t bytes_max, char **text, size_t *bytes, struct fault *fault);

/* What a small file begins with, as text, got by one read: what is below /proc
 * and /sys is of one moment then. False: it cannot be read, "text" is empty. */
bool file_peek(const char *path, char *text, size_t size);
/* The same up to the end of its first line. */
bool file_peek_line(const char *path, char *text, size_t size);

/*
 * Make "path" hold "text": written beside it, synced and renamed, so that a
 * reader, and whoever starts after a power cut, sees the old text or the new
 * one. "mode" is exact.
 * Fails: RC_IO.
 */
MUST_CHECK enum rc file_write(
	const char *path, const char *text, mode_t mode, struct fault *fault);

/*
 * Add "text" at the end of "path", made with mode 0640 when it is not there,
 * and sync it; what is there is never touched. Fails: RC_IO.
 */
MUST_CHECK enum rc file_append(
	const char *path, const char *text, struct fault *fault);

/* Write all of it, in as many parts as it takes. False: errno says why. */
bool file_write_all(int file, const void *data, size_t length);

/* Make names that were made or changed in the folder of "path" stay so
 * through a power cut. False: errno says why. */
bool file_sync_folder(const char *path);

/* What errno says of "path": RC_UNAVAILABLE when there is no room, else
 * RC_IO. */
enum rc file_refused(const char *path, struct fault *fault);

#endif
