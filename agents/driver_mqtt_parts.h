/*
 * driver_mqtt_parts: what the files of the driver mqtt share.
 *
 * The broker's thread looks up the topic of a message and puts it into the
 * ring; the sampler's thread takes it out, reads the payload and puts the
 * samples. Acknowledgements wait until their samples are on the disk.
 */
#ifndef FG_AGENTS_DRIVER_MQTT_PARTS_H
#define FG_AGENTS_DRIVER_MQTT_PARTS_H

#include <stdatomic.h>

#include "agents/broker.h"
#include "agents/driver.h"
#include "agents/json_tree.h"
#include "agents/mqtt_address.h"
#include "agents/mqtt_ring.h"
#include "agents/sparkplug.h"

#define MQTT_ROUTE_SPARKPLUG SIZE_MAX
#define MQTT_NO_LEAF         SIZE_MAX

struct mqtt_options {
	struct broker_options broker;
	const char *topic;
	const char **subscribe;
	int64_t qos;
	int64_t ring_kib;
	int64_t invalid_after_s;
	const char *command_topic;
	const char *command_payload;
	const char *feedback_topic;
	int64_t feedback_ms;
	const char *sparkplug_host;
};

/* One input that a topic's messages have a value of. */
struct mqtt_target {
	size_t index;      /* of the input */
	size_t value_leaf; /* MQTT_NO_LEAF: the message is the value */
	size_t time_leaf;  /* MQTT_NO_LEAF: the arrival counts */
	bool feedback;     /* only confirms a command, is no sample */
	bool overflow;     /* the next sample says that some were lost */
	struct mqtt_target *next;
};

/* One topic. */
struct mqtt_route {
	const char *topic;
	struct mqtt_target *targets;
	struct json_tree tree; /* the paths of its targets */
	atomic_bool lost;      /* a message did not fit into the ring */
	bool flawed;           /* its last message */
	bool complained;       /* the log has heard of it */
};

/* A command that waits for its feedback. */
struct mqtt_pending {
	uint64_t token;
	size_t index;
	struct value raw; /* text is behind this struct */
	int64_t until_us; /* steady clock */
	uint64_t from;    /* in the ring: what lies before is older than it */
	struct mqtt_pending *next;
};

/* How an input is written; topic NULL: it is not. */
struct mqtt_output {
	const char *topic;
	const char *payload; /* {value} is still in it */
};

struct mqtt {
	const struct mqtt_options *options;
	const struct input_list *list;
	struct driver_setup setup;
	struct arena *arena;
	struct broker *broker;
	bool started;

	/* Constant after open. */
	struct mqtt_route *routes;
	size_t route_count;
	size_t *slots; /* hash table of index + 1 into the routes */
	size_t slot_count;
	struct mqtt_output *outputs; /* of each input */
	const char **filters;
	size_t filter_count;

	struct mqtt_ring *ring;
	atomic_bool idle;      /* the sampler wants to be woken */
	atomic_bool connected; /* news for the sampler */
	atomic_bool lost_any;  /* a Sparkplug message did not fit */
	atomic_bool closing;   /* nobody takes anything out any more */
	_Atomic uint64_t owed; /* behind the last item with QoS 1 */
	_Atomic uint64_t safe; /* behind the last item on the disk */
	_Atomic uint64_t count_dropped;

	/* The broker's thread's: what "owed" becomes. */
	uint64_t owed_next;

	/* The sampler's. */
	struct sink *sink; /* during poll and write */
	struct sparkplug *sparkplug;
	struct mqtt_pending *pending;
	struct arena *scratch;
	bool was_connected;
	int64_t away_us;   /* steady clock: since when; CLOCK_NEVER: not */
	bool told_invalid; /* since then */
	uint64_t told_dropped;
	int64_t told_us;  /* steady clock */
	int64_t state_us; /* wall clock: of the host's STATE */
};

/* Routes, filters and outputs of all inputs. Fails: RC_BAD_INPUT. */
MUST_CHECK enum rc mqtt_routes_make(struct mqtt *mqtt, struct fault *fault);
void mqtt_routes_free(struct mqtt *mqtt);
/* NULL: nobody wants it. */
struct mqtt_route *mqtt_route_find(const struct mqtt *mqtt, const char *topic);

/* A message of a route becomes samples. */
void mqtt_take(struct mqtt *mqtt, struct mqtt_route *route,
	const struct mqtt_item *item);

/* The driver's function of that name. */
enum rc mqtt_write(void *state, const struct driver_write *write,
	struct sink *sink, struct fault *fault);
/* The machine says that the input has this raw value now, by the oldest
 * message in the ring. */
void mqtt_feedback(struct mqtt *mqtt, size_t index, const struct value *raw);
/* Answer those whose time is over. */
void mqtt_give_up(struct mqtt *mqtt, int64_t steady_us);
void mqtt_pending_free(struct mqtt *mqtt);

#endif
