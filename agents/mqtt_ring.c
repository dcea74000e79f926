/* mqtt_ring: messages on their way from the broker's thread to the sampler's.
 */

#include "agents/mqtt_ring.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MIN ((size_t)4096)

/* What stands before topic and data. An item never wraps around: when the
 * rest of the ring is too short for it, a record of kind PAD fills it. */
struct record {
	uint64_t length; /* with this head, a multiple of its alignment */
	int64_t arrived_us;
	size_t route;
	uint32_t topic_bytes;
	uint32_t bytes;
	bool retained;
	bool pad;
};

struct mqtt_ring {
	size_t size;
	_Atomic uint64_t put;   /* position behind the last item */
	_Atomic uint64_t taken; /* position of the oldest item */
	alignas(max_align_t) char data[];
};

struct mqtt_ring *
mqtt_ring_new(size_t bytes)
{
	size_t size = BYTES_MIN;
	struct mqtt_ring *ring;

	while (size < bytes)
		size *= 2;
	ring = malloc(sizeof(*ring) + size);
	if (ring == NULL)
		abort();
	ring->size = size;
	atomic_init(&ring->put, 0);
	atomic_init(&ring->taken, 0);
	return ring;
}

void
mqtt_ring_free(struct mqtt_ring *ring)
{
	free(ring);
}

static size_t
record_length(size_t topic_bytes, size_t bytes)
{
	size_t step = alignof(struct record);
	size_t length = sizeof(struct record) + topic_bytes + 1 + bytes + 1;

	return (length + step - 1) / step * step;
}

bool
mqtt_ring_fits(const struct mqtt_ring *ring, size_t topic_bytes, size_t bytes)
{
	/* Half, because the other half may be lost to a pad. */
	return topic_bytes < ring->size / 4 && bytes < ring->size / 4 &&
	       record_length(topic_bytes, bytes) <= ring->size / 2;
}

static struct record *
record_at(const struct mqtt_ring *ring, uint64_t position)
{
	const char *place = ring->data + (position & (ring->size - 1));

	return (struct record *)(uintptr_t)place;
}

/* The bytes that are left from "position" to the end of the memory. */
static size_t
rest_at(const struct mqtt_ring *ring, uint64_t position)
{
	return ring->size - (size_t)(position & (ring->size - 1));
}

static void
write_record(struct record *record, size_t length, const struct mqtt_item *item,
	size_t topic_bytes)
{
	char *text = (char *)(record + 1);

	*record = (struct record){.length = length,
		.arrived_us = item->arrived_us,
		.route = item->route,
		.topic_bytes = (uint32_t)topic_bytes,
		.bytes = (uint32_t)item->bytes,
		.retained = item->retained};
	memcpy(text, item->topic, topic_bytes + 1);
	text += topic_bytes + 1;
	memcpy(text, item->data, item->bytes);
	text[item->bytes] = '\0';
}

bool
mqtt_ring_put(struct mqtt_ring *ring, const struct mqtt_item *item)
{
	size_t topic_bytes = strlen(item->topic);
	size_t length = record_length(topic_bytes, item->bytes);
	uint64_t put = atomic_load_explicit(&ring->put, memory_order_relaxed);
	uint64_t taken =
		atomic_load_explicit(&ring->taken, memory_order_acquire);
	size_t rest = rest_at(ring, put);
	size_t pad = rest < length ? rest : 0;

	if (!mqtt_ring_fits(ring, topic_bytes, item->bytes) ||
		put - taken + pad + length > ring->size)
		return false;
	/* A rest too short for a head is a pad of itself, see skip_pad. */
	if (pad >= sizeof(struct record))
		*record_at(ring, put) =
			(struct record){.length = pad, .pad = true};
	write_record(record_at(ring, put + pad), length, item, topic_bytes);
	atomic_store_explicit(
		&ring->put, put + pad + length, memory_order_release);
	return true;
}

uint64_t
mqtt_ring_end(const struct mqtt_ring *ring)
{
	return atomic_load_explicit(&ring->put, memory_order_relaxed);
}

/* The position of the oldest item, behind a pad. */
static uint64_t
skip_pad(const struct mqtt_ring *ring, uint64_t taken)
{
	size_t rest = rest_at(ring, taken);

	if (rest < sizeof(struct record))
		return taken + rest;
	return record_at(ring, taken)->pad ? taken + rest : taken;
}

bool
mqtt_ring_peek(const struct mqtt_ring *ring, struct mqtt_item *item)
{
	uint64_t put = atomic_load_explicit(&ring->put, memory_order_acquire);
	uint64_t taken =
		atomic_load_explicit(&ring->taken, memory_order_relaxed);
	const struct record *record;

	if (put == taken)
		return false;
	record = record_at(ring, skip_pad(ring, taken));
	*item = (struct mqtt_item){.arrived_us = record->arrived_us,
		.route = record->route,
		.topic = (const char *)(record + 1),
		.data = (const char *)(record + 1) + record->topic_bytes + 1,
		.bytes = record->bytes,
		.retained = record->retained};
	return true;
}

void
mqtt_ring_next(struct mqtt_ring *ring)
{
	uint64_t taken = skip_pad(
		ring, atomic_load_explicit(&ring->taken, memory_order_relaxed));

	atomic_store_explicit(&ring->taken,
		taken + record_at(ring, taken)->length, memory_order_release);
}

uint64_t
mqtt_ring_taken(const struct mqtt_ring *ring)
{
	return atomic_load_explicit(&ring->taken, memory_order_relaxed);
}
