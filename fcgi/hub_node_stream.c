/* hub_node_stream: every node's own stream of server-sent events. */

#include "fcgi/hub_node_stream_parts.h"

#include <stdlib.h>
#include <string.h>

#include "fcgi/hub_feed_news.h"
#include "fcgi/hub_held.h"
#include "fcgi/hub_nodes.h"
#include "lib/encode.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/secret.h"
#include "model/event.h"

#define STREAMS_MAX 10000
/* A node's stream may be replaced often, but is not told so more often. */
#define REPLACED_US CLOCK_MINUTE_US

struct hub_node_streams *
hub_node_streams_new(void)
{
	struct hub_node_streams *streams = memory_new(1, sizeof(*streams));

	pthread_mutex_init(&streams->lock, NULL);
	return streams;
}

void
hub_node_stream_free(struct stream *stream)
{
	arena_free(stream->arena);
	buf_free(&stream->outbox);
	free(stream->links);
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
		hub_node_stream_free(stream);
	}
	pthread_mutex_destroy(&streams->lock);
	free(streams);
}

/* --- under the lock --------------------------------------------------------
 */

void
hub_node_stream_unlink(struct hub_node_streams *streams, struct stream *stream)
{
	struct stream **at = &streams->first;

	while (*at != NULL && *at != stream)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	*at = stream->next;
	streams->count--;
	streams->subscribers -= stream->subscribes;
}

struct stream *
hub_node_stream_find(const struct hub_node_streams *streams, int64_t node_id)
{
	for (struct stream *stream = streams->first; stream != NULL;
		stream = stream->next)
		if (stream->node_id == node_id && stream->request != NULL &&
			stream->ending == NULL)
			return stream;
	return NULL;
}

bool
hub_node_stream_put(struct stream *stream, const char *event, const char *text)
{
	if (stream->unsent + stream->outbox.length + strlen(text) >
		HUB_NODE_WAITING_BYTES_MAX)
		return false;
	buf_text(&stream->outbox, "event: ");
	buf_text(&stream->outbox, event);
	buf_text(&stream->outbox, "\ndata: ");
	buf_text(&stream->outbox, text);
	buf_text(&stream->outbox, "\n\n");
	return true;
}

void
hub_node_stream_end(struct stream *stream, const char *why)
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
	stream = hub_node_stream_find(streams, node_id);
	if (stream != NULL)
		sent = hub_node_stream_put(stream, event, text);
	pthread_mutex_unlock(&streams->lock);
	if (sent)
		hub_held_wake(hub);
	return sent;
}

bool
hub_node_stream_is_open(struct hub *hub, int64_t node_id)
{
	struct hub_node_streams *streams = hub->node_streams;
	struct stream *stream;
	bool open;

	pthread_mutex_lock(&streams->lock);
	stream = hub_node_stream_find(streams, node_id);
	open = stream != NULL && stream->unsent <= HUB_NODE_WAITING_BYTES_MAX;
	pthread_mutex_unlock(&streams->lock);
	return open &&
	       hub_nodes_silence(hub->nodes, node_id) < HUB_NODE_SILENCE_US;
}

bool
hub_node_streams_subscribe(const struct hub *hub)
{
	return atomic_load(&hub->node_streams->subscribers) > 0;
}

static bool
publishes(const struct stream *stream, int32_t datasource_id)
{
	for (size_t i = 0; i < stream->link_count; i++)
		if (stream->links[i].datasource_id == datasource_id)
			return stream->links[i].publishes;
	return false;
}

void
hub_node_streams_tell_limits(struct hub *hub, int32_t datasource_id)
{
	struct hub_node_streams *streams = hub->node_streams;

	pthread_mutex_lock(&streams->lock);
	for (struct stream *stream = streams->first; stream != NULL;
		stream = stream->next)
		if (stream->request != NULL && publishes(stream, datasource_id))
			hub_node_stream_put(stream, "limits", "{}");
	pthread_mutex_unlock(&streams->lock);
	hub_held_wake(hub);
}

const char *
hub_node_stream_address(struct hub *hub, struct arena *arena, int64_t node_id)
{
	struct hub_node_streams *streams = hub->node_streams;
	const struct stream *stream;
	const char *address = NULL;

	pthread_mutex_lock(&streams->lock);
	stream = hub_node_stream_find(streams, node_id);
	if (stream != NULL)
		address = arena_strdup(arena, stream->address);
	pthread_mutex_unlock(&streams->lock);
	return address;
}

const int64_t *
hub_node_streams_nodes(struct hub *hub, struct arena *arena, size_t *count)
{
	struct hub_node_streams *streams = hub->node_streams;
	int64_t *ids;

	*count = 0;
	pthread_mutex_lock(&streams->lock);
	ids = arena_array(arena, streams->count + 1, sizeof(*ids));
	for (const struct stream *stream = streams->first; stream != NULL;
		stream = stream->next)
		if (stream->request != NULL && stream->ending == NULL)
			ids[(*count)++] = stream->node_id;
	pthread_mutex_unlock(&streams->lock);
	return ids;
}

void
hub_node_stream_replace(struct hub *hub, int64_t node_id)
{
	struct hub_node_streams *streams = hub->node_streams;
	struct stream *stream;

	pthread_mutex_lock(&streams->lock);
	stream = hub_node_stream_find(streams, node_id);
	if (stream != NULL)
		hub_node_stream_end(stream, "replaced");
	pthread_mutex_unlock(&streams->lock);
	if (stream != NULL)
		hub_held_wake(hub);
}

/* --- the handler -----------------------------------------------------------
 */

/* Needs: the lock, when the stream is on the list. */
static void
set_links(struct hub_node_streams *streams, struct stream *stream,
	const struct node_link *links, size_t count)
{
	bool subscribes = false;

	free(stream->links);
	stream->links = memory_new(count, sizeof(*links));
	stream->link_count = count;
	for (size_t i = 0; i < count; i++) {
		stream->links[i] = links[i];
		subscribes |= links[i].subscribes;
	}
	streams->subscribers -= stream->subscribes;
	streams->subscribers += subscribes;
	stream->subscribes = subscribes;
}

static struct stream *
new_stream(struct hub *hub, const struct req *req, const uint8_t *fingerprint,
	const char *ticket)
{
	struct stream *stream = memory_new(1, sizeof(*stream));

	stream->hub = hub;
	stream->node_id = req->caller->id;
	stream->arena = arena_new();
	stream->caller = caller_copy(stream->arena, req->caller);
	stream->address = arena_strdup(stream->arena, req->address);
	memcpy(stream->fingerprint, fingerprint, sizeof(stream->fingerprint));
	strcpy(stream->ticket, ticket);
	stream->opened_us = clock_steady_us();
	buf_init(&stream->outbox, 2 * HUB_NODE_WAITING_BYTES_MAX);
	return stream;
}

static enum rc
add_stream(struct hub *hub, struct req *req, struct stream *stream)
{
	struct hub_node_streams *streams = hub->node_streams;
	int32_t node_id = (int32_t)stream->node_id;
	struct node_link *links;
	size_t count;
	bool full;
	enum rc rc = node_links(
		req->db, req->arena, &node_id, 1, &links, &count, &req->fault);

	if (rc != RC_OK)
		return rc;
	pthread_mutex_lock(&streams->lock);
	full = streams->count >= STREAMS_MAX;
	if (!full) {
		set_links(streams, stream, links, count);
		stream->next = streams->first;
		streams->first = stream;
		streams->count++;
	}
	pthread_mutex_unlock(&streams->lock);
	return full ? fault_tell(&req->fault, RC_TOO_MANY, "TooManyStreams",
			      NULL,
			      "The hub holds %d streams of nodes already.",
			      STREAMS_MAX)
		    : RC_OK;
}

/* A stream that is opened from another address than the one that is open: the
 * node's line has changed, or somebody else has its key. */
static void
report_replaced(struct hub *hub, struct req *req)
{
	struct hub_node *node = hub_nodes_get(hub->nodes, req->caller->id);
	const char *address =
		hub_node_stream_address(hub, req->arena, req->caller->id);
	int64_t now_us = clock_steady_us();
	struct event_new event = {.time_us = CLOCK_NEVER,
		.kind = "node.replaced",
		.text = arena_printf(req->arena,
			"the stream of node %s was replaced by one from "
			"another address",
			req->caller->name),
		.value = req->address,
		.old_value = address};
	struct fault fault;

	if (address == NULL || strcmp(address, req->address) == 0 ||
		now_us - atomic_load(&node->replaced_us) < REPLACED_US)
		return;
	atomic_store(&node->replaced_us, now_us);
	event_of_caller(req, &event);
	if (event_write(req->db, req->arena, &event, 1, &fault) != RC_OK)
		log_error(req->id, "%s", fault.text);
}

enum rc
hub_node_stream_get(struct req *req, struct resp *resp)
{
	uint8_t fingerprint[32];
	struct caller node;
	const char *ticket = secret_token(req->arena);
	struct stream *stream;
	struct hub *hub;
	enum rc rc = hub_ready(req, &hub);

	if (rc == RC_OK)
		rc = hub_node_check_place(
			hub_nodes_get(hub->nodes, req->caller->id), req);
	if (rc == RC_OK)
		rc = caller_find_node(req, fingerprint, &node);
	if (rc != RC_OK)
		return rc;
	stream = new_stream(hub, req, fingerprint, ticket);
	rc = add_stream(hub, req, stream);
	if (rc != RC_OK) {
		hub_node_stream_free(stream);
		return rc;
	}
	report_replaced(hub, req);
	hub_nodes_hear(hub->nodes, req->caller->id);
	hub_held_redirect(req, resp, "node", ticket);
	return RC_OK;
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
			hub_node_stream_end(stream, "unauthorised");
	pthread_mutex_unlock(&streams->lock);
}

static int
compare_ids(const void *left, const void *right)
{
	int32_t one = *(const int32_t *)left;
	int32_t other = *(const int32_t *)right;

	return (one > other) - (one < other);
}

/* Of all links, by node, those of one. */
static const struct node_link *
links_of(const struct node_link *links, size_t all, int64_t node_id,
	size_t *count)
{
	size_t low = 0;
	size_t high = all;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (links[middle].node_id < node_id)
			low = middle + 1;
		else
			high = middle;
	}
	for (high = low; high < all && links[high].node_id == node_id; high++)
		;
	*count = high - low;
	return links + low;
}

/* A stream that was opened meanwhile knows better. */
static void
take_links(struct hub_node_streams *streams, const int32_t *ids, size_t count,
	const struct node_link *links, size_t link_count)
{
	pthread_mutex_lock(&streams->lock);
	for (struct stream *stream = streams->first; stream != NULL;
		stream = stream->next) {
		int32_t id = (int32_t)stream->node_id;
		size_t own_count;
		const struct node_link *own =
			links_of(links, link_count, id, &own_count);

		if (bsearch(&id, ids, count, sizeof(id), compare_ids) != NULL)
			set_links(streams, stream, own, own_count);
	}
	pthread_mutex_unlock(&streams->lock);
}

static enum rc
read_links(struct hub_node_streams *streams, struct db *db, struct arena *arena,
	const struct proof *proofs, size_t count, struct fault *fault)
{
	int32_t *ids = arena_array(arena, count, sizeof(*ids));
	struct node_link *links;
	size_t link_count;
	enum rc rc;

	for (size_t i = 0; i < count; i++)
		ids[i] = (int32_t)proofs[i].node_id;
	qsort(ids, count, sizeof(*ids), compare_ids);
	rc = node_links(db, arena, ids, count, &links, &link_count, fault);
	if (rc == RC_OK)
		take_links(streams, ids, count, links, link_count);
	return rc;
}

enum rc
hub_node_streams_recheck(struct hub *hub, struct db *db, struct arena *arena,
	struct fault *fault)
{
	struct proof *proofs;
	size_t count = copy_proofs(hub->node_streams, arena, &proofs);
	bool ended = false;
	enum rc rc = RC_OK;

	if (count > 0)
		rc = read_links(
			hub->node_streams, db, arena, proofs, count, fault);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < count; i++) {
		rc = caller_recheck_node(db, arena, proofs[i].caller,
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
