/* host_reading: what /proc and /sys say at one moment. */

#include "agents/host_reading.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/file.h"

#define SECTOR_BYTES 512

bool
host_read_number(const char *path, double *number)
{
	char text[64];
	char *end;

	if (!file_peek(path, text, sizeof(text)))
		return false;
	*number = strtod(text, &end);
	return end != text;
}

static void
read_processor(struct host_processor *processor)
{
	char text[512];
	unsigned long long t[8] = {0};

	memset(processor, 0, sizeof(*processor));
	if (!file_peek("/proc/stat", text, sizeof(text)) ||
		sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu %llu",
			&t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6],
			&t[7]) < 5)
		return;
	processor->user = t[0] + t[1];
	processor->system = t[2] + t[5] + t[6] + t[7];
	processor->idle = t[3];
	processor->iowait = t[4];
}

/* Real hardware or a container's link, not loopback or bridges' inner ends. */
static bool
is_interface(const char *name)
{
	static const char *const inner[] = {"lo", "veth", "docker", "br-",
		"virbr", "dummy", "ifb", "tunl", "sit", "gre", "ip6", "ip_vti",
		"erspan", "bonding"};

	for (size_t i = 0; i < ARRAY_LENGTH(inner); i++)
		if (strncmp(name, inner[i], strlen(inner[i])) == 0)
			return false;
	return true;
}

/* Whole disks: no partitions, loops, RAM disks. */
static bool
is_disk(const char *name)
{
	char path[512];

	if (strncmp(name, "loop", 4) == 0 || strncmp(name, "ram", 3) == 0 ||
		strncmp(name, "zram", 4) == 0 || strncmp(name, "sr", 2) == 0 ||
		strncmp(name, "fd", 2) == 0)
		return false;
	snprintf(path, sizeof(path), "/sys/block/%s", name);
	return access(path, F_OK) == 0;
}

static struct host_device *
add_device(struct host_devices *devices, const char *name)
{
	struct host_device *device;

	if (devices->count == ARRAY_LENGTH(devices->items))
		return NULL;
	device = &devices->items[devices->count++];
	memset(device, 0, sizeof(*device));
	snprintf(device->name, sizeof(device->name), "%s", name);
	return device;
}

static void
read_interfaces(struct host_devices *devices)
{
	char text[HOST_FILE_BYTES];
	char *rest = NULL;

	devices->count = 0;
	if (!file_peek("/proc/net/dev", text, sizeof(text)))
		return;
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest)) {
		char name[HOST_NAME_BYTES];
		unsigned long long in;
		unsigned long long out;
		struct host_device *device;

		if (sscanf(line,
			    " %63[^: ]: %llu %*u %*u %*u %*u %*u %*u %*u %llu",
			    name, &in, &out) != 3 ||
			!is_interface(name))
			continue;
		if (devices->count == HOST_DEVICES_MAX)
			return;
		device = add_device(devices, name);
		device->in = in;
		device->out = out;
	}
}

static void
read_disks(struct host_devices *devices)
{
	char text[HOST_FILE_BYTES];
	char *rest = NULL;

	devices->count = 0;
	if (!file_peek("/proc/diskstats", text, sizeof(text)))
		return;
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest)) {
		char name[HOST_NAME_BYTES];
		unsigned long long in;
		unsigned long long out;
		unsigned long long busy;
		struct host_device *device;

		if (sscanf(line,
			    "%*u %*u %63s %*u %*u %llu %*u %*u %*u %llu %*u "
			    "%*u %llu",
			    name, &in, &out, &busy) != 4 ||
			!is_disk(name))
			continue;
		if (devices->count == HOST_DEVICES_MAX)
			return;
		device = add_device(devices, name);
		device->in = in * SECTOR_BYTES;
		device->out = out * SECTOR_BYTES;
		device->busy = busy;
	}
}

/* A device more, named "total": what every machine has. */
static void
add_total(struct host_devices *devices)
{
	size_t count = devices->count;
	struct host_device *total = add_device(devices, "total");

	for (size_t i = 0; total != NULL && i < count; i++) {
		total->in += devices->items[i].in;
		total->out += devices->items[i].out;
	}
}

void
host_take_reading(struct host_reading *reading)
{
	reading->steady_us = clock_steady_us();
	read_processor(&reading->processor);
	read_disks(&reading->disks);
	read_interfaces(&reading->interfaces);
	add_total(&reading->disks);
	add_total(&reading->interfaces);
	file_peek("/proc/meminfo", reading->memory, sizeof(reading->memory));
	file_peek("/proc/loadavg", reading->load, sizeof(reading->load));
	if (!host_read_number("/proc/uptime", &reading->uptime_s))
		reading->uptime_s = -1;
	if (statvfs("/", &reading->root) != 0)
		reading->root.f_blocks = 0;
}

/* --- instances ----------------------------------------------------------- */

static size_t
name_devices(struct arena *arena, const struct host_devices *devices,
	const char **names, size_t room)
{
	size_t count = 0;

	for (; count < devices->count && count < room; count++)
		names[count] = arena_strdup(arena, devices->items[count].name);
	return count;
}

static bool
is_sensor(const char *name)
{
	return strncmp(name, "temp", 4) == 0 &&
	       isdigit((unsigned char)name[4]) &&
	       strstr(name, "_input") != NULL;
}

static size_t
name_chip_sensors(
	struct arena *arena, const char *chip, const char **names, size_t room)
{
	char path[512];
	DIR *folder;
	size_t count = 0;

	snprintf(path, sizeof(path), "/sys/class/hwmon/%s", chip);
	folder = opendir(path);
	if (folder == NULL)
		return 0;
	for (const struct dirent *entry = readdir(folder);
		entry != NULL && count < room; entry = readdir(folder))
		if (is_sensor(entry->d_name))
			names[count++] = arena_printf(arena, "%s-%.*s", chip,
				(int)strcspn(entry->d_name, "_"),
				entry->d_name);
	closedir(folder);
	return count;
}

static int
compare_names(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static size_t
name_sensors(struct arena *arena, const char **names, size_t room)
{
	static const char *const folders[] = {
		"/sys/class/thermal", "/sys/class/hwmon"};
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LENGTH(folders); i++) {
		DIR *folder = opendir(folders[i]);
		const struct dirent *entry;

		if (folder == NULL)
			continue;
		while (count < room && (entry = readdir(folder)) != NULL) {
			if (strncmp(entry->d_name, "thermal_zone", 12) == 0)
				names[count++] =
					arena_strdup(arena, entry->d_name);
			else if (strncmp(entry->d_name, "hwmon", 5) == 0)
				count += name_chip_sensors(arena, entry->d_name,
					names + count, room - count);
		}
		closedir(folder);
	}
	qsort(names, count, sizeof(*names), compare_names);
	return count;
}

size_t
host_expand(struct arena *arena, const char *address, const char **names,
	size_t room)
{
	struct host_devices devices;

	if (strncmp(address, "temperature/", 12) == 0)
		return name_sensors(arena, names, room);
	if (strncmp(address, "net/", 4) == 0)
		read_interfaces(&devices);
	else
		read_disks(&devices);
	return name_devices(arena, &devices, names, room);
}
