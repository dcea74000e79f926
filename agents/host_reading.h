/* host_reading: what /proc and /sys say at one moment. */
#ifndef FG_AGENTS_HOST_READING_H
#define FG_AGENTS_HOST_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/statvfs.h>

#include "lib/arena.h"

#define HOST_FILE_BYTES  ((size_t)16 * 1024)
#define HOST_DEVICES_MAX 32
#define HOST_NAME_BYTES  64

/* In clock ticks. */
struct host_processor {
	uint64_t user;
	uint64_t system;
	uint64_t iowait;
	uint64_t idle;
};

struct host_device {
	char name[HOST_NAME_BYTES];
	uint64_t in;   /* bytes received or read */
	uint64_t out;  /* bytes sent or written */
	uint64_t busy; /* ms with work to do; disks only */
};

/* The last one is named "total". */
struct host_devices {
	size_t count;
	struct host_device items[HOST_DEVICES_MAX + 1];
};

struct host_reading {
	int64_t steady_us;
	struct host_processor processor;
	struct host_devices disks;      /* whole ones only */
	struct host_devices interfaces; /* without loopback and inner ends */
	char memory[HOST_FILE_BYTES];   /* /proc/meminfo */
	char load[128];                 /* /proc/loadavg */
	double uptime_s;                /* -1: not known */
	struct statvfs root;            /* f_blocks 0: not known */
};

/* What cannot be read is empty or 0. */
void host_take_reading(struct host_reading *reading);

bool host_read_number(const char *path, double *number);

/* The instances that the `*` of an address stands for. */
size_t host_expand(struct arena *arena, const char *address, const char **names,
	size_t room);

#endif
