/* fuzz/sparkplug: any messages of a Sparkplug node, one after the other: one
 * byte for the kind, two for the length, then the payload. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agents/mqtt_payload.h"
#include "agents/sparkplug.h"
#include "lib/clock.h"
#include "lib/log.h"

#define NOW_US INT64_C(1772600800000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static const char *const topics[] = {"spBv1.0/G/NBIRTH/N", "spBv1.0/G/NDATA/N",
	"spBv1.0/G/NDEATH/N", "spBv1.0/G/DBIRTH/N/D", "spBv1.0/G/DDATA/N/D",
	"spBv1.0/G/DDEATH/N/D", "spBv1.0/G/DDATA/N", "spBv1.0/G/NDATA/N/D",
	"spBv1.0/G/NCMD/N", "spBv1.0/G/NDATA/M", "spBv1.0/G", "spBv1.0/"};

static void
put(void *context, size_t index, int64_t time_us, uint64_t status,
	const struct value *raw)
{
	(void)context;
	(void)status;
	if (index > 3 || !mqtt_payload_time_fits(time_us, NOW_US))
		abort();
	if (raw != NULL && raw->kind == VALUE_STRING &&
		strlen(raw->string.data) != raw->string.bytes)
		abort();
}

static void
ask(void *context, const char *group, const char *node)
{
	(void)context;
	if (strcmp(group, "G") != 0 || strcmp(node, "N") != 0)
		abort();
}

static struct sparkplug *
make_host(struct arena *arena)
{
	static const struct mqtt_address addresses[] = {
		{.group = "G", .node = "N", .device = "", .metric = "a"},
		{.group = "G", .node = "N", .device = "", .metric = "b"},
		{.group = "G", .node = "N", .device = "D", .metric = "a"},
		{.group = "G", .node = "N", .device = "D", .metric = "a"}};
	static const struct sparkplug_calls calls = {.put = put, .ask = ask};
	struct sparkplug *host = sparkplug_new(arena, &calls);

	for (size_t i = 0; i < ARRAY_LENGTH(addresses); i++)
		sparkplug_add(host, &addresses[i], i);
	return host;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct arena *arena;
	struct sparkplug *host;
	struct fault fault;
	int64_t steady_us = 0;

	if (arena == NULL) {
		arena = arena_new();
		log_open("fuzz", LOG_ERROR);
	}
	host = make_host(arena);
	while (length >= 3) {
		size_t bytes = (size_t)data[1] << 8 | data[2];

		if (bytes > length - 3)
			bytes = length - 3;
		(void)sparkplug_take(host,
			topics[data[0] % ARRAY_LENGTH(topics)], data + 3, bytes,
			NOW_US, &fault);
		data += 3 + bytes;
		length -= 3 + bytes;
		steady_us += CLOCK_SECOND_US;
		sparkplug_tick(host, NOW_US, steady_us);
	}
	sparkplug_doubt(host);
	sparkplug_free(host);
	arena_reset(arena);
	return 0;
}
