/*
 * mqtt_ring: messages on their way from the broker's thread to the sampler's.
 *
 * A fixed number of bytes, one writer and one reader, no lock. Positions count
 * all bytes that ever passed, so they can be compared: what has been put at
 * one, what has been taken up to another.
 */
#ifndef FG_AGENTS_MQTT_RING_H
#define FG_AGENTS_MQTT_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mqtt_ring;

struct mqtt_item {
	int64_t arrived_us;
	size_t route;      /* the receiver's number of the topic */
	const char *topic; /* zero-terminated; "" when the route says it */
	const char *data;  /* with a zero byte behind it */
	size_t bytes;
	bool retained;
};

/* "bytes" is rounded up to a power of two. Freed by mqtt_ring_free. */
struct mqtt_ring *mqtt_ring_new(size_t bytes);
void mqtt_ring_free(struct mqtt_ring *ring);

/* Is there room at all for an item, were the ring empty? */
bool mqtt_ring_fits(
	const struct mqtt_ring *ring, size_t topic_bytes, size_t bytes);

/* Writer: copy an item in. False: no room now. */
bool mqtt_ring_put(struct mqtt_ring *ring, const struct mqtt_item *item);
/* Behind what was put last. */
uint64_t mqtt_ring_end(const struct mqtt_ring *ring);

/* Reader: the oldest item, until mqtt_ring_next; false when it is empty. */
bool mqtt_ring_peek(const struct mqtt_ring *ring, struct mqtt_item *item);
void mqtt_ring_next(struct mqtt_ring *ring);
/* Reader: behind what was taken last. */
uint64_t mqtt_ring_taken(const struct mqtt_ring *ring);

#endif
