/* sampler_write: orders from other threads, on their way to the driver. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agents/sampler_parts.h"
#include "lib/log.h"

/* So long after its "until" an order waits for a driver that owes an answer. */
#define ANSWER_US CLOCK_MINUTE_US

struct sampler_pending {
	struct sampler_pending *next;
	struct sampler_order order; /* text is behind this struct */
	uint64_t token;             /* for the driver */
};

/* --- handing over -------------------------------------------------------- */

static size_t
text_bytes(const struct value *value)
{
	return value->kind == VALUE_STRING ? (size_t)value->string.bytes + 1
					   : 0;
}

/* Text moves to "*room", which is moved behind it. */
static void
keep_text(struct value *value, char **room)
{
	if (value->kind != VALUE_STRING)
		return;
	memcpy(*room, value->string.data, value->string.bytes);
	(*room)[value->string.bytes] = '\0';
	value->string.data = *room;
	*room += value->string.bytes + 1;
}

static struct sampler_pending *
copy_order(const struct sampler_order *order)
{
	size_t bytes = text_bytes(&order->value) +
		       (order->expects ? text_bytes(&order->expected) : 0);
	struct sampler_pending *pending = malloc(sizeof(*pending) + bytes);
	char *room;

	if (pending == NULL)
		abort();
	*pending = (struct sampler_pending){.order = *order};
	room = (char *)(pending + 1);
	keep_text(&pending->order.value, &room);
	if (order->expects)
		keep_text(&pending->order.expected, &room);
	return pending;
}

enum rc
sampler_write(struct sampler *sampler, const struct sampler_order *order,
	struct fault *fault)
{
	struct sampler_pending *pending = copy_order(order);
	pthread_mutex_t *lock = &sampler->agent->lock;
	bool full;

	pthread_mutex_lock(lock);
	full = sampler->order_count == SAMPLER_ORDERS_MAX;
	if (!full) {
		sampler->order_count++;
		if (sampler->orders == NULL)
			sampler->orders = pending;
		else
			sampler->orders_last->next = pending;
		sampler->orders_last = pending;
	}
	pthread_mutex_unlock(lock);
	if (full) {
		free(pending);
		return fault_set(fault, RC_TOO_MANY,
			"%d writes are under way already", SAMPLER_ORDERS_MAX);
	}
	sampler_wake(sampler, false);
	return RC_OK;
}

/* --- results ------------------------------------------------------------- */

/* Tell the result and forget the order, which is in no list any more. */
static void
finish(struct sampler *sampler, struct sampler_pending *pending,
	struct sampler_result *result)
{
	result->token = pending->order.token;
	if (result->why == NULL)
		result->why = "";
	pending->order.done(pending->order.context, result);
	free(pending);
	pthread_mutex_lock(&sampler->agent->lock);
	sampler->order_count--;
	pthread_mutex_unlock(&sampler->agent->lock);
}

/* Take the begun order of that token out of its list; NULL: there is none. */
static struct sampler_pending *
take_begun(struct sampler *sampler, uint64_t token)
{
	struct sampler_pending **place = &sampler->begun;
	struct sampler_pending *found;

	while (*place != NULL && (*place)->token != token)
		place = &(*place)->next;
	found = *place;
	if (found != NULL)
		*place = found->next;
	return found;
}

void
sampler_written(struct sink *sink, uint64_t token, enum rc rc,
	const struct value *raw, const char *why)
{
	struct sampler *sampler = (struct sampler *)sink;
	struct sampler_pending *pending = take_begun(sampler, token);
	struct sampler_result result = {.rc = rc,
		.begun = rc != RC_UNAVAILABLE && rc != RC_UPSTREAM,
		.status = STATUS_SPONT,
		.why = why};

	if (pending == NULL) {
		log_warn(NULL,
			"the driver told a result of a write that nobody waits "
			"for: %s",
			why != NULL ? why : "written");
		return;
	}
	if (raw == NULL ||
		!sampler_convert(
			&sampler->agent->list.items[pending->order.index], raw,
			&result.value, &result.status))
		result.value.kind = VALUE_NONE;
	finish(sampler, pending, &result);
}

/* --- beginning ----------------------------------------------------------- */

/* Compares what was sent last: that is what whoever gave the order saw. */
static enum rc
check_expected(const struct sampler *sampler, const struct sampler_order *order,
	struct sampler_result *result, struct fault *fault)
{
	const struct sampler_course *course = &sampler->courses[order->index];

	if (!order->expects)
		return RC_OK;
	if (course->sent_us == CLOCK_NEVER || course->status & STATUS_BAD)
		return fault_set(
			fault, RC_CONFLICT, "the present value is not known");
	result->value = course->value;
	if (!value_equal(&course->value, &order->expected))
		return fault_set(fault, RC_CONFLICT,
			"the present value is not the expected one");
	return RC_OK;
}

static enum rc
check_order(const struct sampler *sampler, const struct sampler_order *order,
	struct value *raw, struct sampler_result *result, struct fault *fault)
{
	const struct input *input = &sampler->agent->list.items[order->index];

	if (strcmp(input->access, "read_write") != 0)
		return fault_set(fault, RC_DENIED,
			"its access is not read_write at this agent");
	if (sampler->options.driver->write == NULL)
		return fault_set(fault, RC_DENIED, "the driver %s cannot write",
			sampler->options.driver->name);
	if (clock_steady_us() >= order->until_us)
		return fault_set(fault, RC_UNAVAILABLE,
			"its time was over before it could begin");
	if (sampler_is_outside(input, &order->value))
		return fault_set(fault, RC_UNPROCESSABLE,
			"the value is outside of the range of the variable");
	if (!sampler_unscale(input, &order->value, raw))
		return fault_set(fault, RC_UNPROCESSABLE,
			"the value cannot be represented by the variable");
	return check_expected(sampler, order, result, fault);
}

static void
begin(struct sampler *sampler, struct sampler_pending *pending)
{
	uint64_t token = ++sampler->last_token;
	struct sampler_result result = {.rc = RC_OK};
	struct fault fault = {0};
	struct value raw;

	result.rc =
		check_order(sampler, &pending->order, &raw, &result, &fault);
	pending->token = token;
	pending->next = sampler->begun;
	sampler->begun = pending;
	if (result.rc == RC_OK)
		result.rc = sampler->options.driver->write(sampler->driver,
			&(struct driver_write){.token = token,
				.index = pending->order.index,
				.raw = &raw,
				.until_us = pending->order.until_us},
			&sampler->sink, &fault);
	if (result.rc == RC_OK)
		return; /* its result comes, or came */
	pending = take_begun(sampler, token);
	result.why = fault.text;
	if (pending != NULL)
		finish(sampler, pending, &result);
}

static void
give_up_unanswered(struct sampler *sampler)
{
	int64_t now_us = clock_steady_us();
	struct sampler_pending *pending = sampler->begun;

	while (pending != NULL) {
		struct sampler_pending *next = pending->next;

		if (pending->order.until_us < now_us - ANSWER_US)
			sampler_written(&sampler->sink, pending->token, RC_IO,
				NULL, "the driver told no result");
		pending = next;
	}
}

static struct sampler_pending *
take_order(struct sampler *sampler)
{
	struct sampler_pending *pending;

	pthread_mutex_lock(&sampler->agent->lock);
	pending = sampler->orders;
	if (pending != NULL)
		sampler->orders = pending->next;
	pthread_mutex_unlock(&sampler->agent->lock);
	return pending;
}

void
sampler_begin_orders(struct sampler *sampler)
{
	struct sampler_pending *pending;

	while ((pending = take_order(sampler)) != NULL)
		begin(sampler, pending);
	give_up_unanswered(sampler);
}

void
sampler_end_orders(struct sampler *sampler)
{
	struct sampler_result none = {
		.rc = RC_UNAVAILABLE, .why = "the agent ends"};
	struct sampler_result open = {
		.rc = RC_IO, .begun = true, .why = "the agent ends"};
	struct sampler_pending *pending;

	while ((pending = take_order(sampler)) != NULL)
		finish(sampler, pending, &none);
	while (sampler->begun != NULL)
		finish(sampler, take_begun(sampler, sampler->begun->token),
			&open);
}
