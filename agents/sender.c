/* sender: from the spool to the hub, one request at a time. */

#include "agents/sender.h"
#include "agents/limits_sync.h"
#include "agents/plant_clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "model/frame.h"

#define BEAT_US        (2 * CLOCK_SECOND_US)
#define BACKOFF_MIN_US (CLOCK_SECOND_US / 2)
#define BACKOFF_MAX_US (30 * CLOCK_SECOND_US)
#define REMIND_US      (60 * CLOCK_SECOND_US)
#define BATCH_FRAMES   64
#define BATCH_BYTES    ((size_t)1024 * 1024)
#define TEXT_BYTES     1024
/* An agent that was moved here is let in when the hub has not heard the one
 * before for a while; a copy of one that runs is not. */
#define DOUBLE_US (30 * CLOCK_SECOND_US)

struct sender {
	struct agent *agent;
	struct hub *hub;
	struct renewal *renewal;
	struct buf body;
	bool connected;
	bool told_undeclared;
	bool declared_again;    /* because of the frame that is next */
	int64_t limits_version; /* of the hub's limits that were fetched */
	int64_t beat_due_us;    /* steady clock, as all times here */
	unsigned failures;      /* in a row */
	size_t singles; /* frames to send alone, to find a refused one */
	int64_t reminded_us;
	int64_t doubled_us; /* since when another agent is at work; 0 = not */
	char last_failure[256];
};

int64_t
sender_backoff_us(unsigned failures, double chance)
{
	int64_t limit_us = BACKOFF_MIN_US;

	for (; failures > 1 && limit_us < BACKOFF_MAX_US; failures--)
		limit_us *= 2;
	if (limit_us > BACKOFF_MAX_US)
		limit_us = BACKOFF_MAX_US;
	return (int64_t)((double)limit_us * (1 + chance) / 2);
}

static double
draw(void)
{
	uint32_t number;

	secret_random(&number, sizeof(number));
	return (double)number / (double)UINT32_MAX;
}

/* --- connecting ---------------------------------------------------------- */

/* A frame that is being stored keeps its number meanwhile. */
static enum rc
square_spool(struct sender *sender, struct fault *fault)
{
	struct agent *agent = sender->agent;
	int64_t sequence;
	uint64_t from;
	enum rc rc = hub_position(sender->hub, &sequence, &from, fault);

	if (rc != RC_OK)
		return rc;
	pthread_mutex_lock(&agent->storing);
	rc = spool_is_new(agent->spool)
		     ? spool_begin(agent->spool, sequence + 1, fault)
		     : spool_resume(agent->spool, sequence, from, fault);
	pthread_mutex_unlock(&agent->storing);
	return rc;
}

static enum rc
declare(struct sender *sender, struct fault *fault)
{
	struct agent *agent = sender->agent;
	struct input_list given = agent->list;
	enum rc rc;

	given.items = calloc(given.count, sizeof(*given.items));
	if (given.items == NULL)
		abort();
	pthread_mutex_lock(&agent->lock);
	memcpy(given.items, agent->list.items,
		given.count * sizeof(*given.items));
	pthread_mutex_unlock(&agent->lock);
	rc = hub_declare(sender->hub, &given, fault);
	if (rc == RC_OK)
		agent_keep_ids(agent, &given);
	free(given.items);
	return rc;
}

static void
compare_clocks(struct sender *sender)
{
	struct notices *notices = &sender->agent->notices;
	enum plant_clock_news news = PLANT_CLOCK_GOES;
	int64_t hub_us;
	int64_t asked_us;
	int64_t by_us = 0;

	if (hub_told_time(sender->hub, &hub_us, &asked_us))
		news = plant_clock_told(hub_us, asked_us, &by_us);
	if (news == PLANT_CLOCK_HELD)
		notices_add(notices, "clock_held",
			"the clock of this machine is %+.0f s from the hub's; "
			"samples go on with the time before",
			(double)by_us / (double)CLOCK_SECOND_US);
	if (news == PLANT_CLOCK_SET)
		notices_add(notices, "clock_set",
			"the time of samples was set by %+.0f s, which is the "
			"time of the hub",
			(double)by_us / (double)CLOCK_SECOND_US);
}

static enum rc
beat(struct sender *sender, struct fault *fault)
{
	struct spool_status status;
	enum rc rc;

	sender->beat_due_us = clock_steady_us() + BEAT_US;
	spool_status(sender->agent->spool, &status);
	rc = hub_beat(sender->hub, &status, fault);
	if (rc == RC_OK)
		compare_clocks(sender);
	return rc;
}

/* Those of the hub, when a beat has told that they are not what they were. */
static enum rc
fetch_limits(struct sender *sender, struct fault *fault)
{
	int64_t version = hub_limits_version(sender->hub);
	enum rc rc = limits_sync_fetch(sender->agent, sender->hub, fault);

	if (rc == RC_OK)
		sender->limits_version = version;
	return rc;
}

static bool
is_refusal(enum rc rc)
{
	return rc == RC_BAD_INPUT || rc == RC_TOO_LARGE ||
	       rc == RC_UNSUPPORTED || rc == RC_UNPROCESSABLE;
}

/*
 * A declaration that is refused for good, such as a changed type, must not
 * hold up the variables that the hub knows already.
 */
static enum rc
go_on_undeclared(struct sender *sender, enum rc rc, const struct fault *why)
{
	if (!is_refusal(rc) && rc != RC_CONFLICT)
		return rc;
	if (!agent_is(sender->agent, &sender->agent->ready))
		return rc;
	if (!sender->told_undeclared)
		notices_add(&sender->agent->notices, "declaration_refused",
			"%s", why->text);
	sender->told_undeclared = true;
	return RC_OK;
}

static enum rc
connect_hub(struct sender *sender, struct fault *fault)
{
	enum rc rc = declare(sender, fault);

	if (rc != RC_OK)
		rc = go_on_undeclared(sender, rc, fault);
	if (rc == RC_OK)
		rc = limits_sync_declare(sender->agent, sender->hub, fault);
	if (rc == RC_OK)
		rc = square_spool(sender, fault);
	if (rc == RC_OK)
		rc = beat(sender, fault);
	if (rc == RC_OK)
		rc = fetch_limits(sender, fault);
	if (rc != RC_OK)
		return rc;
	sender->connected = true;
	agent_set(sender->agent, &sender->agent->ready);
	log_info(NULL, "connected to %s", hub_url(sender->hub));
	return RC_OK;
}

/* --- frames -------------------------------------------------------------- */

static bool
write_file(const char *path, const void *data, size_t length)
{
	FILE *file = fopen(path, "we");
	bool good;

	if (file == NULL)
		return false;
	good = fwrite(data, 1, length, file) == length;
	return fclose(file) == 0 && good;
}

/* Kept for a person to look at; the line goes on. */
static void
set_aside(struct sender *sender, int64_t sequence, const struct fault *why)
{
	char folder[TEXT_BYTES];
	char path[TEXT_BYTES + 64];
	bool good;

	snprintf(folder, sizeof(folder), "%s/refused",
		sender->agent->spool_folder);
	good = mkdir(folder, 0700) == 0 || errno == EEXIST;
	snprintf(path, sizeof(path), "%s/%" PRId64 ".frame", folder, sequence);
	good = good && write_file(path, sender->body.data, sender->body.length);
	snprintf(path, sizeof(path), "%s/%" PRId64 ".reason", folder, sequence);
	good = good && write_file(path, why->text, strlen(why->text));
	if (!good)
		log_error(NULL, "%s: %s", path, strerror(errno));
	log_error(
		NULL, "frame %" PRId64 " is refused: %s", sequence, why->text);
	agent_set(sender->agent, &sender->agent->refused);
	notices_add(&sender->agent->notices, "frame_refused",
		"the hub refused frame %" PRId64 " (%s); it is kept in %.100s",
		sequence, why->code, folder);
}

/*
 * A frame that is right by the clock of this plant, and too late only by that
 * of the hub, waits until somebody has set the hub's.
 * Fails: RC_UNAVAILABLE it waits; as beat.
 */
static enum rc
wait_for_time(struct sender *sender, struct fault *fault)
{
	struct frame_head head;
	int64_t hub_us;
	int64_t asked_us;
	int64_t own_us;
	enum rc rc = beat(sender, fault);

	if (rc == RC_OK)
		rc = frame_peek(
			sender->body.data, sender->body.length, &head, fault);
	if (rc != RC_OK || !hub_told_time(sender->hub, &hub_us, &asked_us))
		return rc;
	own_us = plant_clock_us();
	if (head.last_us > own_us + SAMPLE_TIME_AHEAD_US ||
		head.last_us < hub_us + SAMPLE_TIME_AHEAD_US - CLOCK_SECOND_US)
		return RC_OK;
	return fault_set(fault, RC_UNAVAILABLE,
		"%s: its clock is %.0f min behind, frames wait for it",
		hub_url(sender->hub),
		(double)(own_us - hub_us) / (double)CLOCK_MINUTE_US);
}

static enum rc
take_refusal(struct sender *sender, const struct spool_batch *batch,
	const struct fault *why, struct fault *fault)
{
	enum rc rc = RC_OK;

	if (batch->frames > 1) {
		sender->singles = batch->frames;
		return RC_OK;
	}
	if (strcmp(why->code, "TimeOutOfRange") == 0)
		rc = wait_for_time(sender, fault);
	if (rc != RC_OK)
		return rc;
	/* A hub that forgot the variables learns them again, once. */
	if (strcmp(why->code, "UnknownVariable") == 0 &&
		!sender->declared_again) {
		sender->declared_again = true;
		sender->connected = false;
		return RC_OK;
	}
	set_aside(sender, batch->first_sequence, why);
	spool_acknowledge(sender->agent->spool, batch->last_sequence);
	sender->declared_again = false;
	return RC_OK;
}

static enum rc
send_frames(struct sender *sender, struct fault *fault)
{
	struct spool *spool = sender->agent->spool;
	struct spool_batch batch;
	int64_t sequence;
	enum rc rc;

	buf_clear(&sender->body);
	rc = spool_read(spool, sender->singles > 0 ? 1 : BATCH_FRAMES,
		BATCH_BYTES, &sender->body, &batch, fault);
	if (rc != RC_OK)
		return rc;
	rc = hub_frames(sender->hub, &sender->body, &sequence, fault);
	if (is_refusal(rc)) {
		struct fault why = *fault;

		return take_refusal(sender, &batch, &why, fault);
	}
	if (rc != RC_OK)
		return rc;
	if (sequence < batch.last_sequence)
		return fault_set(fault, RC_UNAVAILABLE,
			"the hub has only %" PRId64 " of %" PRId64, sequence,
			batch.last_sequence);
	spool_acknowledge(spool, sequence);
	sender->singles -= sender->singles > 0;
	sender->declared_again = false;
	return RC_OK;
}

/* --- running ------------------------------------------------------------- */

static int64_t
until_beat(const struct sender *sender)
{
	return sender->beat_due_us - clock_steady_us();
}

/* Frames go on with the certificate that there is, whatever comes of it. */
static void
renew(struct sender *sender)
{
	struct agent *agent = sender->agent;
	struct spool_status status;
	struct fault fault = {0};
	char end[CLOCK_TEXT_BYTES];

	spool_status(agent->spool, &status);
	if (renewal_run(sender->renewal, sender->hub, &status, &fault) ==
		RC_OK) {
		clock_format(end, sender->renewal->end_us);
		notices_add(&agent->notices, "certificate_renewed",
			"the certificate of this node is good until %s", end);
		return;
	}
	if (!sender->connected && fault.rc == RC_UNAVAILABLE)
		return; /* no hub at all: connecting says so */
	log_warn(NULL, "the certificate was not renewed: %s", fault.text);
	clock_format(end, sender->renewal->end_us);
	notices_add(&agent->notices, "certificate_not_renewed",
		"the certificate of this node ends at %s and was not renewed: "
		"%.160s",
		end, fault.text);
}

static enum rc
step(struct sender *sender, struct fault *fault)
{
	enum rc rc;

	/* One that waits may be the only one that counts any more. */
	if (!sender->connected && renewal_waits(sender->renewal))
		renew(sender);
	if (!sender->connected)
		return connect_hub(sender, fault);
	if (renewal_is_due(sender->renewal))
		renew(sender);
	if (until_beat(sender) <= 0 ||
		atomic_exchange(&sender->agent->beat_now, false))
		return beat(sender, fault);
	if (sender->limits_version != hub_limits_version(sender->hub))
		return fetch_limits(sender, fault);
	rc = send_frames(sender, fault);
	if (rc != RC_NOT_FOUND)
		return rc;
	if (!agent_is(sender->agent, &sender->agent->finished) &&
		until_beat(sender) > 0)
		spool_wait(sender->agent->spool, until_beat(sender));
	return RC_OK;
}

/* The same words are said once a minute only. */
static void
complain(struct sender *sender, const struct fault *fault)
{
	int64_t now_us = clock_steady_us();

	if (strcmp(sender->last_failure, fault->text) == 0 &&
		now_us - sender->reminded_us < REMIND_US)
		return;
	sender->reminded_us = now_us;
	memcpy(sender->last_failure, fault->text, sizeof(fault->text));
	if (fault->rc == RC_UNAVAILABLE)
		log_warn(NULL, "%s", fault->text);
	else
		log_error(NULL, "%s", fault->text);
}

static bool
must_end(struct sender *sender)
{
	struct agent *agent = sender->agent;
	struct spool_status status;
	int64_t until_us;

	pthread_mutex_lock(&agent->lock);
	until_us = agent->send_until_us;
	pthread_mutex_unlock(&agent->lock);
	spool_status(agent->spool, &status);
	if (until_us != 0)
		return clock_steady_us() >= until_us || status.frames == 0 ||
		       !sender->connected;
	return agent_is(agent, &agent->finished) && status.frames == 0;
}

static void
back_off(struct sender *sender)
{
	struct agent *agent = sender->agent;
	size_t urls = hub_url_count(sender->hub);
	int64_t until_us;

	sender->connected = false;
	sender->failures++;
	hub_turn(sender->hub);
	if (sender->failures % urls != 0)
		return; /* the next address may do better at once */
	until_us = clock_steady_us() +
		   sender_backoff_us(sender->failures / (unsigned)urls, draw());
	while (clock_steady_us() < until_us && !must_end(sender))
		agent_wait(agent, until_us - clock_steady_us());
}

/* Whether there is no use in trying again. */
static bool
is_final(struct sender *sender, enum rc rc, const struct fault *fault)
{
	int64_t now_us = clock_steady_us();

	if (rc == RC_CONFLICT && strcmp(fault->code, "SequenceConflict") == 0)
		return true;
	if (rc == RC_UNAVAILABLE)
		return false; /* says nothing of others */
	if (rc != RC_CONFLICT || strcmp(fault->code, "AgentRuns") != 0) {
		sender->doubled_us = 0;
		return false;
	}
	if (sender->doubled_us == 0)
		sender->doubled_us = now_us;
	return now_us - sender->doubled_us > DOUBLE_US;
}

void
sender_run(struct agent *agent, struct hub *hub, struct renewal *renewal)
{
	struct sender sender = {.agent = agent, .hub = hub, .renewal = renewal};

	buf_init(&sender.body, 0);
	while (!must_end(&sender)) {
		struct fault fault = {0};
		enum rc rc = step(&sender, &fault);

		if (rc == RC_OK) {
			sender.failures = 0;
			sender.doubled_us = 0;
			continue;
		}
		complain(&sender, &fault);
		if (is_final(&sender, rc, &fault)) {
			agent_set(agent, &agent->failed);
			break;
		}
		back_off(&sender);
	}
	buf_free(&sender.body);
	agent_end(agent, &agent->sent_all);
}
