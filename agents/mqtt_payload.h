/*
 * mqtt_payload: what a message, or a value in it, means for a variable.
 */
#ifndef FG_AGENTS_MQTT_PAYLOAD_H
#define FG_AGENTS_MQTT_PAYLOAD_H

#include "agents/json_tree.h"
#include "model/sample.h"

/*
 * A whole message as a raw value for a variable of "kind": a number, one of
 * true false on off yes no (any case), or the text as it is. A zero byte
 * stands behind "text"; strings point into it. False: it is none.
 */
bool mqtt_payload_text(const char *text, size_t bytes, enum value_kind kind,
	struct value *value);

/* The same for a value in a JSON message. null is none. */
bool mqtt_payload_leaf(const struct json_tree *tree,
	const struct json_leaf *leaf, enum value_kind kind,
	struct value *value);

/*
 * A time in a message: ISO 8601, without a zone UTC; or a number since 1970,
 * whose size tells whether it counts s, ms, us or ns. False: it is none, or
 * one that the hub would refuse at "now_us".
 */
bool mqtt_payload_time(const struct json_tree *tree,
	const struct json_leaf *leaf, int64_t now_us, int64_t *time_us);

/* Would the hub take a sample of that time now? */
bool mqtt_payload_time_fits(int64_t time_us, int64_t now_us);

#endif
