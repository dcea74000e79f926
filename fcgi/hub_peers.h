/*
 * hub_peers: the hubs over one database, each of the others' streams, and who
 * of the nodes has gone.
 *
 * A thread shows every second that this process lives, writes down which nodes
 * have their streams here, and looks for processes and nodes that have ended
 * without a word. How long something has been silent it counts by the steady
 * clock, and not while the database is out of reach. Messages of other hubs
 * come to it as notifications (fcgi/hub_relay.h).
 */
#ifndef FG_FCGI_HUB_PEERS_H
#define FG_FCGI_HUB_PEERS_H

#include "fcgi/hub.h"

struct hub_peers;

struct hub_peers *hub_peers_new(struct hub *hub);
void hub_peers_free(struct hub_peers *peers);

/* Run until hub->stopping; then this process is gone for the others. */
void hub_peers_run(struct hub_peers *peers);

/* --- from any thread -------------------------------------------------------
 */

/* The id of this process. */
const char *hub_peers_own(const struct hub *hub);

/* Does that process live, and is it not this one? */
bool hub_peers_is_other(struct hub *hub, const char *run);

/* A node's stream has been opened, or has ended. */
void hub_peers_note(struct hub *hub, int64_t node_id);

#endif
