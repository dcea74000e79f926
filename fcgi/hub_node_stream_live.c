/* hub_node_stream_live: the streams of nodes, in the live thread. */

#include "fcgi/hub_node_stream_parts.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/hub_clock.h"
#include "fcgi/hub_feed_news.h"
#include "fcgi/hub_held.h"
#include "fcgi/hub_nodes.h"
#include "fcgi/hub_peers.h"
#include "lib/log.h"

#define TIME_US   (2 * CLOCK_SECOND_US) /* from one "time" to the next */
#define TICKET_US (10 * CLOCK_SECOND_US)

/* The connection has gone, whoever ended it. */
static void
stream_gone(struct evhttp_connection *connection, void *context)
{
	struct stream *stream = context;
	struct hub_node_streams *streams = stream->hub->node_streams;

	(void)connection;
	pthread_mutex_lock(&streams->lock);
	hub_node_stream_unlink(streams, stream);
	pthread_mutex_unlock(&streams->lock);
	/* evhttp leaves a request that was not ended to its owner. */
	if (stream->request != NULL &&
		evhttp_request_get_connection(stream->request) == NULL)
		evhttp_send_reply_end(stream->request);
	log_info(NULL, "node stream closed node=%s", stream->caller->name);
	hub_peers_note(stream->hub, stream->node_id);
	hub_node_stream_free(stream);
}

static void
put_time(struct stream *stream)
{
	struct arena *arena = arena_new();
	struct jsonw *json = jsonw_in(arena);

	jsonw_open_obj(json, NULL);
	hub_clock_write(json);
	jsonw_close_obj(json);
	hub_node_stream_put(stream, "time", json->out->data);
	arena_free(arena);
}

/* Under the lock: the ticket's stream takes the place of the one before. */
static struct stream *
redeem(struct hub_node_streams *streams, const char *ticket,
	struct evhttp_request *request)
{
	struct stream *stream = streams->first;
	struct stream *before;

	while (stream != NULL && (stream->ticket[0] == '\0' ||
					 strcmp(stream->ticket, ticket) != 0))
		stream = stream->next;
	if (stream == NULL)
		return NULL;
	before = hub_node_stream_find(streams, stream->node_id);
	if (before != NULL)
		hub_node_stream_end(before, "replaced");
	stream->ticket[0] = '\0';
	stream->news = HUB_FEED_ALL; /* whatever there was before */
	stream->request = request;
	stream->bufferevent = evhttp_connection_get_bufferevent(
		evhttp_request_get_connection(request));
	put_time(stream);
	return stream;
}

/* The answer begins before anything is sent into it. A stream is silent
 * towards us for as long as it likes. */
static void
begin_answer(struct stream *stream)
{
	struct evkeyvalq *headers =
		evhttp_request_get_output_headers(stream->request);

	evhttp_add_header(headers, "Content-Type", "text/event-stream");
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_add_header(headers, "X-Accel-Buffering", "no");
	evhttp_add_header(headers, "Connection", "close");
	evhttp_connection_set_closecb(
		evhttp_request_get_connection(stream->request), stream_gone,
		stream);
	evhttp_send_reply_start(stream->request, 200, "OK");
	bufferevent_set_timeouts(stream->bufferevent, NULL, NULL);
	log_info(NULL, "node stream opened node=%s", stream->caller->name);
	hub_peers_note(stream->hub, stream->node_id);
}

void
hub_node_streams_take(
	struct hub *hub, struct evhttp_request *request, const char *ticket)
{
	struct hub_node_streams *streams = hub->node_streams;
	struct stream *stream;

	pthread_mutex_lock(&streams->lock);
	stream = redeem(streams, ticket, request);
	pthread_mutex_unlock(&streams->lock);
	if (stream == NULL) {
		evhttp_send_reply(request, 404, NULL, NULL);
		return;
	}
	begin_answer(stream);
}

/* Under the lock. */
static void
send_outbox(struct stream *stream)
{
	struct evbuffer *chunk;

	if (stream->ending != NULL)
		hub_node_stream_put(stream, stream->ending, "{}");
	if (stream->outbox.length > 0) {
		chunk = evbuffer_new();
		if (chunk == NULL)
			abort();
		evbuffer_add(chunk, stream->outbox.data, stream->outbox.length);
		evhttp_send_reply_chunk(stream->request, chunk);
		evbuffer_free(chunk);
		buf_clear(&stream->outbox);
	}
	stream->unsent = evbuffer_get_length(
		bufferevent_get_output(stream->bufferevent));
}

/* Under the lock: one stream that is to end, taken off the list. Ending calls
 * back at once, so it is done without the lock. */
static struct stream *
take_ended(struct hub_node_streams *streams)
{
	struct stream *stream = streams->first;

	while (stream != NULL &&
		(stream->ending == NULL || stream->request == NULL))
		stream = stream->next;
	if (stream != NULL)
		hub_node_stream_unlink(streams, stream);
	return stream;
}

static void
end_all_ended(struct hub_node_streams *streams)
{
	for (;;) {
		struct evhttp_request *request;
		struct stream *stream;

		pthread_mutex_lock(&streams->lock);
		stream = take_ended(streams);
		pthread_mutex_unlock(&streams->lock);
		if (stream == NULL)
			return;
		request = stream->request;
		stream->request = NULL;
		evhttp_send_reply_end(request);
	}
}

void
hub_node_streams_flush(struct hub *hub)
{
	struct hub_node_streams *streams = hub->node_streams;
	bool ended = false;

	pthread_mutex_lock(&streams->lock);
	for (struct stream *stream = streams->first; stream != NULL;
		stream = stream->next) {
		if (stream->request == NULL)
			continue;
		send_outbox(stream);
		ended |= stream->ending != NULL;
	}
	pthread_mutex_unlock(&streams->lock);
	if (ended)
		end_all_ended(streams);
}

/* Under the lock: tickets that nobody came for. */
static void
drop_stale(struct hub_node_streams *streams, int64_t now_us)
{
	struct stream *next;

	for (struct stream *stream = streams->first; stream != NULL;
		stream = next) {
		next = stream->next;
		if (stream->ticket[0] == '\0' ||
			now_us - stream->opened_us < TICKET_US)
			continue;
		hub_node_stream_unlink(streams, stream);
		hub_node_stream_free(stream);
	}
}

static void
look_at(struct hub *hub, struct stream *stream, int64_t now_us, bool tell)
{
	if (stream->request == NULL)
		return;
	if (now_us - stream->opened_us > HUB_NODE_SILENCE_US &&
		hub_nodes_silence(hub->nodes, stream->node_id) >
			HUB_NODE_SILENCE_US)
		hub_node_stream_end(stream, "silent");
	else if (stream->unsent > HUB_NODE_WAITING_BYTES_MAX)
		hub_node_stream_end(stream, "slow");
	else if (tell)
		put_time(stream);
}

void
hub_node_streams_tick(struct hub *hub)
{
	struct hub_node_streams *streams = hub->node_streams;
	int64_t now_us = clock_steady_us();
	bool tell = now_us - streams->told_us >= TIME_US;

	if (tell)
		streams->told_us = now_us;
	pthread_mutex_lock(&streams->lock);
	drop_stale(streams, now_us);
	for (struct stream *stream = streams->first; stream != NULL;
		stream = stream->next)
		look_at(hub, stream, now_us, tell);
	pthread_mutex_unlock(&streams->lock);
}

void
hub_node_streams_close_all(struct hub *hub)
{
	struct hub_node_streams *streams = hub->node_streams;

	pthread_mutex_lock(&streams->lock);
	for (struct stream *stream = streams->first; stream != NULL;
		stream = stream->next)
		hub_node_stream_end(stream, "closing");
	pthread_mutex_unlock(&streams->lock);
	hub_node_streams_flush(hub);
}
