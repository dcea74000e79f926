/*
 * slots: how many at once, among all processes that share a lock file.
 *
 * Slot n is the kernel's lock on byte n of the file; a process that dies gives
 * its slot back. One process holds at most one slot of a file.
 */
#ifndef FG_LIB_SLOTS_H
#define FG_LIB_SLOTS_H

#include <stdint.h>

#include "lib/fault.h"

struct slots {
	int file; /* -1 = no limit: every process is on its own */
	int count;
};

/* An empty path is no limit. Fails: RC_IO the file cannot be made. */
MUST_CHECK enum rc slots_open(
	struct slots *slots, const char *path, int count, struct fault *fault);
void slots_close(struct slots *slots);

/* The slot taken, -1 when none came free within "wait_us". */
int slots_take(const struct slots *slots, int64_t wait_us);
void slots_give(const struct slots *slots, int slot);

#endif
