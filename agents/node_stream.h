/*
 * node_stream: the node's own stream from the hub, kept up by a thread.
 *
 * Events are handed to their handlers in that thread. A link that is dead
 * without a word is noticed by the missing "time" events, and opened anew.
 */
#ifndef FG_AGENTS_NODE_STREAM_H
#define FG_AGENTS_NODE_STREAM_H

#include <stdatomic.h>

#include "agents/hub.h"

/* Longest event; longer ones are left out. */
#define NODE_STREAM_BYTES_MAX ((size_t)256 * 1024)

struct node_stream_handler {
	const char *event; /* NULL ends the table */
	void (*take)(void *context, const char *text, size_t length);
	void *context;
};

struct node_stream;

/*
 * "options" as for hub_open; "stop" must not be NULL: it ends node_stream_run
 * within two seconds. "handlers" lives as long as the stream.
 * Fails: as hub_open.
 */
MUST_CHECK enum rc node_stream_open(const struct hub_options *options,
	const struct node_stream_handler *handlers, struct node_stream **stream,
	struct fault *fault);
void node_stream_close(struct node_stream *stream);

/* Follow the stream until "stop". */
void node_stream_run(struct node_stream *stream);

#endif
