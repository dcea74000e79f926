/* hub_nodes: what the hub remembers of each node between its requests. */

#include "fcgi/hub_nodes.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "model/node.h"

#define GRANT_US CLOCK_SECOND_US

struct hub_nodes {
	pthread_mutex_t lock;
	struct hub_node **items; /* by id */
	size_t count;
};

struct hub_nodes *
hub_nodes_new(void)
{
	struct hub_nodes *nodes = memory_new(1, sizeof(*nodes));

	pthread_mutex_init(&nodes->lock, NULL);
	return nodes;
}

void
hub_nodes_free(struct hub_nodes *nodes)
{
	if (nodes == NULL)
		return;
	for (size_t i = 0; i < nodes->count; i++) {
		pthread_mutex_destroy(&nodes->items[i]->lock);
		pthread_mutex_destroy(&nodes->items[i]->grants_lock);
		pthread_mutex_destroy(&nodes->items[i]->place_lock);
		free(nodes->items[i]);
	}
	pthread_mutex_destroy(&nodes->lock);
	free(nodes->items);
	free(nodes);
}

/* Where the node stands in the list, or belongs. Needs: the lock. */
static size_t
place_of(const struct hub_nodes *nodes, int64_t id)
{
	size_t low = 0;
	size_t high = nodes->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (nodes->items[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct hub_node *
add(struct hub_nodes *nodes, size_t place, int64_t id)
{
	struct hub_node *node = memory_new(1, sizeof(*node));

	node->id = id;
	pthread_mutex_init(&node->lock, NULL);
	pthread_mutex_init(&node->grants_lock, NULL);
	pthread_mutex_init(&node->place_lock, NULL);
	nodes->items = memory_grow(
		nodes->items, nodes->count + 1, sizeof(*nodes->items));
	memmove(nodes->items + place + 1, nodes->items + place,
		(nodes->count - place) * sizeof(*nodes->items));
	nodes->items[place] = node;
	nodes->count++;
	return node;
}

struct hub_node *
hub_nodes_get(struct hub_nodes *nodes, int64_t id)
{
	struct hub_node *node;
	size_t place;

	pthread_mutex_lock(&nodes->lock);
	place = place_of(nodes, id);
	if (place < nodes->count && nodes->items[place]->id == id)
		node = nodes->items[place];
	else
		node = add(nodes, place, id);
	pthread_mutex_unlock(&nodes->lock);
	return node;
}

void
hub_nodes_hear(struct hub_nodes *nodes, int64_t id)
{
	atomic_store(&hub_nodes_get(nodes, id)->heard_us, clock_steady_us());
}

int64_t
hub_nodes_silence(struct hub_nodes *nodes, int64_t id)
{
	return clock_steady_us() -
	       atomic_load(&hub_nodes_get(nodes, id)->heard_us);
}

static bool
is_granted(struct hub_node *node, int32_t datasource_id)
{
	int64_t now_us = clock_steady_us();
	bool granted = false;

	pthread_mutex_lock(&node->grants_lock);
	for (size_t i = 0; i < HUB_NODE_DATASOURCES; i++)
		if (node->grants[i].datasource_id == datasource_id &&
			node->grants[i].until_us > now_us)
			granted = true;
	pthread_mutex_unlock(&node->grants_lock);
	return granted;
}

static void
keep_grant(struct hub_node *node, int32_t datasource_id)
{
	size_t at = 0;

	pthread_mutex_lock(&node->grants_lock);
	while (at < HUB_NODE_DATASOURCES &&
		node->grants[at].datasource_id != datasource_id)
		at++;
	if (at == HUB_NODE_DATASOURCES)
		at = node->grants_next++ % HUB_NODE_DATASOURCES;
	node->grants[at] =
		(struct hub_grant){datasource_id, clock_steady_us() + GRANT_US};
	pthread_mutex_unlock(&node->grants_lock);
}

enum rc
hub_node_may_publish(struct hub_node *node, struct db *db, struct arena *arena,
	int32_t datasource_id, struct fault *fault)
{
	enum rc rc;

	if (is_granted(node, datasource_id))
		return RC_OK;
	rc = node_may_publish(db, arena, node->id, datasource_id, fault);
	if (rc == RC_OK)
		keep_grant(node, datasource_id);
	return rc;
}

enum rc
hub_nodes_flush_seen(struct hub_nodes *nodes, struct db *db,
	struct arena *arena, struct fault *fault)
{
	int64_t *ids;
	size_t count = 0;

	pthread_mutex_lock(&nodes->lock);
	ids = arena_array(arena, nodes->count, sizeof(*ids));
	for (size_t i = 0; i < nodes->count; i++)
		if (atomic_exchange(&nodes->items[i]->seen, false))
			ids[count++] = nodes->items[i]->id;
	pthread_mutex_unlock(&nodes->lock);
	return node_note_seen(db, ids, count, fault);
}
