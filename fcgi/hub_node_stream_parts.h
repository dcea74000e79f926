/*
 * hub_node_stream_parts: what hub_node_stream*.c share, and nobody else: the
 * streams of nodes, one of each node's at work.
 */
#ifndef FG_FCGI_HUB_NODE_STREAM_PARTS_H
#define FG_FCGI_HUB_NODE_STREAM_PARTS_H

#include <pthread.h>

#include "fcgi/hub_node_stream.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "model/caller.h"
#include "model/node_link.h"

#define HUB_NODE_SILENCE_US                                                    \
	(15 * CLOCK_SECOND_US) /* then the node is taken for dead              \
				*/
/* What a node that does not read may let pile up. */
#define HUB_NODE_WAITING_BYTES_MAX ((size_t)256 * 1024)
#define HUB_NODE_TICKET_BYTES      44

struct bufferevent;

/* A node's request on its way from the handler to the live thread, and then
 * its stream. */
struct stream {
	struct stream *next;
	int64_t node_id;
	struct arena *arena; /* of "caller" */
	struct caller *caller;
	const char *address;
	uint8_t fingerprint[32];
	char ticket[HUB_NODE_TICKET_BYTES]; /* "" once it was shown */
	int64_t opened_us;                  /* steady clock */
	struct node_link *links;            /* by datasource; owned */
	size_t link_count;
	bool subscribes;    /* to any of them */
	struct buf outbox;  /* for the live thread to send */
	const char *ending; /* the last event; NULL = it goes on */
	/* Of the live thread alone. */
	struct evhttp_request *request; /* NULL until it is connected */
	struct bufferevent *bufferevent;
	struct hub *hub;
	size_t unsent;   /* at the last look, under the lock */
	unsigned news;   /* enum hub_feed_kind, not told yet */
	int64_t told_us; /* steady clock; the last "feed" */
};

struct hub_node_streams {
	pthread_mutex_t lock;
	struct stream *first;
	size_t count;
	_Atomic size_t subscribers; /* streams of nodes that subscribe */
	int64_t told_us;            /* steady clock; the last "time" */
};

void hub_node_stream_free(struct stream *stream);

/* --- under the lock --------------------------------------------------------
 */

void hub_node_stream_unlink(
	struct hub_node_streams *streams, struct stream *stream);
/* The stream that the node reads now. */
struct stream *hub_node_stream_find(
	const struct hub_node_streams *streams, int64_t node_id);
/* False when the node does not take what it was sent. */
bool hub_node_stream_put(
	struct stream *stream, const char *event, const char *text);
void hub_node_stream_end(struct stream *stream, const char *why);

#endif
