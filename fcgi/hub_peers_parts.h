/* hub_peers_parts: what the files of hub_peers share. */
#ifndef FG_FCGI_HUB_PEERS_PARTS_H
#define FG_FCGI_HUB_PEERS_PARTS_H

#include <pthread.h>

#include "fcgi/hub_peers.h"
#include "model/presence.h"

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

/* --- a part of a round each, for the thread; they fail as db_query ---------
 */

/* Show that this process lives, and see who of the others does. */
MUST_CHECK enum rc hub_peers_beat(struct hub_peers *peers);

/* Write down which streams have been opened or have ended here. */
MUST_CHECK enum rc hub_peers_follow_streams(struct hub_peers *peers);

/* Tell which nodes have gone. */
MUST_CHECK enum rc hub_peers_look_for_absent(struct hub_peers *peers);

/* Nodes that are told as gone and have their streams here are claimed once
 * more, which tells that they are connected. */
MUST_CHECK enum rc hub_peers_look_for_mistaken(struct hub_peers *peers);

#endif
