/*
 * hub_order: what one request asks of plants, until all of it is over.
 *
 * An order has one command or, from the bulk form, many. It is kept in memory
 * for the sake of the client that waits; the record is model/command.h.
 * Thread-safe.
 */
#ifndef FG_FCGI_HUB_ORDER_H
#define FG_FCGI_HUB_ORDER_H

#include <stdbool.h>

#include "fcgi/hub.h"
#include "model/command.h"

#define HUB_ORDERS_MAX        10000
#define HUB_ORDERS_CALLER_MAX 2000 /* of one caller */

struct hub_orders;

struct hub_orders *hub_orders_new(void);
void hub_orders_free(struct hub_orders *orders);

/* Is there room for one more order of this caller? Ask before anything is
 * recorded. Fails: RC_TOO_MANY TooManyCommands. */
MUST_CHECK enum rc hub_order_room(
	struct hub *hub, const char *subject, struct fault *fault);

/*
 * Keep copies of commands that are about to be sent; "until_us" is the time on
 * the hub's clock by which all are over. The order's name is the first one's
 * id.
 */
void hub_order_add(struct hub *hub, const struct command *items, size_t count,
	bool bulk, int64_t until_us);

/* A command is over, as "command" says; wakes who waits for it. */
void hub_order_finish(struct hub *hub, const struct command *command);

/* --- for the thread that ends what was not confirmed ------------------------
 */

/* The next time after "after_us" at which open commands are due, on the hub's
 * clock; INT64_MAX when none are. */
int64_t hub_orders_due(struct hub *hub, int64_t after_us);

/* Wait for that, for a new order or for the end, at most so long. */
void hub_orders_wait(struct hub *hub, int64_t timeout_us);
/* Let it look again, from any thread. */
void hub_orders_stir(struct hub *hub);

/* --- for the live thread ----------------------------------------------------
 */

struct evhttp_request;

/* Hold a request until its order is over. */
void hub_wait_take(
	struct hub *hub, struct evhttp_request *request, const char *order);
/* Answer what can be answered. */
void hub_wait_flush(struct hub *hub);
void hub_wait_close_all(struct hub *hub);

#endif
