/*
 * sparkplug_node: an edge node of Sparkplug B: the metrics that are wanted of
 * it, by name and by alias, and where its births and its sequence stand.
 *
 * Sparkplug 3.0, sections 5 and 6.
 */
#ifndef FG_AGENTS_SPARKPLUG_NODE_H
#define FG_AGENTS_SPARKPLUG_NODE_H

#include "agents/sparkplug_payload.h"
#include "lib/clock.h"

#define SPARKPLUG_ASK_FIRST_US (2 * CLOCK_SECOND_US)

/* One input's metric. */
struct sparkplug_metric {
	const char *device; /* "": the node itself */
	const char *name;
	size_t index; /* of the input */
	uint64_t alias;
	uint32_t type;
	bool has_alias;
	bool born;
	bool lost;                     /* the next sample says that some were */
	bool told;                     /* that it is INVALID, since its birth */
	struct sparkplug_metric *next; /* of the node */
	struct sparkplug_metric *by_name; /* of the same slot */
	struct sparkplug_metric *by_alias;
};

struct sparkplug_node {
	const char *group;
	const char *name;
	bool born;
	bool silent;  /* given up on: values are INVALID */
	bool bearing; /* births may still come */
	bool has_death;
	uint64_t death;       /* bdSeq of the birth */
	unsigned sequence;    /* that the next message must have */
	int64_t birth_us;     /* steady clock; CLOCK_NEVER: set at a tick */
	int64_t unborn_us;    /* steady clock; CLOCK_NEVER: set at a tick */
	int64_t asked_us;     /* steady clock */
	int64_t ask_delay_us; /* until it is asked again */
	struct sparkplug_metric *metrics;
	size_t count;
	size_t slots;
	struct sparkplug_metric **names;
	struct sparkplug_metric **aliases;
	struct sparkplug_node *next; /* whoever keeps several */
};

/* Of a pair of names. */
size_t sparkplug_hash(const char *first, const char *second);

/* All of it lives in "arena"; the names are not copied. */
struct sparkplug_node *sparkplug_node_new(
	struct arena *arena, const char *group, const char *name);
/* Before its first birth: input "index" is this metric of a device, or of the
 * node itself (""). */
void sparkplug_node_add(struct sparkplug_node *node, struct arena *arena,
	const char *device, const char *name, size_t index);

/*
 * A metric that the reading is of, by its name or else by its alias; NULL:
 * there is none. Several inputs may want the same: "after" is the one that was
 * found before, NULL for the first.
 */
struct sparkplug_metric *sparkplug_node_find(const struct sparkplug_node *node,
	const char *device, const struct sparkplug_reading *reading,
	const struct sparkplug_metric *after);

/* The node is born, and all metrics have to be born anew. */
void sparkplug_node_bear(
	struct sparkplug_node *node, const struct sparkplug_payload *payload);
/* The metrics of a device have to be born anew; NULL: all. */
void sparkplug_node_unbear(struct sparkplug_node *node, const char *device);
void sparkplug_node_bear_metric(struct sparkplug_node *node,
	struct sparkplug_metric *metric,
	const struct sparkplug_reading *reading);

/* Until it is born again nothing of it counts. */
void sparkplug_node_doubt(struct sparkplug_node *node);
/* Whether the message is the one that was due; one that is not puts the node
 * in doubt. */
bool sparkplug_node_follows(
	struct sparkplug_node *node, const struct sparkplug_payload *payload);
/* The will of an earlier connection says nothing about this one. */
bool sparkplug_node_dies(const struct sparkplug_node *node,
	const struct sparkplug_payload *payload);

#endif
