/* hub_order: what one request asks of plants, until all of it is over. */

#include "fcgi/hub_order_parts.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fcgi/hub_held.h"
#include "lib/clock.h"
#include "lib/memory.h"

struct hub_orders *
hub_orders_new(void)
{
	struct hub_orders *orders = memory_new(1, sizeof(*orders));
	pthread_condattr_t steady;

	pthread_mutex_init(&orders->lock, NULL);
	pthread_condattr_init(&steady);
	pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
	pthread_cond_init(&orders->stirred, &steady);
	pthread_condattr_destroy(&steady);
	return orders;
}

void
hub_orders_free(struct hub_orders *orders)
{
	if (orders == NULL)
		return;
	while (orders->first != NULL)
		hub_order_forget(orders, orders->first);
	pthread_mutex_destroy(&orders->lock);
	pthread_cond_destroy(&orders->stirred);
	free(orders);
}

struct order *
hub_order_find(const struct hub_orders *orders, const char *name)
{
	struct order *order = orders->first;

	while (order != NULL && strcmp(order->name, name) != 0)
		order = order->next;
	return order;
}

void
hub_order_forget(struct hub_orders *orders, struct order *order)
{
	struct order **at = &orders->first;

	while (*at != order)
		at = &(*at)->next;
	*at = order->next;
	arena_free(order->arena);
	free(order);
}

static const char *
copy_text(struct arena *arena, const char *text)
{
	return text != NULL ? arena_strdup(arena, text) : NULL;
}

static void
copy_command(struct arena *arena, struct command *copy,
	const struct command *command)
{
	*copy = *command;
	copy->variable = copy_text(arena, command->variable);
	copy->node = copy_text(arena, command->node);
	copy->value = copy_text(arena, command->value);
	copy->expected = copy_text(arena, command->expected);
	copy->old_value = copy_text(arena, command->old_value);
	copy->comment = copy_text(arena, command->comment);
	copy->state = copy_text(arena, command->state);
	copy->code = copy_text(arena, command->code);
	copy->message = copy_text(arena, command->message);
	copy->late_state = copy_text(arena, command->late_state);
	copy->new_value = copy_text(arena, command->new_value);
	copy->actor_kind = copy_text(arena, command->actor_kind);
	copy->actor = copy_text(arena, command->actor);
	copy->subject = copy_text(arena, command->subject);
	copy->client = copy_text(arena, command->client);
	copy->address = copy_text(arena, command->address);
}

static struct order *
new_order(struct hub *hub, const struct command *items, size_t count)
{
	struct order *order = memory_new(1, sizeof(*order));

	order->hub = hub;
	order->arena = arena_new();
	order->items = arena_array(order->arena, count, sizeof(*items));
	order->count = count;
	for (size_t i = 0; i < count; i++) {
		copy_command(order->arena, &order->items[i], &items[i]);
		order->left += strcmp(items[i].state, COMMAND_SENT) == 0;
	}
	uuid_format(order->name, items[0].id);
	return order;
}

enum rc
hub_order_room(struct hub *hub, const char *subject, struct fault *fault)
{
	struct hub_orders *orders = hub->orders;
	size_t own = 0;
	size_t all = 0;

	pthread_mutex_lock(&orders->lock);
	for (const struct order *order = orders->first; order != NULL;
		order = order->next) {
		if (order->left == 0)
			continue;
		all++;
		own += strcmp(order->items[0].subject, subject) == 0;
	}
	pthread_mutex_unlock(&orders->lock);
	if (all < HUB_ORDERS_MAX && own < HUB_ORDERS_CALLER_MAX)
		return RC_OK;
	return fault_tell(fault, RC_TOO_MANY, "TooManyCommands", NULL,
		"Wait for some of the %zu commands that are under way.", own);
}

void
hub_order_add(struct hub *hub, const struct command *items, size_t count,
	bool bulk, int64_t until_us)
{
	struct hub_orders *orders = hub->orders;
	struct order *order = new_order(hub, items, count);

	order->bulk = bulk;
	order->until_us = until_us;
	pthread_mutex_lock(&orders->lock);
	order->next = orders->first;
	orders->first = order;
	orders->stir = true;
	pthread_cond_signal(&orders->stirred);
	pthread_mutex_unlock(&orders->lock);
}

/* The open item with this id, or NULL. */
static struct command *
find_item(struct order *order, const uint8_t id[UUID_BYTES])
{
	for (size_t i = 0; i < order->count; i++)
		if (memcmp(order->items[i].id, id, UUID_BYTES) == 0 &&
			strcmp(order->items[i].state, COMMAND_SENT) == 0)
			return &order->items[i];
	return NULL;
}

void
hub_order_finish(struct hub *hub, const struct command *command)
{
	struct hub_orders *orders = hub->orders;
	bool wake = false;

	pthread_mutex_lock(&orders->lock);
	for (struct order *order = orders->first; order != NULL && !wake;
		order = order->next) {
		struct command *item = find_item(order, command->id);

		if (item == NULL)
			continue;
		copy_command(order->arena, item, command);
		order->left--;
		wake = true;
		if (order->left == 0)
			order->over_us = clock_boot_us();
	}
	pthread_mutex_unlock(&orders->lock);
	if (wake)
		hub_held_wake(hub);
}

int64_t
hub_orders_due(struct hub *hub, int64_t after_us)
{
	struct hub_orders *orders = hub->orders;
	int64_t due_us = INT64_MAX;

	pthread_mutex_lock(&orders->lock);
	for (const struct order *order = orders->first; order != NULL;
		order = order->next)
		if (order->left > 0 && order->until_us > after_us &&
			order->until_us < due_us)
			due_us = order->until_us;
	pthread_mutex_unlock(&orders->lock);
	return due_us;
}

void
hub_orders_wait(struct hub *hub, int64_t timeout_us)
{
	struct hub_orders *orders = hub->orders;
	int64_t until_us = clock_steady_us() + timeout_us;
	struct timespec until = {.tv_sec = (time_t)(until_us / CLOCK_SECOND_US),
		.tv_nsec = (long)(until_us % CLOCK_SECOND_US) * 1000};

	pthread_mutex_lock(&orders->lock);
	while (!orders->stir && pthread_cond_timedwait(&orders->stirred,
					&orders->lock, &until) == 0)
		;
	orders->stir = false;
	pthread_mutex_unlock(&orders->lock);
}

void
hub_orders_stir(struct hub *hub)
{
	struct hub_orders *orders = hub->orders;

	pthread_mutex_lock(&orders->lock);
	orders->stir = true;
	pthread_cond_signal(&orders->stirred);
	pthread_mutex_unlock(&orders->lock);
}
