/* sampler: from the driver's raw values to frames in the spool. */

#include "agents/sampler.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "model/frame.h"

#define WAIT_SLICE_US                                                          \
	CLOCK_SECOND_US /* the wall clock may be set meanwhile                 \
			 */
#define STRINGS_MAX ((size_t)1024 * 1024) /* of one frame */
#define INT64_EDGE  9223372036854775808.0 /* 2^63 */

/* What the sampler knows of one input. */
struct course {
	struct value value; /* last sent; the text of strings is "text" */
	uint64_t status;
	int64_t sent_us; /* CLOCK_NEVER: nothing yet */
	bool overflow;   /* the next sample says that some were lost */
	char *text;
	size_t text_bytes;
};

struct sampler {
	struct sink sink; /* first: the driver gives it back */
	struct agent *agent;
	struct sampler_options options;
	struct arena *arena; /* of the driver */
	void *driver;
	struct course *courses;

	/* The open frame. variable_id holds index + 1 until it is encoded. */
	struct sample *samples;
	size_t count;
	size_t capacity;
	struct arena *strings;
	int64_t opened_us; /* steady clock */
	struct buf encoded;
	bool told_unknown;
};

/* --- values -------------------------------------------------------------- */

static bool
convert_int(
	const struct input *input, const struct value *raw, struct value *value)
{
	int64_t number;

	if (raw->kind == VALUE_FLOAT) {
		double rounded = round(raw->number);

		if (!(rounded >= -INT64_EDGE && rounded < INT64_EDGE))
			return false;
		number = (int64_t)rounded;
	} else {
		number = raw->kind == VALUE_BOOL ? raw->boolean : raw->integer;
	}
	*value = (struct value){.kind = VALUE_INT};
	return !__builtin_mul_overflow(
		       number, (int64_t)input->scale, &number) &&
	       !__builtin_add_overflow(
		       number, (int64_t)input->offset, &value->integer);
}

static double
raw_number(const struct value *raw)
{
	switch (raw->kind) {
	case VALUE_BOOL:
		return raw->boolean ? 1 : 0;
	case VALUE_INT:
		return (double)raw->integer;
	default:
		return raw->number;
	}
}

static bool
outside(const struct input *input, double number)
{
	/* Comparisons with NAN, no limit, are false. */
	return number < input->minimum || number > input->maximum;
}

bool
sampler_convert(const struct input *input, const struct value *raw,
	struct value *value, uint64_t *status)
{
	if ((raw->kind == VALUE_STRING) != (input->kind == VALUE_STRING))
		return false;
	switch (input->kind) {
	case VALUE_BOOL:
		*value = (struct value){
			.kind = VALUE_BOOL, .boolean = raw_number(raw) != 0};
		return true;
	case VALUE_INT:
		if (!convert_int(input, raw, value))
			return false;
		if (outside(input, (double)value->integer))
			*status |= STATUS_OV;
		return true;
	case VALUE_FLOAT:
		*value = (struct value){.kind = VALUE_FLOAT,
			.number =
				raw_number(raw) * input->scale + input->offset};
		if (outside(input, value->number))
			*status |= STATUS_OV;
		return true;
	case VALUE_STRING:
		*value = *raw;
		return raw->string.bytes <= VALUE_STRING_BYTES_MAX;
	default:
		return false;
	}
}

bool
sampler_moved(const struct input *input, const struct value *before,
	const struct value *now)
{
	double change;

	if (isnan(input->dead_band))
		return true;
	if (value_equal(before, now))
		return false;
	if (input->kind == VALUE_BOOL || input->kind == VALUE_STRING ||
		input->dead_band == 0)
		return true;
	change = fabs(value_number(now) - value_number(before));
	return !(change <= input->dead_band); /* NaN is news too */
}

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

static void
empty_frame(struct sampler *sampler)
{
	sampler->count = 0;
	arena_reset(sampler->strings);
}

/* Strings are kept apart: the driver's are gone after the poll. */
static void
remember(struct course *course, const struct value *value)
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
	struct course *course = &sampler->courses[index];
	struct sample *sample = new_sample(sampler);

	*sample = (struct sample){.variable_id = (int32_t)index + 1,
		.time_us = time_us,
		.status = status | STATUS_SPONT,
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
	struct course *course = &sampler->courses[index];
	struct value value;

	if (raw == NULL || !sampler_convert(input, raw, &value, &status)) {
		if (course->sent_us == CLOCK_NEVER)
			return; /* there is no value to call invalid */
		value = course->value;
		status |= STATUS_INVALID;
	}
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

/* --- into the spool ------------------------------------------------------ */

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
		struct course *course =
			&sampler->courses[sample->variable_id - 1];

		if (course->overflow)
			sample->status |= STATUS_OV;
		course->overflow = false;
	}
}

/* Events of one frame: what was lost, and the notices. */
struct news {
	struct spool_loss loss;
	char loss_text[160];
	struct notice notices[NOTICES_MAX];
	size_t notice_count;
	struct frame_event events[NOTICES_MAX + 1];
	size_t count;
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
			"the spool was full: up to %" PRIu64
			" samples from %s to %s were given up",
			news->loss.samples, from, to);
		news->events[news->count++] =
			(struct frame_event){.time_us = clock_now_us(),
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
	size_t count;
	size_t unknown;
	enum rc rc;

	if (numbered == NULL)
		abort();
	unknown = number_samples(sampler, numbered, &count);
	if (unknown > 0 && !sampler->told_unknown)
		log_warn(NULL,
			"%zu variables are new to the hub: their samples count "
			"from when it has been reached",
			unknown);
	sampler->told_unknown = unknown > 0;
	memcpy(head.datasource, sampler->agent->datasource, UUID_BYTES);
	buf_clear(&sampler->encoded);
	rc = count + news->count == 0
		     ? fault_set(fault, RC_NOT_FOUND, "nothing to send")
		     : frame_encode(&head, numbered, count, news->events,
			       news->count,
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

static enum rc
store_once(struct sampler *sampler, struct fault *fault)
{
	int64_t sequence = spool_next_sequence(sampler->agent->spool);
	struct news news;
	enum rc rc;

	gather_news(sampler, &news);
	rc = encode(sampler, &news, sequence, fault);
	if (rc == RC_OK)
		rc = append(sampler, sequence, fault);
	if (rc != RC_OK)
		return rc;
	if (news.loss.frames > 0)
		spool_told(sampler->agent->spool, &news.loss);
	notices_done(&sampler->agent->notices, news.notice_count);
	return RC_OK;
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
		*stopped_us = clock_now_us();
		log_error(NULL, "sampling stops: %s", why->text);
	}
	agent_wait(sampler->agent, WAIT_SLICE_US);
}

/* What was not read in the meantime is a loss as well, unless it waits. */
static void
tell_about_stop(struct sampler *sampler, int64_t stopped_us)
{
	double seconds =
		(double)(clock_now_us() - stopped_us) / (double)CLOCK_SECOND_US;

	notices_add(&sampler->agent->notices, "sampling_stopped",
		"the spool was full: nothing was read for %.0f s%s", seconds,
		sampler->options.driver->replays ? ", nothing was lost" : "");
	if (!sampler->options.driver->replays)
		for (size_t i = 0; i < sampler->agent->list.count; i++)
			sampler->courses[i].overflow = true;
}

/* Close the open frame and bring it onto the disk. */
static void
flush(struct sampler *sampler)
{
	int64_t stopped_us = 0;
	struct fault fault = {0};
	enum rc rc;

	for (;;) {
		rc = store_once(sampler, &fault);
		if (rc == RC_RETRY)
			continue;
		if (rc != RC_UNAVAILABLE && rc != RC_IO)
			break;
		if (rc == RC_UNAVAILABLE && make_room(sampler))
			continue;
		if (agent_is(sampler->agent, &sampler->agent->stopping))
			break;
		wait_for_room(sampler, &fault, &stopped_us);
	}
	if (rc != RC_OK && rc != RC_NOT_FOUND)
		log_error(NULL, "%zu samples could not be stored: %s",
			sampler->count, fault.text);
	empty_frame(sampler);
	if (stopped_us != 0)
		tell_about_stop(sampler, stopped_us);
}

/* --- running ------------------------------------------------------------- */

enum rc
sampler_open(struct agent *agent, const struct sampler_options *options,
	struct sampler **result, struct fault *fault)
{
	struct sampler *sampler = calloc(1, sizeof(*sampler));
	struct driver_setup setup = {.list = &agent->list,
		.options = options->driver_options,
		.period_us = options->period_us,
		.bookmark = agent->spool != NULL ? spool_bookmark(agent->spool)
						 : SPOOL_NO_BOOKMARK};
	enum rc rc;

	if (sampler == NULL)
		abort();
	sampler->sink.put = put;
	sampler->agent = agent;
	sampler->options = *options;
	sampler->arena = setup.arena = arena_new();
	sampler->strings = arena_new();
	sampler->courses = calloc(agent->list.count, sizeof(*sampler->courses));
	if (sampler->courses == NULL)
		abort();
	for (size_t i = 0; i < agent->list.count; i++)
		sampler->courses[i].sent_us = CLOCK_NEVER;
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
	if (sampler->driver != NULL)
		sampler->options.driver->close(sampler->driver);
	for (size_t i = 0; i < sampler->agent->list.count; i++)
		free(sampler->courses[i].text);
	free(sampler->courses);
	free(sampler->samples);
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
 * Wait for the poll at "due_us" (wall clock), flushing in time. False when it
 * is not due yet: the wall clock may have been set, so look again.
 */
static bool
wait_until(struct sampler *sampler, int64_t due_us)
{
	int64_t wait_us = due_us - clock_now_us();

	if (sampler->count > 0) {
		int64_t flush_us = flush_due(sampler) - clock_steady_us();

		if (flush_us <= 0) {
			flush(sampler);
			return false;
		}
		if (flush_us < wait_us)
			wait_us = flush_us;
	}
	if (wait_us <= 0)
		return true;
	agent_wait(sampler->agent,
		wait_us < WAIT_SLICE_US ? wait_us : WAIT_SLICE_US);
	return clock_now_us() >= due_us;
}

/* The clock was set back: do not sleep through the time gained. */
static bool
is_far_ahead(const struct sampler *sampler, int64_t due_us)
{
	return due_us - clock_now_us() > 2 * sampler->options.period_us;
}

static enum rc
poll_driver(struct sampler *sampler, int64_t *due_us, bool *periodic,
	struct fault *fault)
{
	int64_t now_us = clock_now_us();
	/* A periodic driver gets the instant, one that is late the last. */
	int64_t at_us = *periodic ? next_instant(sampler, now_us) -
					    sampler->options.period_us
				  : now_us;
	int64_t next_us = DRIVER_NEXT_PERIOD;
	enum rc rc = sampler->options.driver->poll(
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
	int64_t due_us = next_instant(sampler, clock_now_us());
	bool periodic = true;

	while (!agent_is(agent, &agent->stopping)) {
		if (periodic && is_far_ahead(sampler, due_us))
			due_us = next_instant(sampler, clock_now_us());
		if (!wait_until(sampler, due_us))
			continue;
		if (poll_driver(sampler, &due_us, &periodic, &fault) != RC_OK) {
			log_error(NULL, "the driver gave up: %s", fault.text);
			agent_set(agent, &agent->failed);
			due_us = DRIVER_FINISHED;
		}
		if (is_full(sampler) || sampler->options.flush_us == 0)
			flush(sampler);
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

	while (!agent_is(agent, &agent->ready) &&
		!agent_is(agent, &agent->stopping))
		agent_wait(agent, WAIT_SLICE_US);
	if (agent_is(agent, &agent->ready))
		sample_until_stop(sampler);
	if (sampler->count > 0)
		flush(sampler);
}

/* --- dump ---------------------------------------------------------------- */

static void
print_value(FILE *out, const struct value *value)
{
	switch (value->kind) {
	case VALUE_BOOL:
		fputs(value->boolean ? "true" : "false", out);
		break;
	case VALUE_INT:
		fprintf(out, "%" PRId64, value->integer);
		break;
	case VALUE_STRING:
		fputs(value->string.data, out);
		break;
	default:
		fprintf(out, "%.17g", value->number);
		break;
	}
}

static void
print_samples(struct sampler *sampler, FILE *out)
{
	for (size_t i = 0; i < sampler->count; i++) {
		const struct sample *sample = &sampler->samples[i];
		const struct input *input =
			&sampler->agent->list.items[sample->variable_id - 1];
		char time[CLOCK_TEXT_BYTES];

		clock_format(time, sample->time_us);
		fprintf(out, "%s\t%s\t", time, input->name);
		print_value(out, &sample->value);
		fprintf(out, "\t%s%s%s\n", input->unit,
			sample->status & STATUS_INVALID ? "\tINVALID" : "",
			sample->status & STATUS_OV ? "\tOV" : "");
	}
	fflush(out);
	empty_frame(sampler);
}

enum rc
sampler_dump(struct sampler *sampler, int64_t seconds, FILE *out,
	struct fault *fault)
{
	int64_t end_us = clock_steady_us() + seconds * CLOCK_SECOND_US;
	int64_t due_us = 0;
	bool periodic = true;
	enum rc rc = RC_OK;

	while (rc == RC_OK && due_us != DRIVER_FINISHED &&
		clock_steady_us() <= end_us) {
		if (due_us - clock_now_us() > 0) {
			agent_wait(sampler->agent,
				due_us - clock_now_us() < WAIT_SLICE_US / 10
					? due_us - clock_now_us()
					: WAIT_SLICE_US / 10);
			continue;
		}
		rc = poll_driver(sampler, &due_us, &periodic, fault);
		print_samples(sampler, out);
	}
	return rc;
}
