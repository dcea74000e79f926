/*
 * hub_nodes: what the hub remembers of each node between its requests.
 */
#ifndef FG_FCGI_HUB_NODES_H
#define FG_FCGI_HUB_NODES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/db.h"
#include "lib/req.h"

#define HUB_NODE_DATASOURCES 16
#define HUB_PLACE_BYTES      128
/* An agent that was not heard for so long may be at work elsewhere. */
#define HUB_PLACE_US (10 * INT64_C(1000000))

/* A node may publish a datasource, as the database said a moment ago. */
struct hub_grant {
	int32_t datasource_id;
	int64_t until_us; /* steady clock */
};

struct hub_node {
	int64_t id;
	/* Held from storing a frame until it is in the image, so that the
	 * image takes the frames of a node in the order of their commits. */
	pthread_mutex_t lock;
	bool behind; /* under lock: a frame may be stored but not in the image
		      */
	atomic_bool seen;            /* since hub_nodes_flush_seen */
	_Atomic int64_t heard_us;    /* steady clock; 0 = not yet */
	_Atomic int64_t replaced_us; /* steady; the last event of that */
	/* steady; when it was noted what an egress node has taken */
	_Atomic int64_t noted_us;
	pthread_mutex_t grants_lock;
	struct hub_grant grants[HUB_NODE_DATASOURCES];
	size_t grants_next;
	pthread_mutex_t place_lock;
	char place[HUB_PLACE_BYTES];   /* where its agent runs; "" = unknown */
	char refused[HUB_PLACE_BYTES]; /* the last one that was refused */
	int64_t place_us;              /* steady clock: heard from there */
};

struct hub_nodes;

struct hub_nodes *hub_nodes_new(void);
void hub_nodes_free(struct hub_nodes *nodes);

/* Made at first sight; good until hub_nodes_free. */
struct hub_node *hub_nodes_get(struct hub_nodes *nodes, int64_t id);

/* The node has sent something, whatever it was. */
void hub_nodes_hear(struct hub_nodes *nodes, int64_t id);
/* How long it has sent nothing, us. */
int64_t hub_nodes_silence(struct hub_nodes *nodes, int64_t id);

/* Ask the database at most once a second for each pair.
 * Fails: RC_DENIED DatasourceNotAllowed. */
MUST_CHECK enum rc hub_node_may_publish(struct hub_node *node, struct db *db,
	struct arena *arena, int32_t datasource_id, struct fault *fault);

/*
 * The agent of the caller runs at this place (header Fieldgrid-Place; none =
 * anywhere). A second one elsewhere, with a copy of the first one's spool, is
 * refused while the first is at work, and that is an event of the grid.
 * Fails: RC_CONFLICT AgentRuns.
 */
MUST_CHECK enum rc hub_node_check_place(struct hub_node *node, struct req *req);

/* Write down which nodes have sent something since the last call. */
MUST_CHECK enum rc hub_nodes_flush_seen(struct hub_nodes *nodes, struct db *db,
	struct arena *arena, struct fault *fault);

#endif
