/* sparkplug: edge nodes and devices that speak Sparkplug B, as a host sees
 * them. */

#include "agents/sparkplug.h"

#include <string.h>

#include "agents/mqtt_payload.h"
#include "agents/sparkplug_payload.h"
#include "lib/clock.h"
#include "lib/log.h"

#define PREFIX       "spBv1.0/"
#define NODE_SLOTS   256
#define METRIC_SLOTS 64 /* of one node, to begin with */
#define ASK_FIRST_US (2 * CLOCK_SECOND_US)
#define ASK_LAST_US  (60 * CLOCK_SECOND_US)
#define PATIENCE_US  (5 * CLOCK_SECOND_US) /* then values are INVALID */
#define SEQUENCES    256

/* One input's metric. */
struct metric {
	const char *device; /* "": the node itself */
	const char *name;
	size_t index; /* of the input */
	uint64_t alias;
	uint32_t type;
	bool has_alias;
	bool born;
	bool lost;              /* the next sample says that some were lost */
	bool told;              /* that it is INVALID, since its last birth */
	struct metric *next;    /* of the node */
	struct metric *by_name; /* of the same slot */
	struct metric *by_alias;
};

struct node {
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
	struct metric *metrics;
	size_t count;
	size_t slots;
	struct metric **names;
	struct metric **aliases;
	struct node *next; /* of the same slot */
};

struct sparkplug {
	struct arena *arena;
	struct arena *scratch; /* of one payload */
	struct sparkplug_calls calls;
	struct node *nodes[NODE_SLOTS];
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

static size_t
hash_two(const char *first, const char *second)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

	for (; *first != '\0'; first++)
		hash = (hash ^ (unsigned char)*first) * UINT64_C(1099511628211);
	hash = (hash ^ '/') * UINT64_C(1099511628211);
	for (; *second != '\0'; second++)
		hash = (hash ^ (unsigned char)*second) *
		       UINT64_C(1099511628211);
	return (size_t)(hash ^ (hash >> 32));
}

static struct node *
find_node(
	const struct sparkplug *sparkplug, const char *group, const char *name)
{
	struct node *node =
		sparkplug->nodes[hash_two(group, name) % NODE_SLOTS];

	while (node != NULL && (strcmp(node->name, name) != 0 ||
				       strcmp(node->group, group) != 0))
		node = node->next;
	return node;
}

static struct node *
add_node(struct sparkplug *sparkplug, const char *group, const char *name)
{
	struct node **slot =
		&sparkplug->nodes[hash_two(group, name) % NODE_SLOTS];
	struct node *node = arena_alloc(sparkplug->arena, sizeof(*node));

	node->group = group;
	node->name = name;
	node->unborn_us = CLOCK_NEVER;
	node->ask_delay_us = ASK_FIRST_US;
	node->asked_us = CLOCK_NEVER;
	node->next = *slot;
	*slot = node;
	sparkplug->node_count++;
	return node;
}

/* Twice the slots, as soon as there are as many metrics. */
static void
grow(struct sparkplug *sparkplug, struct node *node)
{
	node->slots = node->slots == 0 ? METRIC_SLOTS : node->slots * 2;
	node->names = arena_array(
		sparkplug->arena, node->slots, sizeof(*node->names));
	node->aliases = arena_array(
		sparkplug->arena, node->slots, sizeof(*node->aliases));
	for (struct metric *one = node->metrics; one != NULL; one = one->next) {
		struct metric **slot =
			&node->names[hash_two(one->device, one->name) %
				     node->slots];

		one->by_name = *slot;
		*slot = one;
	}
}

void
sparkplug_add(struct sparkplug *sparkplug, const struct mqtt_address *address,
	size_t index)
{
	struct node *node = find_node(sparkplug, address->group, address->node);
	struct metric *metric = arena_alloc(sparkplug->arena, sizeof(*metric));
	struct metric **slot;

	if (node == NULL)
		node = add_node(sparkplug, address->group, address->node);
	if (node->count == node->slots)
		grow(sparkplug, node);
	metric->device = address->device;
	metric->name = address->metric;
	metric->index = index;
	metric->next = node->metrics;
	node->metrics = metric;
	node->count++;
	slot = &node->names[hash_two(metric->device, metric->name) %
			    node->slots];
	metric->by_name = *slot;
	*slot = metric;
}

static const char *const kinds[] = {
	"NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH"};

size_t
sparkplug_filter_count(const struct sparkplug *sparkplug)
{
	return sparkplug->node_count * ARRAY_LENGTH(kinds);
}

static const char **
add_filters(const struct node *node, struct arena *arena, const char **filters)
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
		for (const struct node *node = sparkplug->nodes[slot];
			node != NULL; node = node->next)
			filters = add_filters(node, arena, filters);
}

/* --- values -------------------------------------------------------------- */

static void
put_nothing(struct sparkplug *sparkplug, const struct metric *metric,
	int64_t time_us)
{
	sparkplug->calls.put(sparkplug->calls.context, metric->index, time_us,
		STATUS_INVALID, NULL);
}

/* A NULL device: of the node and all its devices. */
static void
invalidate(struct sparkplug *sparkplug, struct node *node, const char *device,
	int64_t time_us)
{
	for (struct metric *one = node->metrics; one != NULL; one = one->next)
		if (device == NULL || strcmp(one->device, device) == 0) {
			one->born = false;
			one->told = true;
			put_nothing(sparkplug, one, time_us);
		}
}

/* What a payload brings along for each of its readings. */
struct context {
	struct node *node;
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
put_reading(struct sparkplug *sparkplug, struct metric *metric,
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
take_birth(struct sparkplug *sparkplug, const struct sparkplug_reading *reading,
	const struct context *context)
{
	struct node *node = context->node;
	struct metric *metric =
		node->names[hash_two(context->device, reading->name) %
			    node->slots];

	for (; metric != NULL; metric = metric->by_name) {
		struct metric **slot =
			&node->aliases[reading->alias % node->slots];

		if (strcmp(metric->name, reading->name) != 0 ||
			strcmp(metric->device, context->device) != 0 ||
			metric->born)
			continue; /* a name twice: the first counts */
		metric->type = reading->type;
		metric->born = true;
		metric->told = false;
		metric->has_alias = reading->has_alias;
		metric->alias = reading->alias;
		if (metric->has_alias) {
			metric->by_alias = *slot;
			*slot = metric;
		}
		put_reading(sparkplug, metric, reading, context);
	}
}

static void
take_data(struct sparkplug *sparkplug, const struct sparkplug_reading *reading,
	const struct context *context)
{
	struct node *node = context->node;
	bool named = reading->name[0] != '\0';
	struct metric *metric =
		named ? node->names[hash_two(context->device, reading->name) %
				    node->slots]
		      : node->aliases[reading->alias % node->slots];

	if (!named && !reading->has_alias)
		return;
	for (; metric != NULL;
		metric = named ? metric->by_name : metric->by_alias)
		if (metric->born &&
			strcmp(metric->device, context->device) == 0 &&
			(named ? strcmp(metric->name, reading->name) == 0
			       : metric->alias == reading->alias))
			put_reading(sparkplug, metric, reading, context);
}

/* --- births and deaths --------------------------------------------------- */

static void
forget_aliases(struct node *node)
{
	memset(node->aliases, 0, node->slots * sizeof(struct metric *));
	for (struct metric *one = node->metrics; one != NULL; one = one->next)
		if (one->born && one->has_alias) {
			struct metric **slot =
				&node->aliases[one->alias % node->slots];

			one->by_alias = *slot;
			*slot = one;
		}
}

/* Of the node and all devices, or of one device. */
static void
unbear(struct node *node, const char *device)
{
	for (struct metric *one = node->metrics; one != NULL; one = one->next)
		if (device == NULL || strcmp(one->device, device) == 0)
			one->born = false;
	forget_aliases(node);
}

static bool
find_death(const struct sparkplug_payload *payload, uint64_t *death)
{
	for (size_t i = 0; i < payload->count; i++)
		if (strcmp(payload->readings[i].name, "bdSeq") == 0 &&
			payload->readings[i].form == SPARKPLUG_WHOLE) {
			*death = payload->readings[i].whole;
			return true;
		}
	return false;
}

/* When it is asked again counts from the last time: a node that loses a
 * message after each birth is not kept busy with births. */
static void
bear_node(struct node *node, const struct sparkplug_payload *payload)
{
	node->born = true;
	node->silent = false;
	node->ask_delay_us = ASK_FIRST_US;
	node->sequence = (unsigned)(payload->sequence + 1) % SEQUENCES;
	node->has_death = find_death(payload, &node->death);
	unbear(node, NULL);
}

/* Until it is born again nothing of it counts. */
static void
doubt_node(struct node *node)
{
	if (!node->born)
		return;
	node->born = false;
	node->unborn_us = CLOCK_NEVER;
	for (struct metric *one = node->metrics; one != NULL; one = one->next)
		one->lost = true;
}

static bool
is_in_sequence(struct node *node, const struct sparkplug_payload *payload)
{
	if (!node->born)
		return false;
	if (payload->has_sequence && payload->sequence == node->sequence) {
		node->sequence = (node->sequence + 1) % SEQUENCES;
		return true;
	}
	log_warn(NULL,
		"Sparkplug %.80s/%.80s: message %llu came where %u was due; "
		"asking for a birth",
		node->group, node->name, (unsigned long long)payload->sequence,
		node->sequence);
	doubt_node(node); /* and the next tick asks */
	return false;
}

/* The will of an earlier connection says nothing about this one. */
static bool
is_stale_death(const struct node *node, const struct sparkplug_payload *payload)
{
	uint64_t death;

	return node->has_death && find_death(payload, &death) &&
	       death != node->death;
}

static void
bury_node(struct sparkplug *sparkplug, struct node *node, int64_t time_us)
{
	node->born = false;
	node->silent = true;
	node->unborn_us = CLOCK_NEVER;
	invalidate(sparkplug, node, NULL, time_us);
	forget_aliases(node);
}

static void
take_readings(struct sparkplug *sparkplug,
	const struct sparkplug_payload *payload, const struct context *context)
{
	for (size_t i = 0; i < payload->count; i++)
		if (context->birth)
			take_birth(sparkplug, &payload->readings[i], context);
		else
			take_data(sparkplug, &payload->readings[i], context);
}

/* "kind" is NBIRTH, DDATA, ... */
static void
take_kind(struct sparkplug *sparkplug, const char *kind,
	const struct sparkplug_payload *payload, struct context *context)
{
	struct node *node = context->node;
	bool of_device = kind[0] == 'D';
	const char *what = kind + 1;

	context->birth = strcmp(what, "BIRTH") == 0;
	if (!of_device && strcmp(what, "DEATH") == 0) {
		if (node->born && !is_stale_death(node, payload))
			bury_node(sparkplug, node, context->arrived_us);
		return;
	}
	if (!of_device && context->birth)
		bear_node(node, payload);
	else if (!is_in_sequence(node, payload))
		return;
	if (of_device && context->birth)
		unbear(node, context->device);
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
		forget_aliases(node);
		return;
	}
	take_readings(sparkplug, payload, context);
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
		for (struct node *node = sparkplug->nodes[slot]; node != NULL;
			node = node->next) {
			doubt_node(node);
			node->unborn_us = CLOCK_NEVER;
			node->asked_us = CLOCK_NEVER;
			node->ask_delay_us = ASK_FIRST_US;
		}
}

/* What was not born with the others, a metric or a whole device, is gone. */
static void
tick_births(struct sparkplug *sparkplug, struct node *node, int64_t now_us,
	int64_t steady_us)
{
	if (!node->bearing)
		return;
	if (node->birth_us == CLOCK_NEVER)
		node->birth_us = steady_us;
	if (steady_us - node->birth_us <= PATIENCE_US)
		return;
	node->bearing = false;
	for (struct metric *one = node->metrics; one != NULL; one = one->next)
		if (!one->born && !one->told) {
			one->told = true;
			put_nothing(sparkplug, one, now_us);
		}
}

static void
tick_node(struct sparkplug *sparkplug, struct node *node, int64_t now_us,
	int64_t steady_us)
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
		for (struct node *node = sparkplug->nodes[slot]; node != NULL;
			node = node->next)
			tick_node(sparkplug, node, now_us, steady_us);
}
