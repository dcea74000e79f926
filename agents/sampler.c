/* sampler: from the driver's raw values to frames in the spool. */

#include "agents/sampler_parts.h"

#include <stdlib.h>
#include <string.h>

#include "agents/plant_clock.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "model/frame.h"

#define STRINGS_MAX ((size_t)1024 * 1024) /* of one frame */

/* --- the open frame ------------------------------------------------------ */

static struct sample *
new_sample(struct sampler *sampler)
{
	if (sampler->count == sampler->capacity) {
		sampler->capacity = sampler->capacity * 2 + 256;
		sampler->samples = realloc(sampler->samples,
			sampler->capacity * sizeof(*sampler->samples));
		if (sampler->samples == NULL)
			abort();
	}
	if (sampler->count == 0)
		sampler->opened_us = clock_steady_us();
	return &sampler->samples[sampler->count++];
}

void
sampler_empty(struct sampler *sampler)
{
	sampler->count = 0;
	arena_reset(sampler->strings);
}

/* Strings are kept apart: the driver's are gone after the poll. */
static void
remember(struct sampler_course *course, const struct value *value)
{
	course->value = *value;
	if (value->kind != VALUE_STRING)
		return;
	if (course->text_bytes <= value->string.bytes) {
		course->text_bytes = (size_t)value->string.bytes + 1;
		course->text = realloc(course->text, course->text_bytes);
		if (course->text == NULL)
			abort();
	}
	memcpy(course->text, value->string.data, value->string.bytes);
	course->text[value->string.bytes] = '\0';
	course->value.string.data = course->text;
}

static void
keep_sample(struct sampler *sampler, size_t index, int64_t time_us,
	uint64_t status, const struct value *value)
{
	struct sampler_course *course = &sampler->courses[index];
	struct sample *sample = new_sample(sampler);

	*sample = (struct sample){.variable_id = (int32_t)index + 1,
		.time_us = time_us,
		.status = status & STATUS_GI ? status : status | STATUS_SPONT,
		.value = *value};
	if (course->overflow)
		sample->status |= STATUS_OV;
	course->overflow = false;
	if (value->kind == VALUE_STRING)
		sample->value.string.data = arena_strndup(sampler->strings,
			value->string.data, value->string.bytes);
}

static void
put(struct sink *sink, size_t index, int64_t time_us, uint64_t status,
	const struct value *raw)
{
	struct sampler *sampler = (struct sampler *)sink;
	const struct input *input = &sampler->agent->list.items[index];
	struct sampler_course *course = &sampler->courses[index];
	struct value value;

	if (raw == NULL || !sampler_convert(input, raw, &value, &status)) {
		if (course->sent_us == CLOCK_NEVER)
			return; /* there is no value to call invalid */
		value = course->value;
		status |= STATUS_INVALID;
	}
	sampler_alarms_put(
		sampler, &(struct sample){.variable_id = (int32_t)index + 1,
				 .time_us = time_us,
				 .status = status,
				 .value = value});
	if (course->sent_us != CLOCK_NEVER && status == course->status &&
		!course->overflow &&
		time_us - course->sent_us < sampler->options.refresh_us &&
		time_us >= course->sent_us &&
		!sampler_moved(input, &course->value, &value))
		return;
	keep_sample(sampler, index, time_us, status, &value);
	if (raw != NULL)
		remember(course, &value);
	course->status = status;
	course->sent_us = time_us;
}

/* --- running ------------------------------------------------------------- */

bool
sampler_wait(struct sampler *sampler, int64_t timeout_us)
{
	struct agent *agent = sampler->agent;
	bool poll;

	agent_wait_for(agent, &sampler->woken, timeout_us);
	pthread_mutex_lock(&agent->lock);
	poll = sampler->poll_now;
	sampler->woken = sampler->poll_now = false;
	pthread_mutex_unlock(&agent->lock);
	return poll;
}

void
sampler_wake(struct sampler *sampler, bool poll)
{
	struct agent *agent = sampler->agent;

	pthread_mutex_lock(&agent->lock);
	sampler->woken = true;
	sampler->poll_now |= poll;
	pthread_cond_broadcast(&agent->changed);
	pthread_mutex_unlock(&agent->lock);
}

/* What a thread of the driver calls. */
static void
wake(void *context)
{
	sampler_wake(context, true);
}

enum rc
sampler_open(struct agent *agent, const struct sampler_options *options,
	struct sampler **result, struct fault *fault)
{
	struct sampler *sampler = calloc(1, sizeof(*sampler));
	struct driver_setup setup = {.list = &agent->list,
		.options = options->driver_options,
		.period_us = options->period_us,
		.bookmark = agent->spool != NULL ? spool_bookmark(agent->spool)
						 : SPOOL_NO_BOOKMARK,
		.wake = wake,
		.notices = &agent->notices};
	enum rc rc;

	if (sampler == NULL)
		abort();
	sampler->sink.put = put;
	sampler->sink.written = sampler_written;
	setup.wake_context = sampler;
	sampler->agent = agent;
	sampler->options = *options;
	sampler->arena = setup.arena = arena_new();
	sampler->strings = arena_new();
	sampler->courses = calloc(agent->list.count, sizeof(*sampler->courses));
	if (sampler->courses == NULL)
		abort();
	for (size_t i = 0; i < agent->list.count; i++)
		sampler->courses[i].sent_us = CLOCK_NEVER;
	sampler_alarms_open(sampler);
	buf_init(&sampler->encoded, 2 * (size_t)FRAME_BYTES_MAX);
	rc = options->driver->open(&setup, &sampler->driver, fault);
	if (rc != RC_OK) {
		sampler_close(sampler);
		return rc;
	}
	*result = sampler;
	return RC_OK;
}

void
sampler_close(struct sampler *sampler)
{
	if (sampler == NULL)
		return;
	if (sampler->driver != NULL && sampler->options.driver->close != NULL)
		sampler->options.driver->close(sampler->driver);
	sampler_end_orders(sampler);
	for (size_t i = 0; i < sampler->agent->list.count; i++)
		free(sampler->courses[i].text);
	free(sampler->courses);
	free(sampler->samples);
	sampler_alarms_close(sampler);
	buf_free(&sampler->encoded);
	arena_free(sampler->strings);
	arena_free(sampler->arena);
	free(sampler);
}

static int64_t
next_instant(const struct sampler *sampler, int64_t now_us)
{
	int64_t period_us = sampler->options.period_us;

	return now_us - now_us % period_us + period_us;
}

static bool
is_full(const struct sampler *sampler)
{
	return sampler->count >= sampler->options.frame_samples ||
	       arena_used(sampler->strings) >= STRINGS_MAX;
}

/* Steady clock; only with an open frame. */
static int64_t
flush_due(const struct sampler *sampler)
{
	return sampler->opened_us + sampler->options.flush_us;
}

/*
 * Wait for the poll at "due_us" (wall clock) or the driver's wish, flushing in
 * time. False when neither came: the wall clock may have been set, or there
 * are orders, so look again.
 */
static bool
wait_until(struct sampler *sampler, int64_t due_us)
{
	int64_t wait_us = due_us - plant_clock_us();

	if (sampler->count > 0) {
		int64_t flush_us = flush_due(sampler) - clock_steady_us();

		if (flush_us <= 0) {
			sampler_flush(sampler);
			return false;
		}
		if (flush_us < wait_us)
			wait_us = flush_us;
	}
	if (wait_us <= 0)
		return true;
	return sampler_wait(sampler,
		       wait_us < SAMPLER_WAIT_US ? wait_us : SAMPLER_WAIT_US) ||
	       plant_clock_us() >= due_us;
}

/* The clock was set back: do not sleep through the time gained. */
static bool
was_set_back(struct sampler *sampler)
{
	int64_t offset_us = plant_clock_us() - clock_steady_us();
	bool back = offset_us < sampler->offset_us - PLANT_CLOCK_JUMP_US;

	sampler->offset_us = offset_us;
	return back;
}

enum rc
sampler_poll(struct sampler *sampler, int64_t *due_us, bool *periodic,
	struct fault *fault)
{
	int64_t now_us = plant_clock_us();
	/* A periodic driver gets the instant, one that is late the last; one
	 * that asked for a poll in between, or set a time, gets that of now. */
	bool instant = *periodic && now_us >= *due_us;
	int64_t at_us = instant ? next_instant(sampler, now_us) -
					  sampler->options.period_us
				: now_us;
	int64_t next_us = DRIVER_NEXT_PERIOD;
	enum rc rc;

	sampler->sink.urgent = false;
	sampler->polled_us = clock_steady_us();
	rc = sampler->options.driver->poll(
		sampler->driver, at_us, &sampler->sink, &next_us, fault);
	*periodic = next_us == DRIVER_NEXT_PERIOD;
	*due_us = *periodic ? next_instant(sampler, now_us) : next_us;
	return rc;
}

static void
sample_until_stop(struct sampler *sampler)
{
	struct agent *agent = sampler->agent;
	struct fault fault = {0};
	int64_t due_us = next_instant(sampler, plant_clock_us());
	bool periodic = true;

	sampler->offset_us = plant_clock_us() - clock_steady_us();
	while (!agent_is(agent, &agent->stopping)) {
		if (was_set_back(sampler))
			due_us = next_instant(sampler, plant_clock_us());
		sampler_begin_orders(sampler);
		sampler_alarms_tick(sampler);
		if (sampler_alarms_wait(sampler))
			sampler_flush(sampler);
		if (!wait_until(sampler, due_us))
			continue;
		if (sampler_poll(sampler, &due_us, &periodic, &fault) !=
			RC_OK) {
			log_error(NULL, "the driver gave up: %s", fault.text);
			agent_set(agent, &agent->failed);
			due_us = DRIVER_FINISHED;
		}
		if (is_full(sampler) || sampler->options.flush_us == 0 ||
			sampler->sink.urgent || sampler_alarms_wait(sampler))
			sampler_flush(sampler);
		if (due_us == DRIVER_FINISHED)
			break;
	}
	if (due_us == DRIVER_FINISHED)
		agent_set(agent, &agent->finished);
}

void
sampler_run(struct sampler *sampler)
{
	struct agent *agent = sampler->agent;
	struct fault fault = {0};

	while (!agent_is(agent, &agent->ready) &&
		!agent_is(agent, &agent->stopping))
		agent_wait(agent, SAMPLER_WAIT_US);
	if (!agent_is(agent, &agent->ready))
		return;
	if (sampler_alarms_begin(sampler, &fault) == RC_OK) {
		sample_until_stop(sampler);
	} else {
		log_error(NULL, "%s", fault.text);
		agent_set(agent, &agent->failed);
		agent_set(agent, &agent->finished);
	}
	if (sampler->count > 0 || sampler_alarms_wait(sampler))
		sampler_flush(sampler);
}
