/*
 * sparkplug: edge nodes and devices that speak Sparkplug B, as a host sees
 * them.
 *
 * A node is born (NBIRTH, DBIRTH: names, aliases, types, all values), sends
 * changes (NDATA, DDATA) and dies (NDEATH, DDEATH). Its messages are numbered;
 * a gap means that something was lost, so nothing counts until the node has
 * been born again, which it is asked for. Sparkplug 3.0, sections 5 and 6.
 */
#ifndef FG_AGENTS_SPARKPLUG_H
#define FG_AGENTS_SPARKPLUG_H

#include "agents/mqtt_address.h"
#include "model/sample.h"

struct sparkplug;

struct sparkplug_calls {
	void *context;
	/* A raw value of an input; NULL: it cannot be trusted now. */
	void (*put)(void *context, size_t index, int64_t time_us,
		uint64_t status, const struct value *raw);
	/* Ask the node for its births. */
	void (*ask)(void *context, const char *group, const char *node);
};

/* All lives in "arena"; nothing to free but sparkplug_free. */
struct sparkplug *sparkplug_new(
	struct arena *arena, const struct sparkplug_calls *calls);
void sparkplug_free(struct sparkplug *sparkplug);

/* Before the first message: input "index" is found at that address. */
void sparkplug_add(struct sparkplug *sparkplug,
	const struct mqtt_address *address, size_t index);

/* The topic filters that are needed: room for sparkplug_filter_count. */
size_t sparkplug_filter_count(const struct sparkplug *sparkplug);
void sparkplug_filters(const struct sparkplug *sparkplug, struct arena *arena,
	const char **filters);

/* Is it a topic of Sparkplug? */
bool sparkplug_is_topic(const char *topic);

/*
 * Take a message. False: it is not for us, or malformed: then the words in
 * "fault" say so.
 */
bool sparkplug_take(struct sparkplug *sparkplug, const char *topic,
	const void *data, size_t bytes, int64_t arrived_us,
	struct fault *fault);

/* Messages may have been missed, as while there was no connection: nothing
 * counts until all have been born again. */
void sparkplug_doubt(struct sparkplug *sparkplug);

/* Now and then, with both clocks: ask again, and give up on who is silent. */
void sparkplug_tick(
	struct sparkplug *sparkplug, int64_t now_us, int64_t steady_us);

#endif
