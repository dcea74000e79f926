/* place: where an agent runs. */

#include "agents/place.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/file.h"

void
place_of(const char *folder, char place[PLACE_BYTES])
{
	char boot[40];
	struct stat status = {.st_ino = 0};

	if (!file_peek_line(
		    "/proc/sys/kernel/random/boot_id", boot, sizeof(boot)))
		strcpy(boot, "unknown");
	if (stat(folder, &status) != 0)
		status.st_ino = 0;
	snprintf(place, PLACE_BYTES, "%s-%llx-%llx", boot,
		(unsigned long long)status.st_dev,
		(unsigned long long)status.st_ino);
}
