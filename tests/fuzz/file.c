/* fuzz/file: the input as a file, for what reads files by their path. */

#include "tests/fuzz/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/fieldgrid-fuzz-XXXXXX";
static char path[sizeof(folder) + 64];

static void
leave(void)
{
	unlink(path);
	rmdir(folder);
}

const char *
fuzz_folder(void)
{
	static int made;

	if (!made && (mkdtemp(folder) == NULL || atexit(leave) != 0))
		abort();
	made = 1;
	return folder;
}

const char *
fuzz_file(const char *name, const uint8_t *data, size_t length)
{
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", fuzz_folder(), name);
	file = fopen(path, "wb");
	if (file == NULL || fwrite(data, 1, length, file) != length ||
		fclose(file) != 0)
		abort();
	return path;
}
