/*
 * hub_node_stream: every node's own stream of server-sent events.
 *
 * GET /live/node on the node port. It carries "command", "limits" and "feed"
 * for the node, and "time" every few seconds, by which the node notices a link
 * that is dead without a word. A node has one stream: a second one ends the
 * first with the event "replaced". Nothing is kept for a node without one.
 * doc/AGENT.md describes the events.
 */
#ifndef FG_FCGI_HUB_NODE_STREAM_H
#define FG_FCGI_HUB_NODE_STREAM_H

#include <stdbool.h>

#include "fcgi/hub.h"

struct evhttp_request;
struct hub_node_streams;

struct hub_node_streams *hub_node_streams_new(void);
void hub_node_streams_free(struct hub_node_streams *streams);

/*
 * Send one event to a node, from any thread; "text" is a single line, JSON as
 * a rule. False when the node has no stream that works, or does not take what
 * it was sent: the text is dropped.
 */
bool hub_node_stream_send(
	struct hub *hub, int64_t node_id, const char *event, const char *text);

/* Has the node a stream, and was it heard of a moment ago? */
bool hub_node_stream_is_open(struct hub *hub, int64_t node_id);

/* Does a node read a stream that subscribes to something? */
bool hub_node_streams_subscribe(const struct hub *hub);

/* Limits of the datasource were changed: its publishers shall ask for them. */
void hub_node_streams_tell_limits(struct hub *hub, int32_t datasource_id);

/* Where the node is that has a stream here, in the arena; NULL: none has. */
const char *hub_node_stream_address(
	struct hub *hub, struct arena *arena, int64_t node_id);

/* The nodes that have one, in the arena. */
const int64_t *hub_node_streams_nodes(
	struct hub *hub, struct arena *arena, size_t *count);

/* The node has its stream at another hub now: what it has here ends. */
void hub_node_stream_replace(struct hub *hub, int64_t node_id);

/* --- for the watch thread --------------------------------------------------
 */

/* End the streams of nodes that were blocked, whose token has ended or whose
 * certificate was revoked, and read anew which datasources the others publish
 * and subscribe to. Fails: RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc hub_node_streams_recheck(struct hub *hub, struct db *db,
	struct arena *arena, struct fault *fault);

/* --- for the live thread ---------------------------------------------------
 */

void hub_node_streams_take(
	struct hub *hub, struct evhttp_request *request, const char *ticket);
/* Send what is waiting, end what has ended. */
void hub_node_streams_flush(struct hub *hub);
/* Every second: "time" when it is due, and look for the dead. */
void hub_node_streams_tick(struct hub *hub);
void hub_node_streams_close_all(struct hub *hub);

#endif
