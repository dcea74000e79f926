/*
 * broker: a connection to an MQTT broker that is kept up by its own thread.
 *
 * It speaks MQTT 3.1.1 with libmosquitto, connects, reconnects after 0.5 to
 * 30 s with jitter, and calls back from its thread.
 * QoS 1 messages are acknowledged to the broker only while calls->settled says
 * so: libmosquitto 2.0 queues an acknowledgement before it hands out the
 * message and writes it when it is told to, so whoever received a message can
 * bring it onto a disk first. Meanwhile nothing more is read; TCP and the
 * broker wait.
 */
#ifndef FG_AGENTS_BROKER_H
#define FG_AGENTS_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/broker_options.h"
#include "lib/fault.h"

#define BROKER_SUBSCRIBE_MAX 100 /* filters in one packet */

struct broker_message {
	const char *topic;
	const char *data; /* gone after the call */
	size_t bytes;
	int qos;
	bool retained; /* sent because we subscribed, not because it is new */
};

/* All called by the broker's thread; any but "message" may be NULL. */
struct broker_calls {
	void *context;
	/* Before each attempt: the place for broker_will. */
	void (*connecting)(void *context);
	void (*connected)(void *context, bool session_present);
	void (*disconnected)(void *context);
	void (*message)(void *context, const struct broker_message *message);
	/* After one or many messages: the next thing asked is "settled". */
	void (*received)(void *context);
	/* QoS 0: written; QoS 1: the broker has it. May come before
	 * broker_publish has returned the id. */
	void (*published)(void *context, int id);
	/* May what has been received so far be acknowledged? */
	bool (*settled)(void *context);
};

struct broker;

/*
 * Check the options and read the files they name; nothing is connected yet.
 * Owns:  closed by broker_close; "options" must stay until then.
 * Fails: RC_BAD_INPUT an option is wrong; RC_IO a file cannot be read.
 */
MUST_CHECK enum rc broker_open(const struct broker_options *options,
	const struct broker_calls *calls, struct broker **broker,
	struct fault *fault);

/* Start the thread. Fails: RC_IO. */
MUST_CHECK enum rc broker_start(struct broker *broker, struct fault *fault);

/* End the thread, with a good-bye when all is settled. NULL is allowed.
 * Blocks: at most a second, or as long as a name is being resolved. */
void broker_close(struct broker *broker);

bool broker_is_connected(const struct broker *broker);

/* Let the thread look at calls->settled again. Any thread. */
void broker_wake(struct broker *broker);

/* What the broker shall publish when we vanish; in calls->connecting. */
void broker_will(struct broker *broker, const char *topic, const char *text);

/*
 * Subscribe to up to BROKER_SUBSCRIBE_MAX filters; again after each
 * connection that found no session. A refusal by the broker is logged.
 * Fails: RC_UNAVAILABLE there is no connection; RC_BAD_INPUT.
 */
MUST_CHECK enum rc broker_subscribe(struct broker *broker,
	const char *const *filters, size_t count, int qos, struct fault *fault);

struct broker_publication {
	const char *topic;
	const void *data;
	size_t bytes;
	int qos; /* 0: now or never; 1: again after a lost connection */
	bool retain;
};

/*
 * Publish from any thread; "id" may be NULL.
 * Fails: RC_UNAVAILABLE there is no connection, or too much waits already;
 *        RC_BAD_INPUT the topic or the size is not allowed.
 */
MUST_CHECK enum rc broker_publish(struct broker *broker,
	const struct broker_publication *publication, int *id,
	struct fault *fault);

/* Is it a topic that can be published to: no wildcard, 1..65535 bytes? */
bool broker_topic_valid(const char *topic);
/* Is it a topic filter: wildcards only where they are allowed? */
bool broker_filter_valid(const char *filter);

#endif
