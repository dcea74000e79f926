/* sparkplug: edge nodes and devices that speak Sparkplug B, as a host sees
 * them. */

#include "agents/sparkplug.h"

#include <string.h>

#include "agents/mqtt_payload.h"
#include "agents/sparkplug_node.h"
#include "lib/clock.h"

#define PREFIX      "spBv1.0/"
#define NODE_SLOTS  256
#define ASK_LAST_US (60 * CLOCK_SECOND_US)
#define PATIENCE_US (5 * CLOCK_SECOND_US) /* then values are INVALID */

struct sparkplug {
	struct arena *arena;
	struct arena *scratch; /* of one payload */
	struct sparkplug_calls calls;
	struct sparkplug_node *nodes[NODE_SLOTS];
	size_t node_count;
};

struct sparkplug *
sparkplug_new(struct arena *arena, const struct sparkplug_calls *calls)
{
	struct sparkplug *sparkplug = arena_alloc(arena, sizeof(*sparkplug));

	sparkplug->arena = arena;
	sparkplug->scratch = arena_new();
	sparkplug->calls = *calls;
	return sparkplug;
}

void
sparkplug_free(struct sparkplug *sparkplug)
{
	if (sparkplug != NULL)
		arena_free(sparkplug->scratch);
}

/* --- who is known -------------------------------------------------------- */

static struct sparkplug_node *
find_node(
	const struct sparkplug *sparkplug, const char *group, const char *name)
{
	struct sparkplug_node *node =
		sparkplug->nodes[sparkplug_hash(group, name) % NODE_SLOTS];

	while (node != NULL && (strcmp(node->name, name) != 0 ||
				       strcmp(node->group, group) != 0))
		node = node->next;
	return node;
}

static struct sparkplug_node *
add_node(struct sparkplug *sparkplug, const char *group, const char *name)
{
	struct sparkplug_node **slot =
		&sparkplug->nodes[sparkplug_hash(group, name) % NODE_SLOTS];
	struct sparkplug_node *node =
		sparkplug_node_new(sparkplug->arena, group, name);

	node->next = *slot;
	*slot = node;
	sparkplug->node_count++;
	return node;
}

void
sparkplug_add(struct sparkplug *sparkplug, const struct mqtt_address *address,
	size_t index)
{
	struct sparkplug_node *node =
		find_node(sparkplug, address->group, address->node);

	if (node == NULL)
		node = add_node(sparkplug, address->group, address->node);
	sparkplug_node_add(node, sparkplug->arena, address->device,
		address->metric, index);
}

static const char *const kinds[] = {
	"NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH"};

size_t
sparkplug_filter_count(const struct sparkplug *sparkplug)
{
	return sparkplug->node_count * ARRAY_LENGTH(kinds);
}

static const char **
add_filters(const struct sparkplug_node *node, struct arena *arena,
	const char **filters)
{
	for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
		*filters++ = arena_printf(arena, PREFIX "%s/%s/%s%s",
			node->group, kinds[i], node->name,
			kinds[i][0] == 'D' ? "/+" : "");
	return filters;
}

void
sparkplug_filters(const struct sparkplug *sparkplug, struct arena *arena,
	const char **filters)
{
	for (size_t slot = 0; slot < NODE_SLOTS; slot++)
		for (const struct sparkplug_node *node = sparkplug->nodes[slot];
			node != NULL; node = node->next)
			filters = add_filters(node, arena, filters);
}

/* --- values -------------------------------------------------------------- */

static void
put_nothing(struct sparkplug *sparkplug, const struct sparkplug_metric *metric,
	int64_t time_us)
{
	sparkplug->calls.put(sparkplug->calls.context, metric->index, time_us,
		STATUS_INVALID, NULL);
}

/* A NULL device: of the node and all its devices. */
static void
invalidate(struct sparkplug *sparkplug, struct sparkplug_node *node,
	const char *device, int64_t time_us)
{
	for (struct sparkplug_metric *one = node->metrics; one != NULL;
		one = one->next)
		if (device == NULL || strcmp(one->device, device) == 0) {
			one->told = true;
			put_nothing(sparkplug, one, time_us);
		}
	sparkplug_node_unbear(node, device);
}

/* What a payload brings along for each of its readings. */
struct context {
	struct sparkplug_node *node;
	const char *device;
	int64_t time_us; /* of the payload */
	int64_t arrived_us;
	bool birth;
};

static int64_t
reading_time(
	const struct sparkplug_reading *reading, const struct context *context)
{
	if (mqtt_payload_time_fits(reading->time_us, context->arrived_us))
		return reading->time_us;
	if (mqtt_payload_time_fits(context->time_us, context->arrived_us))
		return context->time_us;
	return context->arrived_us;
}

static void
put_reading(struct sparkplug *sparkplug, struct sparkplug_metric *metric,
	const struct sparkplug_reading *reading, const struct context *context)
{
	int64_t time_us = reading_time(reading, context);
	/* A birth comes because we asked, not because a value changed. */
	uint64_t status = context->birth ? STATUS_GI : 0;
	struct value value;

	if (metric->lost)
		status |= STATUS_OV;
	if (reading->bad)
		status |= STATUS_INVALID;
	metric->lost = false;
	if (sparkplug_reading_value(reading, metric->type, &value))
		sparkplug->calls.put(sparkplug->calls.context, metric->index,
			time_us, status, &value);
	else
		put_nothing(sparkplug, metric, time_us);
}

static void
take_reading(struct sparkplug *sparkplug,
	const struct sparkplug_reading *reading, const struct context *context)
{
	struct sparkplug_node *node = context->node;
	struct sparkplug_metric *one = NULL;

	while ((one = sparkplug_node_find(
			node, context->device, reading, one)) != NULL) {
		if (one->born == context->birth)
			continue; /* a name twice: the first counts */
		if (context->birth)
			sparkplug_node_bear_metric(node, one, reading);
		put_reading(sparkplug, one, reading, context);
	}
}

/* --- births and deaths --------------------------------------------------- */

static void
bury_node(struct sparkplug *sparkplug, struct sparkplug_node *node,
	int64_t time_us)
{
	node->born = false;
	node->silent = true;
	node->unborn_us = CLOCK_NEVER;
	invalidate(sparkplug, node, NULL, time_us);
}

/* "kind" is NBIRTH, DDATA, ... */
static void
take_kind(struct sparkplug *sparkplug, const char *kind,
	const struct sparkplug_payload *payload, struct context *context)
{
	struct sparkplug_node *node = context->node;
	bool of_device = kind[0] == 'D';
	const char *what = kind + 1;

	context->birth = strcmp(what, "BIRTH") == 0;
	if (!of_device && strcmp(what, "DEATH") == 0) {
		if (sparkplug_node_dies(node, payload))
			bury_node(sparkplug, node, context->arrived_us);
		return;
	}
	if (!of_device && context->birth)
		sparkplug_node_bear(node, payload);
	else if (!sparkplug_node_follows(node, payload))
		return;
	if (of_device && context->birth)
		sparkplug_node_unbear(node, context->device);
	if (context->birth) {
		node->bearing = true;
		node->birth_us = CLOCK_NEVER;
	}
	if (of_device && strcmp(what, "DEATH") == 0) {
		invalidate(sparkplug, node, context->device,
			reading_time(
				&(struct sparkplug_reading){
					.time_us = CLOCK_NEVER},
				context));
		return;
	}
	for (size_t i = 0; i < payload->count; i++)
		take_reading(sparkplug, &payload->readings[i], context);
}

/* --- messages ------------------------------------------------------------ */

/* spBv1.0/GROUP/KIND/NODE or spBv1.0/GROUP/KIND/NODE/DEVICE. */
struct topic_parts {
	char *group;
	char *kind;
	char *node;
	char *device;
};

bool
sparkplug_is_topic(const char *topic)
{
	return strncmp(topic, PREFIX, strlen(PREFIX)) == 0;
}

static bool
split_topic(struct arena *arena, const char *topic, struct topic_parts *parts)
{
	char *rest;

	if (!sparkplug_is_topic(topic))
		return false;
	rest = arena_strdup(arena, topic + strlen(PREFIX));
	parts->group = strsep(&rest, "/");
	parts->kind = strsep(&rest, "/");
	parts->node = strsep(&rest, "/");
	parts->device = rest; /* strsep leaves NULL behind the last */
	if (parts->node == NULL ||
		(parts->device != NULL) != (parts->kind[0] == 'D'))
		return false;
	for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
		if (strcmp(parts->kind, kinds[i]) == 0)
			return true;
	return false;
}

bool
sparkplug_take(struct sparkplug *sparkplug, const char *topic, const void *data,
	size_t bytes, int64_t arrived_us, struct fault *fault)
{
	struct sparkplug_payload payload;
	struct topic_parts parts;
	struct context context = {.arrived_us = arrived_us};

	arena_reset(sparkplug->scratch);
	if (!split_topic(sparkplug->scratch, topic, &parts))
		return false;
	context.node = find_node(sparkplug, parts.group, parts.node);
	if (context.node == NULL)
		return false;
	if (!sparkplug_payload_read(
		    sparkplug->scratch, data, bytes, &payload)) {
		fault_set(fault, RC_BAD_INPUT,
			"%.160s: is no Sparkplug B payload", topic);
		return false;
	}
	context.device = parts.device != NULL ? parts.device : "";
	context.time_us = payload.time_us;
	take_kind(sparkplug, parts.kind, &payload, &context);
	return true;
}

/* --- time ---------------------------------------------------------------- */

void
sparkplug_doubt(struct sparkplug *sparkplug)
{
	for (size_t slot = 0; slot < NODE_SLOTS; slot++)
		for (struct sparkplug_node *node = sparkplug->nodes[slot];
			node != NULL; node = node->next) {
			sparkplug_node_doubt(node);
			node->unborn_us = CLOCK_NEVER;
			node->asked_us = CLOCK_NEVER;
			node->ask_delay_us = SPARKPLUG_ASK_FIRST_US;
		}
}

/* What was not born with the others, a metric or a whole device, is gone. */
static void
tick_births(struct sparkplug *sparkplug, struct sparkplug_node *node,
	int64_t now_us, int64_t steady_us)
{
	if (!node->bearing)
		return;
	if (node->birth_us == CLOCK_NEVER)
		node->birth_us = steady_us;
	if (steady_us - node->birth_us <= PATIENCE_US)
		return;
	node->bearing = false;
	for (struct sparkplug_metric *one = node->metrics; one != NULL;
		one = one->next)
		if (!one->born && !one->told) {
			one->told = true;
			put_nothing(sparkplug, one, now_us);
		}
}

static void
tick_node(struct sparkplug *sparkplug, struct sparkplug_node *node,
	int64_t now_us, int64_t steady_us)
{
	if (node->born) {
		tick_births(sparkplug, node, now_us, steady_us);
		return;
	}
	if (node->unborn_us == CLOCK_NEVER)
		node->unborn_us = steady_us;
	if (!node->silent && steady_us - node->unborn_us > PATIENCE_US) {
		node->silent = true;
		invalidate(sparkplug, node, NULL, now_us);
	}
	if (node->asked_us != CLOCK_NEVER &&
		steady_us - node->asked_us < node->ask_delay_us)
		return;
	if (node->asked_us != CLOCK_NEVER && node->ask_delay_us < ASK_LAST_US)
		node->ask_delay_us *= 2;
	node->asked_us = steady_us;
	sparkplug->calls.ask(sparkplug->calls.context, node->group, node->name);
}

void
sparkplug_tick(struct sparkplug *sparkplug, int64_t now_us, int64_t steady_us)
{
	for (size_t slot = 0; slot < NODE_SLOTS; slot++)
		for (struct sparkplug_node *node = sparkplug->nodes[slot];
			node != NULL; node = node->next)
			tick_node(sparkplug, node, now_us, steady_us);
}
