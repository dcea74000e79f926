/* hub_peers_streams: the nodes whose streams are here, for other hubs. */

#include "fcgi/hub_peers_parts.h"

#include <stdlib.h>
#include <string.h>

#include "fcgi/hub_node_stream.h"

struct changes {
	int64_t *ids;
	size_t count;
	struct presence_stream *open;
	size_t open_count;
	int32_t *ended;
	size_t ended_count;
};

static int
by_id(const void *a, const void *b)
{
	const int64_t *left = a;
	const int64_t *right = b;

	return (*left > *right) - (*left < *right);
}

/* Each node once: what it has now counts, not how it came to that. */
static void
take_changed(struct hub_peers *peers, struct changes *changes)
{
	size_t kept = 0;

	pthread_mutex_lock(&peers->lock);
	changes->count = peers->changed_count;
	changes->ids = arena_array(
		peers->arena, changes->count + 1, sizeof(*changes->ids));
	if (changes->count > 0)
		memcpy(changes->ids, peers->changed,
			changes->count * sizeof(*changes->ids));
	peers->changed_count = 0;
	pthread_mutex_unlock(&peers->lock);
	qsort(changes->ids, changes->count, sizeof(*changes->ids), by_id);
	for (size_t i = 0; i < changes->count; i++)
		if (i == 0 || changes->ids[i] != changes->ids[i - 1])
			changes->ids[kept++] = changes->ids[i];
	changes->count = kept;
}

static void
sort_changed(struct hub_peers *peers, struct changes *changes)
{
	changes->open = arena_array(
		peers->arena, changes->count, sizeof(*changes->open));
	changes->ended = arena_array(
		peers->arena, changes->count, sizeof(*changes->ended));
	for (size_t i = 0; i < changes->count; i++) {
		int64_t id = changes->ids[i];
		const char *address =
			hub_node_stream_address(peers->hub, peers->arena, id);

		if (address != NULL)
			changes->open[changes->open_count++] =
				(struct presence_stream){id, address};
		else
			changes->ended[changes->ended_count++] = (int32_t)id;
	}
}

/* Who had a stream elsewhere has it here now: the other hub is told to end
 * what is left of the old one. */
static enum rc
end_elsewhere(struct hub_peers *peers, const struct presence_before *before,
	size_t count)
{
	const char **runs = arena_array(peers->arena, count, sizeof(*runs));
	const char **texts = arena_array(peers->arena, count, sizeof(*texts));
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		if (before[i].run == NULL ||
			!hub_peers_is_other(peers->hub, before[i].run))
			continue;
		runs[used] = before[i].run;
		texts[used++] = arena_printf(peers->arena, "replaced %lld",
			(long long)before[i].node_id);
	}
	return used == 0 ? RC_OK
			 : presence_send(
				   peers->db, runs, texts, used, &peers->fault);
}

static enum rc
write_changed(struct hub_peers *peers, const struct changes *changes)
{
	const struct presence_before *before = NULL;
	size_t before_count = 0;
	enum rc rc = RC_OK;

	if (changes->ended_count > 0)
		rc = presence_release(peers->db, peers->run, changes->ended,
			changes->ended_count, &peers->fault);
	if (rc == RC_OK && changes->open_count > 0)
		rc = presence_claim(peers->db, peers->arena, peers->run,
			peers->hub->conf.name, changes->open,
			changes->open_count, &before, &before_count,
			&peers->fault);
	return rc == RC_OK ? end_elsewhere(peers, before, before_count) : rc;
}

enum rc
hub_peers_follow_streams(struct hub_peers *peers)
{
	struct changes changes = {0};
	enum rc rc;

	take_changed(peers, &changes);
	if (changes.count == 0)
		return RC_OK;
	sort_changed(peers, &changes);
	rc = write_changed(peers, &changes);
	for (size_t i = 0; rc != RC_OK && i < changes.count; i++)
		hub_peers_note(peers->hub, changes.ids[i]);
	return rc;
}
