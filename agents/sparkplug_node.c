/* sparkplug_node: an edge node of Sparkplug B, its metrics and its sequence. */

#include "agents/sparkplug_node.h"

#include <string.h>

#include "lib/log.h"

#define METRIC_SLOTS 64 /* to begin with */
#define SEQUENCES    256

/* --- metrics ------------------------------------------------------------- */

size_t
sparkplug_hash(const char *first, const char *second)
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

struct sparkplug_node *
sparkplug_node_new(struct arena *arena, const char *group, const char *name)
{
	struct sparkplug_node *node = arena_alloc(arena, sizeof(*node));

	node->group = group;
	node->name = name;
	node->unborn_us = CLOCK_NEVER;
	node->ask_delay_us = SPARKPLUG_ASK_FIRST_US;
	node->asked_us = CLOCK_NEVER;
	return node;
}

static struct sparkplug_metric **
name_slot(
	const struct sparkplug_node *node, const char *device, const char *name)
{
	return &node->names[sparkplug_hash(device, name) % node->slots];
}

static struct sparkplug_metric **
alias_slot(const struct sparkplug_node *node, uint64_t alias)
{
	return &node->aliases[alias % node->slots];
}

static void
enter_name(struct sparkplug_node *node, struct sparkplug_metric *metric)
{
	struct sparkplug_metric **slot =
		name_slot(node, metric->device, metric->name);

	metric->by_name = *slot;
	*slot = metric;
}

static void
enter_alias(struct sparkplug_node *node, struct sparkplug_metric *metric)
{
	struct sparkplug_metric **slot = alias_slot(node, metric->alias);

	metric->by_alias = *slot;
	*slot = metric;
}

/* Twice the slots, as soon as there are as many metrics. */
static void
grow(struct sparkplug_node *node, struct arena *arena)
{
	node->slots = node->slots == 0 ? METRIC_SLOTS : node->slots * 2;
	node->names = arena_array(arena, node->slots, sizeof(*node->names));
	node->aliases = arena_array(arena, node->slots, sizeof(*node->aliases));
	for (struct sparkplug_metric *one = node->metrics; one != NULL;
		one = one->next)
		enter_name(node, one);
}

void
sparkplug_node_add(struct sparkplug_node *node, struct arena *arena,
	const char *device, const char *name, size_t index)
{
	struct sparkplug_metric *metric = arena_alloc(arena, sizeof(*metric));

	if (node->count == node->slots)
		grow(node, arena);
	metric->device = device;
	metric->name = name;
	metric->index = index;
	metric->next = node->metrics;
	node->metrics = metric;
	node->count++;
	enter_name(node, metric);
}

static bool
is_of(const struct sparkplug_metric *metric, const char *device,
	const struct sparkplug_reading *reading)
{
	return strcmp(metric->device, device) == 0 &&
	       (reading->name[0] != '\0'
			       ? strcmp(metric->name, reading->name) == 0
			       : metric->alias == reading->alias);
}

struct sparkplug_metric *
sparkplug_node_find(const struct sparkplug_node *node, const char *device,
	const struct sparkplug_reading *reading,
	const struct sparkplug_metric *after)
{
	bool named = reading->name[0] != '\0';
	struct sparkplug_metric *one;

	if (!named && !reading->has_alias)
		return NULL;
	if (after != NULL)
		one = named ? after->by_name : after->by_alias;
	else
		one = named ? *name_slot(node, device, reading->name)
			    : *alias_slot(node, reading->alias);
	while (one != NULL && !is_of(one, device, reading))
		one = named ? one->by_name : one->by_alias;
	return one;
}

/* --- births and deaths --------------------------------------------------- */

void
sparkplug_node_unbear(struct sparkplug_node *node, const char *device)
{
	memset(node->aliases, 0,
		node->slots * sizeof(struct sparkplug_metric *));
	for (struct sparkplug_metric *one = node->metrics; one != NULL;
		one = one->next) {
		if (device == NULL || strcmp(one->device, device) == 0)
			one->born = false;
		if (one->born && one->has_alias)
			enter_alias(node, one);
	}
}

void
sparkplug_node_bear_metric(struct sparkplug_node *node,
	struct sparkplug_metric *metric,
	const struct sparkplug_reading *reading)
{
	metric->type = reading->type;
	metric->born = true;
	metric->told = false;
	metric->has_alias = reading->has_alias;
	metric->alias = reading->alias;
	if (metric->has_alias)
		enter_alias(node, metric);
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
void
sparkplug_node_bear(
	struct sparkplug_node *node, const struct sparkplug_payload *payload)
{
	node->born = true;
	node->silent = false;
	node->ask_delay_us = SPARKPLUG_ASK_FIRST_US;
	node->sequence = (unsigned)(payload->sequence + 1) % SEQUENCES;
	node->has_death = find_death(payload, &node->death);
	sparkplug_node_unbear(node, NULL);
}

void
sparkplug_node_doubt(struct sparkplug_node *node)
{
	if (!node->born)
		return;
	node->born = false;
	node->unborn_us = CLOCK_NEVER;
	for (struct sparkplug_metric *one = node->metrics; one != NULL;
		one = one->next)
		one->lost = true;
}

bool
sparkplug_node_follows(
	struct sparkplug_node *node, const struct sparkplug_payload *payload)
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
	sparkplug_node_doubt(node); /* and the next tick asks */
	return false;
}

bool
sparkplug_node_dies(const struct sparkplug_node *node,
	const struct sparkplug_payload *payload)
{
	uint64_t death;

	return node->born &&
	       (!node->has_death || !find_death(payload, &death) ||
		       death == node->death);
}
