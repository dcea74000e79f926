/*
 * mqtt_address: where a variable is found at an MQTT broker.
 *
 *   TOPIC                      the message is the value
 *   TOPIC#PATH                 the value is at PATH in a JSON message
 *   TOPIC#PATH@TIME            and its time at TIME
 *   spBv1.0/GROUP/NODE#METRIC, spBv1.0/GROUP/NODE/DEVICE#METRIC
 *
 * A `#` cannot be part of a topic that is published to, so it ends the topic.
 */
#ifndef FG_AGENTS_MQTT_ADDRESS_H
#define FG_AGENTS_MQTT_ADDRESS_H

#include "agents/input.h"

struct mqtt_address {
	const char *topic; /* "" for Sparkplug */
	const char *path;  /* NULL: the whole message, as plain text */
	const char *time;  /* NULL: the arrival counts */
	/* Sparkplug; group is NULL when it is none. */
	const char *group;
	const char *node;
	const char *device; /* "": a metric of the node itself */
	const char *metric;
};

/*
 * Fill the placeholders {name} and {address} of "pattern" for "input" and take
 * the result apart. The address's own #PATH and @TIME come before those of the
 * pattern.
 * Owns:  texts live in "arena".
 * Fails: RC_BAD_INPUT, without the place in the file.
 */
MUST_CHECK enum rc mqtt_address_parse(struct arena *arena, const char *pattern,
	const struct input *input, struct mqtt_address *address,
	struct fault *fault);

/*
 * Another topic of the same input, such as that of its feedback: {topic} is
 * the topic of "address". A path is only what the pattern has.
 * Fails: RC_BAD_INPUT, without the place in the file.
 */
MUST_CHECK enum rc mqtt_address_beside(struct arena *arena, const char *pattern,
	const struct input *input, const struct mqtt_address *address,
	struct mqtt_address *other, struct fault *fault);

/* "text" with each {name}, {address}, {topic} and {value} filled; NULL ones
 * stay as they are. Lives in "arena". */
struct mqtt_filling {
	const char *name;
	const char *address;
	const char *topic;
	const char *value;
};
const char *mqtt_address_fill(struct arena *arena, const char *text,
	const struct mqtt_filling *filling);

#endif
