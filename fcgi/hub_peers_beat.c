/* hub_peers_beat: the processes of hubs, and which of them live. */

#include "fcgi/hub_peers_parts.h"

#include <stdlib.h>
#include <string.h>

#include "fcgi/hub_node_stream.h"
#include "lib/clock.h"
#include "lib/memory.h"

/* Another process is dead when its beats stand still for so long, and told as
 * lost when they still do after that. */
#define DEAD_US (5 * CLOCK_SECOND_US)
#define LOST_US (15 * CLOCK_SECOND_US)

static struct peer *
find_peer(const struct hub_peers *peers, const char *id)
{
	for (size_t i = 0; i < peers->peers_count; i++)
		if (strcmp(peers->peers[i].id, id) == 0)
			return &peers->peers[i];
	return NULL;
}

/* The list as it is now; whose beats have not moved keeps its time. */
static void
keep_peers(struct hub_peers *peers, const struct presence_runs *runs)
{
	int64_t now_us = clock_steady_us();
	struct peer *next = memory_grow(NULL, runs->count, sizeof(*next));

	for (size_t i = 0; i < runs->count; i++) {
		const struct presence_run *run = &runs->items[i];
		const struct peer *known = find_peer(peers, run->id);

		next[i] =
			(struct peer){.beats = run->beats, .moved_us = now_us};
		memcpy(next[i].id, run->id, sizeof(next[i].id));
		if (known != NULL && known->beats == run->beats)
			next[i].moved_us = known->moved_us;
	}
	free(peers->peers);
	peers->peers = next;
	peers->peers_count = runs->count;
}

static int64_t
silence(const struct peer *peer)
{
	return clock_steady_us() - peer->moved_us;
}

static void
keep_alive(struct hub_peers *peers)
{
	struct peer *alive =
		memory_grow(NULL, peers->peers_count, sizeof(*alive));
	size_t count = 0;

	for (size_t i = 0; i < peers->peers_count; i++)
		if (silence(&peers->peers[i]) < DEAD_US)
			alive[count++] = peers->peers[i];
	pthread_mutex_lock(&peers->lock);
	free(peers->alive);
	peers->alive = alive;
	peers->alive_count = count;
	pthread_mutex_unlock(&peers->lock);
}

static enum rc
bury_lost(struct hub_peers *peers, const struct presence_runs *runs)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < runs->count; i++) {
		const struct peer *peer = find_peer(peers, runs->items[i].id);

		if (silence(peer) >= LOST_US)
			rc = presence_bury(peers->db, peers->arena,
				&runs->items[i], &peers->fault);
	}
	return rc;
}

static void
note_all(struct hub_peers *peers)
{
	size_t count;
	const int64_t *ids =
		hub_node_streams_nodes(peers->hub, peers->arena, &count);

	for (size_t i = 0; i < count; i++)
		hub_peers_note(peers->hub, ids[i]);
}

enum rc
hub_peers_beat(struct hub_peers *peers)
{
	struct presence_runs runs = {0, NULL};
	bool fresh = false;
	enum rc rc = presence_beat(peers->db, peers->arena, peers->run,
		peers->hub->conf.name, &fresh, &runs, &peers->fault);

	if (rc != RC_OK)
		return rc;
	if (fresh) /* others may have taken us for dead */
		note_all(peers);
	keep_peers(peers, &runs);
	keep_alive(peers);
	return bury_lost(peers, &runs);
}
