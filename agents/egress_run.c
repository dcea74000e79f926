/* egress_run: from the hub's feeds to the outlet. */

#include "agents/egress_parts.h"

#include <string.h>
#include <time.h>

#include "agents/sender.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/secret.h"

#define BEAT_US   (2 * CLOCK_SECOND_US)
#define REMIND_US (60 * CLOCK_SECOND_US)
#define SLICE_US  (CLOCK_SECOND_US / 20) /* of a wait, to see "stop" */

static bool
is_stopping(const struct egress *egress)
{
	return atomic_load(egress->stop);
}

static void
wait_us(const struct egress *egress, int64_t time_us)
{
	int64_t until_us = clock_steady_us() + time_us;

	while (!is_stopping(egress)) {
		int64_t left_us = until_us - clock_steady_us();
		int64_t nap_us = left_us < SLICE_US ? left_us : SLICE_US;
		const struct timespec nap = {0, (long)nap_us * 1000};

		if (left_us <= 0)
			return;
		nanosleep(&nap, NULL);
	}
}

static enum rc
beat(struct egress *egress, struct fault *fault)
{
	const struct spool_status none = {.oldest_us = CLOCK_NEVER};

	egress->beat_due_us = clock_steady_us() + BEAT_US;
	return hub_beat(egress->feed.hub, &none, fault);
}

/* The feed goes on with the certificate that there is. */
static void
renew(struct egress *egress)
{
	const struct spool_status none = {.oldest_us = CLOCK_NEVER};
	struct fault fault = {0};

	if (renewal_run(&egress->renewal, egress->feed.hub, &none, &fault) !=
		RC_OK)
		log_warn(NULL, "the certificate was not renewed: %s",
			fault.text);
}

static enum rc
connect_hub(struct egress *egress, struct fault *fault)
{
	enum rc rc = beat(egress, fault);

	if (rc == RC_OK)
		rc = egress_feed_variables(&egress->feed, fault);
	if (rc == RC_OK && egress->conf->outlet->wants_current)
		rc = egress_put_current(egress, fault);
	if (rc != RC_OK)
		return rc;
	egress->connected = true;
	egress->due = EGRESS_ALL;
	log_info(NULL, "connected to %s, %zu variables",
		hub_url(egress->feed.hub), egress->feed.mirror->known);
	return RC_OK;
}

/* What was put and not committed is put again. */
static enum rc
restore(struct egress *egress, struct fault *fault)
{
	struct egress_position *position = &egress->position;
	enum rc rc;

	egress_position_free(position);
	egress_position_init(position);
	rc = egress_position_load(position, egress->conf->state_folder, fault);
	if (rc == RC_OK)
		rc = egress->conf->outlet->undo(egress->outlet,
			position->stored ? position->outlet : NULL, fault);
	egress->broken = rc != RC_OK;
	return rc;
}

static enum rc
step(struct egress *egress, struct fault *fault)
{
	if (egress->broken)
		return restore(egress, fault);
	if (!egress->connected && renewal_waits(&egress->renewal))
		renew(egress);
	if (!egress->connected)
		return connect_hub(egress, fault);
	if (renewal_is_due(&egress->renewal))
		renew(egress);
	if (clock_steady_us() >= egress->beat_due_us)
		return beat(egress, fault);
	if (egress->position.filling)
		return egress_fill_next(egress, fault);
	return egress_follow(egress, fault);
}

/* Until the hub tells of something, a beat is due, or it is time to ask
 * without having been told. */
static void
rest(struct egress *egress)
{
	int64_t now_us = clock_steady_us();
	int64_t until_us = egress->beat_due_us < egress->poll_due_us
				   ? egress->beat_due_us
				   : egress->poll_due_us;

	if (!egress->connected || egress->due != 0 || egress->position.filling)
		return;
	egress->due = egress_news_wait(
		egress->news, until_us > now_us ? until_us - now_us : 0);
	if (clock_steady_us() < egress->poll_due_us)
		return;
	egress->due = EGRESS_ALL;
	egress->poll_due_us = clock_steady_us() + egress->conf->poll_ms * 1000;
}

/* The same words are said once a minute only. */
static void
complain(struct egress *egress, const struct fault *fault)
{
	int64_t now_us = clock_steady_us();

	if (strcmp(egress->last_failure, fault->text) == 0 &&
		now_us - egress->reminded_us < REMIND_US)
		return;
	egress->reminded_us = now_us;
	memcpy(egress->last_failure, fault->text, sizeof(fault->text));
	if (fault->rc == RC_UNAVAILABLE)
		log_warn(NULL, "%s", fault->text);
	else
		log_error(NULL, "%s", fault->text);
}

static double
draw(void)
{
	uint32_t number;

	secret_random(&number, sizeof(number));
	return (double)number / (double)UINT32_MAX;
}

static void
back_off(struct egress *egress)
{
	size_t urls = hub_url_count(egress->feed.hub);

	egress->connected = false;
	egress->broken = true;
	egress->asked = false;
	egress->failures++;
	hub_turn(egress->feed.hub);
	if (egress->failures % urls == 0)
		wait_us(egress,
			sender_backoff_us(
				egress->failures / (unsigned)urls, draw()));
}

void
egress_run(struct egress *egress)
{
	while (!is_stopping(egress)) {
		struct fault fault = {0};
		enum rc rc = step(egress, &fault);

		if (rc != RC_OK && is_stopping(egress))
			break;
		if (rc != RC_OK) {
			complain(egress, &fault);
			back_off(egress);
			continue;
		}
		egress->failures = 0;
		rest(egress);
	}
}
