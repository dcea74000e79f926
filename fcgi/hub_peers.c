/* hub_peers: the hubs over one database, and who of the nodes has gone. */

#include "fcgi/hub_peers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/hub_node_stream.h"
#include "fcgi/hub_relay.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "model/presence.h"

#define BEAT_US CLOCK_SECOND_US
#define LOOK_MS 250 /* for streams that were opened here, at most */
/* Another process is dead when its beats stand still for so long, and told as
 * lost when they still do after that. */
#define DEAD_US (5 * CLOCK_SECOND_US)
#define LOST_US (15 * CLOCK_SECOND_US)

/* A process of a hub, this one too. */
struct peer {
	char id[UUID_TEXT_BYTES];
	int64_t beats;
	int64_t moved_us; /* steady clock: when we saw them rise */
};

/* A node that was told as connected and has no stream. */
struct absence {
	int32_t node_id;
	int64_t since_us; /* steady clock */
};

struct hub_peers {
	struct hub *hub;
	struct db *db;
	struct arena *arena; /* reset after every round */
	struct fault fault;
	char run[UUID_TEXT_BYTES];

	pthread_mutex_t lock;
	int64_t *changed; /* nodes whose streams are to be looked at */
	size_t changed_count;
	size_t changed_room;
	struct peer *alive;
	size_t alive_count;

	/* Of the thread alone. */
	struct peer *peers;
	size_t peers_count;
	struct absence *absences;
	size_t absences_count;
	int64_t beat_us; /* steady clock; the last one */
	bool lost;       /* the database, since the last good round */
};

struct hub_peers *
hub_peers_new(struct hub *hub)
{
	struct hub_peers *peers = calloc(1, sizeof(*peers));
	uint8_t run[UUID_BYTES];

	if (peers == NULL)
		abort();
	peers->hub = hub;
	peers->arena = arena_new();
	uuid_random(run);
	uuid_format(peers->run, run);
	pthread_mutex_init(&peers->lock, NULL);
	return peers;
}

void
hub_peers_free(struct hub_peers *peers)
{
	if (peers == NULL)
		return;
	pthread_mutex_destroy(&peers->lock);
	arena_free(peers->arena);
	free(peers->changed);
	free(peers->alive);
	free(peers->peers);
	free(peers->absences);
	free(peers);
}

static void *
grown(void *items, size_t count, size_t size)
{
	items = realloc(items, (count > 0 ? count : 1) * size);
	if (items == NULL)
		abort();
	return items;
}

/* --- from any thread -------------------------------------------------------
 */

const char *
hub_peers_own(const struct hub *hub)
{
	return hub->peers->run;
}

bool
hub_peers_is_other(struct hub *hub, const char *run)
{
	struct hub_peers *peers = hub->peers;
	bool found = false;

	if (strcmp(run, peers->run) == 0)
		return false;
	pthread_mutex_lock(&peers->lock);
	for (size_t i = 0; i < peers->alive_count && !found; i++)
		found = strcmp(peers->alive[i].id, run) == 0;
	pthread_mutex_unlock(&peers->lock);
	return found;
}

void
hub_peers_note(struct hub *hub, int64_t node_id)
{
	struct hub_peers *peers = hub->peers;

	pthread_mutex_lock(&peers->lock);
	if (peers->changed_count == peers->changed_room) {
		peers->changed_room = 2 * peers->changed_room + 16;
		peers->changed = grown(peers->changed, peers->changed_room,
			sizeof(*peers->changed));
	}
	peers->changed[peers->changed_count++] = node_id;
	pthread_mutex_unlock(&peers->lock);
}

/* --- processes -------------------------------------------------------------
 */

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
	struct peer *next = grown(NULL, runs->count, sizeof(*next));

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
	struct peer *alive = grown(NULL, peers->peers_count, sizeof(*alive));
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

static enum rc
beat(struct hub_peers *peers)
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

/* --- streams ---------------------------------------------------------------
 */

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

static enum rc
follow_streams(struct hub_peers *peers)
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

/* --- nodes that have gone --------------------------------------------------
 */

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
	struct absence *next = grown(NULL, count, sizeof(*next));

	for (size_t i = 0; i < count; i++)
		next[i] = (struct absence){ids[i], absent_since(peers, ids[i])};
	free(peers->absences);
	peers->absences = next;
	peers->absences_count = count;
}

static enum rc
look_for_absent(struct hub_peers *peers)
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

/* They are claimed once more, which tells that they are connected. */
static enum rc
look_for_mistaken(struct hub_peers *peers)
{
	const int32_t *ids = NULL;
	size_t count = 0;
	enum rc rc = presence_mistaken(peers->db, peers->arena, peers->run,
		&ids, &count, &peers->fault);

	for (size_t i = 0; rc == RC_OK && i < count; i++)
		hub_peers_note(peers->hub, ids[i]);
	return rc;
}

/* --- the thread ------------------------------------------------------------
 */

static enum rc
run_round(struct hub_peers *peers)
{
	bool due = clock_steady_us() - peers->beat_us >= BEAT_US;
	enum rc rc = RC_OK;

	if (due)
		rc = beat(peers);
	if (rc == RC_OK)
		rc = follow_streams(peers);
	if (rc == RC_OK && due)
		rc = look_for_absent(peers);
	if (rc == RC_OK && due)
		rc = look_for_mistaken(peers);
	if (rc == RC_OK && due)
		peers->beat_us = clock_steady_us();
	return rc;
}

/* Messages as they come, until the next look. */
static enum rc
take_messages(struct hub_peers *peers)
{
	int timeout_ms = LOOK_MS;
	char *text;
	enum rc rc;

	do {
		rc = db_wait(peers->db, peers->arena, timeout_ms, &text,
			&peers->fault);
		if (rc == RC_OK && text != NULL)
			hub_relay_take(
				peers->hub, peers->db, peers->arena, text);
		timeout_ms = 0; /* take all there are */
	} while (rc == RC_OK && text != NULL);
	hub_relay_flush(peers->hub, peers->db);
	hub_relay_look(peers->hub, peers->db, peers->arena);
	return rc;
}

/* Nobody could beat or come: all have their time again when it is back. */
static void
note_lost(struct hub_peers *peers)
{
	const struct timespec moment = {0, 200000000};

	if (!peers->lost)
		log_warn(NULL, "%s", peers->fault.text);
	peers->lost = true;
	peers->absences_count = 0;
	peers->peers_count = 0;
	nanosleep(&moment, NULL);
}

static void
open_db(struct hub_peers *peers)
{
	const char *channel =
		arena_printf(peers->arena, PRESENCE_CHANNEL "%s", peers->run);

	if (db_open(&peers->hub->conf.database, "fieldgrid-hub peers",
		    peers->hub->stmts, &peers->db, &peers->fault) != RC_OK) {
		log_error(NULL, "%s", peers->fault.text);
		abort(); /* a statement is wrong: the supervisor tells */
	}
	if (db_listen(peers->db, channel, &peers->fault) != RC_OK)
		log_warn(NULL, "%s", peers->fault.text);
}

void
hub_peers_run(struct hub_peers *peers)
{
	open_db(peers);
	while (!atomic_load(&peers->hub->stopping)) {
		enum rc rc = run_round(peers);

		if (rc == RC_OK) {
			peers->lost = false;
			rc = take_messages(peers);
		}
		if (rc != RC_OK)
			note_lost(peers);
		arena_reset(peers->arena);
	}
	if (presence_end(peers->db, peers->arena, peers->run,
		    peers->hub->conf.name, &peers->fault) != RC_OK)
		log_warn(NULL, "%s", peers->fault.text);
	db_close(peers->db);
}
