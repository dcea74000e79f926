/* hub_live: the thread that holds the streams. */

#include "fcgi/hub_live.h"
#include "fcgi/hub_held.h"

#include <ctype.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/secret.h"

#define BACKLOG 1024
/* However much comes in, streams are looked after this often at most. */
#define TICK_US (CLOCK_SECOND_US / 100)

struct hub_live {
	struct hub *hub;
	struct event_base *base;
	struct evhttp *http;
	struct event *wake_event;
	struct event *timer;
	int wake_fd;
	atomic_bool woken; /* the descriptor is, or soon will be, read */
	atomic_bool stop;
	int64_t ticked_us; /* steady */
	struct client *closing;
};

/* One connection with a stream. */
struct client {
	struct hub_live *live;
	struct evhttp_request *request;
	struct bufferevent *stream;
	struct client *next_closing;
};

/* --- the sink of model/live --------------------------------------------- */

static size_t
client_pending(void *context)
{
	struct client *client = context;

	return evbuffer_get_length(bufferevent_get_output(client->stream));
}

static void
free_text(const void *data, size_t length, void *text)
{
	(void)data;
	(void)length;
	live_text_free(text);
}

/* The buffer refers to the text: one text, many streams, no copies. */
static void
client_send(void *context, struct live_text *text)
{
	struct client *client = context;
	struct evbuffer *chunk = evbuffer_new();

	if (chunk == NULL)
		abort();
	evbuffer_add_reference(
		chunk, text->buf.data, text->buf.length, free_text, text);
	evhttp_send_reply_chunk(client->request, chunk);
	evbuffer_free(chunk);
}

/* Ending may call back at once, and model/live holds its lock now: later. */
static void
client_close(void *context)
{
	struct client *client = context;

	client->next_closing = client->live->closing;
	client->live->closing = client;
}

static void
end_closing(struct hub_live *live)
{
	while (live->closing != NULL) {
		struct client *client = live->closing;
		struct evhttp_request *request = client->request;

		live->closing = client->next_closing;
		client->request = NULL;
		evhttp_send_reply_end(request);
	}
}

static void
drop_closing(struct hub_live *live, const struct client *client)
{
	struct client **at = &live->closing;

	while (*at != NULL && *at != client)
		at = &(*at)->next_closing;
	if (*at != NULL)
		*at = client->next_closing;
}

/* The connection has gone, whoever ended it. */
static void
client_gone(struct evhttp_connection *connection, void *context)
{
	struct client *client = context;

	(void)connection;
	live_leave(client->live->hub->live, client);
	drop_closing(client->live, client);
	/* evhttp leaves a request that was not ended to its owner. */
	if (client->request != NULL &&
		evhttp_request_get_connection(client->request) == NULL)
		evhttp_send_reply_end(client->request);
	free(client);
}

/* --- the clock ---------------------------------------------------------- */

static void
tick(struct hub_live *live)
{
	int64_t now_us = clock_steady_us();
	int64_t next_us;
	int64_t wait_us;

	live->ticked_us = now_us;
	atomic_store(&live->woken, false);
	next_us = live_tick(live->hub->live, now_us);
	end_closing(live);
	wait_us = next_us - clock_steady_us();
	if (wait_us < TICK_US)
		wait_us = TICK_US;
	event_add(live->timer, &(struct timeval){wait_us / CLOCK_SECOND_US,
				       wait_us % CLOCK_SECOND_US});
}

/* However many ask for it: at once, or when the last one is long enough ago. */
static void
tick_soon(struct hub_live *live)
{
	int64_t early_us = live->ticked_us + TICK_US - clock_steady_us();

	if (early_us > 0)
		event_add(live->timer, &(struct timeval){0, early_us});
	else
		tick(live);
}

static void
on_timer(evutil_socket_t fd, short events, void *context)
{
	(void)fd;
	(void)events;
	tick(context);
}

static void
on_wake(evutil_socket_t fd, short events, void *context)
{
	struct hub_live *live = context;
	eventfd_t count;

	(void)events;
	eventfd_read(fd, &count);
	if (atomic_load(&live->stop)) {
		live_close_all(live->hub->live);
		end_closing(live);
		hub_held_close_all(live->hub);
		event_base_loopexit(live->base, &(struct timeval){0, 200000});
		return;
	}
	/* "woken" stays set until the tick, so nobody writes until then. */
	tick_soon(live);
}

void
hub_live_wake(void *context)
{
	struct hub_live *live = context;

	if (!atomic_exchange(&live->woken, true))
		eventfd_write(live->wake_fd, 1);
}

/* --- requests ----------------------------------------------------------- */

/* "HTTP_LAST_EVENT_ID" of FastCGI is the header "last-event-id". */
static const char *
get_param(const struct req *req, const char *name)
{
	struct evhttp_request *request = req->transport;
	char header[64];
	size_t i = 0;

	if (strncmp(name, "HTTP_", 5) != 0)
		return NULL;
	for (name += 5; name[i] != '\0' && i + 1 < sizeof(header); i++)
		header[i] = name[i] == '_'
				    ? '-'
				    : (char)tolower((unsigned char)name[i]);
	header[i] = '\0';
	return evhttp_find_header(
		evhttp_request_get_input_headers(request), header);
}

void
hub_live_secret(const struct req *req, uint8_t secret[32])
{
	const char *header = req_header(req, "Authorization");
	const char *cookie = req_cookie(req, CALLER_COOKIE);

	memset(secret, 0, 32);
	if (header != NULL && strncasecmp(header, "Bearer ", 7) == 0) {
		header += 7 + strspn(header + 7, " ");
		secret_hash(secret, header, strlen(header));
	} else if (cookie != NULL) {
		secret_hash(secret, cookie, strlen(cookie));
	}
}

static void
answer_fault(struct evhttp_request *request, const struct fault *fault)
{
	struct resp resp;
	struct evbuffer *body = evbuffer_new();

	if (body == NULL)
		abort();
	resp_init(&resp);
	resp_fault(&resp, fault);
	evbuffer_add(body, resp.body.data, resp.body.length);
	evhttp_add_header(evhttp_request_get_output_headers(request),
		"Content-Type", "application/json");
	evhttp_send_reply(request, fault_public(fault->rc)->status, NULL, body);
	evbuffer_free(body);
	resp_free(&resp);
}

static const char *
stream_id(struct evhttp_request *request)
{
	static const char prefix[] = "/live/";
	const char *path =
		evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));

	if (path == NULL || strncmp(path, prefix, strlen(prefix)) != 0)
		return "";
	return path + strlen(prefix);
}

/* The answer begins before anything is sent into it. */
static struct client *
client_new(struct hub_live *live, struct evhttp_request *request)
{
	struct evhttp_connection *connection =
		evhttp_request_get_connection(request);
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	struct client *client = memory_new(1, sizeof(*client));

	client->live = live;
	client->request = request;
	client->stream = evhttp_connection_get_bufferevent(connection);
	evhttp_add_header(headers, "Content-Type", "text/event-stream");
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_add_header(headers, "X-Accel-Buffering", "no");
	evhttp_add_header(headers, "Connection", "close");
	return client;
}

/* A stream is silent towards us for as long as it likes. */
static void
client_start(struct client *client)
{
	evhttp_connection_set_closecb(
		evhttp_request_get_connection(client->request), client_gone,
		client);
	evhttp_send_reply_start(client->request, 200, "OK");
	bufferevent_set_timeouts(client->stream, NULL, NULL);
}

static enum rc
check_method(struct evhttp_request *request, struct fault *fault)
{
	if (evhttp_request_get_command(request) == EVHTTP_REQ_GET)
		return RC_OK;
	evhttp_add_header(
		evhttp_request_get_output_headers(request), "Allow", "GET");
	return fault_set(fault, RC_METHOD, "only GET reads a stream");
}

static void
on_request(struct evhttp_request *request, void *context)
{
	struct hub_live *live = context;
	struct arena *arena = arena_new();
	struct req req = {
		.arena = arena, .param = get_param, .transport = request};
	struct fault fault = {.rc = RC_OK};
	uint8_t secret[32];
	enum rc rc;

	if (hub_held_take(live->hub, request)) {
		arena_free(arena);
		return;
	}
	hub_live_secret(&req, secret);
	rc = check_method(request, &fault);
	if (rc == RC_OK)
		rc = live_check(
			live->hub->live, stream_id(request), secret, &fault);
	if (rc != RC_OK) {
		answer_fault(request, &fault);
	} else {
		struct client *client = client_new(live, request);

		client_start(client);
		live_connect(live->hub->live, stream_id(request),
			req_header(&req, "Last-Event-ID"), client);
		end_closing(live);
		tick_soon(live);
	}
	arena_free(arena);
}

/* --- open and run ------------------------------------------------------- */

static enum rc
bind_socket(const char *path, int fd, struct fault *fault)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		return fault_set(
			fault, RC_IO, "%s is too long for a socket", path);
	strcpy(address.sun_path, path);
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		chmod(path, 0660) != 0 || listen(fd, BACKLOG) != 0)
		return fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
	return RC_OK;
}

static enum rc
open_socket(const char *path, int *opened, struct fault *fault)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	enum rc rc;

	if (fd < 0)
		return fault_set(fault, RC_IO, "socket: %s", strerror(errno));
	rc = bind_socket(path, fd, fault);
	if (rc != RC_OK)
		close(fd);
	else
		*opened = fd;
	return rc;
}

static void
make_events(struct hub_live *live)
{
	live->base = event_base_new();
	live->http = evhttp_new(live->base);
	live->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (live->base == NULL || live->http == NULL || live->wake_fd < 0) {
		log_error(NULL, "cannot make an event loop");
		abort();
	}
	live->wake_event = event_new(
		live->base, live->wake_fd, EV_READ | EV_PERSIST, on_wake, live);
	live->timer = evtimer_new(live->base, on_timer, live);
	event_add(live->wake_event, NULL);
	evhttp_set_allowed_methods(
		live->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
				    EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
				    EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
	evhttp_set_max_headers_size(live->http, 16 * 1024);
	evhttp_set_max_body_size(live->http, 0);
	evhttp_set_gencb(live->http, on_request, live);
}

enum rc
hub_live_open(struct hub *hub, struct hub_live **opened, struct fault *fault)
{
	static const struct live_sink sink = {
		client_pending, client_send, client_close};
	struct hub_live *live;
	int fd = -1;
	enum rc rc = open_socket(hub->conf.live_socket, &fd, fault);

	if (rc != RC_OK)
		return rc;
	live = memory_new(1, sizeof(*live));
	live->hub = hub;
	make_events(live);
	if (evhttp_accept_socket(live->http, fd) != 0)
		abort();
	hub_held_open(hub, live->base);
	hub->live = live_new(hub->image, &sink);
	image_on_change(hub->image, hub_live_wake, live);
	*opened = live;
	return RC_OK;
}

void
hub_live_run(struct hub_live *live)
{
	tick(live);
	event_base_dispatch(live->base);
}

void
hub_live_stop(struct hub_live *live)
{
	atomic_store(&live->stop, true);
	eventfd_write(live->wake_fd, 1);
}

void
hub_live_free(struct hub_live *live)
{
	if (live == NULL)
		return;
	image_on_change(live->hub->image, NULL, NULL);
	event_free(live->wake_event);
	event_free(live->timer);
	evhttp_free(live->http);
	hub_held_free(live->hub);
	event_base_free(live->base);
	close(live->wake_fd);
	free(live);
}
