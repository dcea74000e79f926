/* sampler_store: the open frame goes into the spool, whatever its state. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/plant_clock.h"
#include "agents/sampler_parts.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "model/frame.h"

/* Were it the alarms that the hub refuses, most frames are without them. */
#define REPEAT_US (60 * CLOCK_SECOND_US)

/* Put the hub's ids in. Samples without one yet go out; returns how many. */
static size_t
number_samples(struct sampler *sampler, struct sample *numbered, size_t *count)
{
	struct agent *agent = sampler->agent;
	size_t unknown = 0;

	*count = 0;
	pthread_mutex_lock(&agent->lock);
	for (size_t i = 0; i < sampler->count; i++) {
		struct sample sample = sampler->samples[i];

		sample.variable_id =
			agent->list.items[sample.variable_id - 1].id;
		if (sample.variable_id == 0)
			unknown++;
		else
			numbered[(*count)++] = sample;
	}
	pthread_mutex_unlock(&agent->lock);
	return unknown;
}

static void
mark_overflow(struct sampler *sampler)
{
	size_t inputs = sampler->agent->list.count;

	for (size_t i = 0; i < inputs; i++)
		sampler->courses[i].overflow = true;
	for (size_t i = 0; i < sampler->count; i++) {
		struct sample *sample = &sampler->samples[i];
		struct sampler_course *course =
			&sampler->courses[sample->variable_id - 1];

		if (course->overflow)
			sample->status |= STATUS_OV;
		course->overflow = false;
	}
}

/* One frame beside its samples: what was lost, the notices, the alarms. */
struct news {
	struct spool_loss loss;
	char loss_text[160];
	struct notice notices[NOTICES_MAX];
	size_t notice_count;
	struct frame_event events[NOTICES_MAX + 1];
	size_t count;
	struct alarm_change *alarms; /* freed by store_once */
	size_t alarm_count;
	bool refused; /* the hub refused a frame */
};

static void
gather_news(struct sampler *sampler, struct news *news)
{
	char from[CLOCK_TEXT_BYTES];
	char to[CLOCK_TEXT_BYTES];

	news->count = 0;
	if (spool_lost(sampler->agent->spool, &news->loss)) {
		clock_format(from, news->loss.first_us);
		clock_format(to, news->loss.last_us);
		snprintf(news->loss_text, sizeof(news->loss_text),
			"the spool was full or damaged: up to %" PRIu64
			" samples from %s to %s were given up",
			news->loss.samples, from, to);
		news->events[news->count++] =
			(struct frame_event){.time_us = plant_clock_us(),
				.kind = "samples_lost",
				.text = news->loss_text};
	}
	news->notice_count =
		notices_peek(&sampler->agent->notices, news->notices);
	for (size_t i = 0; i < news->notice_count; i++)
		news->events[news->count++] = (struct frame_event){
			.time_us = news->notices[i].time_us,
			.kind = news->notices[i].kind,
			.text = news->notices[i].text};
	news->refused = agent_is(sampler->agent, &sampler->agent->refused) &&
			clock_steady_us() >= sampler->repeat_due_us;
	if (news->loss.frames > 0 || news->refused)
		sampler_alarms_repeat(sampler);
	news->alarms = sampler_alarms_number(sampler, &news->alarm_count);
}

/* It is on the disk. */
static void
told_news(struct sampler *sampler, const struct news *news)
{
	struct agent *agent = sampler->agent;

	if (news->loss.frames > 0)
		spool_told(agent->spool, &news->loss);
	notices_done(&agent->notices, news->notice_count);
	sampler_alarms_stored(sampler, news->alarm_count);
	if (!news->refused)
		return;
	sampler->repeat_due_us = clock_steady_us() + REPEAT_US;
	pthread_mutex_lock(&agent->lock);
	agent->refused = false;
	pthread_mutex_unlock(&agent->lock);
}

static int64_t
driver_bookmark(const struct sampler *sampler)
{
	const struct driver *driver = sampler->options.driver;

	return driver->bookmark != NULL ? driver->bookmark(sampler->driver) : 0;
}

static enum rc
encode(struct sampler *sampler, const struct news *news, int64_t sequence,
	struct fault *fault)
{
	struct frame_head head = {.spool_id = spool_id(sampler->agent->spool),
		.sequence = sequence};
	struct sample *numbered = calloc(sampler->count + 1, sizeof(*numbered));
	struct frame_content content = {.samples = numbered,
		.alarms = news->alarms,
		.alarm_count = news->alarm_count,
		.events = news->events,
		.event_count = news->count};
	size_t unknown;
	enum rc rc;

	if (numbered == NULL)
		abort();
	unknown = number_samples(sampler, numbered, &content.sample_count);
	if (unknown > 0 && !sampler->told_unknown)
		log_warn(NULL,
			"%zu variables are new to the hub: their samples count "
			"from when it has been reached",
			unknown);
	sampler->told_unknown = unknown > 0;
	memcpy(head.datasource, sampler->agent->datasource, UUID_BYTES);
	buf_clear(&sampler->encoded);
	rc = content.sample_count + content.alarm_count + content.event_count ==
			     0
		     ? fault_set(fault, RC_NOT_FOUND, "nothing to send")
		     : frame_encode(&head, &content,
			       sampler->options.compress ? FRAME_ZSTD
							 : FRAME_PLAIN,
			       &sampler->encoded, fault);
	free(numbered);
	return rc;
}

static enum rc
append(struct sampler *sampler, int64_t sequence, struct fault *fault)
{
	struct frame_head head;
	struct spool_record record = {.sequence = sequence,
		.bookmark = driver_bookmark(sampler),
		.frame = sampler->encoded.data,
		.length = (uint32_t)sampler->encoded.length};
	enum rc rc = frame_peek(
		sampler->encoded.data, sampler->encoded.length, &head, fault);

	if (rc != RC_OK)
		return rc;
	record.first_us = head.first_us;
	record.last_us = head.last_us;
	record.samples = head.samples;
	return spool_append(sampler->agent->spool, &record, fault);
}

/* The number is the frame's, whatever the hub says meanwhile. */
static enum rc
store_once(struct sampler *sampler, struct fault *fault)
{
	struct agent *agent = sampler->agent;
	struct news news;
	int64_t sequence;
	enum rc rc;

	pthread_mutex_lock(&agent->storing);
	sequence = spool_next_sequence(agent->spool);
	gather_news(sampler, &news);
	rc = encode(sampler, &news, sequence, fault);
	if (rc == RC_OK)
		rc = sampler_alarms_keep(
			sampler, sequence, news.alarm_count, fault);
	if (rc == RC_OK)
		rc = append(sampler, sequence, fault);
	if (rc == RC_OK)
		told_news(sampler, &news);
	pthread_mutex_unlock(&agent->storing);
	free(news.alarms);
	return rc;
}

/* Room by the policy; false when there is none to be made. */
static bool
make_room(struct sampler *sampler)
{
	struct fault fault;

	if (sampler->options.when_full != SAMPLER_DROP_OLDEST ||
		spool_drop_oldest(sampler->agent->spool, &fault) != RC_OK)
		return false;
	mark_overflow(sampler);
	return true;
}

/* Nothing is read while the frame waits for room. */
static void
wait_for_room(
	struct sampler *sampler, const struct fault *why, int64_t *stopped_us)
{
	if (*stopped_us == 0) {
		*stopped_us = plant_clock_us();
		log_error(NULL, "sampling stops: %s", why->text);
	}
	agent_wait(sampler->agent, SAMPLER_WAIT_US);
}

/* What was not read in the meantime is a loss as well, unless it waits. */
static void
tell_about_stop(struct sampler *sampler, int64_t stopped_us)
{
	double seconds = (double)(plant_clock_us() - stopped_us) /
			 (double)CLOCK_SECOND_US;

	notices_add(&sampler->agent->notices, "sampling_stopped",
		"the spool was full: nothing was read for %.0f s%s", seconds,
		sampler->options.driver->replays ? ", nothing was lost" : "");
	if (!sampler->options.driver->replays)
		for (size_t i = 0; i < sampler->agent->list.count; i++)
			sampler->courses[i].overflow = true;
}

/* Close the open frame and bring it onto the disk. */
void
sampler_flush(struct sampler *sampler)
{
	int64_t stopped_us = 0;
	struct fault fault = {0};
	bool kept = true; /* what nobody can store counts as dealt with */
	enum rc rc;

	for (;;) {
		rc = store_once(sampler, &fault);
		if (rc == RC_RETRY)
			continue;
		if (rc != RC_UNAVAILABLE && rc != RC_IO)
			break;
		if (rc == RC_UNAVAILABLE && make_room(sampler))
			continue;
		if (agent_is(sampler->agent, &sampler->agent->stopping)) {
			kept = false;
			break;
		}
		wait_for_room(sampler, &fault, &stopped_us);
	}
	if (rc != RC_OK && rc != RC_NOT_FOUND)
		log_error(NULL, "%zu samples could not be stored: %s",
			sampler->count, fault.text);
	sampler_empty(sampler);
	if (rc == RC_OK && sampler_alarms_wait(sampler))
		sampler_flush(sampler); /* more than one frame holds */
	if (kept && sampler->options.driver->stored != NULL)
		sampler->options.driver->stored(sampler->driver);
	if (stopped_us != 0)
		tell_about_stop(sampler, stopped_us);
}
