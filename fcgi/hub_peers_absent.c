/* hub_peers_absent: nodes that have gone, and those that are told as gone but
 * are here. */

#include "fcgi/hub_peers_parts.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/memory.h"

/* In the arena; only this thread changes the list. */
static struct presence_alive
alive_ids(const struct hub_peers *peers)
{
	const char **ids =
		arena_array(peers->arena, peers->alive_count + 1, sizeof(*ids));

	for (size_t i = 0; i < peers->alive_count; i++)
		ids[i] = peers->alive[i].id;
	return (struct presence_alive){peers->alive_count, ids};
}

static int64_t
absent_since(const struct hub_peers *peers, int32_t node_id)
{
	for (size_t i = 0; i < peers->absences_count; i++)
		if (peers->absences[i].node_id == node_id)
			return peers->absences[i].since_us;
	return clock_steady_us();
}

static void
keep_absences(struct hub_peers *peers, const int32_t *ids, size_t count)
{
	struct absence *next = memory_grow(NULL, count, sizeof(*next));

	for (size_t i = 0; i < count; i++)
		next[i] = (struct absence){ids[i], absent_since(peers, ids[i])};
	free(peers->absences);
	peers->absences = next;
	peers->absences_count = count;
}

enum rc
hub_peers_look_for_absent(struct hub_peers *peers)
{
	const struct presence_alive alive = alive_ids(peers);
	int64_t away_us = peers->hub->conf.away_s * CLOCK_SECOND_US;
	const int32_t *ids = NULL;
	int32_t *gone;
	size_t count = 0;
	size_t gone_count = 0;
	enum rc rc = presence_absent(
		peers->db, peers->arena, &alive, &ids, &count, &peers->fault);

	if (rc != RC_OK)
		return rc;
	keep_absences(peers, ids, count);
	gone = arena_array(peers->arena, count + 1, sizeof(*gone));
	for (size_t i = 0; i < count; i++)
		if (clock_steady_us() - peers->absences[i].since_us >= away_us)
			gone[gone_count++] = ids[i];
	return gone_count == 0
		       ? RC_OK
		       : presence_tell_absent(peers->db, peers->arena, &alive,
				 gone, gone_count, &peers->fault);
}

enum rc
hub_peers_look_for_mistaken(struct hub_peers *peers)
{
	const int32_t *ids = NULL;
	size_t count = 0;
	enum rc rc = presence_mistaken(peers->db, peers->arena, peers->run,
		&ids, &count, &peers->fault);

	for (size_t i = 0; rc == RC_OK && i < count; i++)
		hub_peers_note(peers->hub, ids[i]);
	return rc;
}
