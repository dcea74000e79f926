/* hub_peers: the hubs over one database, and who of the nodes has gone. */

#include "fcgi/hub_peers_parts.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fcgi/hub_relay.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/memory.h"

#define BEAT_US CLOCK_SECOND_US
#define LOOK_MS 250 /* for streams that were opened here, at most */

struct hub_peers *
hub_peers_new(struct hub *hub)
{
	struct hub_peers *peers = memory_new(1, sizeof(*peers));
	uint8_t run[UUID_BYTES];

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
		peers->changed = memory_grow(peers->changed,
			peers->changed_room, sizeof(*peers->changed));
	}
	peers->changed[peers->changed_count++] = node_id;
	pthread_mutex_unlock(&peers->lock);
}

/* --- the thread ------------------------------------------------------------
 */

static bool
is_due(const struct hub_peers *peers)
{
	return clock_steady_us() - peers->beat_us >= BEAT_US;
}

static enum rc
run_round(struct hub_peers *peers)
{
	bool due = is_due(peers);
	enum rc rc = RC_OK;

	if (due)
		rc = hub_peers_beat(peers);
	if (rc == RC_OK)
		rc = hub_peers_follow_streams(peers);
	if (rc == RC_OK && due)
		rc = hub_peers_look_for_absent(peers);
	if (rc == RC_OK && due)
		rc = hub_peers_look_for_mistaken(peers);
	if (rc == RC_OK && due)
		peers->beat_us = clock_steady_us();
	return rc;
}

/* Messages as they come, until the next look; however many there are, a hub
 * that does not beat is taken for dead. */
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
	} while (rc == RC_OK && text != NULL && !is_due(peers));
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
