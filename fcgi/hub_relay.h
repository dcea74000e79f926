/*
 * hub_relay: commands from the hub that was asked to the hub that holds the
 * node's stream, and their results back.
 *
 * Messages between two hubs, words parted by spaces:
 *
 *   offer COMMAND NODE RUN        asked to holding: can you reach the node?
 *   accept COMMAND STAMP RUN      back: yes; STAMP is the answerer's clock
 *   decline COMMAND               back: no
 *   go COMMAND NODE STAMP LEFT    asked to holding: send it; good for LEFT us
 *                                 after STAMP
 *   over COMMAND                  any to asked: it has its result, on record
 *   replaced NODE                 any to holding: the node's stream is here
 *
 * The one that was asked says how long a command is good from a moment that
 * the other one named before, so it is never sent later than it may be, though
 * the two have no clock in common. An offer is good for one "go", and none that
 * was not answered within a second: then nothing was sent.
 */
#ifndef FG_FCGI_HUB_RELAY_H
#define FG_FCGI_HUB_RELAY_H

#include "fcgi/hub.h"
#include "model/command.h"

struct hub_relay;

struct hub_relay *hub_relay_new(void);
void hub_relay_free(struct hub_relay *relay);

/* --- from any thread -------------------------------------------------------
 */

/* Commands that are on record are for nodes whose streams other processes
 * hold: via[i]. What cannot be offered is recorded as refused. */
void hub_relay_offer(struct hub *hub, struct db *db, struct arena *arena,
	const struct command *const *commands, const char *const *via,
	size_t count, int64_t expires_us);

/* Commands are over, and that is committed: whoever waits for them is told. */
void hub_relay_over(struct hub *hub, struct db *db, struct arena *arena,
	const struct command *const *commands, size_t count);

/* Nothing was sent: say so on record, and to who waits. */
void hub_relay_take_back(struct hub *hub, struct db *db, struct arena *arena,
	const uint8_t id[UUID_BYTES], int64_t node_id);

/* --- for the thread of hub_peers -------------------------------------------
 */

/* Answers lie in the arena until hub_relay_flush. */
void hub_relay_take(struct hub *hub, struct db *db, struct arena *arena,
	const char *message);
void hub_relay_flush(struct hub *hub, struct db *db);

/* Take back what was not answered in time. */
void hub_relay_look(struct hub *hub, struct db *db, struct arena *arena);

#endif
