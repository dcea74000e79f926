/* driver_mqtt_route: which topic belongs to which inputs. */

#include <stdlib.h>
#include <string.h>

#include "agents/driver_mqtt_parts.h"

static size_t
hash_topic(const char *topic)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

	for (; *topic != '\0'; topic++)
		hash = (hash ^ (unsigned char)*topic) * UINT64_C(1099511628211);
	return (size_t)(hash ^ (hash >> 32));
}

/* The slot of a topic, taken or free. */
static size_t *
find_slot(const struct mqtt *mqtt, const char *topic)
{
	size_t slot = hash_topic(topic) % mqtt->slot_count;

	while (mqtt->slots[slot] != 0 &&
		strcmp(mqtt->routes[mqtt->slots[slot] - 1].topic, topic) != 0)
		slot = (slot + 1) % mqtt->slot_count;
	return &mqtt->slots[slot];
}

struct mqtt_route *
mqtt_route_find(const struct mqtt *mqtt, const char *topic)
{
	size_t slot = *find_slot(mqtt, topic);

	return slot != 0 ? &mqtt->routes[slot - 1] : NULL;
}

static struct mqtt_route *
route_of(struct mqtt *mqtt, const char *topic)
{
	size_t *slot = find_slot(mqtt, topic);
	struct mqtt_route *route;

	if (*slot != 0)
		return &mqtt->routes[*slot - 1];
	route = &mqtt->routes[mqtt->route_count++];
	*slot = mqtt->route_count;
	route->topic = topic;
	json_tree_init(&route->tree);
	return route;
}

static enum rc
add_path(struct mqtt *mqtt, struct mqtt_route *route, const char *path,
	size_t *leaf, struct fault *fault)
{
	*leaf = MQTT_NO_LEAF;
	if (path == NULL)
		return RC_OK;
	return json_tree_add(&route->tree, mqtt->arena, path, leaf, fault);
}

static enum rc
add_target(struct mqtt *mqtt, const struct mqtt_address *address, size_t index,
	bool feedback, struct fault *fault)
{
	struct mqtt_route *route = route_of(mqtt, address->topic);
	struct mqtt_target *target = arena_alloc(mqtt->arena, sizeof(*target));
	enum rc rc;

	target->index = index;
	target->feedback = feedback;
	target->next = route->targets;
	route->targets = target;
	rc = add_path(mqtt, route, address->path, &target->value_leaf, fault);
	if (rc == RC_OK)
		rc = add_path(
			mqtt, route, address->time, &target->time_leaf, fault);
	return rc;
}

static enum rc
add_output(struct mqtt *mqtt, const struct mqtt_address *address, size_t index,
	struct fault *fault)
{
	const struct input *input = &mqtt->list->items[index];
	const char *feedback = mqtt->options->feedback_topic;
	struct mqtt_output *output = &mqtt->outputs[index];
	struct mqtt_filling filling = {.name = input->name};
	struct mqtt_address other;
	enum rc rc;

	if (strcmp(input->access, "read_write") != 0)
		return RC_OK;
	if (address->group != NULL)
		return fault_set(fault, RC_BAD_INPUT,
			"metrics of Sparkplug can only be read");
	rc = mqtt_address_beside(mqtt->arena, mqtt->options->command_topic,
		input, address, &other, fault);
	if (rc != RC_OK)
		return rc;
	output->topic = other.topic;
	output->payload = mqtt_address_fill(
		mqtt->arena, mqtt->options->command_payload, &filling);
	if (feedback[0] == '\0')
		return RC_OK;
	rc = mqtt_address_beside(
		mqtt->arena, feedback, input, address, &other, fault);
	return rc == RC_OK ? add_target(mqtt, &other, index, true, fault) : rc;
}

static enum rc
add_input(struct mqtt *mqtt, size_t index, struct fault *fault)
{
	const struct input *input = &mqtt->list->items[index];
	struct mqtt_address address;
	enum rc rc = mqtt_address_parse(
		mqtt->arena, mqtt->options->topic, input, &address, fault);

	if (rc == RC_OK && address.group != NULL)
		sparkplug_add(mqtt->sparkplug, &address, index);
	else if (rc == RC_OK)
		rc = add_target(mqtt, &address, index, false, fault);
	if (rc == RC_OK)
		rc = add_output(mqtt, &address, index, fault);
	return rc;
}

/* Those of the configuration, or one for each topic. */
static void
make_filters(struct mqtt *mqtt)
{
	const char **given = mqtt->options->subscribe;
	size_t count = sparkplug_filter_count(mqtt->sparkplug);
	size_t plain = 0;

	while (given[plain] != NULL)
		plain++;
	if (plain == 0)
		plain = mqtt->route_count;
	mqtt->filters = arena_array(
		mqtt->arena, plain + count + 1, sizeof(*mqtt->filters));
	for (size_t i = 0; i < plain; i++)
		mqtt->filters[i] =
			given[0] != NULL ? given[i] : mqtt->routes[i].topic;
	sparkplug_filters(mqtt->sparkplug, mqtt->arena, mqtt->filters + plain);
	mqtt->filter_count = plain + count;
}

static enum rc
check_filters(const struct mqtt *mqtt, struct fault *fault)
{
	for (size_t i = 0; i < mqtt->filter_count; i++)
		if (!broker_filter_valid(mqtt->filters[i]))
			return fault_set(fault, RC_BAD_INPUT,
				"[mqtt] subscribe: \"%.80s\" is no topic "
				"filter",
				mqtt->filters[i]);
	return RC_OK;
}

enum rc
mqtt_routes_make(struct mqtt *mqtt, struct fault *fault)
{
	/* A route for each input and one for each feedback. */
	size_t room = 2 * mqtt->list->count;
	struct fault why = {0};

	mqtt->routes = arena_array(mqtt->arena, room, sizeof(*mqtt->routes));
	mqtt->slot_count = 2 * room + 1;
	mqtt->slots = arena_array(
		mqtt->arena, mqtt->slot_count, sizeof(*mqtt->slots));
	mqtt->outputs = arena_array(
		mqtt->arena, mqtt->list->count, sizeof(*mqtt->outputs));
	for (size_t i = 0; i < mqtt->list->count; i++)
		if (add_input(mqtt, i, &why) != RC_OK)
			return input_fault(mqtt->list, &mqtt->list->items[i],
				fault, "%.180s", why.text);
	make_filters(mqtt);
	return check_filters(mqtt, fault);
}

void
mqtt_routes_free(struct mqtt *mqtt)
{
	for (size_t i = 0; i < mqtt->route_count; i++)
		json_tree_free(&mqtt->routes[i].tree);
}
