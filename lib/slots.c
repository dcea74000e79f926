/* slots: how many at once, among all processes that share a lock file. */

#include "lib/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"

#define PAUSE_NS 5000000L

enum rc
slots_open(
	struct slots *slots, const char *path, int count, struct fault *fault)
{
	*slots = (struct slots){.file = -1, .count = count};
	if (path[0] == '\0')
		return RC_OK;
	slots->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return slots->file >= 0 ? RC_OK
				: fault_set(fault, RC_IO, "%s: %s", path,
					  strerror(errno));
}

void
slots_close(struct slots *slots)
{
	if (slots->file >= 0)
		close(slots->file);
	slots->file = -1;
}

static bool
lock_byte(const struct slots *slots, short type, int slot)
{
	struct flock lock = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = slot,
		.l_len = 1,
	};

	return fcntl(slots->file, F_SETLK, &lock) == 0;
}

int
slots_take(const struct slots *slots, int64_t wait_us)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	int64_t until_us = clock_steady_us() + wait_us;

	if (slots->file < 0)
		return 0;
	for (;;) {
		for (int slot = 0; slot < slots->count; slot++)
			if (lock_byte(slots, F_WRLCK, slot))
				return slot;
		if (clock_steady_us() >= until_us)
			return -1;
		nanosleep(&pause, NULL);
	}
}

void
slots_give(const struct slots *slots, int slot)
{
	if (slots->file >= 0)
		(void)lock_byte(slots, F_UNLCK, slot);
}
