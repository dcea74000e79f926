/* hub_order_parts: what the files of hub_order share. */
#ifndef FG_FCGI_HUB_ORDER_PARTS_H
#define FG_FCGI_HUB_ORDER_PARTS_H

#include <pthread.h>

#include "fcgi/hub_order.h"

struct order {
	struct order *next;
	struct hub *hub;
	char name[UUID_TEXT_BYTES];
	struct arena *arena;
	struct command *items;
	size_t count;
	size_t left; /* not over yet */
	bool bulk;
	int64_t until_us;               /* hub's clock */
	int64_t over_us;                /* hub's clock; 0 = not yet */
	struct evhttp_request *request; /* of who waits; NULL = nobody */
};

struct hub_orders {
	pthread_mutex_t lock;
	pthread_cond_t stirred; /* steady clock */
	bool stir;
	struct order *first;
};

/* NULL when there is none. Needs: the lock. */
struct order *hub_order_find(const struct hub_orders *orders, const char *name);

/* Take it off the list and free it. Needs: the lock, and that nobody waits. */
void hub_order_forget(struct hub_orders *orders, struct order *order);

#endif
