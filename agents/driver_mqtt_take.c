/* driver_mqtt_take: a message becomes samples. */

#include "agents/driver_mqtt_parts.h"
#include "agents/mqtt_payload.h"
#include "lib/log.h"

/* Once, until a message of that topic can be read again. */
static void
complain(struct mqtt_route *route, const char *why)
{
	if (!route->complained)
		log_warn(NULL, "topic %.160s: %s", route->topic, why);
	route->complained = true;
	route->flawed = true;
}

/* After a loss each input of the topic says so, once. */
static void
mark_loss(struct mqtt_route *route)
{
	if (!atomic_exchange(&route->lost, false))
		return;
	for (struct mqtt_target *one = route->targets; one != NULL;
		one = one->next)
		one->overflow = true;
}

static uint64_t
status_of(struct mqtt_target *target, const struct mqtt_item *item)
{
	uint64_t status = item->retained ? STATUS_GI : 0;

	if (target->overflow)
		status |= STATUS_OV;
	target->overflow = false;
	return status;
}

/* Its own time, if it has one that can be used. */
static int64_t
time_of(struct mqtt_route *route, const struct mqtt_target *target,
	const struct mqtt_item *item)
{
	const struct json_leaf *leaf;
	int64_t time_us;

	if (target->time_leaf == MQTT_NO_LEAF)
		return item->arrived_us;
	leaf = &route->tree.leaves[target->time_leaf];
	if (mqtt_payload_time(&route->tree, leaf, item->arrived_us, &time_us))
		return time_us;
	complain(route, "the time is missing, not understood or out of range; "
			"that of the arrival is used");
	return item->arrived_us;
}

/* "raw" NULL: the message says nothing that can be used. */
static void
put(struct mqtt *mqtt, struct mqtt_route *route, struct mqtt_target *target,
	const struct mqtt_item *item, const struct value *raw)
{
	if (raw != NULL && !item->retained)
		mqtt_feedback(mqtt, target->index, raw);
	if (target->feedback)
		return;
	mqtt->sink->put(mqtt->sink, target->index, time_of(route, target, item),
		status_of(target, item) | (raw == NULL ? STATUS_INVALID : 0),
		raw);
}

static void
take_text(struct mqtt *mqtt, struct mqtt_route *route,
	struct mqtt_target *target, const struct mqtt_item *item)
{
	const struct input *input = &mqtt->list->items[target->index];
	struct value raw;

	if (mqtt_payload_text(item->data, item->bytes, input->kind, &raw)) {
		put(mqtt, route, target, item, &raw);
		return;
	}
	complain(route, input->kind == VALUE_STRING
				? "the message is no UTF-8 text of at most "
				  "4096 bytes"
				: "the message is no number");
	put(mqtt, route, target, item, NULL);
}

static void
take_leaf(struct mqtt *mqtt, struct mqtt_route *route,
	struct mqtt_target *target, const struct mqtt_item *item)
{
	const struct input *input = &mqtt->list->items[target->index];
	const struct json_leaf *leaf = &route->tree.leaves[target->value_leaf];
	struct value raw;

	if (leaf->token == JSONR_END)
		return; /* a message need not have all values */
	if (mqtt_payload_leaf(&route->tree, leaf, input->kind, &raw)) {
		put(mqtt, route, target, item, &raw);
		return;
	}
	if (leaf->token != JSONR_NULL)
		complain(route, "a value is not of its variable's type");
	put(mqtt, route, target, item, NULL);
}

void
mqtt_take(struct mqtt *mqtt, struct mqtt_route *route,
	const struct mqtt_item *item)
{
	bool has_paths = route->tree.count > 0;
	bool good = !has_paths ||
		    json_tree_read(&route->tree, item->data, item->bytes);

	route->flawed = false;
	mark_loss(route);
	if (!good)
		complain(route, "the message is no JSON");
	for (struct mqtt_target *one = route->targets; one != NULL;
		one = one->next)
		if (one->value_leaf == MQTT_NO_LEAF)
			take_text(mqtt, route, one, item);
		else if (good)
			take_leaf(mqtt, route, one, item);
		else
			put(mqtt, route, one, item, NULL);
	route->complained = route->flawed;
}
