/* hub_held: requests that the live thread holds for handlers. */

#include "fcgi/hub_held.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fcgi/hub_feed_news.h"
#include "fcgi/hub_node_stream.h"
#include "fcgi/hub_order.h"
#include "lib/log.h"
#include "lib/memory.h"

#define LOOK_S 1 /* so often when nobody wakes us */

struct hub_held {
	struct event *wake_event;
	struct event *timer;
	struct event *soon; /* news that nodes may not be told yet */
	int wake_fd;
	atomic_bool woken;
};

static void
look_at_all(struct hub *hub)
{
	int64_t wait_us = hub_feed_news_flush(hub);

	if (wait_us > 0)
		event_add(hub->held->soon,
			&(struct timeval){0, (suseconds_t)wait_us});
	hub_node_streams_flush(hub);
	hub_wait_flush(hub);
}

static void
on_wake(evutil_socket_t fd, short events, void *context)
{
	struct hub *hub = context;
	eventfd_t count;

	(void)events;
	eventfd_read(fd, &count);
	atomic_store(&hub->held->woken, false);
	look_at_all(hub);
}

static void
on_soon(evutil_socket_t fd, short events, void *context)
{
	(void)fd;
	(void)events;
	look_at_all(context);
}

static void
on_timer(evutil_socket_t fd, short events, void *context)
{
	(void)fd;
	(void)events;
	hub_node_streams_tick(context);
	look_at_all(context);
}

void
hub_held_open(struct hub *hub, struct event_base *base)
{
	struct hub_held *held = memory_new(1, sizeof(*held));

	held->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (held->wake_fd < 0)
		abort();
	held->wake_event = event_new(
		base, held->wake_fd, EV_READ | EV_PERSIST, on_wake, hub);
	held->timer = event_new(base, -1, EV_PERSIST, on_timer, hub);
	held->soon = event_new(base, -1, 0, on_soon, hub);
	event_add(held->wake_event, NULL);
	event_add(held->timer, &(struct timeval){LOOK_S, 0});
	hub->held = held;
}

void
hub_held_free(struct hub *hub)
{
	struct hub_held *held = hub->held;

	if (held == NULL)
		return;
	event_free(held->wake_event);
	event_free(held->timer);
	event_free(held->soon);
	close(held->wake_fd);
	free(held);
	hub->held = NULL;
}

void
hub_held_wake(struct hub *hub)
{
	if (!atomic_exchange(&hub->held->woken, true))
		eventfd_write(hub->held->wake_fd, 1);
}

static bool
skip(const char **path, const char *prefix)
{
	size_t length = strlen(prefix);

	if (strncmp(*path, prefix, length) != 0)
		return false;
	*path += length;
	return true;
}

bool
hub_held_take(struct hub *hub, struct evhttp_request *request)
{
	const char *path =
		evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));

	if (path == NULL || !skip(&path, HUB_HELD_PATH))
		return false;
	if (skip(&path, "node/")) {
		hub_node_streams_take(hub, request, path);
		look_at_all(hub);
	} else if (skip(&path, "order/"))
		hub_wait_take(hub, request, path);
	else
		evhttp_send_reply(request, 404, NULL, NULL);
	return true;
}

void
hub_held_close_all(struct hub *hub)
{
	hub_node_streams_close_all(hub);
	hub_wait_close_all(hub);
}

void
hub_held_redirect(
	struct req *req, struct resp *resp, const char *kind, const char *id)
{
	resp_empty(resp, 200);
	resp_header(resp, "X-Accel-Redirect",
		arena_printf(req->arena, HUB_HELD_PATH "%s/%s", kind, id));
}
