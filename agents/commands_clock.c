/* commands_clock: is a command still good, on the hub's clock? */

#include "agents/commands_parts.h"

#include "lib/clock.h"
#include "lib/log.h"

#define EXCHANGE_US                                                            \
	(2 * CLOCK_SECOND_US) /* from one look at the hub's clock to the next  \
			       */

bool
commands_exchange(struct commands *commands)
{
	uint8_t boot[UUID_BYTES];
	int64_t asked_us = clock_boot_us();
	int64_t hub_us;
	struct fault fault;
	enum rc rc = hub_clock(commands->hub, boot, &hub_us, &fault);

	commands->exchange_due_us = clock_steady_us() + EXCHANGE_US;
	if (rc != RC_OK) {
		log_debug(NULL, "%s", fault.text);
		hub_recover(commands->hub, rc);
		return false;
	}
	pthread_mutex_lock(&commands->lock);
	hub_time_note(&commands->time, boot, hub_us, asked_us, clock_boot_us());
	pthread_mutex_unlock(&commands->lock);
	return true;
}

static int64_t
latest(struct commands *commands, const struct command_order *order)
{
	int64_t now_us = clock_boot_us();
	int64_t latest_us;

	pthread_mutex_lock(&commands->lock);
	hub_time_check(&commands->time, order->boot, order->sent_us, now_us);
	latest_us = hub_time_latest(&commands->time, order->boot, now_us);
	pthread_mutex_unlock(&commands->lock);
	return latest_us;
}

/* What is not known is asked for. */
int64_t
commands_time_left(struct commands *commands, const struct command_order *order)
{
	int64_t latest_us = latest(commands, order);

	if (latest_us >= order->expires_us && commands_exchange(commands))
		latest_us = latest(commands, order);
	return latest_us >= order->expires_us ? 0
					      : order->expires_us - latest_us;
}
