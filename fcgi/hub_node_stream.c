/* hub_node_stream: every node's own stream of server-sent events. */

#include "fcgi/hub_node_stream.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/hub_clock.h"
#include "fcgi/hub_held.h"
#include "fcgi/hub_nodes.h"
#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "model/caller.h"

#define TIME_US   (2 * CLOCK_SECOND_US) /* from one "time" to the next */
#define TICKET_US (10 * CLOCK_SECOND_US)
#define SILENCE_US                                                             \
	(15 * CLOCK_SECOND_US) /* then the node is taken for dead              \
				*/
#define STREAMS_MAX 10000
/* What a node that does not read may let pile up. */
#define WAITING_BYTES_MAX ((size_t)256 * 1024)
#define TICKET_BYTES      44

/* A node's request on its way from the handler to the live thread, and then
 * its stream. */
struct stream {
	struct stream *next;
	int64_t node_id;
	struct arena *arena; /* of "caller" */
	struct caller *caller;
	uint8_t fingerprint[32];
	char ticket[TICKET_BYTES]; /* "" once it was shown */
	int64_t opened_us;         /* steady clock */
	struct buf outbox;         /* for the live thread to send */
	const char *ending;        /* the last event; NULL = it goes on */
	/* Of the live thread alone. */
	struct evhttp_request *request; /* NULL until it is connected */
	struct bufferevent *bufferevent;
	struct hub *hub;
	size_t unsent; /* at the last look, under the lock */
};

struct hub_node_streams {
	pthread_mutex_t lock;
	struct stream *first;
	size_t count;
	int64_t told_us; /* steady clock; the last "time" */
};

struct hub_node_streams *
hub_node_streams_new(void)
{
	struct hub_node_streams *streams = calloc(1, sizeof(*streams));

	if (streams == NULL)
		abort();
	pthread_mutex_init(&streams->lock, NULL);
	return streams;
}

static void
stream_free(struct stream *stream)
{
	arena_free(stream->arena);
	buf_free(&stream->outbox);
	free(stream);
}

void
hub_node_streams_free(struct hub_node_streams *streams)
{
	if (streams == NULL)
		return;
	while (streams->first != NULL) {
		struct stream *stream = streams->first;

		streams->first = stream->next;
		stream_free(stream);
	}
	pthread_mutex_destroy(&streams->lock);
	free(streams);
}

/* --- under the lock --------------------------------------------------------
 */

static void
unlink_stream(struct hub_node_streams *streams, const struct stream *stream)
{
	struct stream **at = &streams->first;

	while (*at != NULL && *at != stream)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	*at = stream->next;
	streams->count--;
}

/* The stream that the node reads now. */
static struct stream *
find_open(const struct hub_node_streams *streams, int64_t node_id)
{
	for (struct stream *stream = streams->first; stream != NULL;
		stream = stream->next)
		if (stream->node_id == node_id && stream->request != NULL &&
			stream->ending == NULL)
			return stream;
	return NULL;
}

static void
put_event(struct stream *stream, const char *event, const char *text)
{
	buf_text(&stream->outbox, "event: ");
	buf_text(&stream->outbox, event);
	buf_text(&stream->outbox, "\ndata: ");
	buf_text(&stream->outbox, text);
	buf_text(&stream->outbox, "\n\n");
}

static void
end_stream(struct stream *stream, const char *why)
{
	if (stream->ending == NULL)
		stream->ending = why;
}

/* --- from any thread -------------------------------------------------------
 */

bool
hub_node_stream_send(
	struct hub *hub, int64_t node_id, const char *event, const char *text)
{
	struct hub_node_streams *streams = hub->node_streams;
	struct stream *stream;
	bool sent = false;

	pthread_mutex_lock(&streams->lock);
	stream = find_open(streams, node_id);
	if (stream != NULL &&
		stream->unsent + stream->outbox.length + strlen(text) <=
			WAITING_BYTES_MAX) {
		put_event(stream, event, text);
		sent = true;
	}
	pthread_mutex_unlock(&streams->lock);
	if (sent)
		hub_held_wake(hub);
	return sent;
}

bool
hub_node_stream_is_open(struct hub *hub, int64_t node_id)
{
	struct hub_node_streams *streams = hub->node_streams;
	const struct stream *stream;
	bool open;

	pthread_mutex_lock(&streams->lock);
	stream = find_open(streams, node_id);
	open = stream != NULL && stream->unsent <= WAITING_BYTES_MAX;
	pthread_mutex_unlock(&streams->lock);
	return open && hub_nodes_silence(hub->nodes, node_id) < SILENCE_US;
}

/* --- the handler -----------------------------------------------------------
 */

static enum rc
add_stream(struct hub *hub, struct req *req, const uint8_t *fingerprint,
	const char *ticket)
{
	struct hub_node_streams *streams = hub->node_streams;
	struct stream *stream;
	bool full;

	stream = calloc(1, sizeof(*stream));
	if (stream == NULL)
		abort();
	stream->hub = hub;
	stream->node_id = req->caller->id;
	stream->arena = arena_new();
	stream->caller = caller_copy(stream->arena, req->caller);
	memcpy(stream->fingerprint, fingerprint, sizeof(stream->fingerprint));
	strcpy(stream->ticket, ticket);
	stream->opened_us = clock_steady_us();
	buf_init(&stream->outbox, 2 * WAITING_BYTES_MAX);
	pthread_mutex_lock(&streams->lock);
	full = streams->count >= STREAMS_MAX;
	if (!full) {
		stream->next = streams->first;
		streams->first = stream;
		streams->count++;
	}
	pthread_mutex_unlock(&streams->lock);
	if (!full)
		return RC_OK;
	stream_free(stream);
	return fault_tell(&req->fault, RC_TOO_MANY, "TooManyStreams", NULL,
		"The hub holds %d streams of nodes already.", STREAMS_MAX);
}

enum rc
hub_node_stream_get(struct req *req, struct resp *resp)
{
	uint8_t fingerprint[32];
	struct caller node;
	const char *ticket = secret_token(req->arena);
	struct hub *hub;
	enum rc rc = hub_ready(req, &hub);

	if (rc == RC_OK)
		rc = hub_node_check_place(
			hub_nodes_get(hub->nodes, req->caller->id), req);
	if (rc == RC_OK)
		rc = caller_find_node(req, fingerprint, &node);
	if (rc == RC_OK)
		rc = add_stream(hub, req, fingerprint, ticket);
	if (rc != RC_OK)
		return rc;
	hub_nodes_hear(hub->nodes, req->caller->id);
	hub_held_redirect(req, resp, "node", ticket);
	return RC_OK;
}

/* --- the live thread -------------------------------------------------------
 */

/* The connection has gone, whoever ended it. */
static void
stream_gone(struct evhttp_connection *connection, void *context)
{
	struct stream *stream = context;
	struct hub_node_streams *streams = stream->hub->node_streams;

	(void)connection;
	pthread_mutex_lock(&streams->lock);
	unlink_stream(streams, stream);
	pthread_mutex_unlock(&streams->lock);
	/* evhttp leaves a request that was not ended to its owner. */
	if (stream->request != NULL &&
		evhttp_request_get_connection(stream->request) == NULL)
		evhttp_send_reply_end(stream->request);
	log_info(NULL, "node stream closed node=%s", stream->caller->name);
	stream_free(stream);
}

static void
put_time(struct stream *stream)
{
	struct arena *arena = arena_new();
	struct jsonw *json = jsonw_in(arena);

	jsonw_open_obj(json, NULL);
	hub_clock_write(json);
	jsonw_close_obj(json);
	put_event(stream, "time", json->out->data);
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
	before = find_open(streams, stream->node_id);
	if (before != NULL)
		end_stream(before, "replaced");
	stream->ticket[0] = '\0';
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
	hub_node_streams_flush(hub);
}

/* Under the lock. */
static void
send_outbox(struct stream *stream)
{
	struct evbuffer *chunk;

	if (stream->ending != NULL)
		put_event(stream, stream->ending, "{}");
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
		unlink_stream(streams, stream);
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
		unlink_stream(streams, stream);
		stream_free(stream);
	}
}

static void
look_at(struct hub *hub, struct stream *stream, int64_t now_us, bool tell)
{
	if (stream->request == NULL)
		return;
	if (now_us - stream->opened_us > SILENCE_US &&
		hub_nodes_silence(hub->nodes, stream->node_id) > SILENCE_US)
		end_stream(stream, "silent");
	else if (stream->unsent > WAITING_BYTES_MAX)
		end_stream(stream, "slow");
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
		end_stream(stream, "closing");
	pthread_mutex_unlock(&streams->lock);
	hub_node_streams_flush(hub);
}

/* --- the watch thread ------------------------------------------------------
 */

struct proof {
	int64_t node_id;
	struct caller *caller;
	uint8_t fingerprint[32];
};

static size_t
copy_proofs(struct hub_node_streams *streams, struct arena *arena,
	struct proof **proofs)
{
	size_t count = 0;

	pthread_mutex_lock(&streams->lock);
	*proofs = arena_array(arena, streams->count + 1, sizeof(**proofs));
	for (const struct stream *stream = streams->first; stream != NULL;
		stream = stream->next) {
		struct proof *proof = &(*proofs)[count++];

		proof->node_id = stream->node_id;
		proof->caller = caller_copy(arena, stream->caller);
		memcpy(proof->fingerprint, stream->fingerprint,
			sizeof(proof->fingerprint));
	}
	pthread_mutex_unlock(&streams->lock);
	return count;
}

static void
end_of_proof(struct hub_node_streams *streams, const struct proof *proof)
{
	pthread_mutex_lock(&streams->lock);
	for (struct stream *stream = streams->first; stream != NULL;
		stream = stream->next)
		if (stream->node_id == proof->node_id &&
			memcmp(stream->fingerprint, proof->fingerprint,
				sizeof(proof->fingerprint)) == 0 &&
			memcmp(stream->caller->credential,
				proof->caller->credential,
				sizeof(proof->caller->credential)) == 0 &&
			stream->caller->expires_us <= proof->caller->expires_us)
			end_stream(stream, "unauthorised");
	pthread_mutex_unlock(&streams->lock);
}

enum rc
hub_node_streams_recheck(struct hub *hub, struct db *db, struct arena *arena,
	struct fault *fault)
{
	struct proof *proofs;
	size_t count = copy_proofs(hub->node_streams, arena, &proofs);
	bool ended = false;

	for (size_t i = 0; i < count; i++) {
		enum rc rc = caller_recheck_node(db, arena, proofs[i].caller,
			proofs[i].fingerprint, fault);

		if (rc == RC_UNAUTHENTICATED || rc == RC_DENIED) {
			end_of_proof(hub->node_streams, &proofs[i]);
			ended = true;
		} else if (rc != RC_OK) {
			return rc;
		}
	}
	if (ended)
		hub_held_wake(hub);
	return RC_OK;
}
