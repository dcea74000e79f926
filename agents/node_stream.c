/* node_stream: the node's own stream from the hub, kept up by a thread. */

#include "agents/node_stream.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agents/sender.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "lib/sse.h"

#define SILENCE_MS 10000 /* "time" comes every two seconds */
#define NAP_US     (CLOCK_SECOND_US / 10)
#define REMIND_US  (60 * CLOCK_SECOND_US)
/* A stream that lasted so long was a good one. */
#define GOOD_US (5 * CLOCK_SECOND_US)

struct node_stream {
	struct hub *hub;
	const atomic_bool *stop;
	const struct node_stream_handler *handlers;
	struct sse sse;
	bool connected; /* the first event has come */
	unsigned failures;
	int64_t reminded_us;
	char last_failure[256];
};

static void
take_event(void *context, const char *name, const char *data, size_t length)
{
	struct node_stream *stream = context;

	if (!stream->connected)
		log_info(NULL, "the hub's stream is open: %s",
			hub_url(stream->hub));
	stream->connected = true;
	for (const struct node_stream_handler *handler = stream->handlers;
		handler->event != NULL; handler++)
		if (strcmp(handler->event, name) == 0)
			handler->take(handler->context, data, length);
	if (strcmp(name, "replaced") == 0)
		log_warn(NULL, "another program reads the stream of this node");
}

static void
take_bytes(void *context, const char *data, size_t length)
{
	struct node_stream *stream = context;

	sse_feed(&stream->sse, data, length);
}

enum rc
node_stream_open(const struct hub_options *options,
	const struct node_stream_handler *handlers, struct node_stream **result,
	struct fault *fault)
{
	struct node_stream *stream = calloc(1, sizeof(*stream));
	enum rc rc;

	if (stream == NULL)
		abort();
	sse_init(&stream->sse, NODE_STREAM_BYTES_MAX);
	stream->sse.take = take_event;
	stream->sse.context = stream;
	stream->handlers = handlers;
	stream->stop = options->stop;
	rc = hub_open(options, &stream->hub, fault);
	if (rc != RC_OK) {
		node_stream_close(stream);
		return rc;
	}
	*result = stream;
	return RC_OK;
}

void
node_stream_close(struct node_stream *stream)
{
	if (stream == NULL)
		return;
	hub_close(stream->hub);
	sse_free(&stream->sse);
	free(stream);
}

/* The same words are said once a minute only. */
static void
complain(struct node_stream *stream, const struct fault *fault)
{
	int64_t now_us = clock_steady_us();

	if (strcmp(stream->last_failure, fault->text) == 0 &&
		now_us - stream->reminded_us < REMIND_US)
		return;
	stream->reminded_us = now_us;
	memcpy(stream->last_failure, fault->text, sizeof(fault->text));
	log_warn(NULL, "the hub's stream: %s", fault->text);
}

static void
back_off(struct node_stream *stream)
{
	uint32_t chance;
	int64_t until_us;

	secret_random(&chance, sizeof(chance));
	until_us = clock_steady_us() +
		   sender_backoff_us(stream->failures,
			   (double)chance / (double)UINT32_MAX);
	while (clock_steady_us() < until_us && !atomic_load(stream->stop))
		nanosleep(&(struct timespec){0, NAP_US * 1000}, NULL);
}

void
node_stream_run(struct node_stream *stream)
{
	const struct http_stream pieces = {.take = take_bytes,
		.context = stream,
		.silence_ms = SILENCE_MS};

	while (!atomic_load(stream->stop)) {
		int64_t begun_us = clock_steady_us();
		struct fault fault = {0};
		enum rc rc;

		sse_reset(&stream->sse);
		stream->connected = false;
		rc = hub_follow(stream->hub, "/live/node", &pieces, &fault);
		if (atomic_load(stream->stop))
			break;
		if (stream->connected && clock_steady_us() - begun_us > GOOD_US)
			stream->failures = 0;
		else
			stream->failures++;
		if (rc != RC_OK) {
			complain(stream, &fault);
			hub_recover(stream->hub, rc);
		}
		/* A good stream that ended is opened again at once. */
		if (stream->failures > 0)
			back_off(stream);
	}
}
