/* hub_wait: clients that wait for their commands, in the live thread. */

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/command_json.h"
#include "fcgi/hub_order_parts.h"
#include "lib/clock.h"

/* An order that is over stays so long for the client that is on its way. */
#define KEEP_US (30 * CLOCK_SECOND_US)
/* When the database cannot say how it ended, we do, so much later. */
#define PATIENCE_US (2 * CLOCK_SECOND_US)

static void
client_gone(struct evhttp_connection *connection, void *context)
{
	struct order *order = context;
	struct hub_orders *orders = order->hub->orders;

	(void)connection;
	pthread_mutex_lock(&orders->lock);
	order->request = NULL;
	pthread_mutex_unlock(&orders->lock);
}

static void
send_answer(struct evhttp_request *request, struct resp *resp)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	const char *id = evhttp_find_header(
		evhttp_request_get_input_headers(request), "X-Request-Id");
	struct evbuffer *body = evbuffer_new();
	char short_id[17];

	if (body == NULL)
		abort();
	snprintf(short_id, sizeof(short_id), "%s", id != NULL ? id : "");
	evbuffer_add(body, resp->body.data, resp->body.length);
	evhttp_add_header(headers, "Content-Type", "application/json");
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_add_header(headers, "Connection", "close");
	evhttp_add_header(headers, "X-Request-Id", short_id);
	evhttp_send_reply(request, resp->status, NULL, body);
	evbuffer_free(body);
}

/* Who reads of an order that hangs must not take it for one that was not
 * carried out. */
static void
give_up(struct order *order)
{
	for (size_t i = 0; i < order->count; i++) {
		struct command *item = &order->items[i];

		if (strcmp(item->state, COMMAND_SENT) != 0)
			continue;
		item->state = COMMAND_EXPIRED;
		item->code = "NoConfirmation";
		item->message = "No confirmation came in time; the value may "
				"have been written all the same.";
	}
}

/* Needs: the lock. */
static void
answer(struct order *order)
{
	struct evhttp_request *request = order->request;
	struct resp resp;

	order->request = NULL;
	resp_init(&resp);
	if (order->bulk)
		command_answer_many(&resp, order->items, order->count);
	else
		command_answer(&resp, &order->items[0]);
	evhttp_connection_set_closecb(
		evhttp_request_get_connection(request), NULL, NULL);
	send_answer(request, &resp);
	resp_free(&resp);
}

void
hub_wait_take(struct hub *hub, struct evhttp_request *request, const char *name)
{
	struct order *order;

	pthread_mutex_lock(&hub->orders->lock);
	order = hub_order_find(hub->orders, name);
	if (order != NULL && order->request == NULL) {
		order->request = request;
		evhttp_connection_set_closecb(
			evhttp_request_get_connection(request), client_gone,
			order);
	} else {
		order = NULL;
	}
	pthread_mutex_unlock(&hub->orders->lock);
	if (order == NULL)
		evhttp_send_reply(request, 404, NULL, NULL);
	else
		hub_wait_flush(hub);
}

void
hub_wait_flush(struct hub *hub)
{
	struct hub_orders *orders = hub->orders;
	int64_t now_us = clock_boot_us();
	struct order *next;

	pthread_mutex_lock(&orders->lock);
	for (struct order *order = orders->first; order != NULL; order = next) {
		bool late = now_us > order->until_us + PATIENCE_US;

		next = order->next;
		if (order->left > 0 && !late)
			continue;
		if (order->left > 0)
			give_up(order);
		if (order->request != NULL) {
			answer(order);
			hub_order_forget(orders, order);
		} else if (late || now_us - order->over_us > KEEP_US) {
			hub_order_forget(orders, order);
		}
	}
	pthread_mutex_unlock(&orders->lock);
}

void
hub_wait_close_all(struct hub *hub)
{
	struct hub_orders *orders = hub->orders;

	pthread_mutex_lock(&orders->lock);
	for (struct order *order = orders->first; order != NULL;
		order = order->next)
		if (order->request != NULL) {
			give_up(order);
			answer(order);
		}
	pthread_mutex_unlock(&orders->lock);
}
