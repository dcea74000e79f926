/* driver_modbus_link: the thread that reads and writes one connection. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "agents/driver_modbus.h"
#include "agents/plant_clock.h"
#include "lib/clock.h"
#include "lib/log.h"

#define STACK_BYTES                                                            \
	((size_t)256 * 1024)           /* the resolver of names needs some     \
					*/
#define WAIT_US        CLOCK_SECOND_US /* the wall clock may be set */
#define AGAIN_US       50000           /* before a busy device is read again */
#define FIRST_PAUSE_US CLOCK_SECOND_US /* doubled with each failure */

/* --- plan ---------------------------------------------------------------- */

void
modbus_station_plan(struct modbus_station *station)
{
	struct modbus_limits limits = modbus_device_limits(station->device);
	struct modbus_block *blocks =
		calloc(station->item_count, sizeof(*blocks));
	size_t offset = 0;

	if (blocks == NULL)
		abort();
	station->reading_count = modbus_plan(
		station->items, station->item_count, &limits, blocks);
	for (size_t i = 0; i < station->reading_count; i++) {
		station->readings[i] = (struct modbus_reading){
			.block = blocks[i], .offset = offset};
		offset += blocks[i].count;
	}
	free(blocks);
}

/* Read the two halves apart from now on; false when it cannot be cut. */
static bool
cut(struct modbus_station *station, size_t index)
{
	struct modbus_reading *reading = &station->readings[index];
	struct modbus_reading rest = *reading;

	if (!modbus_plan_cut(station->items, &reading->block, &rest.block))
		return false;
	rest.offset += rest.block.start - reading->block.start;
	memmove(reading + 2, reading + 1,
		(station->reading_count - index - 1) * sizeof(*reading));
	reading[1] = rest;
	station->reading_count++;
	return true;
}

/* --- what the sampler sees ----------------------------------------------- */

static void
publish(struct modbus_station *station, size_t index, const uint16_t *registers)
{
	struct modbus_reading *reading = &station->readings[index];

	pthread_mutex_lock(&station->link->lock);
	memcpy(&station->image[reading->offset], registers,
		reading->block.count * sizeof(*registers));
	reading->time_us = plant_clock_us();
	reading->news = MODBUS_GOOD;
	reading->told_refusal = false;
	reading->silent = 0;
	pthread_mutex_unlock(&station->link->lock);
}

static void
publish_failure(struct modbus_station *station, size_t index)
{
	pthread_mutex_lock(&station->link->lock);
	station->readings[index].time_us = plant_clock_us();
	station->readings[index].news = MODBUS_BAD;
	pthread_mutex_unlock(&station->link->lock);
}

static void
wake(const struct modbus_link *link)
{
	link->setup->wake(link->setup->wake_context);
}

/* --- a device is lost and found ------------------------------------------ */

static void
back_off(struct modbus_station *station)
{
	int64_t longest_us = station->device->back_off_s * CLOCK_SECOND_US;
	int64_t pause_us = FIRST_PAUSE_US;

	for (int i = 0; i < station->failures && pause_us < longest_us; i++)
		pause_us *= 2;
	if (pause_us > longest_us)
		pause_us = longest_us;
	station->failures++;
	station->not_before_us = clock_steady_us() + pause_us;
}

static void
lose(struct modbus_station *station, const char *why)
{
	pthread_mutex_lock(&station->link->lock);
	for (size_t i = 0; i < station->reading_count; i++) {
		station->readings[i].time_us = plant_clock_us();
		station->readings[i].news = MODBUS_BAD;
	}
	station->off = true;
	pthread_mutex_unlock(&station->link->lock);
	if (station->failures == 0) {
		station->lost_us = clock_steady_us();
		notices_add(station->link->setup->notices, "device.lost",
			"%s (%s, unit %" PRId64 ") is off: %s",
			station->device->name, station->device->connection,
			station->device->unit, why);
	}
	back_off(station);
}

/* Its registers may be others than before: forget what was cut. */
static void
find_again(struct modbus_station *station)
{
	double seconds = (double)(clock_steady_us() - station->lost_us) /
			 (double)CLOCK_SECOND_US;

	pthread_mutex_lock(&station->link->lock);
	station->off = false;
	modbus_station_plan(station);
	pthread_mutex_unlock(&station->link->lock);
	station->failures = 0;
	/* What kept it away may have kept its neighbours away, too. */
	for (size_t i = 0; i < station->link->station_count; i++)
		station->link->stations[i]->not_before_us = 0;
	notices_add(station->link->setup->notices, "device.back",
		"%s (%s, unit %" PRId64 ") is back after %.0f s",
		station->device->name, station->device->connection,
		station->device->unit, seconds);
}

/* --- reading ------------------------------------------------------------- */

static bool
is_there(enum modbus_outcome outcome)
{
	return outcome != MODBUS_SILENT && outcome != MODBUS_ABSENT &&
	       outcome != MODBUS_UNLINKED;
}

static bool
is_worth_another(enum modbus_outcome outcome)
{
	return outcome == MODBUS_BUSY || outcome == MODBUS_WORKING ||
	       outcome == MODBUS_FAILED || outcome == MODBUS_SILENT;
}

static bool
is_stopping(struct modbus_link *link)
{
	bool stopping;

	pthread_mutex_lock(&link->lock);
	stopping = link->stopping;
	pthread_mutex_unlock(&link->lock);
	return stopping;
}

/* A device that was off gets one try, so that others wait less for it. */
static enum modbus_outcome
read_block(struct modbus_station *station, const struct modbus_block *block,
	uint16_t *registers)
{
	struct modbus_line *line = station->link->line;
	int64_t tries =
		station->failures > 0 ? 1 : station->device->retries + 1;
	enum modbus_outcome outcome = MODBUS_UNLINKED;

	for (int64_t i = 0; i < tries && !is_stopping(station->link); i++) {
		outcome = modbus_line_read(line, station->device, block->table,
			block->start, block->count, registers);
		if (!is_worth_another(outcome))
			break;
		if (outcome != MODBUS_SILENT && i + 1 < tries)
			usleep(AGAIN_US);
	}
	return outcome;
}

static void
tell_refusal(struct modbus_station *station, struct modbus_reading *reading)
{
	const struct modbus_block *block = &reading->block;
	uint32_t first = block->start + (uint32_t)station->device->first;

	if (!reading->told_refusal)
		log_warn(NULL, "%s: %s %u to %u cannot be read: %s",
			station->device->name, modbus_table_name(block->table),
			first, first + block->count - 1U,
			modbus_line_why(station->link->line));
	reading->told_refusal = true;
}

/* The device is there but does not give the block. */
static void
take_refusal(struct modbus_station *station, size_t index, bool by_address)
{
	bool smaller = false;

	if (by_address) {
		pthread_mutex_lock(&station->link->lock);
		smaller = cut(station, index);
		pthread_mutex_unlock(&station->link->lock);
	}
	if (smaller)
		return;
	tell_refusal(station, &station->readings[index]);
	publish_failure(station, index);
}

static void run_jobs(struct modbus_link *link);

/* Some devices do not answer at all when they lack a register. Whether this
 * one answers for what it has given before. */
static bool
is_alive(struct modbus_station *station, const struct modbus_block *silent)
{
	const struct modbus_address *address;
	uint16_t registers[MODBUS_VALUE_REGISTERS_MAX];

	if (!station->has_witness || station->failures > 0 ||
		station->witness - silent->first_item < silent->item_count)
		return false;
	address = &station->items[station->witness].address;
	return is_there(modbus_line_read(station->link->line, station->device,
		address->table, (uint16_t)address->number, address->count,
		registers));
}

/* Once may be chance; then its parts are tried, and what remains is left alone
 * for a while, as each try costs a time-out. */
static void
take_silence(struct modbus_station *station, size_t index)
{
	struct modbus_reading *reading = &station->readings[index];
	bool smaller = false;

	publish_failure(station, index);
	tell_refusal(station, reading);
	if (++reading->silent < 2)
		return;
	pthread_mutex_lock(&station->link->lock);
	smaller = cut(station, index);
	pthread_mutex_unlock(&station->link->lock);
	if (smaller)
		reading[0].silent = reading[1].silent = 1;
	else
		reading->not_before_us =
			clock_steady_us() +
			station->device->back_off_s * CLOCK_SECOND_US;
}

/* Read the block at *index and move on. The outcome tells whether it is there
 * at all. */
static enum modbus_outcome
read_next(struct modbus_station *station, size_t *index)
{
	uint16_t registers[MODBUS_READ_BITS_MAX];
	size_t before = station->reading_count;
	const struct modbus_block *block = &station->readings[*index].block;
	enum modbus_outcome outcome = read_block(station, block, registers);

	if (outcome == MODBUS_SILENT && is_alive(station, block)) {
		take_silence(station, *index);
		*index += station->reading_count - before + 1;
		return MODBUS_DONE;
	}
	if (!is_there(outcome))
		return outcome;
	if (outcome == MODBUS_DONE) {
		station->has_witness = true;
		station->witness = block->first_item;
	}
	if (station->failures > 0) {
		find_again(station);
		*index = 0; /* once more, with the new plan */
		return outcome;
	}
	if (outcome == MODBUS_DONE)
		publish(station, *index, registers);
	else
		take_refusal(station, *index, outcome == MODBUS_REFUSED);
	if (station->reading_count == before) /* else the first half is next */
		(*index)++;
	return outcome;
}

static bool
is_left_alone(const struct modbus_reading *reading)
{
	return reading->not_before_us != 0 &&
	       reading->not_before_us > clock_steady_us();
}

static void
read_station(struct modbus_station *station)
{
	struct modbus_link *link = station->link;
	enum modbus_outcome outcome = MODBUS_DONE;
	const char *why = modbus_line_why(link->line);
	/* One that is off is asked for something else each time: the first
	 * block may be what it never answers. */
	size_t index = (size_t)station->failures % station->reading_count;

	while (is_there(outcome) && index < station->reading_count) {
		if (is_left_alone(&station->readings[index])) {
			index++;
			continue;
		}
		outcome = read_next(station, &index);
		run_jobs(link);
		if (is_stopping(link))
			return;
	}
	if (outcome == MODBUS_UNLINKED)
		for (size_t i = 0; i < link->station_count; i++)
			lose(link->stations[i], why);
	else if (!is_there(outcome))
		lose(station, why);
	wake(link);
}

/* --- writing ------------------------------------------------------------- */

static struct modbus_job *
take_job(struct modbus_link *link)
{
	struct modbus_job *job;

	pthread_mutex_lock(&link->lock);
	job = link->stopping ? NULL : link->jobs;
	if (job != NULL)
		link->jobs = job->next;
	pthread_mutex_unlock(&link->lock);
	return job;
}

static void
finish_job(struct modbus_link *link, struct modbus_job *job)
{
	struct modbus_job **place = &link->done;

	pthread_mutex_lock(&link->lock);
	while (*place != NULL)
		place = &(*place)->next;
	job->next = NULL;
	*place = job;
	link->job_count--;
	pthread_mutex_unlock(&link->lock);
	wake(link);
}

static void
run_jobs(struct modbus_link *link)
{
	struct modbus_job *job;

	while ((job = take_job(link)) != NULL) {
		modbus_job_run(link->line, job);
		finish_job(link, job);
	}
}

/* --- the thread ---------------------------------------------------------- */

/* When the station may be read, on the wall clock. */
static int64_t
ready_at(const struct modbus_station *station, int64_t now_us)
{
	int64_t pause_us = station->not_before_us - clock_steady_us();

	return station->due_us > now_us + pause_us ? station->due_us
						   : now_us + pause_us;
}

/* The clock was set back: do not sleep through the time gained. */
static void
set_due(struct modbus_station *station, int64_t now_us)
{
	if (station->due_us == 0 ||
		station->due_us - now_us > 2 * station->period_us)
		station->due_us = now_us - now_us % station->period_us +
				  station->period_us;
}

static struct modbus_station *
next_station(struct modbus_link *link, int64_t *ready_us)
{
	int64_t now_us = plant_clock_us();
	struct modbus_station *next = NULL;

	for (size_t i = 0; i < link->station_count; i++) {
		struct modbus_station *station = link->stations[i];
		int64_t at_us;

		set_due(station, now_us);
		at_us = ready_at(station, now_us);
		if (next == NULL || at_us < *ready_us) {
			next = station;
			*ready_us = at_us;
		}
	}
	return next;
}

static void
wait_for_work(struct modbus_link *link, int64_t wait_us)
{
	int64_t until_us =
		clock_steady_us() + (wait_us < WAIT_US ? wait_us : WAIT_US);
	struct timespec until = {.tv_sec = (time_t)(until_us / CLOCK_SECOND_US),
		.tv_nsec = (long)(until_us % CLOCK_SECOND_US) * 1000};

	pthread_mutex_lock(&link->lock);
	if (!link->stopping && link->jobs == NULL)
		pthread_cond_timedwait(&link->work, &link->lock, &until);
	pthread_mutex_unlock(&link->lock);
}

static void *
run(void *context)
{
	struct modbus_link *link = context;

	link->line = modbus_line_new(link);
	while (!is_stopping(link)) {
		int64_t ready_us = 0;
		struct modbus_station *station = next_station(link, &ready_us);
		int64_t wait_us = ready_us - plant_clock_us();

		run_jobs(link);
		if (wait_us > 0) {
			wait_for_work(link, wait_us);
			continue;
		}
		read_station(station);
		/* What is late skips instants instead of catching up. */
		station->due_us = 0;
	}
	modbus_line_free(link->line);
	return NULL;
}

enum rc
modbus_link_start(struct modbus_link *link, struct fault *fault)
{
	pthread_condattr_t steady;
	pthread_attr_t attributes;
	int result;

	pthread_mutex_init(&link->lock, NULL);
	pthread_condattr_init(&steady);
	pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
	pthread_cond_init(&link->work, &steady);
	pthread_condattr_destroy(&steady);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	link->socket = -1;
	result = pthread_create(&link->thread, &attributes, run, link);
	pthread_attr_destroy(&attributes);
	link->started = result == 0;
	if (result != 0)
		return fault_set(fault, RC_IO, "no thread for %s: %s",
			link->device->connection, strerror(result));
	return RC_OK;
}

void
modbus_link_end(struct modbus_link *link)
{
	if (!link->started)
		return;
	pthread_mutex_lock(&link->lock);
	link->stopping = true;
	if (link->socket >= 0) /* ends a wait for an answer */
		shutdown(link->socket, SHUT_RDWR);
	pthread_cond_signal(&link->work);
	pthread_mutex_unlock(&link->lock);
}

void
modbus_link_join(struct modbus_link *link)
{
	if (!link->started)
		return;
	pthread_join(link->thread, NULL);
	pthread_mutex_destroy(&link->lock);
	pthread_cond_destroy(&link->work);
}
