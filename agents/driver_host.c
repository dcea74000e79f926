/* driver_host: what the kernel of this machine says about itself. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agents/driver.h"
#include "agents/host_reading.h"
#include "agents/plant_clock.h"
#include "lib/clock.h"
#include "lib/file.h"

struct host {
	const struct input_list *list;
	const struct probe **probes;
	const char **instances;
	bool primed; /* there is a reading before this one */
	struct host_reading before;
	struct host_reading now;
};

/* A probe fills "value", or says false: not available. */
struct probe {
	const char *address; /* `*` stands for the instance */
	bool (*read)(const struct host *host, const char *instance, int detail,
		struct value *value);
	enum value_kind kind;
	int detail;
};

/* --- probes -------------------------------------------------------------- */

static bool
put_number(struct value *value, double number)
{
	*value = (struct value){.kind = VALUE_FLOAT, .number = number};
	return true;
}

static bool
put_count(struct value *value, int64_t number)
{
	*value = (struct value){.kind = VALUE_INT, .integer = number};
	return true;
}

/* detail: 0..2 = averages, 3 = running, 4 = all. */
static bool
probe_load(const struct host *host, const char *instance, int detail,
	struct value *value)
{
	double loads[3];
	long running;
	long all;

	(void)instance;
	if (sscanf(host->now.load, "%lf %lf %lf %ld/%ld", &loads[0], &loads[1],
		    &loads[2], &running, &all) != 5)
		return false;
	if (detail < 3)
		return put_number(value, loads[detail]);
	return put_count(value, detail == 3 ? running : all);
}

enum { CPU_USAGE, CPU_USER, CPU_SYSTEM, CPU_IOWAIT };

static bool
probe_processor(const struct host *host, const char *instance, int detail,
	struct value *value)
{
	const struct host_processor *a = &host->before.processor;
	const struct host_processor *b = &host->now.processor;
	double user = (double)(b->user - a->user);
	double system = (double)(b->system - a->system);
	double iowait =
		b->iowait > a->iowait ? (double)(b->iowait - a->iowait) : 0;
	double idle = b->idle > a->idle ? (double)(b->idle - a->idle) : 0;
	double all = user + system + iowait + idle;
	double part[] = {user + system, user, system, iowait};

	(void)instance;
	if (!host->primed || all <= 0)
		return false;
	return put_number(value, 100 * part[detail] / all);
}

static bool
probe_cores(const struct host *host, const char *instance, int detail,
	struct value *value)
{
	(void)host;
	(void)instance;
	(void)detail;
	return put_count(value, sysconf(_SC_NPROCESSORS_ONLN));
}

static bool
find_memory(const struct host *host, const char *key, double *bytes)
{
	const char *line = strstr(host->now.memory, key);
	char *end;

	if (line == NULL)
		return false;
	line += strlen(key);
	*bytes = strtod(line, &end) * 1024;
	return end != line;
}

enum {
	MEMORY_TOTAL,
	MEMORY_USED,
	MEMORY_AVAILABLE,
	MEMORY_CACHED,
	MEMORY_USAGE,
	SWAP_TOTAL,
	SWAP_USED
};

static bool
probe_memory(const struct host *host, const char *instance, int detail,
	struct value *value)
{
	double total;
	double available;
	double cached;
	double swap;
	double swap_free;

	(void)instance;
	if (!find_memory(host, "MemTotal:", &total) ||
		!find_memory(host, "MemAvailable:", &available) ||
		!find_memory(host, "\nCached:", &cached) ||
		!find_memory(host, "SwapTotal:", &swap) ||
		!find_memory(host, "SwapFree:", &swap_free) || total <= 0)
		return false;
	switch (detail) {
	case MEMORY_TOTAL:
		return put_number(value, total);
	case MEMORY_USED:
		return put_number(value, total - available);
	case MEMORY_AVAILABLE:
		return put_number(value, available);
	case MEMORY_CACHED:
		return put_number(value, cached);
	case MEMORY_USAGE:
		return put_number(value, 100 * (total - available) / total);
	case SWAP_TOTAL:
		return put_number(value, swap);
	default:
		return put_number(value, swap - swap_free);
	}
}

enum { DISK_TOTAL, DISK_USED, DISK_USAGE };

static bool
probe_root(const struct host *host, const char *instance, int detail,
	struct value *value)
{
	const struct statvfs *root = &host->now.root;
	double block = (double)root->f_frsize;
	double total = block * (double)root->f_blocks;
	double used = total - block * (double)root->f_bfree;
	double free_bytes = block * (double)root->f_bavail;

	(void)instance;
	if (total <= 0)
		return false;
	if (detail == DISK_TOTAL)
		return put_number(value, total);
	if (detail == DISK_USED)
		return put_number(value, used);
	/* As df says it: what is kept for root counts as used up. */
	return put_number(value, 100 * used / (used + free_bytes));
}

/* By name; "total" is the sum of all, set up by add_total. */
static const struct host_device *
find_device(const struct host_devices *devices, const char *name)
{
	for (size_t i = 0; i < devices->count; i++)
		if (strcmp(devices->items[i].name, name) == 0)
			return &devices->items[i];
	return NULL;
}

/* A counter that went back was reset: no rate this time. */
static bool
put_rate(const struct host *host, uint64_t before, uint64_t now, double factor,
	struct value *value)
{
	double seconds =
		(double)(host->now.steady_us - host->before.steady_us) /
		(double)CLOCK_SECOND_US;

	if (!host->primed || now < before || seconds <= 0)
		return false;
	return put_number(value, factor * (double)(now - before) / seconds);
}

enum { DEVICE_IN, DEVICE_OUT, DEVICE_BUSY };

static bool
put_device_rate(const struct host *host, const struct host_device *before,
	const struct host_device *now, int detail, struct value *value)
{
	if (before == NULL || now == NULL)
		return false;
	if (detail == DEVICE_IN)
		return put_rate(host, before->in, now->in, 1, value);
	if (detail == DEVICE_OUT)
		return put_rate(host, before->out, now->out, 1, value);
	if (!put_rate(host, before->busy, now->busy, 0.1, value))
		return false;
	value->number = value->number > 100 ? 100 : value->number;
	return true;
}

static bool
probe_disk(const struct host *host, const char *instance, int detail,
	struct value *value)
{
	return put_device_rate(host, find_device(&host->before.disks, instance),
		find_device(&host->now.disks, instance), detail, value);
}

static bool
probe_interface(const struct host *host, const char *instance, int detail,
	struct value *value)
{
	return put_device_rate(host,
		find_device(&host->before.interfaces, instance),
		find_device(&host->now.interfaces, instance), detail, value);
}

static bool
probe_link(const struct host *host, const char *instance, int detail,
	struct value *value)
{
	char path[256];
	char text[32];

	(void)host;
	(void)detail;
	snprintf(path, sizeof(path), "/sys/class/net/%s/operstate", instance);
	if (!file_peek(path, text, sizeof(text)))
		return false;
	/* Some drivers never tell more than "unknown". */
	*value = (struct value){.kind = VALUE_BOOL,
		.boolean = strncmp(text, "up", 2) == 0 ||
			   strncmp(text, "unknown", 7) == 0};
	return true;
}

/* Instances are thermal_zoneN and hwmonN-tempM. */
static bool
probe_temperature(const struct host *host, const char *instance, int detail,
	struct value *value)
{
	char path[256];
	const char *dash = strchr(instance, '-');
	double milli;

	(void)host;
	(void)detail;
	if (dash != NULL)
		snprintf(path, sizeof(path), "/sys/class/hwmon/%.*s/%s_input",
			(int)(dash - instance), instance, dash + 1);
	else
		snprintf(path, sizeof(path), "/sys/class/thermal/%s/temp",
			instance);
	if (!host_read_number(path, &milli))
		return false;
	return put_number(value, milli / 1000);
}

static bool
probe_uptime(const struct host *host, const char *instance, int detail,
	struct value *value)
{
	(void)instance;
	(void)detail;
	return host->now.uptime_s >= 0 &&
	       put_count(value, (int64_t)host->now.uptime_s);
}

static bool
put_text(struct value *value, const char *text)
{
	*value = (struct value){.kind = VALUE_STRING};
	value->string.data = text;
	value->string.bytes = (uint32_t)strlen(text);
	return true;
}

static bool
probe_name(const struct host *host, const char *instance, int detail,
	struct value *value)
{
	static struct utsname names; /* one driver runs in one thread */

	(void)host;
	(void)instance;
	if (uname(&names) != 0)
		return false;
	return put_text(value, detail == 0 ? names.nodename : names.release);
}

static const struct probe probes[] = {
	{"cpu/load1", probe_load, VALUE_FLOAT, 0},
	{"cpu/load5", probe_load, VALUE_FLOAT, 1},
	{"cpu/load15", probe_load, VALUE_FLOAT, 2},
	{"cpu/usage", probe_processor, VALUE_FLOAT, CPU_USAGE},
	{"cpu/user", probe_processor, VALUE_FLOAT, CPU_USER},
	{"cpu/system", probe_processor, VALUE_FLOAT, CPU_SYSTEM},
	{"cpu/iowait", probe_processor, VALUE_FLOAT, CPU_IOWAIT},
	{"cpu/cores", probe_cores, VALUE_INT, 0},
	{"memory/total", probe_memory, VALUE_FLOAT, MEMORY_TOTAL},
	{"memory/used", probe_memory, VALUE_FLOAT, MEMORY_USED},
	{"memory/available", probe_memory, VALUE_FLOAT, MEMORY_AVAILABLE},
	{"memory/cached", probe_memory, VALUE_FLOAT, MEMORY_CACHED},
	{"memory/usage", probe_memory, VALUE_FLOAT, MEMORY_USAGE},
	{"swap/total", probe_memory, VALUE_FLOAT, SWAP_TOTAL},
	{"swap/used", probe_memory, VALUE_FLOAT, SWAP_USED},
	{"disk/root/total", probe_root, VALUE_FLOAT, DISK_TOTAL},
	{"disk/root/used", probe_root, VALUE_FLOAT, DISK_USED},
	{"disk/root/usage", probe_root, VALUE_FLOAT, DISK_USAGE},
	{"diskio/*/read", probe_disk, VALUE_FLOAT, DEVICE_IN},
	{"diskio/*/write", probe_disk, VALUE_FLOAT, DEVICE_OUT},
	{"diskio/*/busy", probe_disk, VALUE_FLOAT, DEVICE_BUSY},
	{"net/*/rx", probe_interface, VALUE_FLOAT, DEVICE_IN},
	{"net/*/tx", probe_interface, VALUE_FLOAT, DEVICE_OUT},
	{"net/*/up", probe_link, VALUE_BOOL, 0},
	{"temperature/*", probe_temperature, VALUE_FLOAT, 0},
	{"system/uptime", probe_uptime, VALUE_INT, 0},
	{"system/processes", probe_load, VALUE_INT, 4},
	{"system/running", probe_load, VALUE_INT, 3},
	{"system/hostname", probe_name, VALUE_STRING, 0},
	{"system/kernel", probe_name, VALUE_STRING, 1},
};

/* --- driver -------------------------------------------------------------- */

/* Whether "address" is the probe's, and what its `*` stands for. */
static bool
match_probe(struct arena *arena, const struct probe *probe, const char *address,
	const char **instance)
{
	const char *star = strchr(probe->address, '*');
	size_t before = star != NULL ? (size_t)(star - probe->address) : 0;
	size_t after = star != NULL ? strlen(star + 1) : 0;
	size_t length = strlen(address);

	*instance = "";
	if (star == NULL)
		return strcmp(probe->address, address) == 0;
	if (length <= before + after ||
		memcmp(address, probe->address, before) != 0 ||
		strcmp(address + length - after, star + 1) != 0)
		return false;
	*instance =
		arena_strndup(arena, address + before, length - before - after);
	/* It becomes part of a path. */
	return strchr(*instance, '/') == NULL && (*instance)[0] != '.';
}

static enum rc
bind_input(struct host *host, struct arena *arena, size_t index,
	struct fault *fault)
{
	const struct input *input = &host->list->items[index];

	for (size_t i = 0; i < ARRAY_LENGTH(probes); i++) {
		if (!match_probe(arena, &probes[i], input->address,
			    &host->instances[index]))
			continue;
		if ((probes[i].kind == VALUE_STRING) !=
			(input->kind == VALUE_STRING))
			return input_fault(host->list, input, fault,
				"\"%.80s\" is %sa string", input->address,
				probes[i].kind == VALUE_STRING ? "" : "not ");
		host->probes[index] = &probes[i];
		return RC_OK;
	}
	return input_fault(host->list, input, fault,
		"the host driver has no \"%.80s\"", input->address);
}

static enum rc
host_open(const struct driver_setup *setup, void **state, struct fault *fault)
{
	struct host *host = arena_alloc(setup->arena, sizeof(*host));
	size_t count = setup->list->count;
	enum rc rc = RC_OK;

	host->list = setup->list;
	host->probes = arena_array(setup->arena, count, sizeof(*host->probes));
	host->instances =
		arena_array(setup->arena, count, sizeof(*host->instances));
	for (size_t i = 0; rc == RC_OK && i < count; i++)
		rc = bind_input(host, setup->arena, i, fault);
	*state = host;
	return rc;
}

/* Rates need two readings: the first poll puts only what needs none. */
static enum rc
host_poll(void *state, int64_t due_us, struct sink *sink, int64_t *next_us,
	struct fault *fault)
{
	struct host *host = state;
	const bool first = host->now.steady_us == 0;
	const int64_t now_us = plant_clock_us();

	(void)due_us;
	(void)fault;
	host->before = host->now;
	host_take_reading(&host->now);
	host->primed = !first;
	for (size_t i = 0; i < host->list->count; i++) {
		const struct probe *probe = host->probes[i];
		struct value value = {.kind = VALUE_FLOAT};
		bool good = probe->read(
			host, host->instances[i], probe->detail, &value);

		if (good)
			sink->put(sink, i, now_us, 0, &value);
		else if (!first)
			sink->put(sink, i, now_us, STATUS_INVALID, NULL);
	}
	*next_us = DRIVER_NEXT_PERIOD;
	return RC_OK;
}

static void
host_close(void *state)
{
	(void)state; /* all of it is in the arena */
}

const struct driver driver_host = {
	.name = "host",
	.expand = host_expand,
	.open = host_open,
	.poll = host_poll,
	.close = host_close,
};
